"""Calibrates the stations beside a running collector, once a day, in a thread and with a connection of its own."""

import asyncio
from collections.abc import Callable

from groundnet.collector.database import Database
from groundnet.collector.places.calibration import learn_all
from groundnet.errors import GroundnetError

LOOK_S = 3600.0
LEARN_AGAIN_MS = 24 * 3_600_000


def one_round(database: Database, now_ms: int) -> bool:
    """Learn, unless anybody did so within a day; says whether it learned."""
    row = database.row("SELECT max(learned_ms) AS ms FROM station_ears")
    if row is not None and row["ms"] is not None and now_ms - row["ms"] < LEARN_AGAIN_MS:
        return False
    return bool(learn_all(database, now_ms))


async def run(
    open_store: Callable[[], Database], now_ms: Callable[[], int], tell: Callable[[str], None]
) -> None:
    """Rounds until it is cancelled; a failure is told and tried again."""
    while True:
        try:
            await asyncio.to_thread(_with_own_store, open_store, now_ms())
        except GroundnetError as error:
            tell(str(error))
        await asyncio.sleep(LOOK_S)


def _with_own_store(open_store: Callable[[], Database], now_ms: int) -> None:
    database = open_store()
    try:
        one_round(database, now_ms)
    finally:
        database.close()
