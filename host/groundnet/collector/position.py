"""Where a tag probably is, from how strongly stations heard it, with a radius that is honest about it.

Each station's mean RSSI over a short time gives a likelihood over a grid: log-distance path loss with log-normal
shadowing, the transmit power unknown within a few dB. The answer is the mean of the posterior, its radius covers
68 % of it. Path loss: log-distance model (Rappaport, Wireless Communications, section 4.9).
"""

import math
from dataclasses import dataclass

from groundnet.geodesy import LocalFrame, distance_m

POWER_AT_1_M_DBM = -17.0  # 14 dBm transmitted, 31 dB free-space loss at 1 m and 868 MHz
EXPONENT = 3.4  # from a bike at ground level to a roof in a small town
SHADOWING_DB = 7.0
GRID_STEPS = 24
REACH_M = 3000.0  # nobody is looked for further from every station that heard the tag
SMALLEST_RADIUS_M = 40.0


@dataclass(frozen=True)
class Ear:
    """A station that heard the tag: WGS-84 degrees and mean RSSI in dBm."""

    lat: float
    lon: float
    rssi_dbm: float


@dataclass(frozen=True)
class Estimate:
    """WGS-84 degrees and the radius of 68 % confidence in metres."""

    lat: float
    lon: float
    radius_m: float


def distance_for(rssi_dbm: float) -> float:
    """The distance in metres at which the model expects this RSSI."""
    return 10 ** ((POWER_AT_1_M_DBM - rssi_dbm) / (10 * EXPONENT))


def expected_rssi_dbm(distance_m: float) -> float:
    """What the model expects at a distance in metres."""
    return POWER_AT_1_M_DBM - 10 * EXPONENT * math.log10(max(distance_m, 1.0))


def locate(ears: list[Ear]) -> Estimate | None:
    """The posterior mean over everything that heard the tag; None when nothing did."""
    if not ears:
        return None
    frame = LocalFrame(ears[0].lat, ears[0].lon)
    heard = [(*frame.to_metres(ear.lat, ear.lon), ear.rssi_dbm) for ear in ears]
    reach = min(max(1.5 * distance_for(min(ear.rssi_dbm for ear in ears)), 200.0), REACH_M)
    east = sum(point[0] for point in heard) / len(heard)
    north = sum(point[1] for point in heard) / len(heard)
    half = reach + max(math.hypot(point[0] - east, point[1] - north) for point in heard)
    east, north, radius = _posterior(heard, east, north, half)  # coarse, over the whole reach
    half = min(half, max(3 * radius, SMALLEST_RADIUS_M))
    east, north, radius = _posterior(heard, east, north, half)  # fine, where the weight is
    lat, lon = frame.to_degrees(east, north)
    return Estimate(lat, lon, max(radius, SMALLEST_RADIUS_M))


def _posterior(
    heard: list[tuple[float, float, float]], east: float, north: float, half: float
) -> tuple[float, float, float]:
    """Mean (east, north) and 68 % radius over a square grid of ``2 * half`` metres around a middle."""
    step = 2 * half / GRID_STEPS
    axis = [-half + step * (index + 0.5) for index in range(GRID_STEPS)]
    cells = []
    for dx in axis:
        for dy in axis:
            x, y = east + dx, north + dy
            misfit = sum(
                (rssi - expected_rssi_dbm(math.hypot(x - sx, y - sy))) ** 2 for sx, sy, rssi in heard
            )
            cells.append((-misfit / (2 * SHADOWING_DB**2), x, y))
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
            return mean_x, mean_y, distance + step / 2
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
