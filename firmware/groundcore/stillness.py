"""An animal or a person that has not moved for too long: ill, dead, or the device has fallen off."""


class Stillness:
    """Says once that it was still for `limit_ms`, and again only after a movement."""

    def __init__(self, limit_ms: int, now_ms: int = 0):
        self._limit_ms = limit_ms
        self._moved_ms = now_ms
        self._said = False

    def moved(self, now_ms: int):
        """There is movement."""
        self._moved_ms = now_ms
        self._said = False

    def check(self, now_ms: int) -> bool:
        """True once when it has been still for too long."""
        if self._said or now_ms - self._moved_ms < self._limit_ms:
            return False
        self._said = True
        return True

    def next_deadline(self) -> int | None:
        """When to check; None when it was said."""
        return None if self._said else self._moved_ms + self._limit_ms
