"""Keeps out stations that others contradict; beside a running collector, in a thread with a connection of its own."""

import asyncio
from collections.abc import Callable

from groundnet.collector.database import Database
from groundnet.collector.stations import quarantine_store
from groundnet.collector.stations.contradictions import suspects
from groundnet.collector.stations.quarantine import CONTRADICTS, JUDGED_MS
from groundnet.errors import GroundnetError, Text

LOOK_S = 600.0


def one_round(database: Database, now_ms: int) -> list[bytes]:
    """Hold each suspect of the last hour; returns those that were not held before. Raises StoreError.

    What was seen before a station was let in is not counted against it again.
    """
    held = quarantine_store.held(database)
    hour_ms = now_ms - JUDGED_MS
    let_in = {act.station_id: act.time_ms for act in quarantine_store.acts(database) if act.act != "held"}
    new = []
    for station_id in sorted(suspects(database, hour_ms).keys() - held.keys()):
        count = suspects(database, max(hour_ms, let_in.get(station_id, 0))).get(station_id)
        if count is not None:
            detail = f"{count} beacons within the hour"
            quarantine_store.hold(database, station_id, CONTRADICTS, detail, now_ms)
            new.append(station_id)
    return new


async def run(
    open_store: Callable[[], Database], now_ms: Callable[[], int], tell: Callable[[str], None]
) -> None:
    """Rounds until it is cancelled; a failure is told and tried again."""
    while True:
        try:
            for station_id in await asyncio.to_thread(_with_own_store, open_store, now_ms()):
                name = station_id.hex()
                tell(Text(f"{name} is in quarantine: others contradict it", f"{name} 已隔离：与其他基站矛盾"))
        except GroundnetError as error:
            tell(str(error))
        await asyncio.sleep(LOOK_S)


def _with_own_store(open_store: Callable[[], Database], now_ms: int) -> list[bytes]:
    database = open_store()
    try:
        return one_round(database, now_ms)
    finally:
        database.close()
