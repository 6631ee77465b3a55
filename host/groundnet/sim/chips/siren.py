"""Siren on a driver transistor: high sounds it. Counts what it did, for probes and for the power account.

Modelled: on, off, current. Not modelled: loudness, start-up of the piezo, heat at long bursts.
"""

from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import Line
from groundnet.sim.world import World

SOUNDING_UA = 180_000.0  # small 12 V siren behind a boost converter, seen from the battery


class Siren:
    """``bursts`` lists (start_us, end_us) of every sound so far; an end of None is still sounding."""

    def __init__(self, world: World, line: Line, power: PowerAccount) -> None:
        self._world = world
        self._power = power
        self.bursts: list[tuple[int, int | None]] = []
        power.set_state("siren", "silent", 0.0)
        line.listen(self._switch)

    @property
    def sounding(self) -> bool:
        return bool(self.bursts) and self.bursts[-1][1] is None

    def _switch(self, level: int) -> None:
        if level:
            self.bursts.append((self._world.now_us, None))
        elif self.sounding:
            self.bursts[-1] = (self.bursts[-1][0], self._world.now_us)
        self._power.set_state("siren", "sounding" if level else "silent", SOUNDING_UA if level else 0.0)
