"""Lights, contacts and the movement sensor: an LED that is watched, inputs that a bench pushes.

Modelled: levels, currents (also through the pull of a closed contact), contact bounce, the PIR's output pulse
and its false triggers while it warms up. Not modelled: PIR optics, corrosion. Only hardware can tell: what a PIR
sees of a person behind a curtain, and what rain does to a strap's loop.
"""

import random

from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import Line
from groundnet.sim.world import Event, World

LED_UA = 2_000.0  # through the boards' usual 1 k resistor at 3.3 V
PIR_UA = 15.0  # AM312 class, watching
PIR_HOLD_US = 2_300_000  # its output stays high this long after the last movement
PIR_WARM_UP_US = 30_000_000
_BOUNCES = 4
_BOUNCE_US = 8_000  # of a tactile switch, at most


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
    """A button, strap loop or case switch, soldered so that its pin is at ``active_level`` when it is news.

    Args:
        line: its net.
        active_level: level of the pin while the button is pressed, the strap opened, the case opened.
        world: with it the contact bounces and its current is accounted; without it is ideal.
        part: name in the power account.
        power: account of the board.
        resting_ua: through the pull while the contact rests (a closed loop), see the board's power budget.
    """

    def __init__(
        self,
        line: Line,
        active_level: int = 0,
        world: World | None = None,
        power: PowerAccount | None = None,
        part: str = "contact",
        resting_ua: float = 0.0,
    ) -> None:
        self._line = line
        self._active_level = active_level
        self._world = world
        self._power = power
        self._part = part
        self._resting_ua = resting_ua
        self._random = world.random(f"{line.name}/bounce") if world else random.Random(0)
        self._bounces: list[Event] = []
        line.level = 1 - active_level
        self.power_cycle()

    def power_cycle(self) -> None:
        if self._power is not None and self._resting_ua:
            resting = self._line.level != self._active_level
            state = ("resting", self._resting_ua) if resting else ("active", 0.0)
            self._power.set_state(self._part, *state)

    def close(self) -> None:
        """To the active level: the button is pressed, the strap or the case opened."""
        self._go(self._active_level)

    def open(self) -> None:
        """Back to rest."""
        self._go(1 - self._active_level)

    def _go(self, level: int) -> None:
        for event in self._bounces:
            event.cancel()
        self._bounces = []
        if self._world is not None and level != self._line.level:
            times = sorted(
                self._random.randrange(1, _BOUNCE_US) for _ in range(2 * self._random.randrange(_BOUNCES))
            )
            for index, delay_us in enumerate(times):
                bounced = level if index % 2 else 1 - level
                self._bounces.append(
                    self._world.after(delay_us, lambda bounced=bounced: self._line.drive(bounced))
                )
        self._line.drive(level)
        self.power_cycle()


class Pir:
    """A passive infrared sensor: its output is high from a movement until a hold time after the last one.

    While it warms up it triggers by itself, twice at random.
    """

    def __init__(
        self, world: World, line: Line, power: PowerAccount, part: str = "pir", warms_up: bool = False
    ) -> None:
        self._world = world
        self._line = line
        self._power = power
        self._part = part
        self._warms_up = warms_up
        self._release: Event | None = None
        self._false: list[Event] = []
        power.set_state(part, "watching", PIR_UA)

    def power_cycle(self) -> None:
        self._power.set_state(self._part, "watching", PIR_UA)
        for event in self._false:
            event.cancel()
        self._false = []
        if self._warms_up:
            stream = self._world.random(f"{self._line.name}/warm-up")
            for _ in range(2):
                self._false.append(self._world.after(stream.randrange(PIR_WARM_UP_US), self.see))

    def see(self) -> None:
        """Somebody moves in front of it."""
        if self._release is not None:
            self._release.cancel()
        self._release = self._world.after(PIR_HOLD_US, lambda: self._line.drive(0))
        self._line.drive(1)
