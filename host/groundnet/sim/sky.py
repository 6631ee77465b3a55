"""Where a thing is, how much sky it sees, and what a GNSS receiver there could measure.

Everything is a function of virtual time and the seed. Errors are slow sums of sines (multipath and ionosphere
drift over minutes), so that a parked receiver wanders as real ones do; a town adds more of it and hides low
satellites. Not modelled: orbits (satellites move plausibly, not truly), leap seconds, jamming and spoofing.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

from groundnet.sim.geodesy import LocalFrame, distance_m
from groundnet.sim.world import US_PER_S, World

_GPX = "{http://www.topografix.com/GPX/1/1}"
OPEN, URBAN, NONE = "open", "urban", "none"

_GPS_PRNS = (2, 5, 7, 9, 13, 14, 15, 20, 22, 27, 30)
_BEIDOU_PRNS = (8, 13, 19, 27, 36, 37, 38)
_MASK_DEG = {OPEN: 5, URBAN: 35, NONE: 91}  # satellites below are not heard
_FADING_DB = {OPEN: 0, URBAN: 7, NONE: 60}
_ERROR_M = {OPEN: 1.3, URBAN: 4.0, NONE: 30.0}  # per unit of HDOP
_USED_FROM_DB = 22


@dataclass(frozen=True)
class Point:
    """One point of a journey: virtual time, WGS-84 degrees, metres above sea."""

    time_us: int
    lat: float
    lon: float
    altitude_m: float = 0.0


class Journey:
    """Where a thing is: straight between its points, at rest before the first and after the last."""

    def __init__(self, points: Sequence[Point]) -> None:
        if not points:
            raise ValueError("a journey needs a point")
        self._points = sorted(points, key=lambda point: point.time_us)
        self._times = [point.time_us for point in self._points]
        self.frame = LocalFrame(self._points[0].lat, self._points[0].lon)

    @classmethod
    def parked(cls, lat: float, lon: float, altitude_m: float = 0.0) -> "Journey":
        """A place that is never left."""
        return cls([Point(0, lat, lon, altitude_m)])

    @classmethod
    def from_gpx(cls, text: str, start_unix_ms: int) -> "Journey":
        """A recorded track at its own time stamps; points without one are dropped.

        Args:
            text: GPX 1.1.
            start_unix_ms: UTC at virtual time zero.
        """
        points = []
        for element in ElementTree.fromstring(text).iter(f"{_GPX}trkpt"):
            moment = element.findtext(f"{_GPX}time")
            if moment:
                unix_us = round(datetime.fromisoformat(moment).timestamp() * 1e6)
                altitude_m = float(element.findtext(f"{_GPX}ele") or 0)
                lat, lon = float(element.attrib["lat"]), float(element.attrib["lon"])
                points.append(Point(unix_us - start_unix_ms * 1000, lat, lon, altitude_m))
        return cls(points)

    @property
    def points(self) -> Sequence[Point]:
        return self._points

    def position(self, time_us: int) -> tuple[float, float, float]:
        """(lat, lon, altitude in metres) at a time."""
        before, after, share = self._around(time_us)
        return (
            before.lat + share * (after.lat - before.lat),
            before.lon + share * (after.lon - before.lon),
            before.altitude_m + share * (after.altitude_m - before.altitude_m),
        )

    def velocity(self, time_us: int) -> tuple[float, float]:
        """(speed in m/s, course in degrees from true north) at a time."""
        before, after, _ = self._around(time_us)
        if after.time_us == before.time_us:
            return 0.0, 0.0
        east_m, north_m = LocalFrame(before.lat, before.lon).to_metres(after.lat, after.lon)
        duration_s = (after.time_us - before.time_us) / US_PER_S
        speed_mps = distance_m(before.lat, before.lon, after.lat, after.lon) / duration_s
        return speed_mps, math.degrees(math.atan2(east_m, north_m)) % 360

    def _around(self, time_us: int) -> tuple[Point, Point, float]:
        index = bisect_right(self._times, time_us)
        before = self._points[max(index - 1, 0)]
        after = self._points[min(index, len(self._points) - 1)]
        if index == 0 or after.time_us == before.time_us:
            return before, before, 0.0
        return before, after, (time_us - before.time_us) / (after.time_us - before.time_us)


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
class Measurement:
    """What a receiver that tracks would report."""

    lat: float
    lon: float
    altitude_m: float
    speed_mps: float
    course_deg: float
    hdop: float
    satellites: tuple[Satellite, ...]


class Sky:
    """The sky over a thing on a journey.

    Args:
        world: clock and seed.
        name: decides the errors; two receivers at one place differ.
        journey: where it really is.
        view: OPEN, URBAN or NONE until ``set_view`` says otherwise.
    """

    def __init__(self, world: World, name: str, journey: Journey, view: str = OPEN) -> None:
        self._world = world
        self._name = name
        self.journey = journey
        self._views: list[tuple[int, str]] = [(-(1 << 62), view)]
        random = world.random(f"sky/{name}")
        self._drift = [
            [(random.uniform(40, 900), random.uniform(0, math.tau)) for _ in range(4)] for _ in range(3)
        ]
        self._orbits = [
            (system, prn, random.uniform(0, math.tau), random.uniform(0, 360), random.uniform(15, 85))
            for system, prns in (("GP", _GPS_PRNS), ("BD", _BEIDOU_PRNS))
            for prn in prns
        ]

    def set_view(self, from_us: int, view: str) -> None:
        """From ``from_us`` on (until a later entry) the view is OPEN, URBAN or NONE."""
        self._views = [entry for entry in self._views if entry[0] != from_us]
        self._views.append((from_us, view))
        self._views.sort()

    def view(self, time_us: int) -> str:
        index = bisect_right(self._views, time_us, key=lambda entry: entry[0]) - 1
        return self._views[index][1]

    def satellites(self, time_us: int) -> tuple[Satellite, ...]:
        """Satellites above the horizon, GPS first."""
        view = self.view(time_us)
        visible = []
        for system, prn, phase, azimuth_deg, highest_deg in self._orbits:
            turn = math.tau * time_us / US_PER_S / 43_200 + phase
            elevation_deg = highest_deg * math.sin(turn % math.pi)
            if elevation_deg >= 3:
                azimuth = int(azimuth_deg + time_us / US_PER_S / 240) % 360
                snr_db = 24 + 20 * math.sin(math.radians(elevation_deg)) - _FADING_DB[view]
                heard = elevation_deg >= _MASK_DEG[view]
                visible.append(
                    Satellite(system, prn, int(elevation_deg), azimuth, int(snr_db) if heard else 0)
                )
        return tuple(visible)

    def measure(self, time_us: int, error_factor: float = 1.0) -> Measurement:
        """Position, speed and course with this sky's errors; ``error_factor`` is above 1 for a fresh fix."""
        satellites = self.satellites(time_us)
        used = sum(satellite.used for satellite in satellites)
        hdop = round(max(0.6, 9 / used), 1) if used else 25.5
        lat, lon, altitude_m = self.journey.position(time_us)
        sigma_m = _ERROR_M[self.view(time_us)] * hdop * error_factor
        east_m, north_m, up_m = (sigma_m * self._drift_at(axis, time_us) for axis in range(3))
        measured_lat, measured_lon = LocalFrame(lat, lon).to_degrees(east_m, north_m)
        speed_mps, course_deg = self.journey.velocity(time_us)
        jitter = self._world.random(f"sky/{self._name}/{time_us // US_PER_S}")
        speed_mps = max(0.0, speed_mps + jitter.gauss(0, 0.05 * sigma_m))
        course_deg = (course_deg + jitter.gauss(0, min(30, 5 * sigma_m / (speed_mps + 0.5)))) % 360
        return Measurement(
            measured_lat, measured_lon, altitude_m + 1.5 * up_m, speed_mps, course_deg, hdop, satellites
        )

    def _drift_at(self, axis: int, time_us: int) -> float:
        """A slow wandering of unit variance."""
        time_s = time_us / US_PER_S
        waves = (math.sin(math.tau * time_s / period_s + phase) for period_s, phase in self._drift[axis])
        return sum(waves) / math.sqrt(len(self._drift[axis]) / 2)
