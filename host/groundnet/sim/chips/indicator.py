"""Lights and contacts: an LED that is watched, inputs that a bench pushes."""

from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import Line

LED_UA = 2_000.0  # through the boards' usual 1 k resistor at 3.3 V


class Led:
    """``on`` is what a person would see."""

    def __init__(self, line: Line, power: PowerAccount) -> None:
        self._line = line
        self._power = power
        line.listen(self._switch)

    @property
    def on(self) -> bool:
        return bool(self._line.level)

    def _switch(self, level: int) -> None:
        self._power.set_state("led", "on" if level else "off", LED_UA if level else 0.0)


class Contact:
    """A button, strap, case switch or PIR output: ``closed`` drives the pin to its active level."""

    def __init__(self, line: Line, active_level: int = 0) -> None:
        self._line = line
        self._active_level = active_level
        line.level = 1 - active_level

    def close(self) -> None:
        self._line.drive(self._active_level)

    def open(self) -> None:
        self._line.drive(1 - self._active_level)
