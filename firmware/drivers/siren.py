"""Siren, buzzer or vibration motor behind a transistor, with a duty limit that no caller can exceed."""

import time

from micropython import const

SIREN_BURST_MS = const(30_000)  # longest uninterrupted sound: coil heating, noise rules
BUZZER_BURST_MS = const(10_000)
MOTOR_BURST_MS = const(2_000)  # a coin motor is felt at once and drains a small cell
CHIRP_MS = const(200)
BUZZ_MS = const(400)  # shorter ones of a motor, which takes 0.1 s to run up, are not felt


class Siren:
    """A siren on one output pin, high = on.

    The limit is a heat: it rises while it sounds, falls as fast while it is silent, and ends the sound at
    ``burst_ms``. ``poll`` must run before the time that it returns has passed.

    Args:
        pin: machine.Pin, made as an output at 0.
        burst_ms: longest uninterrupted sound.
        chirp_ms: length of a short signal and of the gap behind it.
    """

    def __init__(self, pin, burst_ms: int = SIREN_BURST_MS, chirp_ms: int = CHIRP_MS):
        self._pin = pin
        self._burst_ms = burst_ms
        self._chirp_ms = chirp_ms
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
        allowed_ms = min(duration_ms, self._burst_ms - self._heat())
        if allowed_ms <= 0:
            return 0
        self._switch(True, allowed_ms)
        return allowed_ms

    def chirp(self, count: int) -> None:
        """``count`` short signals, as far apart as they are long; nothing while it sounds."""
        if not self.sounding and count > 0:
            self._chirps = count - 1
            self._switch(True, self._chirp_ms)

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
            self._switch(False, self._chirp_ms if self._chirps else None)
        else:
            self._chirps -= 1
            self._switch(True, self._chirp_ms)
        return None if self._phase_end_ms is None else self._chirp_ms

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
