"""What an insurer is shown of a theft: the case, what was heard since, and which ground for payment holds.

The grounds follow the public rule of a county network (Qianxinan, 2017-2020): the signal cannot be traced any more,
or the tag was destroyed, or nothing was found within 60 days of a report that was made within two months of the theft.
What is decided here is what the network can tell; police certificate and receipts are the insurer's to see.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from groundnet.collector.casework.case_timeline import Happening, timeline
from groundnet.collector.casework.cases import Case, list_cases
from groundnet.collector.casework.silence import Intervals, Silence, silent_devices
from groundnet.collector.database import Database
from groundnet.collector.places.track import TrackPoint, last_place, track_of
from groundnet.collector.stations.reach import Covered, area_km2, covered
from groundnet.errors import GroundnetError

DAY_MS = 24 * 3600 * 1000
SEARCHED_MS = 60 * DAY_MS  # a case that is open for so long without a find
REPORTED_WITHIN_MS = 61 * DAY_MS  # two months after the theft; with a later report that ground is lost
UNTRACED_MS = 7 * DAY_MS  # a signal that is gone for so long cannot be traced
VIOLENT = ("tamper", "power_cut", "strap")  # alarms of a device that somebody works on
DESTROYED_WITHIN_MS = 30 * 60 * 1000  # between the last such alarm and the last word

BEFORE_MS = DAY_MS  # so much of the track before the report belongs to the evidence
_STATIONS = """
    SELECT s.station_id, t.lat, t.lon, min(s.time_ms) AS first_ms, max(s.time_ms) AS last_ms, count(*) AS n
    FROM sightings s LEFT JOIN stations t ON t.station_id = s.station_id
    WHERE s.device_id = ? AND s.time_ms BETWEEN ? AND ?
    GROUP BY s.station_id, t.lat, t.lon ORDER BY n DESC, s.station_id"""

DESTROYED, UNTRACEABLE, NOT_FOUND = "destroyed", "untraceable", "not found in 60 days"


@dataclass(frozen=True)
class Evidence:
    """All that the network knows of one stolen device. Times are Unix milliseconds.

    ``grounds`` are those that hold at ``judged_ms``; empty: nothing is to be paid, or not yet.
    """

    case: Case
    judged_ms: int
    grounds: tuple[str, ...]
    heard_ms: int | None
    silence: Silence | None
    alarms: tuple[tuple[int, str], ...]
    last_place: TrackPoint | None
    sightings: int
    track: tuple[TrackPoint, ...] = ()
    stations: tuple["Heard", ...] = ()
    timeline: tuple[Happening, ...] = ()
    searched: tuple[Covered, ...] = ()

    @property
    def searched_days(self) -> int:
        """Whole days since the theft was reported."""
        return (self.judged_ms - self.case.opened_ms) // DAY_MS

    @property
    def searched_km2(self) -> float:
        """The area in which the stations that were awake since the report would surely have heard it."""
        return area_km2(list(self.searched))

    @property
    def reported_late(self) -> bool:
        """Whether the report came more than two months after the theft; not, when nobody said when that was."""
        return _late(self.case)

    @property
    def searched_until_ms(self) -> int | None:
        """When the 60 days end without a find; None: they do not run, the report came late."""
        return None if self.reported_late else self.case.opened_ms + SEARCHED_MS


@dataclass(frozen=True)
class Heard:
    """What one station heard of the device since the report: where it stands (None: it never said), times, count."""

    station_id: bytes
    lat: float | None
    lon: float | None
    first_ms: int
    last_ms: int
    count: int


def evidence(
    database: Database,
    device_id: bytes,
    now_ms: int,
    case_id: int | None = None,
    intervals: Intervals | None = None,
) -> Evidence:
    """The evidence of a device's newest case, or of the one that is named. Raises GroundnetError without one.

    ``intervals`` says how often the device was set to be heard.
    """
    usual = intervals or Intervals()
    cases = [
        one for one in list_cases(database) if one.device_id == device_id and case_id in (None, one.case_id)
    ]
    if not cases:
        raise GroundnetError(
            "no theft of this device was ever reported", "open a case with `groundnet case open`"
        )
    case = cases[0]
    judged_ms = now_ms if case.closed_ms is None else case.closed_ms
    alarms = tuple(
        (row["time_ms"], row["cause"])
        for row in database.rows(
            "SELECT time_ms, cause FROM alarms WHERE device_id = ? AND time_ms <= ? ORDER BY time_ms",
            device_id,
            judged_ms,
        )
    )
    silence = next(iter(silent_devices(database, [device_id], judged_ms, lambda _: usual)), None)
    heard = [silence.heard_ms] if silence else _heard(database, device_id, judged_ms)
    counted = database.row("SELECT count(*) AS n FROM sightings WHERE device_id = ?", device_id)
    points = track_of(database, [device_id], until_ms=judged_ms)
    stations = tuple(
        Heard(row["station_id"], row["lat"], row["lon"], row["first_ms"], row["last_ms"], row["n"])
        for row in database.rows(_STATIONS, device_id, case.opened_ms, judged_ms)
    )
    return Evidence(
        case,
        judged_ms,
        tuple(_grounds(case, judged_ms, silence, alarms)),
        max(heard, default=None),
        silence,
        alarms,
        last_place(points),
        counted["n"] if counted else 0,
        tuple(point for point in points if point.time_ms >= case.opened_ms - BEFORE_MS),
        stations,
        timeline(database, case, judged_ms, alarms, silence),
        tuple(covered(database, case.opened_ms, judged_ms)),
    )


def was_reported(database: Database, device_id: bytes) -> bool:
    """Whether a theft of this device was ever reported."""
    return any(case.device_id == device_id for case in list_cases(database))


def _grounds(
    case: Case, judged_ms: int, silence: Silence | None, alarms: tuple[tuple[int, str], ...]
) -> Iterable[str]:
    if case.outcome == "found":
        return
    if silence is not None:
        violent = [at_ms for at_ms, cause in alarms if cause in VIOLENT]
        if violent and silence.heard_ms - violent[-1] <= DESTROYED_WITHIN_MS:
            yield DESTROYED
        if judged_ms - silence.heard_ms >= UNTRACED_MS:
            yield UNTRACEABLE
    if judged_ms - case.opened_ms >= SEARCHED_MS and not _late(case):
        yield NOT_FOUND


def _late(case: Case) -> bool:
    return case.stolen_ms is not None and case.opened_ms - case.stolen_ms > REPORTED_WITHIN_MS


def _heard(database: Database, device_id: bytes, until_ms: int) -> list[int]:
    found = []
    for table, column in (("beacons", "time_ms"), ("reports", "received_ms")):
        row = database.row(
            f"SELECT max({column}) AS at_ms FROM {table} WHERE device_id = ? AND {column} <= ?",
            device_id,
            until_ms,
        )
        if row is not None and row["at_ms"]:
            found.append(row["at_ms"])
    return found
