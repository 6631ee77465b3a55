"""The ring in flash in which a reporter keeps what the collector has not signed for."""

from apps.run_loop import Part
from drivers.flash_records import FlashRecordError
from drivers.flash_ring import FlashRing
from groundcore import events
from micropython import const

_FOLDER = "/history"
_SEGMENTS = const(16)  # of 4 KiB: about 900 items


class History(Part):
    """Carries out KEEP_HISTORY and FORGET_HISTORY."""

    actions = (
        (events.KEEP_HISTORY, "keep"),
        (events.FORGET_HISTORY, "forget"),
    )
    errors = (FlashRecordError, OSError)

    def __init__(self):
        self._ring = FlashRing(_FOLDER, _SEGMENTS)
        self.keep = self._ring.append
        self.forget = self._ring.erase

    def load(self) -> tuple:
        """(capacity in bytes, records) for the core."""
        return self._ring.capacity_bytes, self._ring.records()

    def test(self) -> tuple:
        count = sum([1 for _ in self._ring.records()])
        return True, count, "records"
