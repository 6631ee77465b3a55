"""What goes wrong in a month: no network, a modem that fails, noise on the air. All of it from the seed."""

import random
from bisect import bisect_right
from dataclasses import dataclass, field

from groundnet.sim.world import US_PER_S

HOUR_US = 3600 * US_PER_S


@dataclass
class Spells:
    """Stretches of time in which something holds; they do not overlap."""

    begin_us: list[int] = field(default_factory=list)
    end_us: list[int] = field(default_factory=list)

    @classmethod
    def drawn(cls, draw: random.Random, days: int, a_day: float, mean_s: float) -> "Spells":
        """On average ``a_day`` spells a day, each ``mean_s`` long, exponentially distributed."""
        spells, now_us, end_us = cls(), 0, days * 24 * HOUR_US
        while a_day > 0:
            now_us += round(draw.expovariate(a_day / (24 * HOUR_US)))
            if now_us >= end_us:
                break
            spells.begin_us.append(now_us)
            now_us += round(draw.expovariate(1 / mean_s) * US_PER_S)
            spells.end_us.append(now_us)
        return spells

    def holds(self, now_us: int) -> bool:
        """Whether it holds now."""
        index = bisect_right(self.begin_us, now_us) - 1
        return index >= 0 and now_us < self.end_us[index]

    def edges(self) -> list[tuple[int, bool]]:
        """(time, begins) of every begin and end, in order."""
        return sorted(
            [(time_us, True) for time_us in self.begin_us] + [(time_us, False) for time_us in self.end_us]
        )


@dataclass
class Faults:
    """The seeded troubles of one device.

    ``dead_zone``: the modem has no network. ``modem_fails``: an SMS or a connection fails though there is network.
    ``noise``: the channel is in use, and rubbish is received.
    """

    dead_zone: Spells
    modem_fails: Spells
    noise: Spells

    @classmethod
    def drawn(cls, draw: random.Random, days: int) -> "Faults":
        """Four dead zones of eight minutes, six bouts of a failing modem and forty bursts of noise a day."""
        return cls(
            dead_zone=Spells.drawn(draw, days, 4, 480),
            modem_fails=Spells.drawn(draw, days, 6, 120),
            noise=Spells.drawn(draw, days, 40, 60),
        )
