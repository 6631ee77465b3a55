"""The loop that all roles share: poll the parts, feed the core, carry its actions out, wait."""

import gc
import select
import time

import esp32
import machine
from groundcore import events
from micropython import const

_LONGEST_REST_MS = const(10_000)
_WATCHDOG_MS = const(60_000)
_WATCHDOG_OFF_MS = const(86_400_000)  # a watchdog cannot be stopped, but a REPL may take a day
_LEVELS = ("debug", "info", "warning", "error")


class Part:
    """What stands between one driver and the core: a few actions, and events when something happened.

    ``actions`` are pairs of an action's number and the method that carries it out; ``errors`` are what its
    driver raises.
    """

    actions = ()
    errors = (OSError,)

    def poll(self) -> None:
        """Look at the hardware; post events. Never blocks."""

    def due_ms(self) -> int | None:
        """Milliseconds until ``poll`` must run even if no stream is ready; None: no such time."""
        return None

    def expects_ms(self) -> int | None:
        """How long the part may be without an event now before it counts as stuck; None: for ever."""
        return None

    def busy(self) -> bool:
        """True while the microcontroller must not sleep."""
        return False

    def wake_pin(self):
        """The pin whose high level is news and must end a sleep; None: no such pin now."""
        return None

    def failed(self, action: int) -> None:
        """``action`` raised one of ``errors``: answer the core if it waits for an answer."""

    def test(self) -> tuple | None:
        """(passed, measured value, text) of a self-test; None: there is nothing to test."""
        return None


class RunLoop:
    """Core and parts of one device.

    Args:
        core: what decides (groundcore/README.md).
        clock: the time that it sees.

    ``say`` takes one line of log text, ``rest`` waits for at most so many milliseconds: a role sets its own.
    """

    def __init__(self, core, clock):
        self.clock = clock
        self.core = core
        self.parts = {}
        self.missing = {}  # part that could not be made -> why
        self.event_ticks = time.ticks_ms()  # when the event in hand was posted
        self.rest = self.doze
        self.say = print
        self._handlers = {}
        self._events = []
        self._trouble = {}  # part -> what it complained about last
        self._poller = select.poll()
        self._watchdog = machine.WDT(timeout=_WATCHDOG_MS)

    # --- set-up

    def add(self, name: str, make, errors: tuple = (OSError,)):
        """Make a part and register its actions. A part that cannot be made is reported and left out."""
        try:
            part = make()
        except errors as error:
            self.missing[name] = str(error)
            self.log(3, name, str(error))
            return None
        self.parts[name] = part
        for number, method in part.actions:
            self._handlers[number] = (name, part, getattr(part, method))
        return part

    def watch(self, stream) -> None:
        """End a doze when ``stream`` has something to read."""
        self._poller.register(stream, select.POLLIN)

    def unwatch(self, stream) -> None:
        self._poller.unregister(stream)

    # --- at work

    def post(self, *event) -> None:
        """Something happened; the core hears of it before the loop rests."""
        self._events.append((time.ticks_ms(), event))

    def run(self) -> None:
        """For ever."""
        while True:
            self.step()
            self.rest(self.due_ms())

    def step(self) -> None:
        """Poll every part once and bring all events to the core; only then the watchdog is fed."""
        for name in self.parts:
            self.visit(name, self.parts[name])
        deadline_ms = self.core.next_deadline()
        if deadline_ms is not None and self.clock.now_ms() >= deadline_ms:
            self.post(events.TICK)
        while self._events:
            self.event_ticks, event = self._events.pop(0)
            self.carry_out(self.core.handle(event, self.clock.now_ms()))
        self._watchdog.feed()

    def visit(self, name: str, part) -> None:
        """Poll one part."""
        try:
            part.poll()
            self.well(name, 0)
        except self.tolerated(part) as error:
            self.trouble(name, 0, error)

    def carry_out(self, actions: list) -> None:
        """Do what a core asked for, in order. Actions of parts that are not there are left out."""
        for action in actions:
            if action[0] == events.LOG:
                self.log(*action[1:])
                continue
            if action[0] == events.SET_CLOCK:
                self.clock.set_unix_ms(action[1])
                continue
            handler = self._handlers.get(action[0])
            if handler is None:
                continue
            name, part, method = handler
            try:
                method(*action[1:])
                self.well(name, action[0])
            except self.tolerated(part) as error:
                self.trouble(name, action[0], error)
                part.failed(action[0])

    def tolerated(self, part) -> tuple:
        """What a part may raise without ending the app."""
        return part.errors

    def well(self, name: str, what: int) -> None:
        """A part did it: an action by its number, 0 for its poll."""
        if not what:
            self._trouble.pop(name, None)

    def trouble(self, name: str, what: int, error) -> None:
        """A part did not. One that stays broken is reported once, not at every turn."""
        text = str(error)
        if self._trouble.get(name) != text:
            self._trouble[name] = text
            self.log(3, name, text)

    def log(self, level: int, event: str, text: str) -> None:
        self.say("%s %s: %s" % (_LEVELS[level], event, text))

    def due_ms(self) -> int:
        """Milliseconds until somebody must act, at most ten seconds."""
        due_ms = _LONGEST_REST_MS
        deadline_ms = self.core.next_deadline()
        if deadline_ms is not None:
            due_ms = min(due_ms, deadline_ms - self.clock.now_ms())
        for part in self.parts.values():
            part_due_ms = part.due_ms()
            if part_due_ms is not None:
                due_ms = min(due_ms, part_due_ms)
        return max(0, due_ms)

    def busy(self) -> bool:
        return bool(self._events) or any(part.busy() for part in self.parts.values())

    def doze(self, duration_ms: int) -> None:
        """Wait with everything on until a stream is ready."""
        if duration_ms:
            gc.collect()
            self._poller.poll(duration_ms)

    def light_sleep(self, duration_ms: int) -> None:
        """Wait with the clocks stopped until a wake pin rises; RAM is kept."""
        if duration_ms:
            gc.collect()
            self.arm_wake_pins()
            machine.lightsleep(duration_ms)

    def arm_wake_pins(self, arm=esp32.wake_on_gpio) -> None:
        """Let the parts' wake pins end the next sleep; ``arm`` is the source that this chip has for it."""
        pins = [part.wake_pin() for part in self.parts.values()]
        arm([pin for pin in pins if pin is not None], esp32.WAKEUP_ANY_HIGH)


def relax_watchdog(duration_ms: int = _WATCHDOG_OFF_MS) -> None:
    """Give a REPL so long, a day if nothing else is said, before the watchdog bites."""
    machine.WDT(timeout=duration_ms)
