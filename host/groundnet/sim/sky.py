"""Where a thing is, how much sky it sees, and what a GNSS receiver there could measure.

Everything is a function of virtual time and the seed, whoever asks and how often. Errors are slow sums of
sines (multipath and ionosphere drift over minutes), so that a parked receiver wanders as real ones do; a town
adds more of it and hides low satellites. Not modelled: orbits (satellites move plausibly, not truly), leap
seconds, reflections that repeat at the same place.

What an attacker does: under a ``JAMMED`` view satellites are seen but too weak to use; ``spoof`` moves what a
receiver measures, with all signs of a good fix.
"""

import math
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from groundnet.geodesy import LocalFrame, distance_m
from groundnet.sim.world import US_PER_S, World

SYSTEMS = ("GP", "BD")  # GPS, BeiDou
_PRNS = {"GP": (2, 5, 7, 9, 13, 14, 15, 20, 22, 27, 30), "BD": (8, 13, 19, 27, 36, 37, 38)}
_HORIZON_DEG = 3
_ORBIT_S = 43_200
_USED_FROM_DB = 22
_USED_FOR_FIX = 4  # three coordinates and the clock
_HDOP_BEST = 0.6
_HDOP_TIMES_USED = 12.0  # the log of a real L76K: 14 satellites, HDOP 0.9
_DRIFT_WAVES, _DRIFT_PERIOD_S = 4, (60, 900)


class Point(NamedTuple):
    """One point of a journey: UTC, WGS-84 degrees, metres above sea."""

    unix_ms: int
    lat: float
    lon: float
    altitude_m: float = 0.0


class Journey:
    """Where a thing is: straight between its points, at rest before the first and after the last.

    Args:
        points: in any order; ``(unix_ms, lat, lon)`` will do.
    """

    def __init__(self, points: Iterable[Sequence]) -> None:
        self.points = sorted((Point(*point) for point in points), key=lambda point: point.unix_ms)
        if not self.points:
            raise ValueError("a journey needs a point")
        self._times = [point.unix_ms for point in self.points]

    @classmethod
    def parked(cls, lat: float, lon: float, altitude_m: float = 0.0) -> "Journey":
        """A place that is never left."""
        return cls([Point(0, lat, lon, altitude_m)])

    def position(self, unix_ms: float) -> tuple[float, float, float]:
        """(lat, lon, altitude in metres) at a time."""
        before, after, share = self._around(unix_ms)
        return (
            before.lat + share * (after.lat - before.lat),
            before.lon + share * (after.lon - before.lon),
            before.altitude_m + share * (after.altitude_m - before.altitude_m),
        )

    def velocity(self, unix_ms: float) -> tuple[float, float]:
        """(speed in m/s, course in degrees from true north) at a time; at rest both are zero."""
        before, after, _ = self._around(unix_ms)
        if after.unix_ms == before.unix_ms:
            return 0.0, 0.0
        east_m, north_m = LocalFrame(before.lat, before.lon).to_metres(after.lat, after.lon)
        way_m = distance_m(before.lat, before.lon, after.lat, after.lon)
        course_deg = math.degrees(math.atan2(east_m, north_m)) % 360
        return way_m / ((after.unix_ms - before.unix_ms) / 1000), course_deg

    def _around(self, unix_ms: float) -> tuple[Point, Point, float]:
        """The points before and after a time, and how far it is between them; the same one twice at rest."""
        index = bisect_right(self._times, unix_ms)
        before = self.points[max(index - 1, 0)]
        if index in (0, len(self.points)):
            return before, before, 0.0
        after = self.points[index]
        return before, after, (unix_ms - before.unix_ms) / (after.unix_ms - before.unix_ms)


@dataclass(frozen=True)
class View:
    """How much of the sky is seen."""

    name: str
    mask_deg: int  # satellites below are not heard
    fading_db: int
    error_m: float  # one sigma of each axis, per unit of HDOP
    pace: float  # seconds of search that a receiver gets done in one second


OPEN = View("open", mask_deg=5, fading_db=0, error_m=2.4, pace=1.0)  # 2.0 m CEP, L76K data sheet
URBAN = View("urban", mask_deg=35, fading_db=7, error_m=3.5, pace=0.5)
JAMMED = View("jammed", mask_deg=5, fading_db=26, error_m=0.0, pace=0.0)
NONE = View("none", mask_deg=91, fading_db=60, error_m=0.0, pace=0.0)


@dataclass(frozen=True)
class Satellite:
    """One satellite as a receiver hears it; ``snr_db`` is 0 when it does not."""

    system: str  # GP or BD
    prn: int
    elevation_deg: int
    azimuth_deg: int
    snr_db: int

    @property
    def used(self) -> bool:
        return self.snr_db >= _USED_FROM_DB


@dataclass(frozen=True)
class Truth:
    """Where a thing really is and how it moves."""

    lat: float
    lon: float
    altitude_m: float
    speed_mps: float
    course_deg: float


@dataclass(frozen=True)
class Measurement(Truth):
    """What a receiver that tracks would report."""

    hdop: float


class Sky:
    """The sky over a thing on a journey.

    Args:
        world: clock and seed.
        name: decides the errors; two receivers at one place differ.
        journey: where it really is.
        view: how much sky it sees where no ``cover`` says otherwise.
    """

    def __init__(self, world: World, name: str, journey: Journey, view: View = OPEN) -> None:
        self._world = world
        self._name = name
        self._view = view
        self._covers: list[tuple[float, float, View]] = []
        self._spoofs: list[tuple[float, float, float, float]] = []
        self.journey = journey
        random = world.random(f"sky/{name}")
        self._drift = [
            [(random.uniform(*_DRIFT_PERIOD_S), random.uniform(0, math.tau)) for _ in range(_DRIFT_WAVES)]
            for _ in range(3)
        ]
        self._orbits = [
            (system, prn, random.uniform(0, math.tau), random.uniform(0, 360), random.uniform(15, 85))
            for system in SYSTEMS
            for prn in _PRNS[system]
        ]

    def cover(self, view: View, begin_unix_ms: float, end_unix_ms: float = math.inf) -> None:
        """From begin to before end the view is this one, whatever earlier calls said."""
        self._covers.append((begin_unix_ms, end_unix_ms, view))

    def spoof(
        self, east_m: float, north_m: float, begin_unix_ms: float, end_unix_ms: float = math.inf
    ) -> None:
        """From begin to before end a receiver measures itself that far off."""
        self._spoofs.append((begin_unix_ms, end_unix_ms, east_m, north_m))

    def view(self, time_us: int) -> View:
        unix_ms = self._unix_ms(time_us)
        for begin_unix_ms, end_unix_ms, view in reversed(self._covers):
            if begin_unix_ms <= unix_ms < end_unix_ms:
                return view
        return self._view

    def truth(self, time_us: int) -> Truth:
        """Position, speed and course without errors."""
        unix_ms = self._unix_ms(time_us)
        return Truth(*self.journey.position(unix_ms), *self.journey.velocity(unix_ms))

    def satellites(self, time_us: int, systems: Collection[str] = SYSTEMS) -> tuple[Satellite, ...]:
        """Satellites above the horizon, GPS first."""
        view, time_s = self.view(time_us), time_us / US_PER_S
        above = []
        for system, prn, phase, azimuth_deg, highest_deg in self._orbits:
            turn = math.tau * time_s / _ORBIT_S + phase
            elevation_deg = int(highest_deg * abs(math.sin(turn)))
            if system in systems and elevation_deg >= _HORIZON_DEG:
                azimuth = int(azimuth_deg + time_s / 240) % 360
                snr_db = 24 + 20 * math.sin(math.radians(elevation_deg)) - view.fading_db
                heard = elevation_deg >= view.mask_deg
                above.append(
                    Satellite(system, prn, elevation_deg, azimuth, max(0, int(snr_db)) if heard else 0)
                )
        return tuple(above)

    def measure(
        self, time_us: int, systems: Collection[str] = SYSTEMS, error_factor: float = 1.0
    ) -> Measurement | None:
        """The truth with this sky's errors; None with fewer than four satellites.

        Args:
            time_us: virtual time.
            systems: which satellites the receiver uses.
            error_factor: above 1 for the first fixes after a start.
        """
        used = sum(satellite.used for satellite in self.satellites(time_us, systems))
        if used < _USED_FOR_FIX:
            return None
        hdop = round(max(_HDOP_BEST, _HDOP_TIMES_USED / used), 1)
        sigma_m = self.view(time_us).error_m * hdop * error_factor
        truth = self.truth(time_us)
        east_m, north_m, up_m = (sigma_m * self._drift_at(axis, time_us) for axis in range(3))
        for begin_unix_ms, end_unix_ms, spoofed_east_m, spoofed_north_m in self._spoofs:
            if begin_unix_ms <= self._unix_ms(time_us) < end_unix_ms:
                east_m, north_m = east_m + spoofed_east_m, north_m + spoofed_north_m
        lat, lon = LocalFrame(truth.lat, truth.lon).to_degrees(east_m, north_m)
        jitter = self._world.random(f"sky/{self._name}/{time_us}")
        speed_mps = max(0.0, truth.speed_mps + jitter.gauss(0, 0.05 * sigma_m))
        course_spread_deg = min(30.0, 5 * sigma_m / (speed_mps + 0.5))
        course_deg = (truth.course_deg + jitter.gauss(0, course_spread_deg)) % 360
        return Measurement(lat, lon, truth.altitude_m + 1.5 * up_m, speed_mps, course_deg, hdop)

    def _drift_at(self, axis: int, time_us: int) -> float:
        """A slow wandering of unit variance, never beyond three."""
        time_s = time_us / US_PER_S
        waves = (math.sin(math.tau * time_s / period_s + phase) for period_s, phase in self._drift[axis])
        return sum(waves) / math.sqrt(_DRIFT_WAVES / 2)

    def _unix_ms(self, time_us: int) -> float:
        return self._world.start_unix_ms + time_us / 1000
