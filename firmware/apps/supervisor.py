"""The loop of roles that never sleep deeply: it looks after its parts, and the device goes on without one.

A part that keeps failing, says nothing where it should, or blocks is made anew, with a pause that doubles from half
a minute to an hour; the core hears of it in FAULT events. The watchdog is fed only behind a whole round
(run_loop.py): a driver that never comes back ends in a reset. Crumbs in the memory of the RTC say who it was, and
that part waits its turn after the restart. A tag needs none of this: each wake-up makes its parts anew.
"""

import time

import machine
from apps import crash
from apps.run_loop import RunLoop
from groundcore import events
from micropython import const

_PATIENCE_MS = const(30_000)  # how long a part may fail before it is made anew
_BLOCKED_MS = const(5_000)  # nothing that a poll does takes so long
_FIRST_PAUSE_MS = const(30_000)
_LAST_PAUSE_MS = const(3_600_000)
_MAKING = const(-1)  # what failed: 0 its poll, an action by its number, or this
_SILENCE = const(-2)
_BLOCKING = const(-3)
_MARK = b"GNS1"  # in RTC memory: mark, resets by the watchdog in the same part, its name

# Actions that hold until another one of their group: a part that is made late, or anew, is told the last one.
_STANDING = {
    events.WATCH_MOTION: 0,
    events.SAMPLE: 1,
    events.RADIO_LISTEN: 2,
    events.RADIO_WATCH: 2,
    events.RADIO_SLEEP: 2,
    events.GNSS_ON: 3,
    events.GNSS_STANDBY: 3,
    events.MODEM_ON: 4,
    events.MODEM_OFF: 4,
    events.LIGHT: 5,
}


class _Task:
    """One part, or the place where one should be."""

    def __init__(self, make, errors, now_ticks):
        self.make = make
        self.errors = errors
        self.streams = []
        self.ills = {}  # what failed -> text
        self.text = ""  # told last
        self.since_ticks = now_ticks  # of the first failure since it was made
        self.due = False  # it failed for long enough to be made anew
        self.news_ticks = now_ticks
        self.retry_ticks = now_ticks
        self.pause_ms = _FIRST_PAUSE_MS


class Supervisor(RunLoop):
    """A RunLoop whose parts are watched; see there."""

    def __init__(self, core, clock):
        self._tasks = {}
        self._owner = None  # the task at work: streams watched now are its own
        self._held = {}  # group of standing actions -> the last one
        self._culprit, self._resets = _crumbs()
        self._crumb = None
        super().__init__(core, clock)
        self._at_work("")

    def add(self, name: str, make, errors: tuple = (OSError,)):
        """Make a part now, or later when it cannot be made yet."""
        task = self._tasks[name] = _Task(make, errors, time.ticks_ms())
        if name == self._culprit:
            pause_ms = min(_FIRST_PAUSE_MS << min(self._resets, 7), _LAST_PAUSE_MS)
            task.retry_ticks = time.ticks_add(task.retry_ticks, pause_ms)
            self.missing[name] = "blocked until the watchdog bit"
            self._complain(name, task, _MAKING, self.missing[name])
            return None
        return self._try(name, task)

    def watch(self, stream) -> None:
        if self._owner is not None:
            self._owner.streams.append(stream)
        super().watch(stream)

    def unwatch(self, stream) -> None:
        for task in self._tasks.values():
            if stream in task.streams:
                task.streams.remove(stream)
        super().unwatch(stream)

    def step(self) -> None:
        for name in self._tasks:
            task = self._tasks[name]
            if name in self.parts:
                self._check(name, task)
            elif time.ticks_diff(time.ticks_ms(), task.retry_ticks) >= 0:
                self._try(name, task)
        super().step()
        self._at_work("")

    def visit(self, name: str, part) -> None:
        task = self._tasks[name]
        waiting = len(self._events)
        self._at_work(name, part.busy())
        began_ticks = time.ticks_ms()
        super().visit(name, part)
        ended_ticks = time.ticks_ms()
        if len(self._events) > waiting:
            task.news_ticks = ended_ticks
            self.well(name, _SILENCE)
        if time.ticks_diff(ended_ticks, began_ticks) > _BLOCKED_MS:
            self._complain(name, task, _BLOCKING, "blocked the device")
        else:
            self.well(name, _BLOCKING)

    def carry_out(self, actions: list) -> None:
        for action in actions:
            number = action[0]
            if number in _STANDING and not (number == events.RADIO_LISTEN and action[2]):
                self._held[_STANDING[number]] = action
            handler = self._handlers.get(number)
            if handler is not None:
                self._at_work(handler[0])
            super().carry_out([action])

    def tolerated(self, part) -> tuple:
        return (Exception,)

    def well(self, name: str, what: int) -> None:
        task = self._tasks[name]
        if what in task.ills:
            self._recover(name, task, what)

    def trouble(self, name: str, what: int, error) -> None:
        if isinstance(error, MemoryError):
            raise error  # a restart heals it, a new part does not
        task = self._tasks[name]
        self._write_down(task, error, self.parts[name].errors)
        self._complain(name, task, what, _said(error))

    # --- looking after one part

    def _check(self, name, task):
        """Whether a part should have said something, and whether it is time to make it anew."""
        now_ticks = time.ticks_ms()
        expects_ms = self.parts[name].expects_ms()
        if expects_ms is None:
            task.news_ticks = now_ticks
        elif time.ticks_diff(now_ticks, task.news_ticks) > expects_ms:
            self._complain(name, task, _SILENCE, "silent for %d s" % (expects_ms // 1000))
        if task.due and time.ticks_diff(now_ticks, task.retry_ticks) >= 0:
            self._remove(name)
            self._release(task)
            self._try(name, task)

    def _try(self, name, task):
        task.news_ticks = task.since_ticks = time.ticks_ms()
        task.due = False
        if task.ills:
            task.pause_ms = min(2 * task.pause_ms, _LAST_PAUSE_MS)
        task.retry_ticks = time.ticks_add(task.news_ticks, task.pause_ms)
        self._at_work(name)
        try:
            part = task.make()
        except Exception as error:  # noqa: BLE001  whatever is wrong with a part, the others go on
            self._write_down(task, error, ())
            self._release(task)
            self._complain(name, task, _MAKING, _said(error))
            self.missing[name] = _said(error)
            return None
        self.missing.pop(name, None)
        self.parts[name] = part
        for number, method in part.actions:
            self._handlers[number] = (name, part, getattr(part, method))
        self.well(name, _MAKING)
        own = [number for number, _ in part.actions]
        self.carry_out([action for action in self._held.values() if action[0] in own])
        return part

    def _remove(self, name):
        part = self.parts.pop(name)
        for number, _ in part.actions:
            if self._handlers[number][1] is part:
                del self._handlers[number]
            part.failed(number)  # the core must not wait for what never comes

    def _release(self, task):
        for stream in list(task.streams):
            self.unwatch(stream)

    def _complain(self, name, task, what, text):
        now_ticks = time.ticks_ms()
        if not task.ills:
            task.since_ticks = now_ticks
        elif time.ticks_diff(now_ticks, task.since_ticks) >= _PATIENCE_MS:
            task.due = True
        task.ills[what] = text
        if text != task.text:
            task.text = text
            self.log(3, name, text)
            self.post(events.FAULT, name, text)

    def _recover(self, name, task, what):
        del task.ills[what]
        if not task.ills:
            task.text = ""
            task.due = False
            task.pause_ms = _FIRST_PAUSE_MS
            self.log(1, name, "works again")
            self.post(events.FAULT, name, "")

    def _write_down(self, task, error, expected):
        """A mistake in the program and not in the part: keep where it was."""
        if not isinstance(error, task.errors + expected) and _said(error) != task.text:
            crash.report(error)

    def _at_work(self, name, risky=True):
        """This part goes to work; if it is risky, say so in memory that outlives a reset."""
        self._owner = self._tasks.get(name)
        if risky and name != self._crumb:
            self._crumb = name
            machine.RTC().memory(_MARK + bytes((self._resets,)) + name.encode())


def _said(error) -> str:
    return str(error) or type(error).__name__


def _crumbs() -> tuple:
    """(the part in which the watchdog bit, how often running); ("", 0) after any other start."""
    kept = machine.RTC().memory()
    if machine.reset_cause() != machine.WDT_RESET or kept[:4] != _MARK or len(kept) <= 5:
        return "", 0
    return str(kept[5:], "utf-8"), min(kept[4] + 1, 255)
