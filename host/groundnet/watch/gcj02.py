"""GCJ-02, the coordinates of maps that are published in China, for display alone; what is stored is WGS-84.

The transformation is not published officially; this is the polynomial with sines that is known since 2013 and used by
map libraries (constants: Krasovsky 1940 ellipsoid, a = 6,378,245 m, e^2 = 0.00669342162296594323). Outside the box in
which it is applied, WGS-84 is left as it is.
"""

import math

_A_M, _E2 = 6_378_245.0, 0.006_693_421_622_965_943_23
_SOUTH, _NORTH, _WEST, _EAST = 0.8293, 55.8271, 72.004, 137.8347
_STEPS = 10  # of the inverse; each makes the error some thousand times smaller


def is_inside(lat: float, lon: float) -> bool:
    """Whether the transformation is applied here."""
    return _SOUTH <= lat <= _NORTH and _WEST <= lon <= _EAST


def from_wgs84(lat: float, lon: float) -> tuple[float, float]:
    """(lat, lon) in degrees on a GCJ-02 map of a WGS-84 position."""
    if not is_inside(lat, lon):
        return lat, lon
    north_m, east_m = _offset(lon - 105.0, lat - 35.0)
    phi = math.radians(lat)
    w2 = 1 - _E2 * math.sin(phi) ** 2
    meridian_m = _A_M * (1 - _E2) / (w2 * math.sqrt(w2))
    parallel_m = _A_M / math.sqrt(w2) * math.cos(phi)
    return lat + math.degrees(north_m / meridian_m), lon + math.degrees(east_m / parallel_m)


def to_wgs84(lat: float, lon: float) -> tuple[float, float]:
    """The WGS-84 position that is shown at (lat, lon) on a GCJ-02 map, within a millimetre."""
    if not is_inside(lat, lon):
        return lat, lon
    guess = (lat, lon)
    for _ in range(_STEPS):
        shown = from_wgs84(*guess)
        guess = (guess[0] + lat - shown[0], guess[1] + lon - shown[1])
    return guess


def _offset(x: float, y: float) -> tuple[float, float]:
    """(north, east) in metres; x and y are degrees from 105 E, 35 N."""
    waves = 20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    north += 2 / 3 * (waves + 20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi))
    north += 2 / 3 * (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30))
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    east += 2 / 3 * (waves + 20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi))
    east += 2 / 3 * (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi))
    return north, east
