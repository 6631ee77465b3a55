"""From WGS-84 to the pixels of a picture: spherical Mercator, as the tiles of the web have it (EPSG:3857)."""

import math
from collections.abc import Callable, Sequence

from groundnet.geodesy import EARTH_RADIUS_M

TILE_PX = 256
LARGEST_ZOOM, SMALLEST_ZOOM = 18.0, 2.0
_LIMIT_DEG = 85.05  # of Mercator

Shown = Callable[[float, float], tuple[float, float]]


class View:
    """A picture of ``width`` x ``height`` pixels around some places.

    Args:
        places: (lat, lon, radius_m) that shall be in it; at least one.
        margin_px: around them.
        whole_zoom: the zoom is a whole number, as tiles need it.
        shown: where a WGS-84 position is on the map, for maps of other coordinates.
    """

    def __init__(
        self,
        places: Sequence[tuple[float, float, float]],
        width: int,
        height: int,
        margin_px: int = 40,
        whole_zoom: bool = False,
        shown: Shown = lambda lat, lon: (lat, lon),
    ) -> None:
        self.width, self.height = width, height
        self._shown = shown
        west, east, north, south = 1.0, 0.0, 1.0, 0.0
        first = places[0][1]
        for lat, lon, radius_m in places:
            near = first + math.remainder(lon - first, 360.0)  # over the antimeridian the shorter way
            x, y = _unit(*shown(lat, near))
            reach = radius_m / (2 * math.pi * EARTH_RADIUS_M * math.cos(math.radians(lat)))
            west, east = min(west, x - reach), max(east, x + reach)
            north, south = min(north, y - reach), max(south, y + reach)
        self._first = first
        room = (width - 2 * margin_px) / TILE_PX, (height - 2 * margin_px) / TILE_PX
        zoom = min(math.log2(room[0] / max(east - west, 1e-9)), math.log2(room[1] / max(south - north, 1e-9)))
        zoom = min(max(zoom, SMALLEST_ZOOM), LARGEST_ZOOM)
        self.zoom = math.floor(zoom) if whole_zoom else zoom
        self._scale = TILE_PX * 2**self.zoom
        self._left = (west + east) / 2 * self._scale - width / 2
        self._top = (north + south) / 2 * self._scale - height / 2

    def at(self, lat: float, lon: float) -> tuple[float, float]:
        """(x, y) in pixels from the top left of a WGS-84 position."""
        near = self._first + math.remainder(lon - self._first, 360.0)
        return self._pixel(*self._shown(lat, near))

    def at_shown(self, lat: float, lon: float) -> tuple[float, float]:
        """The same of a position in the map's own coordinates."""
        return self._pixel(lat, lon)

    def pixels(self, metres: float, lat: float) -> float:
        """How long metres are at a latitude."""
        return metres * self._scale / (2 * math.pi * EARTH_RADIUS_M * math.cos(math.radians(lat)))

    def corners(self) -> tuple[float, float, float, float]:
        """South, west, north, east in the map's own degrees."""
        north, west = _degrees(self._left / self._scale, self._top / self._scale)
        south, east = _degrees(
            (self._left + self.width) / self._scale, (self._top + self.height) / self._scale
        )
        return south, west, north, east

    def tiles(self) -> list[tuple[int, int, int, float, float]]:
        """(zoom, column, row, x, y) of every tile that the picture needs; for a whole zoom."""
        zoom = round(self.zoom)
        count = 1 << zoom
        found = []
        for column in range(math.floor(self._left / TILE_PX), math.ceil((self._left + self.width) / TILE_PX)):
            for row in range(math.floor(self._top / TILE_PX), math.ceil((self._top + self.height) / TILE_PX)):
                if 0 <= row < count:
                    x, y = column * TILE_PX - self._left, row * TILE_PX - self._top
                    found.append((zoom, column % count, row, x, y))
        return found

    def _pixel(self, lat: float, lon: float) -> tuple[float, float]:
        x, y = _unit(lat, lon)
        return x * self._scale - self._left, y * self._scale - self._top


def _unit(lat: float, lon: float) -> tuple[float, float]:
    """Mercator on a square of side 1, from the north-west corner."""
    phi = math.radians(max(-_LIMIT_DEG, min(_LIMIT_DEG, lat)))
    return lon / 360 + 0.5, 0.5 - math.asinh(math.tan(phi)) / (2 * math.pi)


def _degrees(x: float, y: float) -> tuple[float, float]:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y)))), 360 * (x - 0.5)
