"""Distances and a flat local frame for areas of a few kilometres."""

import math

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in metres between two WGS-84 positions in degrees (haversine)."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half_dphi, half_dlambda = (phi2 - phi1) / 2, math.radians(lon2 - lon1) / 2
    chord = math.sin(half_dphi) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(half_dlambda) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(chord))


class LocalFrame:
    """East and north in metres around an origin; good to 0.1 % within ten kilometres."""

    def __init__(self, lat: float, lon: float) -> None:
        self.lat, self.lon = lat, lon
        self._m_per_degree_lat = math.radians(1) * EARTH_RADIUS_M
        self._m_per_degree_lon = self._m_per_degree_lat * math.cos(math.radians(lat))

    def to_metres(self, lat: float, lon: float) -> tuple[float, float]:
        """(east_m, north_m) of a position."""
        east_deg = math.remainder(lon - self.lon, 360.0)  # the shorter way, also over the antimeridian
        return east_deg * self._m_per_degree_lon, (lat - self.lat) * self._m_per_degree_lat

    def to_degrees(self, east_m: float, north_m: float) -> tuple[float, float]:
        """(lat, lon) of a point; lon from -180 to 180."""
        lon = math.remainder(self.lon + east_m / self._m_per_degree_lon, 360.0)
        return self.lat + north_m / self._m_per_degree_lat, lon
