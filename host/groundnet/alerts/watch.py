"""Looks at what the collector holds, and queues a message for every rule that began to hold.

Whether a rule holds and the message are one transaction: however often and by how many collectors it is looked, each
beginning is queued once.
"""

from collections.abc import Iterable
from datetime import datetime

from groundnet.alerts import wording
from groundnet.alerts.rules import Rule, Seen, holds
from groundnet.collector.database import Database
from groundnet.collector.places.track import last_place, track

MOVING = ("motion", "tilt", "lifted", "rolling", "transported")  # alarms of a thing that is moved
_MOTION_FLAG, _LOW_BATTERY_FLAG = 1 << 0, 1 << 4  # groundwire.beacon.FLAGS
_FULL_LEVEL, _UNKNOWN_LEVEL = 14, 15
_PLACE_SPAN_MS = 3_600_000  # an older place says nothing of where it is

_HEARD = """SELECT
    (SELECT max(time_ms) FROM beacons WHERE device_id = ?) AS beacon_ms,
    (SELECT max(received_ms) FROM reports WHERE device_id = ?) AS report_ms,
    (SELECT max(time_ms) FROM alarms WHERE device_id = ? AND cause IN ({causes})) AS alarm_ms""".format(
    causes=", ".join(f"'{cause}'" for cause in MOVING)
)


def look(database: Database, rules: Iterable[Rule], now_ms: int) -> int:
    """Judge every rule at ``now_ms``, Unix milliseconds. Returns how many messages were queued."""
    local = datetime.fromtimestamp(now_ms / 1000)
    queued = 0
    for rule in rules:
        seen = seen_of(database, rule, now_ms)
        with database.transaction():
            row = database.row("SELECT holds FROM alert_states WHERE rule_id = ?", rule.rule_id)
            held = bool(row and row["holds"])
            now_holds = holds(rule, seen, held, now_ms, local.hour * 60 + local.minute)
            if row is not None and now_holds == held:
                continue
            database.run(
                "INSERT INTO alert_states VALUES (?, ?, ?) ON CONFLICT (rule_id) DO UPDATE SET "
                "holds = excluded.holds, changed_ms = excluded.changed_ms",
                rule.rule_id,
                int(now_holds),
                now_ms,
            )
            if now_holds:
                told = wording.text(
                    rule.kind, rule.tag_id, rule.parameters, f"{local:%m-%d %H:%M}", rule.language
                )
                enqueue(database, rule, told, now_ms)
                queued += 1
    return queued


def enqueue(database: Database, rule: Rule, text: str, now_ms: int) -> None:
    """Put a message into the queue; within a transaction of the caller."""
    database.run(
        "INSERT INTO alert_queue (rule_id, device_id, kind, text, time_ms, state, tries, next_ms, detail) "
        "VALUES (?, ?, ?, ?, ?, 'queued', 0, ?, '')",
        rule.rule_id,
        rule.device_id,
        rule.kind,
        text,
        now_ms,
        now_ms,
    )


def seen_of(database: Database, rule: Rule, now_ms: int) -> Seen:
    """What the collector knows of a device, as far as the rule asks."""
    device_id = rule.device_id
    row = database.row(_HEARD, device_id, device_id, device_id)
    assert row is not None  # a SELECT without FROM has one row
    newest = database.row(
        "SELECT time_ms, flags, battery FROM beacons WHERE device_id = ? ORDER BY counter DESC LIMIT 1",
        device_id,
    )
    heard = [at_ms for at_ms in (row["beacon_ms"], row["report_ms"]) if at_ms]
    moved = [row["alarm_ms"]] if row["alarm_ms"] else []
    if newest is not None and newest["flags"] & _MOTION_FLAG:
        moved.append(newest["time_ms"])
    return Seen(
        max(heard, default=None),
        max(moved, default=None),
        *_battery(database, device_id, newest),
        _place(database, device_id, now_ms) if rule.kind == "left" else None,
    )


def _battery(database: Database, device_id: bytes, newest) -> tuple[float | None, bool | None]:
    """Percent and "low", of the newest beacon, else of the tracker's newest report."""
    said = database.row("SELECT percent, time_ms FROM batteries WHERE device_id = ?", device_id)
    if newest is None or (said is not None and said["time_ms"] > newest["time_ms"]):
        return (None if said is None else said["percent"]), None
    level = newest["battery"]
    percent = None if level == _UNKNOWN_LEVEL else 100 * level / _FULL_LEVEL
    return percent, bool(newest["flags"] & _LOW_BATTERY_FLAG)


def _place(database: Database, device_id: bytes, now_ms: int) -> tuple[float, float, float] | None:
    place = last_place(track(database, device_id, now_ms - _PLACE_SPAN_MS, now_ms))
    return None if place is None else (place.lat, place.lon, place.radius_m)
