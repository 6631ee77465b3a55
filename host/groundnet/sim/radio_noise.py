"""Rain of radio noise: bursts of other people's radios, motors and chargers, as many and as strong as asked.

Each burst is a frame that nobody can read: it spoils frames, raises the level that a receiver measures and keeps a
listen-before-talk waiting, by the same rules as any other frame. The seed of the world decides when and where.
"""

from dataclasses import dataclass

from groundnet.sim.antenna import Position
from groundnet.sim.modulation import Burst
from groundnet.sim.radio import Medium
from groundnet.sim.world import US_PER_S


@dataclass(frozen=True)
class Weather:
    """What falls.

    ``bursts_per_s`` in the mean, with exponential gaps; ``longest_us``: durations are uniform up to it; frequencies are
    uniform from ``low_hz`` to ``high_hz``, powers between the two given; ``place`` is metres east and north.
    """

    bursts_per_s: float = 2.0
    longest_us: int = 40_000
    low_hz: int = 868_000_000
    high_hz: int = 868_600_000
    bandwidth_hz: int = 200_000
    power_dbm: tuple[float, float] = (-30.0, 14.0)
    place: Position = (0.0, 0.0)


class NoiseRain:
    """A source of bursts in one medium; ``start`` and ``stop`` as often as a test likes."""

    def __init__(self, medium: Medium, weather: Weather, name: str = "noise") -> None:
        self.count = 0
        self._medium, self._weather = medium, weather
        self._random = medium.world.random(f"radio noise/{name}")
        self._antenna = medium.attach(name, lambda time_us: weather.place, lambda reception: None)
        self._falling = False

    def start(self) -> None:
        if not self._falling:
            self._falling = True
            self._schedule()

    def stop(self) -> None:
        """No further burst; one that is on the air ends as it would have."""
        self._falling = False

    def _schedule(self) -> None:
        gap_us = self._random.expovariate(self._weather.bursts_per_s) * US_PER_S
        self._medium.world.after(round(gap_us), self._fall)

    def _fall(self) -> None:
        if not self._falling:
            return
        weather, draw = self._weather, self._random
        burst = Burst(round(draw.uniform(weather.low_hz, weather.high_hz)), weather.bandwidth_hz)
        duration_us = round(draw.uniform(1, weather.longest_us))
        self._medium.transmit(self._antenna, b"", burst, draw.uniform(*weather.power_dbm), duration_us)
        self.count += 1
        self._schedule()
