"""Siren, buzzer or vibration motor on a driver transistor: high sounds it. Remembers what it did, for probes.

Modelled: on, off, current. Not modelled: loudness, start-up of the piezo, heat at long bursts. Only hardware can
tell: how far it is heard through a case, and whether the supply carries it.
"""

from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import Line
from groundnet.sim.world import World

SIREN_UA = 180_000.0  # small 12 V siren behind a boost converter, seen from the battery
BUZZER_UA = 15_000.0  # piezo
MOTOR_UA = 66_000.0  # 10 mm coin motor at 3 V (Precision Microdrives 310-103, typical)


class Siren:
    """``bursts`` lists (start_us, end_us) of every sound so far; an end of None is still sounding."""

    def __init__(
        self,
        world: World,
        line: Line,
        power: PowerAccount,
        sounding_ua: float = SIREN_UA,
        part: str = "siren",
    ) -> None:
        self._world = world
        self._power = power
        self._sounding_ua = sounding_ua
        self._part = part
        self.bursts: list[tuple[int, int | None]] = []
        power.set_state(part, "silent", 0.0)
        line.listen(self._switch)

    @property
    def sounding(self) -> bool:
        return bool(self.bursts) and self.bursts[-1][1] is None

    def _switch(self, level: int) -> None:
        if level:
            self.bursts.append((self._world.now_us, None))
        elif self.sounding:
            self.bursts[-1] = (self.bursts[-1][0], self._world.now_us)
        state, current_ua = ("sounding", self._sounding_ua) if level else ("silent", 0.0)
        self._power.set_state(self._part, state, current_ua)
