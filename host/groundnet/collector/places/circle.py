"""A circle on the earth as a ring of positions, for formats that know polygons only."""

import math

from groundnet.geodesy import EARTH_RADIUS_M

CORNERS = 36


def ring(lat: float, lon: float, radius_m: float, corners: int = CORNERS) -> list[tuple[float, float]]:
    """(lat, lon) in WGS-84 degrees around a middle, counterclockwise as seen from above, the first one again as last.

    Counterclockwise is what RFC 7946 section 3.1.6 and OGC KML 2.2 want of an outer boundary. Longitudes are within
    -180 and 180. Great-circle destinations: Bowditch, American Practical Navigator, "The sailings".
    """
    phi, angle = math.radians(lat), radius_m / EARTH_RADIUS_M
    places = []
    for index in range(corners):
        bearing = -2 * math.pi * index / corners
        sine = math.sin(phi) * math.cos(angle) + math.cos(phi) * math.sin(angle) * math.cos(bearing)
        phi2 = math.asin(max(-1.0, min(1.0, sine)))
        east = math.atan2(
            math.sin(bearing) * math.sin(angle) * math.cos(phi), math.cos(angle) - math.sin(phi) * sine
        )
        places.append((math.degrees(phi2), math.remainder(lon + math.degrees(east), 360.0)))
    return [*places, places[0]]
