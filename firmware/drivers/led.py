"""Status LED: one pulse pattern at a time, driven from the run loop."""

import time

# Patterns: alternating on, off, on, ... milliseconds; repeats for ever.
OFF = ()
HEARTBEAT = (20, 4980)
ALARM = (100, 100)
NO_NETWORK = (100, 100, 100, 2700)
BLANK = (500, 500)


class Led:
    """An LED on an output pin.

    Args:
        pin: machine.Pin, made as an output.
        on_level: level that lights it.
    """

    def __init__(self, pin, on_level: int = 1):
        self._pin = pin
        self._on_level = on_level
        self._pattern = OFF
        self._step = 0
        self._next_ms = 0
        pin(1 - on_level)

    def show(self, pattern: tuple) -> None:
        """Start ``pattern`` (see the constants); the same pattern again changes nothing."""
        if pattern is self._pattern:
            return
        self._pattern = pattern
        self._step = -1
        self._next_ms = time.ticks_ms()
        if not pattern:
            self._pin(1 - self._on_level)

    def poll(self) -> int | None:
        """Advance the pattern. Returns milliseconds until the next change, or None when off."""
        if not self._pattern:
            return None
        left_ms = time.ticks_diff(self._next_ms, time.ticks_ms())
        if left_ms > 0:
            return left_ms
        self._step = (self._step + 1) % len(self._pattern)
        self._pin(self._on_level if self._step % 2 == 0 else 1 - self._on_level)
        self._next_ms = time.ticks_add(time.ticks_ms(), self._pattern[self._step])
        return self._pattern[self._step]
