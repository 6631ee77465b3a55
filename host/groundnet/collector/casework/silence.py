"""Devices that are not heard any more: a battery that was removed tells nothing, so silence is the alarm.

A device is heard by its beacons and by its own reports. Each way has an interval in which it must be heard at rest:
what the device was set to, an interval that was ordered since, and what it says itself of its next heartbeat; a tag's
beacons come by its own clock, which was learned (clock_drift.py) where enough of them were heard.
Silent is who has missed two and a half on every way by which it was ever heard. A tracker that left the stations'
reach still reports, and a tag in a cellar is silent like one without a battery: somebody has to look.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from groundwire import downlink

from groundnet.collector.database import Database

PATIENCE = 2.5  # intervals; one beacon lost to noise is nothing

JITTER = 9 / 8  # the longest stretch of a beacon's interval
CLOCK_SIGMAS = 2.0

_LAST = """
    SELECT ?1 AS device_id,
        (SELECT max(time_ms) FROM beacons WHERE device_id = ?1) AS beacon_ms,
        (SELECT max(received_ms) FROM reports WHERE device_id = ?1 AND received_ms > 0) AS report_ms,
        (SELECT interval_s FROM heartbeats WHERE device_id = ?1) AS heartbeat_s,
        (SELECT argument FROM orders WHERE device_id = ?1 AND command = ?2 AND state IN ('sent', 'done')
            ORDER BY order_id DESC LIMIT 1) AS ordered_s,
        (SELECT rate FROM clocks WHERE device_id = ?1 AND pairs > 0) AS rate,
        (SELECT rate_var FROM clocks WHERE device_id = ?1 AND pairs > 0) AS rate_var"""


@dataclass(frozen=True)
class Intervals:
    """Seconds between two signs of life of a device at rest, as it was set: beacons without jitter, reports."""

    beacon_s: float = 1800
    report_s: float = 21600


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
    intervals_of: Callable[[bytes], Intervals] = lambda device_id: Intervals(),
) -> list[Silence]:
    """Those of the devices that are silent, the one that was heard last first.

    ``intervals_of`` says how a device was set. An order that may not have arrived makes patience longer, not shorter.
    """
    found = []
    for device_id in device_ids:
        row = database.row(_LAST, device_id, downlink.INTERVAL)
        assert row is not None  # a SELECT without FROM has one row
        intervals = intervals_of(device_id)
        beacon_s = max(intervals.beacon_s, row["ordered_s"] or 0) * JITTER
        if row["rate"] is not None:
            beacon_s *= 1 + row["rate"] + CLOCK_SIGMAS * math.sqrt(row["rate_var"])
        ways = ((row["beacon_ms"], beacon_s), (row["report_ms"], row["heartbeat_s"] or intervals.report_s))
        silence = silence_of(device_id, ways, now_ms)
        if silence is not None:
            found.append(silence)
    return sorted(found, key=lambda silence: -silence.heard_ms)
