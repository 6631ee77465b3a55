"""Devices that are not heard any more: a battery that was removed tells nothing, so silence is the alarm.

A device is heard by its beacons and by its own reports. Each way has an interval in which it must be heard at rest;
silent is who has missed two and a half on every way by which it was ever heard. A tracker that left the stations'
reach still reports, and a tag in a cellar is silent like one without a battery: somebody has to look.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from groundnet.collector.database import Database

BEACON_INTERVAL_S = 1800 * 9 / 8  # at rest, with the longest jitter
REPORT_INTERVAL_S = 21600  # heartbeat
PATIENCE = 2.5  # intervals; one beacon lost to noise is nothing

_LAST = """
    SELECT ? AS device_id,
        (SELECT max(time_ms) FROM beacons WHERE device_id = ?) AS beacon_ms,
        (SELECT max(received_ms) FROM reports WHERE device_id = ? AND received_ms > 0) AS report_ms"""


@dataclass(frozen=True)
class Silence:
    """One silent device: when it was heard last, and from when on it was too long ago."""

    device_id: bytes
    heard_ms: int
    since_ms: int


def silence_of(
    device_id: bytes, last_heard: Iterable[tuple[int | None, float]], now_ms: int
) -> Silence | None:
    """The device's silence at ``now_ms``; None while it is heard, and when it was never heard.

    ``last_heard`` has for each way the time it was heard last (None: never) and the interval in seconds.
    """
    heard = [(time_ms, interval_s) for time_ms, interval_s in last_heard if time_ms is not None]
    if not heard:
        return None
    since_ms = max(time_ms + round(PATIENCE * interval_s * 1000) for time_ms, interval_s in heard)
    return Silence(device_id, max(heard)[0], since_ms) if now_ms > since_ms else None


def silent_devices(
    database: Database,
    device_ids: Iterable[bytes],
    now_ms: int,
    beacon_interval_s: float = BEACON_INTERVAL_S,
    report_interval_s: float = REPORT_INTERVAL_S,
) -> list[Silence]:
    """Those of the devices that are silent, the one that was heard last first."""
    found = []
    for device_id in device_ids:
        row = database.row(_LAST, device_id, device_id, device_id)
        assert row is not None  # a SELECT without FROM has one row
        ways = ((row["beacon_ms"], beacon_interval_s), (row["report_ms"], report_interval_s))
        silence = silence_of(device_id, ways, now_ms)
        if silence is not None:
            found.append(silence)
    return sorted(found, key=lambda silence: -silence.heard_ms)
