"""Debounced contacts: push button, strap loop, case switch.

Works polled, and with an interrupt: `edge` is a handler for ``machine.Pin.irq`` that allocates nothing, so that
a press between two polls is not lost.
"""

import time

from micropython import const

NOTHING = const(0)
CLOSED = const(1)  # the contact reached its active level and stayed there for the debounce time
HELD = const(2)  # it has been active for the hold time; comes once after CLOSED
OPENED = const(3)  # it left its active level


class Contact:
    """One contact on an input pin.

    Args:
        pin: machine.Pin, made as an input with a pull towards the resting level.
        active_level: level of the pin while the contact is active.
        debounce_ms: a level counts after it was there that long.
        hold_ms: a press of that length is HELD; 0 = never.
        active: what is known from before, over a deep sleep: no news when it still is so.
    """

    def __init__(self, pin, active_level=0, debounce_ms=30, hold_ms=0, active=False):
        self._pin = pin
        self._active_level = active_level
        self._debounce_ms = debounce_ms
        self._hold_ms = hold_ms
        self.active = active
        self._since = None  # ticks at which the level began to differ from ``active``
        self._held_from = None  # ticks of CLOSED, while HELD may still come
        self._edges = 0  # seen by the interrupt since the last poll
        self._first_edge = 0
        self._last_edge = 0
        self._release_due = False  # a whole press happened between two polls: its end is still to be told

    def edge(self, _pin) -> None:
        """Interrupt handler for both edges."""
        now = time.ticks_ms()
        if not self._edges:
            self._first_edge = now
        self._last_edge = now
        self._edges += 1

    def poll(self) -> int:
        """What happened, one thing per call: NOTHING, CLOSED, HELD or OPENED."""
        if self._release_due:
            self._release_due = False
            return self._turn(False, self._last_edge)
        now = time.ticks_ms()
        if self.raw == self.active:
            self._since = None
            if self._missed_press():
                self._release_due = True
                return self._turn(True, self._first_edge)
        elif self._since is None:
            self._since = self._first_edge if self._edges else now
        self._edges = 0
        if self._since is not None and time.ticks_diff(now, self._since) >= self._debounce_ms:
            return self._turn(not self.active, self._since)
        if self._held_from is not None and time.ticks_diff(now, self._held_from) >= self._hold_ms:
            self._held_from = None
            return HELD
        return NOTHING

    def due_ms(self) -> int | None:
        """Milliseconds until `poll` has something to decide; None while the contact rests."""
        if self._release_due:
            return 0
        now = time.ticks_ms()
        due_ms = None
        if self._since is not None:
            due_ms = self._debounce_ms - time.ticks_diff(now, self._since)
        elif self._held_from is not None:
            due_ms = self._hold_ms - time.ticks_diff(now, self._held_from)
        return None if due_ms is None else max(0, due_ms)

    @property
    def raw(self) -> bool:
        """The pin's level now, bounces and all: True = active."""
        return self._pin() == self._active_level

    def _missed_press(self) -> bool:
        """The interrupt saw an inactive contact close and open again, longer than it bounces."""
        lasted_ms = time.ticks_diff(self._last_edge, self._first_edge)
        return self._edges > 1 and not self.active and lasted_ms >= self._debounce_ms

    def _turn(self, active: bool, since) -> int:
        self.active = active
        self._since = None
        self._edges = 0
        self._held_from = since if active and self._hold_ms else None
        return CLOSED if active else OPENED
