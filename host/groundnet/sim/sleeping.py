"""Sleep, wake-up sources, timers and the watchdog of a virtual board."""

import struct
from typing import TYPE_CHECKING

from groundnet.sim.process import Request
from groundnet.sim.services import PARKED, Handler, Result, Service
from groundnet.sim.shim import operations as op
from groundnet.sim.world import Event

if TYPE_CHECKING:
    from groundnet.sim.board import VirtualBoard

_WDT_RESET = 3
_EXT0_WAKE, _EXT1_WAKE, _TIMER_WAKE, _GPIO_WAKE = 2, 3, 4, 7  # machine.wake_reason(), ESP-IDF's numbers
_WAKE_KINDS = {1: _EXT0_WAKE, 2: _EXT1_WAKE, 3: _GPIO_WAKE}
_WAKE_LOW = 4  # Pin.WAKE_LOW, Pin.WAKE_HIGH = 5
_LIGHT_WAKE_US = 1_000  # clocks and flash come back


class Sleeping(Service):
    """Everything that lets time pass.

    Args:
        clock_error: relative error of the slow clock in deep sleep; may be changed at any time.
    """

    def __init__(self, board: "VirtualBoard", clock_error: float) -> None:
        self._board = board
        self._world = board.world
        self.clock_error = clock_error
        self._wake_pins: dict[int, tuple[int, tuple[int, ...]]] = {}  # reason -> (level, gpios)
        self._pin_wakes: dict[int, int] = {}  # Pin.irq(wake=...): gpio -> level, light sleep only
        self._wake_event: Event | None = None
        self.light = False
        self._timers: dict[int, Event] = {}
        self._slept_from_us = 0
        self._watchdog_us = 0
        self._watchdog_rest_us: int | None = None  # its clock stands still in light sleep
        self._bite: Event | None = None
        self.wake_reason = 0

    def handlers(self) -> dict[int, Handler]:
        return {
            op.SLEEP: self._sleep,
            op.LIGHT_SLEEP: self._sleep_lightly,
            op.DEEP_SLEEP: self._sleep_deeply,
            op.WATCHDOG_START: self._start_watchdog,
            op.WATCHDOG_FEED: self._feed_watchdog,
            op.TIMER_START: self._start_timer,
            op.TIMER_STOP: self._stop_timer,
            op.WAKE_PINS: self._set_wake_pins,
            op.WAKE_REASON: lambda request: self.wake_reason,
        }

    def reset(self) -> None:
        self.soft_reset()
        self.light = False
        self._wake_pins.clear()
        self._pin_wakes.clear()
        _cancel(self._wake_event)
        _cancel(self._bite)
        self._watchdog_us, self._bite = 0, None
        self.wake_reason = 0

    def soft_reset(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def watchdog_left_us(self) -> int | None:
        """Until the watchdog bites; None when it does not run."""
        return None if self._bite is None else self._bite.time_us - self._world.now_us

    # --- sleep

    def _sleep(self, request: Request) -> Result:
        end_us = self._world.now_us + request.argument
        self._board.draw("idle", self._board.chip.idle_ua)
        return self._board.park(
            request.argument, interrupted=lambda: (max(0, end_us - self._world.now_us), b"")
        )

    def _sleep_lightly(self, request: Request) -> Result:
        board = self._board
        self.light = True
        self._watchdog_rest_us = self.watchdog_left_us()
        self._stop_watchdog_clock()
        board.draw("light sleep", board.chip.light_sleep_ua)
        result = board.park()
        if request.argument >= 0:
            self._wake_event = self._world.after(
                request.argument * 1000, lambda: self._end_light_sleep(_TIMER_WAKE)
            )
        self.pin_changed()
        return result

    def _end_light_sleep(self, reason: int) -> None:
        self.light = False
        self.wake_reason = reason
        _cancel(self._wake_event)
        self._board.draw("active", self._board.chip.active_ua)
        self._rearm_watchdog(self._watchdog_rest_us)
        self._wake_event = self._world.after(_LIGHT_WAKE_US, lambda: self._board.unpark((0, b"")))

    def _sleep_deeply(self, request: Request) -> Result:
        board = self._board
        pins = dict(self._wake_pins)
        began_us = self._world.now_us
        board.sleep_deeply()
        self._wake_pins = pins
        if request.argument >= 0:
            duration_us = round(request.argument * 1000 * (1 + self.clock_error))
            self._wake_event = self._world.after(duration_us, lambda: self._wake(_TIMER_WAKE, began_us))
        self._slept_from_us = began_us
        self.pin_changed()
        return PARKED

    def _wake(self, reason: int, began_us: int) -> None:
        elapsed_us = self._world.now_us - began_us
        self._board.memory.clock_us -= elapsed_us * self.clock_error / (1 + self.clock_error)
        self._board.wake()
        self.wake_reason = reason

    # --- wake-up sources

    def _set_wake_pins(self, request: Request) -> Result:
        reason = _WAKE_KINDS[request.argument]
        level, *gpios = request.data
        for gpio in gpios:
            self._board.terminals.watch(gpio)
        self._wake_pins[reason] = level, tuple(gpios)
        return 0

    def set_pin_wake(self, gpio: int, wake: int) -> None:
        """``Pin.irq(wake=...)``: the level that ends a light sleep, 0 for none."""
        self._pin_wakes.pop(gpio, None)
        if wake:
            self._pin_wakes[gpio] = 0 if wake == _WAKE_LOW else 1

    def pin_changed(self) -> None:
        """End a sleep whose wake-up level is there."""
        deep = self._board.state == "deep sleep"
        if not deep and not self.light:
            return
        reason = self._reason()
        if reason and deep:
            self._wake(reason, self._slept_from_us)
        elif reason:
            self._end_light_sleep(reason)

    def _reason(self) -> int:
        line, chip = self._board.io.line, self._board.chip
        deep = self._board.state == "deep sleep"
        for reason, (level, gpios) in self._wake_pins.items():
            if deep and reason == _GPIO_WAKE and not chip.deep_wake_gpio:
                continue
            levels = [line(gpio).level for gpio in gpios if not deep or gpio in chip.deep_wake]
            # ext1 at low waits for all of its pins, everything else for any.
            everything = reason == _EXT1_WAKE and level == 0
            if levels and (all if everything else any)(here == level for here in levels):
                return reason
        if self.light and any(line(gpio).level == level for gpio, level in self._pin_wakes.items()):
            return _GPIO_WAKE
        return 0

    # --- timers

    def _start_timer(self, request: Request) -> Result:
        number = request.argument
        period_us, repeats = struct.unpack("<IB", request.data)
        self._cancel_timer(number)
        self._timers[number] = self._world.after(
            period_us, lambda: self._timer_fired(number, period_us if repeats else 0)
        )
        return 0

    def _stop_timer(self, request: Request) -> Result:
        self._cancel_timer(request.argument)
        return 0

    def _cancel_timer(self, number: int) -> None:
        _cancel(self._timers.pop(number, None))

    def _timer_fired(self, number: int, period_us: int) -> None:
        if period_us:
            self._timers[number] = self._world.after(period_us, lambda: self._timer_fired(number, period_us))
        else:
            del self._timers[number]
        self._board.interrupt(op.INTERRUPT_TIMER, number)

    # --- watchdog

    def _start_watchdog(self, request: Request) -> Result:
        self._watchdog_us = request.argument * 1000
        self._rearm_watchdog(self._watchdog_us)
        return 0

    def _feed_watchdog(self, request: Request) -> Result:
        self._rearm_watchdog(self._watchdog_us or None)
        return 0

    def _rearm_watchdog(self, left_us: int | None) -> None:
        self._stop_watchdog_clock()
        if left_us is not None:
            self._bite = self._world.after(left_us, lambda: self._board.reset(_WDT_RESET))

    def _stop_watchdog_clock(self) -> None:
        _cancel(self._bite)
        self._bite = None


def _cancel(event: Event | None) -> None:
    if event is not None:
        event.cancel()
