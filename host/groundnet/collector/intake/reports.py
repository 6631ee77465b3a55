"""Reports of trackers into the store, after their MAC was checked."""

from groundnet.collector.casework import condition
from groundnet.collector.database import Database
from groundnet.collector.outbound import orders

RADIUS_UNKNOWN_M = 200.0


def take(
    database: Database, device_id: bytes, boot_count: int, sequence: int, items: list, now_ms: int
) -> bool:
    """Keep one verified report in one transaction; False when it was taken before."""
    with database.transaction():
        if not database.run(
            "INSERT INTO reports VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            device_id,
            boot_count,
            sequence,
            now_ms,
        ):
            return False
        for item in items:
            keep = KEEPERS.get(item["type"])
            if keep is not None:
                time_ms = item["time_ms"]
                keep(database, device_id, now_ms if time_ms is None else min(time_ms, now_ms), item)
    return True


def _keep_fix(database: Database, device_id: bytes, time_ms: int, item: dict) -> None:
    speed, course, accuracy = item["speed_cmps"], item["course_cdeg"], item["accuracy_m"]
    database.run(
        "INSERT INTO fixes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        device_id,
        time_ms - 1000 * (item["age_s"] or 0),
        item["lat_e7"] / 1e7,
        item["lon_e7"] / 1e7,
        RADIUS_UNKNOWN_M if accuracy is None else float(accuracy),
        item["source"],
        None if speed is None else speed / 100,
        None if course is None else course / 100,
    )


def _keep_alarm(database: Database, device_id: bytes, time_ms: int, item: dict) -> None:
    database.run("INSERT INTO alarms VALUES (?, ?, ?, ?)", device_id, time_ms, item["cause"], item["level"])


def _keep_cell(database: Database, device_id: bytes, time_ms: int, item: dict) -> None:
    database.run(
        "INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        device_id,
        time_ms - 1000 * (item["age_s"] or 0),
        item["radio"],
        item["mcc"],
        item["mnc"],
        item["area"],
        item["cell"],
        item["signal_dbm"],
        item["serving"],
    )


def _keep_challenge(database: Database, device_id: bytes, time_ms: int, item: dict) -> None:
    orders.offered(database, device_id, item["challenge"])


KEEPERS = {
    "fix": _keep_fix,
    "alarm": _keep_alarm,
    "cell": _keep_cell,
    "challenge": _keep_challenge,
    "fault": condition.keep_fault,
    "start": condition.keep_start,
    "dropped": condition.keep_dropped,
    "heartbeat": condition.keep_heartbeat,
    "battery": condition.keep_battery,
}
