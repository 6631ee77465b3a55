"""Where a tag probably is, from how strongly stations heard it, with a radius that is honest about it.

Each station's mean level over a short time gives a likelihood of every place (see hearing.py). The answer is the mean
of the posterior, its radius covers 68 % of it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from groundnet.collector.places.hearing import USUAL, Hearing
from groundnet.geodesy import LocalFrame, distance_m

COARSE_STEPS, FINE_STEPS = 14, 16
MANY_EARS = 8  # the loudest so many say roughly where to look
REACH_M = 3000.0  # nobody is looked for further from every station that heard the tag
SMALLEST_RADIUS_M = 40.0
SENDER_SD_DB = 2.0  # tags differ in how they are mounted, and what they are carried in


@dataclass(frozen=True)
class Ear:
    """A station that heard the tag: WGS-84 degrees, mean level in dBm, and how it hears."""

    lat: float
    lon: float
    rssi_dbm: float
    hearing: Hearing = USUAL


@dataclass(frozen=True)
class Estimate:
    """WGS-84 degrees and the radius of 68 % confidence in metres."""

    lat: float
    lon: float
    radius_m: float


def distance_for(rssi_dbm: float) -> float:
    """The distance in metres at which the usual station expects this level."""
    return USUAL.distance_m(rssi_dbm)


def expected_rssi_dbm(distance_m: float) -> float:
    """What the usual station expects at a distance in metres."""
    return USUAL.expected_dbm(distance_m)


class Field:
    """The likelihood of every place of a plane, from what ears heard at one time.

    Stations that heard nothing are left out: with them places were surer and further from the truth, since which far
    station hears is luck, and a network has edges (measured with `tools/bench_position.py`).
    """

    def __init__(self, ears: Iterable[Ear], frame: LocalFrame) -> None:
        self.heard = [(*frame.to_metres(ear.lat, ear.lon), ear.rssi_dbm, ear.hearing) for ear in ears]
        # level = a - b ln(d^2): one logarithm a station and place
        self._levels = [
            (
                x,
                y,
                rssi - hearing.expected_dbm(1.0),
                5 * hearing.exponent / math.log(10),
                0.5 / hearing.spread_db**2,
            )
            for x, y, rssi, hearing in self.heard
        ]
        # the sender's own unknown loss, a Gaussian that all levels share, is integrated out
        self._yielding = 1 / (sum(level[4] for level in self._levels) + 0.5 / SENDER_SD_DB**2)

    def log_likelihood(self, x: float, y: float) -> float:
        """Of a place in metres east and north; 0 where every station heard exactly what it was expected to."""
        squares = pull = 0.0
        log = math.log
        for sx, sy, excess, slope, weight in self._levels:
            dx, dy = x - sx, y - sy
            misfit = excess + slope * log(dx * dx + dy * dy + 1.0)
            pulled = weight * misfit
            squares += pulled * misfit
            pull += pulled
        return self._yielding * pull * pull - squares

    def reach(self) -> tuple[float, float, float]:
        """The middle and half the width in metres of the square where the tag is looked for."""
        faintest = max(hearing.distance_m(rssi) for _, _, rssi, hearing in self.heard)
        reach = min(max(1.5 * faintest, 200.0), REACH_M)
        east = sum(point[0] for point in self.heard) / len(self.heard)
        north = sum(point[1] for point in self.heard) / len(self.heard)
        return east, north, reach + max(math.hypot(p[0] - east, p[1] - north) for p in self.heard)


def locate(ears: list[Ear]) -> Estimate | None:
    """The posterior mean over everything that heard the tag; None when nothing did."""
    if not ears:
        return None
    frame = LocalFrame(ears[0].lat, ears[0].lon)
    loudest = sorted(ears, key=lambda ear: -ear.rssi_dbm)[:MANY_EARS]
    field = Field(ears, frame)
    east, north, half = field.reach()
    rough = Field(loudest, frame) if len(loudest) < len(ears) else field
    east, north, radius = _posterior(rough, (east, north, half), COARSE_STEPS)  # over the whole reach
    half = min(half, max(3 * radius, SMALLEST_RADIUS_M))
    east, north, radius = _posterior(field, (east, north, half), FINE_STEPS)  # where the weight is
    lat, lon = frame.to_degrees(east, north)
    return Estimate(lat, lon, max(radius, SMALLEST_RADIUS_M))


def _posterior(field: Field, square: tuple[float, float, float], steps: int) -> tuple[float, float, float]:
    """Mean (east, north) and 68 % radius over a grid in a square: its middle, and half its width in metres."""
    east, north, half = square
    step = 2 * half / steps
    axis = [-half + step * (index + 0.5) for index in range(steps)]
    cells = [
        (field.log_likelihood(east + dx, north + dy), east + dx, north + dy) for dx in axis for dy in axis
    ]
    best = max(cell[0] for cell in cells)
    weighted = [(math.exp(value - best), x, y) for value, x, y in cells]
    total = sum(weight for weight, _, _ in weighted)
    mean_x = sum(weight * x for weight, x, _ in weighted) / total
    mean_y = sum(weight * y for weight, _, y in weighted) / total
    by_distance = sorted((math.hypot(x - mean_x, y - mean_y), weight) for weight, x, y in weighted)
    covered = 0.0
    for distance, weight in by_distance:
        covered += weight
        if covered >= 0.68 * total:
            return mean_x, mean_y, math.hypot(distance, step / 2)
    return mean_x, mean_y, half


def fuse(estimates: list[tuple[Estimate, float]], drift_mps: float) -> Estimate | None:
    """One answer from estimates and their ages in seconds: weights by variance, which grows with the age.

    ``drift_mps`` is how fast the thing may have moved away since. Estimates that lie further apart than their
    radii explain widen the answer's radius (Birge ratio: R. T. Birge, Phys. Rev. 40, 207).
    """
    if not estimates:
        return None
    weighted = [
        (1 / max(math.hypot(estimate.radius_m, drift_mps * age_s), 1.0) ** 2, estimate)
        for estimate, age_s in estimates
    ]
    total = sum(weight for weight, _ in weighted)
    lat = sum(weight * estimate.lat for weight, estimate in weighted) / total
    origin_deg = estimates[0][0].lon  # a mean of 179 and -179 degrees is 180, not 0
    east = sum(weight * math.remainder(one.lon - origin_deg, 360.0) for weight, one in weighted) / total
    lon = math.remainder(origin_deg + east, 360.0)
    misfit = sum(weight * distance_m(lat, lon, one.lat, one.lon) ** 2 for weight, one in weighted)
    ratio = math.sqrt(misfit / (len(weighted) - 1)) if len(weighted) > 1 else 1.0
    return Estimate(lat, lon, max(ratio, 1.0) / math.sqrt(total))
