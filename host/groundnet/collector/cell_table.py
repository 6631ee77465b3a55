"""Cell towers by their identity, from a CSV file with OpenCelliD's columns."""

import csv
from dataclasses import dataclass
from pathlib import Path

from groundnet.collector.position import Estimate, fuse
from groundnet.errors import GroundnetError

COLUMNS = ("radio", "mcc", "net", "area", "cell", "lon", "lat", "range")
SMALLEST_RANGE_M = 200.0
NEIGHBOUR_WEIGHT = 2.0  # a neighbour cell says less than the serving one: its radius counts double


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
        """Where a modem is that saw these cells; None when the table knows none of them."""
        found = []
        for seen in cells:
            if seen.area is None or seen.cell is None:
                continue  # an LTE neighbour without its identity
            tower = self._cells.get((seen.mcc, seen.mnc, seen.area, seen.cell))
            if tower is not None:
                scale = 1.0 if seen.serving else NEIGHBOUR_WEIGHT
                found.append((Estimate(tower.lat, tower.lon, tower.radius_m * scale), 0.0))
        return fuse(found, 0.0)


def _key(row: dict[str, str]) -> tuple[int, int, int, int]:
    return int(row["mcc"]), int(row["net"]), int(row["area"]), int(row["cell"])


def _estimate(row: dict[str, str]) -> Estimate:
    return Estimate(float(row["lat"]), float(row["lon"]), max(float(row["range"]), SMALLEST_RANGE_M))
