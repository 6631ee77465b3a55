"""Siren or buzzer behind a transistor, with a duty limit that no caller can exceed."""

import time

from micropython import const

_BURST_MS = const(30_000)  # longest uninterrupted sound: coil heating, noise rules
_REST_RATIO = const(1)  # rest as long as it sounded
_CHIRP_MS = const(200)


class Siren:
    """A siren on one output pin, high = on.

    ``poll`` must run before the returned time has passed; it ends a burst and starts the rest.

    Args:
        pin: machine.Pin, made as an output at 0.
    """

    def __init__(self, pin):
        self._pin = pin
        pin(0)
        self._until_ms = None  # end of the running burst
        self._started_ms = time.ticks_ms()
        self._rest_until_ms = None  # no sound before
        self._chirps = 0  # still to come

    @property
    def sounding(self) -> bool:
        return self._until_ms is not None

    def sound(self, duration_ms: int) -> int:
        """Sound for ``duration_ms``, cut to 30 s; during a rest nothing happens.

        Returns:
            The milliseconds it will really sound (0 while it rests).
        """
        self._chirps = 0
        self.poll()
        return 0 if self._rest_until_ms is not None else self._sound(duration_ms)

    def chirp(self, count: int) -> None:
        """``count`` short signals of a fifth of a second, as far apart; nothing while it sounds."""
        if self._until_ms is None:
            self._chirps = count
            self.poll()

    def _sound(self, duration_ms: int) -> int:
        now_ms = time.ticks_ms()
        if self._until_ms is None:
            self._started_ms = now_ms
        limit_ms = time.ticks_add(self._started_ms, _BURST_MS)
        wanted_ms = time.ticks_add(now_ms, min(duration_ms, _BURST_MS))
        self._until_ms = limit_ms if time.ticks_diff(wanted_ms, limit_ms) > 0 else wanted_ms
        self._pin(1)
        return time.ticks_diff(self._until_ms, now_ms)

    def stop(self) -> None:
        """Silence at once."""
        self._chirps = 0
        if self._until_ms is not None:
            self._end(time.ticks_ms())

    def poll(self) -> int | None:
        """Carry the limit out. Returns milliseconds until it must run again, or None when idle."""
        now_ms = time.ticks_ms()
        if self._until_ms is not None:
            left_ms = time.ticks_diff(self._until_ms, now_ms)
            if left_ms > 0:
                return left_ms
            self._end(self._until_ms)
        if self._rest_until_ms is not None:
            if time.ticks_diff(self._rest_until_ms, now_ms) > 0:
                return time.ticks_diff(self._rest_until_ms, now_ms)
            self._rest_until_ms = None
        if self._chirps:
            self._chirps -= 1
            return self._sound(_CHIRP_MS)
        return None

    def _end(self, end_ms) -> None:
        self._pin(0)
        sounded_ms = time.ticks_diff(end_ms, self._started_ms)
        self._rest_until_ms = time.ticks_add(end_ms, sounded_ms * _REST_RATIO)
        self._until_ms = None
