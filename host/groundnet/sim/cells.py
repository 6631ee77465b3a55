"""The cellular environment: which towers a modem hears where, from a table in OpenCelliD columns."""

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass

from groundnet.geodesy import distance_m

AUDIBLE_DBM = -118  # weakest RSRP at which a Cat.1 modem still lists a cell
EDGE_DBM = -110  # level at the table's `range`
DECAY_DB_PER_DECADE = 35.0
NEAREST_M = 30.0


@dataclass(frozen=True)
class Cell:
    """One cell as a modem reports it: identity and RSRP in dBm."""

    radio: str
    mcc: int
    mnc: int
    area: int
    cell: int
    signal_dbm: int


@dataclass(frozen=True)
class Tower:
    """One row of the table: WGS-84 degrees, ``range_m`` where the signal falls to EDGE_DBM."""

    radio: str
    mcc: int
    mnc: int
    area: int
    cell: int
    lat: float
    lon: float
    range_m: float

    def heard_at(self, lat: float, lon: float) -> Cell | None:
        """The cell as heard from a place, or None beyond its reach."""
        distance = max(distance_m(self.lat, self.lon, lat, lon), NEAREST_M)
        signal_dbm = round(EDGE_DBM - DECAY_DB_PER_DECADE * math.log10(distance / self.range_m))
        if signal_dbm < AUDIBLE_DBM:
            return None
        return Cell(self.radio, self.mcc, self.mnc, self.area, self.cell, min(signal_dbm, -50))


def read_towers(text: str) -> list[Tower]:
    """Towers from CSV text with the header of OpenCelliD (radio, mcc, net, area, cell, unit, lon, ...)."""
    return [
        Tower(
            row["radio"],
            int(row["mcc"]),
            int(row["net"]),
            int(row["area"]),
            int(row["cell"]),
            float(row["lat"]),
            float(row["lon"]),
            float(row["range"]),
        )
        for row in csv.DictReader(io.StringIO(text))
    ]


class Cells:
    """What a moving modem hears.

    Args:
        towers: the table.
        place: true (lat, lon) at a time in Unix milliseconds.
    """

    def __init__(self, towers: list[Tower], place: Callable[[int], tuple[float, float]]) -> None:
        self._towers = towers
        self._place = place

    def heard(self, unix_ms: int) -> list[Cell]:
        """Cells in reach, strongest first; the first one serves."""
        lat, lon = self._place(unix_ms)
        heard = [cell for tower in self._towers if (cell := tower.heard_at(lat, lon))]
        return sorted(heard, key=lambda cell: -cell.signal_dbm)
