"""Button, strap loop, case switch and movement sensor between drivers and core. A part for each that the board has."""

import time

from apps.hardware import PinStream
from apps.run_loop import Part
from groundcore import events
from micropython import const

KINDS = (
    ("button", events.INPUT_BUTTON),
    ("strap", events.INPUT_STRAP),
    ("case", events.INPUT_CASE),
    ("pir", events.INPUT_PIR),
)

_HELD_MOST_MS = const(10_000)  # how long a button that is held down keeps the device awake to time it


def add_inputs(loop, hardware, known: int = 0) -> None:
    """Make the parts.

    Args:
        known: inputs that were active before a deep sleep, see `active_inputs`: they are no news.
    """
    for name, which in KINDS:
        if hardware.part(name) is not None:
            _add(loop, hardware, name, which, bool(known >> which & 1))


def _add(loop, hardware, name, which, active):
    """A function of its own: a part that fails is made again, long after the loop over all of them."""
    make = _movement if name == "pir" else _contact
    loop.add(name, lambda: make(loop, hardware, name, which, active))


def active_inputs(loop) -> int:
    """Bit 1 << INPUT_... of every active input."""
    active = 0
    for name, which in KINDS:
        part = loop.parts.get(name)
        if part is not None and part.active:
            active |= 1 << which
    return active


def _contact(loop, hardware, name, which, active):
    from drivers import contact

    entry = hardware.part(name)
    hold_ms = entry.get("hold_ms", 0)
    pin = hardware.input(entry["pin"], entry.get("pull"))
    driver = contact.Contact(pin, entry["active_level"], entry.get("debounce_ms", 30), hold_ms, active)
    news = {contact.HELD if hold_ms else contact.CLOSED: 1, contact.OPENED: 0}
    return Input(loop, driver, pin, entry["active_level"], which, news, active)


def _movement(loop, hardware, name, which, active):
    from drivers import pir

    entry = hardware.part(name)
    pin = hardware.input(entry["pin"], entry.get("pull"))
    driver = pir.Pir(pin, entry.get("warm_up_ms", pir.WARM_UP_MS), entry.get("hold_ms", pir.HOLD_MS))
    return Input(loop, driver, pin, 1, which, {pir.MOVED: 1, pir.LEFT: 0}, False)


class Input(Part):
    """One input: posts INPUT when it becomes active and when it rests again.

    Args:
        driver: with poll(), due_ms() and active.
        level: of the pin while the input is active.
        which: one of the INPUT_ constants.
        news: what the driver tells -> 1 or 0.
        active: the core knows it as active.
    """

    def __init__(self, loop, driver, pin, level: int, which: int, news: dict, active: bool):
        self._loop = loop
        self._driver = driver
        self._pin = pin
        self._level = level
        self._which = which
        self._news = news
        self.active = active
        self._since_ticks = None  # when it became active, while that is a short time ago
        self._stream = PinStream(pin, level)
        self._watch()
        loop.watch(self._stream)

    def poll(self) -> None:
        told = self._driver.poll()
        while told:
            active = self._news.get(told)
            if active is not None and active != self.active:
                self.active = bool(active)
                self._since_ticks = time.ticks_ms() if active else None
                self._loop.post(events.INPUT, self._which, active)
            told = self._driver.poll()
        self._watch()

    def due_ms(self) -> int | None:
        return self._driver.due_ms()

    def busy(self) -> bool:
        """A contact that is bouncing, or held down but not long enough yet, must not be slept over.

        Nor a button that is held: no level wakes when it is let go, and how long it was held decides.
        """
        if self._which == events.INPUT_PIR:
            return False
        if self._which == events.INPUT_BUTTON and self.active and self._since_ticks is not None:
            if time.ticks_diff(time.ticks_ms(), self._since_ticks) < _HELD_MOST_MS:
                return True
            self._since_ticks = None
        return self._driver.due_ms() is not None and not self.active

    def wake_pin(self):
        """Waking is by a high level: a pin that is up already would wake without end."""
        return self._pin if self._level and not self._pin() else None

    def test(self) -> tuple:
        """A contact passes while it rests: a strap that hangs open or a stuck button fails. A sensor may see us."""
        level = self._pin()
        if self._which == events.INPUT_PIR:
            return not self._driver.stuck, level, "pin level" if self._driver.warm else "warming up"
        return level != self._level, level, "pin level"

    def _watch(self) -> None:
        """A doze ends when the pin leaves the level that it has now; all else is a matter of time."""
        self._stream.level = 1 - self._pin()
