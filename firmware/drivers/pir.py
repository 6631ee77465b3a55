"""Passive infrared movement sensor with a logic output (AM312, HC-SR501 class: high while somebody moves).

For some time after power-on such a sensor triggers by itself (AM312: 30 s, HC-SR501: one minute), and while
somebody walks about its output falls and rises again: both are hidden here.
"""

import time

from micropython import const

NOTHING = const(0)
MOVED = const(1)  # somebody moves
LEFT = const(2)  # nobody has moved for the hold time

WARM_UP_MS = const(60_000)
HOLD_MS = const(10_000)
_LOOK_MS = const(1_000)
_STUCK_MS = const(600_000)  # nobody walks before a sensor for so long without one pause of its hold time


class Pir:
    """One sensor on an input pin.

    Args:
        pin: machine.Pin, made as an input; high = movement.
        warm_up_ms: after making this object the sensor is not believed that long; 0 = it has been on for long.
        hold_ms: quiet time after which nobody moves any more.
    """

    def __init__(self, pin, warm_up_ms: int = WARM_UP_MS, hold_ms: int = HOLD_MS):
        self._pin = pin
        self._ready = warm_up_ms == 0
        self._ready_ticks = time.ticks_add(time.ticks_ms(), warm_up_ms)
        self._hold_ms = hold_ms
        self._seen_ticks = 0
        self._rose_ticks = None  # when the output rose, while it is high
        self.active = False

    def poll(self) -> int:
        """What happened: NOTHING, MOVED or LEFT."""
        now = time.ticks_ms()
        if not self._ready:
            if time.ticks_diff(self._ready_ticks, now) > 0:
                return NOTHING
            self._ready = True
        if self._pin():
            self._seen_ticks = now
            if self._rose_ticks is None:
                self._rose_ticks = now
            if not self.active:
                self.active = True
                return MOVED
            return NOTHING
        self._rose_ticks = None
        if self.active and time.ticks_diff(now, self._seen_ticks) >= self._hold_ms:
            self.active = False
            return LEFT
        return NOTHING

    def due_ms(self) -> int | None:
        """Milliseconds until `poll` has something to decide; None: only the pin can tell."""
        now = time.ticks_ms()
        if not self._ready:
            return max(0, time.ticks_diff(self._ready_ticks, now))
        if not self.active:
            return None
        if self._pin():
            return _LOOK_MS  # when it falls; no sleep ends by that
        return max(0, self._hold_ms - time.ticks_diff(now, self._seen_ticks))

    @property
    def warm(self) -> bool:
        """The sensor is believed."""
        return self._ready

    @property
    def stuck(self) -> bool:
        """The output has been high for ten minutes without a pause."""
        rose_ticks = self._rose_ticks
        return rose_ticks is not None and time.ticks_diff(time.ticks_ms(), rose_ticks) >= _STUCK_MS
