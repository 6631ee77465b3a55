"""What operators look at: stations with their health, the things that are sought, one track. Reads, never writes."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from groundwire import downlink

from groundnet.collector.casework.cases import Case, list_cases
from groundnet.collector.casework.condition import Condition, condition_of
from groundnet.collector.casework.silence import Silence, silent_devices
from groundnet.collector.database import Database
from groundnet.collector.places.track import TrackPoint, last_place, track_of
from groundnet.collector.stations.quarantine import RULES
from groundnet.collector.stations.quarantine_store import Hold, held
from groundnet.database.store import Row
from groundnet.errors import Text
from groundnet.provision.intervals import intervals_of
from groundnet.provision.record import Record
from groundnet.provision.registry import Registry

MINUTE_MS, DAY_MS = 60_000, 86_400_000
GOOD_MS, LATE_MS = 10 * MINUTE_MS, 60 * MINUTE_MS  # since a station's last word
# held: in quarantine; faulty: heard, but it says that a part fails
STATES = ("held", "gone", "faulty", "late", "good")
PLACE_SPAN_MS = 2 * MINUTE_MS  # before the last word: enough for the last place
MOST_ORDERS = 6  # of a thing, the newest
BEFORE_MS = DAY_MS  # so much of the track before the report is shown
_LAST_WORD = """SELECT
    (SELECT max(time_ms) FROM beacons WHERE device_id = ?) AS beacon_ms,
    (SELECT max(received_ms) FROM reports WHERE device_id = ?) AS report_ms"""


@dataclass(frozen=True)
class Station:
    """One station. ``state`` is one of STATES; WGS-84 degrees, None: it never said; ``health`` as it was told.

    ``held_for``: why it is in quarantine; None: it is not.
    """

    station_id: str
    lat: float | None
    lon: float | None
    seen_ms: int
    state: str
    health: dict
    held_for: Text | None = None


@dataclass(frozen=True)
class Sought:
    """One stolen thing with the devices on it, each with an open case. ``number`` is the first case's."""

    number: int
    cases: tuple[Case, ...]
    records: tuple[Record, ...]
    heard_ms: int | None
    silences: tuple[Silence, ...]
    conditions: tuple[Condition, ...]

    @property
    def device_ids(self) -> list[bytes]:
        return [case.device_id for case in self.cases]

    @property
    def plate(self) -> str:
        """Empty when none is registered."""
        return next((record.plate for record in self.records if record.plate), "")

    @property
    def tags(self) -> list[str]:
        return [record.tag_id for record in self.records] or [one.hex() for one in self.device_ids]

    @property
    def silent(self) -> bool:
        """No device on it is heard any more."""
        return len(self.silences) == len(self.cases)


@dataclass(frozen=True)
class Ordered:
    """An order for a device of a thing. ``command`` as in groundwire.downlink; ``state`` as in the table of orders."""

    device_id: bytes
    command: str
    state: str
    given_ms: int


def stations(database: Database, now_ms: int) -> list[Station]:
    """All stations, those that need somebody first."""
    holds = held(database)
    rows = database.rows("SELECT * FROM stations ORDER BY station_id")
    found = [_station(row, holds.get(bytes(row["station_id"])), now_ms) for row in rows]
    return sorted(found, key=lambda one: STATES.index(one.state))


def sought(database: Database, registry: Registry, now_ms: int) -> list[Sought]:
    """All things with an open case, the newest first; devices on one thing are together."""
    groups: dict[str, list[tuple[Case, Record | None]]] = {}
    for case in list_cases(database):
        if case.closed_ms is None:
            record = registry.by_device(case.device_id)
            key = (record.plate or record.tag_id) if record else case.device_id.hex()
            groups.setdefault(key, []).append((case, record))
    return [_sought(database, registry, members, now_ms) for members in groups.values()]


def last_places(database: Database, things: Iterable[Sought]) -> dict[int, TrackPoint]:
    """By number, for those of which any is known."""
    found = {}
    for thing in things:
        since_ms = (thing.heard_ms or 0) - PLACE_SPAN_MS
        place = last_place(track_of(database, thing.device_ids, since_ms))
        if place is not None:
            found[thing.number] = place
    return found


def track(database: Database, thing: Sought) -> list[TrackPoint]:
    """The thing's track from a day before the theft was reported until now."""
    stolen_ms = min(min(case.opened_ms, case.stolen_ms or case.opened_ms) for case in thing.cases)
    return track_of(database, thing.device_ids, stolen_ms - BEFORE_MS)


def orders_of(database: Database, thing: Sought, now_ms: int) -> list[Ordered]:
    """The newest orders for the devices on a thing, with what became of each."""
    rows = [
        row
        for device_id in thing.device_ids
        for row in database.rows(
            "SELECT * FROM orders WHERE device_id = ? ORDER BY order_id DESC LIMIT ?", device_id, MOST_ORDERS
        )
    ]
    newest = sorted(rows, key=lambda row: row["order_id"], reverse=True)[:MOST_ORDERS]
    return [_ordered(row, now_ms) for row in newest]


def heard_of(database: Database, thing: Sought) -> tuple[int | None, ...]:
    """Another tuple once anything was heard of the thing: places and tracks are made anew only then."""
    counts = [
        database.row(
            "SELECT (SELECT count(*) FROM sightings WHERE device_id = ?) + "
            "(SELECT count(*) FROM fixes WHERE device_id = ?) + "
            "(SELECT count(*) FROM cells WHERE device_id = ?) AS n",
            *(device_id,) * 3,
        )
        for device_id in thing.device_ids
    ]
    return thing.heard_ms, *(row["n"] if row else 0 for row in counts)


def newest_ms(seen: Sequence[Station]) -> int | None:
    """When any station was heard last: how old everything on the page is."""
    return max((one.seen_ms for one in seen), default=None)


def _sought(
    database: Database, registry: Registry, members: list[tuple[Case, Record | None]], now_ms: int
) -> Sought:
    cases = tuple(sorted((case for case, _ in members), key=lambda case: case.case_id))
    records = tuple(record for _, record in members if record is not None)
    usual = {one.device_id: intervals_of(one, registry.settings_of(one.device_id)) for one in records}
    heard = [_heard_ms(database, case.device_id) for case in cases]
    silences = [
        silence
        for case in cases
        for silence in silent_devices(
            database,
            [case.device_id],
            now_ms,
            *([usual.__getitem__] if case.device_id in usual else []),
        )
    ]
    return Sought(
        cases[0].case_id,
        cases,
        records,
        max((at_ms for at_ms in heard if at_ms), default=None),
        tuple(silences),
        tuple(condition_of(database, case.device_id) for case in cases),
    )


def _heard_ms(database: Database, device_id: bytes) -> int:
    row = database.row(_LAST_WORD, device_id, device_id)
    assert row is not None  # a SELECT without FROM has one row
    return max(row["beacon_ms"] or 0, row["report_ms"] or 0)


def _station(row: Row, hold: Hold | None, now_ms: int) -> Station:
    health = json.loads(row["health"] or "{}")
    age_ms = now_ms - row["seen_ms"]
    heard = "faulty" if health.get("faults") else "good"
    state = heard if age_ms <= GOOD_MS else "late" if age_ms <= LATE_MS else "gone"
    reason = None if hold is None or hold.left_ms(now_ms) == 0 else RULES[hold.rule].reason
    if reason is not None:
        state = "held"
    return Station(row["station_id"].hex(), row["lat"], row["lon"], row["seen_ms"], state, health, reason)


def _ordered(row: Row, now_ms: int) -> Ordered:
    over = row["state"] in ("queued", "sent") and row["expires_ms"] <= now_ms
    command = downlink.COMMANDS[row["command"]] or ""
    return Ordered(row["device_id"], command, "expired" if over else row["state"], row["created_ms"])
