"""Lights, contacts and the movement sensor: an LED that is watched, inputs that a bench pushes.

Modelled: levels, currents, the PIR's output pulse. Not modelled: contact bounce, PIR optics and warm-up (a
minute after power-on in which real ones trigger at random).
"""

from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import Line
from groundnet.sim.world import Event, World

LED_UA = 2_000.0  # through the boards' usual 1 k resistor at 3.3 V
PIR_UA = 15.0  # AM312 class, watching
PIR_HOLD_US = 2_300_000  # its output stays high this long after the last movement


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
    """A button, strap or case switch: ``close`` drives the pin to its active level."""

    def __init__(self, line: Line, active_level: int = 0) -> None:
        self._line = line
        self._active_level = active_level
        line.level = 1 - active_level

    def close(self) -> None:
        self._line.drive(self._active_level)

    def open(self) -> None:
        self._line.drive(1 - self._active_level)


class Pir:
    """A passive infrared sensor: its output is high from a movement until a hold time after the last one."""

    def __init__(self, world: World, line: Line, power: PowerAccount, part: str = "pir") -> None:
        self._world = world
        self._line = line
        self._release: Event | None = None
        power.set_state(part, "watching", PIR_UA)

    def see(self) -> None:
        """Somebody moves in front of it."""
        if self._release is not None:
            self._release.cancel()
        self._release = self._world.after(PIR_HOLD_US, lambda: self._line.drive(0))
        self._line.drive(1)
