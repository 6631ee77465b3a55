"""Siren or buzzer behind a transistor, with a duty limit that no caller can exceed."""

import time

from micropython import const

_BURST_MS = const(30_000)  # longest uninterrupted sound: coil heating, noise rules
_CHIRP_MS = const(200)


class Siren:
    """A siren on one output pin, high = on.

    The limit is a heat: it rises while it sounds, falls as fast while it is silent, and ends the sound at 30 s.
    ``poll`` must run before the time that it returns has passed.

    Args:
        pin: machine.Pin, made as an output at 0.
    """

    def __init__(self, pin):
        self._pin = pin
        pin(0)
        self._on = False
        self._heat_ms = 0
        self._heat_ticks = time.ticks_ms()  # when the heat was reckoned
        self._phase_end_ms = None  # of the sound, or of the gap between two chirps
        self._chirps = 0  # still to come

    @property
    def sounding(self) -> bool:
        """Also between two chirps."""
        return self._phase_end_ms is not None

    def sound(self, duration_ms: int) -> int:
        """Sound for ``duration_ms`` from now, as far as the heat allows.

        Returns:
            The milliseconds for which it will really sound.
        """
        self._chirps = 0
        allowed_ms = min(duration_ms, _BURST_MS - self._heat())
        if allowed_ms <= 0:
            return 0
        self._switch(True, allowed_ms)
        return allowed_ms

    def chirp(self, count: int) -> None:
        """``count`` short signals of a fifth of a second, as far apart; nothing while it sounds."""
        if not self.sounding and count > 0:
            self._chirps = count - 1
            self._switch(True, _CHIRP_MS)

    def stop(self) -> None:
        """Silence at once."""
        self._chirps = 0
        self._switch(False, None)

    def poll(self) -> int | None:
        """End what is over. Returns milliseconds until it must run again, or None when idle."""
        if self._phase_end_ms is None:
            return None
        left_ms = time.ticks_diff(self._phase_end_ms, time.ticks_ms())
        if left_ms > 0:
            return left_ms
        if self._on:
            self._switch(False, _CHIRP_MS if self._chirps else None)
        else:
            self._chirps -= 1
            self._switch(True, _CHIRP_MS)
        return None if self._phase_end_ms is None else _CHIRP_MS

    def _switch(self, on: bool, duration_ms: int | None) -> None:
        self._heat()
        self._on = on
        self._pin(1 if on else 0)
        self._phase_end_ms = None if duration_ms is None else time.ticks_add(self._heat_ticks, duration_ms)

    def _heat(self) -> int:
        """Milliseconds of sound that have not been made up for by silence yet."""
        now_ms = time.ticks_ms()
        passed_ms = time.ticks_diff(now_ms, self._heat_ticks)
        self._heat_ms = max(0, self._heat_ms + (passed_ms if self._on else -passed_ms))
        self._heat_ticks = now_ms
        return self._heat_ms
