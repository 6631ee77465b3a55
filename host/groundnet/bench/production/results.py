"""Results of production tests in one SQLite file, and what they say together: yield, spread, drift."""

import json
import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from groundnet.bench.production.measurements import Curve
from groundnet.sqlite_file import open_file, transaction

PASSED, FAILED, BROKEN = "passed", "failed", "broken"

_STEPS = (
    """CREATE TABLE units (
        unit_id INTEGER PRIMARY KEY, serial_number TEXT NOT NULL, sequence TEXT NOT NULL, slot TEXT NOT NULL,
        began_ms INTEGER NOT NULL, duration_s REAL NOT NULL, verdict TEXT NOT NULL, cause TEXT NOT NULL,
        golden INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE measurements (
        unit_id INTEGER NOT NULL REFERENCES units, position INTEGER NOT NULL, name TEXT NOT NULL,
        value REAL, unit TEXT NOT NULL, low REAL, high REAL, passed INTEGER NOT NULL, curve TEXT,
        PRIMARY KEY (unit_id, position))""",
    "CREATE INDEX measurements_name ON measurements (name)",
)


@dataclass(frozen=True)
class Measured:
    """One step of one unit; limits are None where there is none."""

    name: str
    value: float
    unit: str
    low: float | None
    high: float | None
    passed: bool
    curve: Curve | None = None


@dataclass
class UnitResult:
    """One unit that went through a sequence. BROKEN: the test itself could not go on, ``cause`` says why."""

    serial_number: str
    sequence: str
    slot: str
    began_ms: int
    duration_s: float = 0.0
    verdict: str = BROKEN
    cause: str = ""
    golden: bool = False
    measured: list[Measured] = field(default_factory=list)


@dataclass(frozen=True)
class Statistics:
    """All units' values of one measurement. ``cpk`` is None without spread, or with fewer than two units.

    Cpk is the distance of the mean from the nearer limit in units of three standard deviations (ISO 22514-2, 3.4).
    """

    name: str
    unit: str
    low: float | None
    high: float | None
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)

    @property
    def deviation(self) -> float:
        """Of the sample; 0 for one value."""
        if len(self.values) < 2:
            return 0.0
        return math.sqrt(sum((value - self.mean) ** 2 for value in self.values) / (len(self.values) - 1))

    @property
    def cpk(self) -> float | None:
        room = [self.high - self.mean] if self.high is not None else []
        room += [self.mean - self.low] if self.low is not None else []
        return min(room) / (3 * self.deviation) if room and self.deviation else None


class Results:
    """The file. Every unit is on disk before the next one begins."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._open()):
            pass  # made, and of the right kind

    def keep(self, unit: UnitResult) -> None:
        """From any thread. Raises StoreError."""
        with closing(self._open()) as database, transaction(database):
            unit_id = database.execute(
                "INSERT INTO units (serial_number, sequence, slot, began_ms, duration_s, verdict, cause, golden) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    unit.serial_number,
                    unit.sequence,
                    unit.slot,
                    unit.began_ms,
                    unit.duration_s,
                    unit.verdict,
                    unit.cause,
                    unit.golden,
                ),
            ).lastrowid
            for position, one in enumerate(unit.measured):
                curve = None if one.curve is None else json.dumps([one.curve.axes, one.curve.points])
                row = (unit_id, position, one.name, one.value, one.unit, one.low, one.high, one.passed, curve)
                database.execute("INSERT INTO measurements VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def golden(self, sequence: str, serial_number: str) -> list[UnitResult]:
        """Earlier passes of a golden unit, oldest first."""
        return self._units(
            "WHERE sequence = ? AND serial_number = ? AND golden ORDER BY unit_id", sequence, serial_number
        )

    def units(self, sequence: str) -> list[UnitResult]:
        """Every unit of a sequence, oldest first."""
        return self._units("WHERE sequence = ? ORDER BY unit_id", sequence)

    def _open(self) -> sqlite3.Connection:
        return open_file(self._path, _STEPS, "units")

    def _units(self, clause: str, *values: object) -> list[UnitResult]:
        with closing(self._open()) as database:
            rows = database.execute(f"SELECT * FROM units {clause}", values).fetchall()
            return [_unit(row, database) for row in rows]


def statistics(units: Sequence[UnitResult]) -> list[Statistics]:
    """Of every measurement, in the order of the sequence; golden units and broken tests count for nothing."""
    values: dict[str, list[Measured]] = {}
    for unit in units:
        for one in unit.measured if unit.verdict != BROKEN and not unit.golden else ():
            values.setdefault(one.name, []).append(one)
    return [
        Statistics(name, found[-1].unit, found[-1].low, found[-1].high, tuple(one.value for one in found))
        for name, found in values.items()
    ]


def yield_share(units: Sequence[UnitResult]) -> float | None:
    """Share of serial numbers whose last test passed; None without any."""
    last = {unit.serial_number: unit.verdict for unit in units if not unit.golden and unit.verdict != BROKEN}
    return sum(verdict == PASSED for verdict in last.values()) / len(last) if last else None


def drift(now: UnitResult, earlier: Sequence[UnitResult], share_of_limits: float = 0.1) -> list[str]:
    """Where a golden unit measures otherwise than in the median of its earlier passes, in words.

    A measurement drifts when it is off by more than ``share_of_limits`` of what its limits leave, or of the median
    where one limit is missing: then the station has changed, and not the unit.
    """
    told = []
    for one in now.measured:
        known = sorted(m.value for unit in earlier for m in unit.measured if m.name == one.name)
        if not known:
            continue
        median = known[len(known) // 2]
        room = one.high - one.low if one.high is not None and one.low is not None else abs(median)
        if abs(one.value - median) > share_of_limits * room:
            told.append(f"{one.name}: {one.value:.4g} {one.unit}, usually {median:.4g} {one.unit}")
    return told


def _unit(row: sqlite3.Row, database: sqlite3.Connection) -> UnitResult:
    lines = database.execute(
        "SELECT * FROM measurements WHERE unit_id = ? ORDER BY position", (row["unit_id"],)
    )
    return UnitResult(
        row["serial_number"],
        row["sequence"],
        row["slot"],
        row["began_ms"],
        row["duration_s"],
        row["verdict"],
        row["cause"],
        bool(row["golden"]),
        [
            Measured(
                line["name"],
                line["value"],
                line["unit"],
                line["low"],
                line["high"],
                bool(line["passed"]),
                _curve(line["curve"]),
            )
            for line in lines
        ],
    )


def _curve(text: str | None) -> Curve | None:
    if text is None:
        return None
    axes, points = json.loads(text)
    return Curve((axes[0], axes[1]), tuple((x, y) for x, y in points))
