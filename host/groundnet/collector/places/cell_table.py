"""Cell towers by their identity, from a CSV file with OpenCelliD's columns.

A cell that the table lacks is looked for where it must be all the same: at another cell of its site, else among the
cells of its tracking or location area. The radius says how little that is.
"""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from groundnet.collector.places.position import Estimate, fuse
from groundnet.errors import GroundnetError
from groundnet.geodesy import LocalFrame

COLUMNS = ("radio", "mcc", "net", "area", "cell", "lon", "lat", "range")
SMALLEST_RANGE_M = 200.0
NEIGHBOUR_WEIGHT = 2.0  # a neighbour cell says less than the serving one: its radius counts double
SITE_SHIFT = 8  # an E-UTRAN cell identity is its eNodeB, 20 bits, and the cell there, 8 bits (3GPP TS 36.413, 9.2.1.37)
SITE_WEIGHT = 1.5  # another sector of the site looks another way
LEAST_LTE_CELL = 1 << 16  # below this it may be a 16-bit identity of GSM, which has no site in it


class CellTableError(GroundnetError):
    """A cell table that cannot be read."""


@dataclass(frozen=True)
class CellSeen:
    """One cell of a modem's observation."""

    mcc: int
    mnc: int
    area: int | None
    cell: int | None
    serving: bool


class CellTable:
    """(mcc, net, area, cell) -> where the cell is heard, as OpenCelliD measured it."""

    def __init__(self, cells: dict[tuple[int, int, int, int], Estimate] | None = None) -> None:
        self._cells = cells or {}
        self._sites: dict[tuple[int, int, int], list[Estimate]] = {}
        self._areas: dict[tuple[int, int, int], list[Estimate]] = {}
        for (mcc, mnc, area, cell), place in self._cells.items():
            self._areas.setdefault((mcc, mnc, area), []).append(place)
            if cell >= LEAST_LTE_CELL:
                self._sites.setdefault((mcc, mnc, cell >> SITE_SHIFT), []).append(place)

    @classmethod
    def read(cls, path: Path) -> "CellTable":
        """Raises CellTableError for a missing file, missing columns or a bad row."""
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
                if missing:
                    raise CellTableError(
                        f"{path} lacks the column {missing[0]}", "use a file in OpenCelliD's format"
                    )
                return cls({_key(row): _estimate(row) for row in reader})
        except OSError as error:
            raise CellTableError(
                f"cannot read {path} ({error.strerror})", "check the path with --cells"
            ) from error
        except ValueError as error:
            raise CellTableError(f"{path} has a bad row ({error})", "download the table again") from error

    def locate(self, cells: list[CellSeen]) -> Estimate | None:
        """Where a modem is that saw these cells; None when the table knows nothing near any of them."""
        different = {(seen.mcc, seen.mnc, seen.area, seen.cell): seen for seen in cells if not seen.serving}
        different |= {(seen.mcc, seen.mnc, seen.area, seen.cell): seen for seen in cells if seen.serving}
        found = []
        for seen in different.values():
            tower = self._tower(seen)
            if tower is not None:
                scale = 1.0 if seen.serving else NEIGHBOUR_WEIGHT
                found.append((Estimate(tower.lat, tower.lon, tower.radius_m * scale), 0.0))
        return fuse(found, 0.0) or self._locate_roughly(different.values())

    def _tower(self, seen: CellSeen) -> Estimate | None:
        if seen.area is None or seen.cell is None:
            return None  # an LTE neighbour without its identity
        return self._cells.get((seen.mcc, seen.mnc, seen.area, seen.cell))

    def _locate_roughly(self, cells: Iterable[CellSeen]) -> Estimate | None:
        """By the site of a cell that is not in the table, else by its area; the serving cell goes first."""
        by_weight = sorted(cells, key=lambda seen: not seen.serving)
        for seen in by_weight:
            if seen.cell is not None and seen.cell >= LEAST_LTE_CELL:
                towers = self._sites.get((seen.mcc, seen.mnc, seen.cell >> SITE_SHIFT))
                if towers:
                    return _around(towers, SITE_WEIGHT)
        for seen in by_weight:
            if seen.area is not None:
                towers = self._areas.get((seen.mcc, seen.mnc, seen.area))
                if towers:
                    return _around(towers, 1.0)
        return None


def _around(towers: list[Estimate], scale: float) -> Estimate:
    """The middle of towers, with a radius in which 68 % of them and of their range lies."""
    frame = LocalFrame(towers[0].lat, towers[0].lon)
    places = [frame.to_metres(tower.lat, tower.lon) for tower in towers]
    east = sum(x for x, _ in places) / len(places)
    north = sum(y for _, y in places) / len(places)
    reaches = sorted(
        math.hypot(x - east, y - north) + scale * tower.radius_m
        for (x, y), tower in zip(places, towers, strict=True)
    )
    lat, lon = frame.to_degrees(east, north)
    return Estimate(lat, lon, reaches[math.ceil(0.68 * len(reaches)) - 1])


def _key(row: dict[str, str]) -> tuple[int, int, int, int]:
    return int(row["mcc"]), int(row["net"]), int(row["area"]), int(row["cell"])


def _estimate(row: dict[str, str]) -> Estimate:
    return Estimate(float(row["lat"]), float(row["lon"]), max(float(row["range"]), SMALLEST_RANGE_M))
