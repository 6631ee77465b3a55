"""Learns the tags' clocks beside a running collector, some at a time, in a thread and with a connection of its own."""

import asyncio
from collections.abc import Callable, Iterable

from groundwire import downlink, keys

from groundnet.collector.database import Database
from groundnet.collector.senders.clock_drift import Clock, Heard, learn
from groundnet.collector.senders.known_devices import KnownDevices
from groundnet.errors import GroundnetError

LOOK_S = 60.0
AT_ONCE = 1_000  # tags; two million are gone through in a day and a half
MOST_BEACONS = 500  # of a tag at once: the rest next time

IdentityOf = Callable[[bytes], keys.Key | None]


def identities(devices: KnownDevices) -> IdentityOf:
    """The identity keys of the devices that a collector knows."""

    def identity_of(device_id: bytes) -> keys.Key | None:
        device = devices.get(device_id)
        return None if device is None else device.identity_key

    return identity_of


def kept(database: Database, device_id: bytes) -> Clock | None:
    """What was learned of a tag's clock; None: nothing yet."""
    row = database.row("SELECT * FROM clocks WHERE device_id = ?", device_id)
    if row is None:
        return None
    return Clock(
        Heard(row["counter"], row["time_ms"], row["flags"]),
        row["rate"],
        row["overhead_ms"],
        row["rate_var"],
        row["rate_overhead_cov"],
        row["overhead_var"],
        row["rest_ms"],
        row["moving_ms"],
        row["pairs"],
        row["refused"],
        row["refused_in_a_row"],
    )


def learn_some(
    database: Database, identity_of: IdentityOf, behind: bytes, now_ms: int, most: int = AT_ONCE
) -> bytes:
    """Bring the next tags behind an id up to date; gives the last one's id, b"" after the last tag of all."""
    rows = database.rows(
        "SELECT e.device_id, e.counter, c.counter AS learned FROM epochs e "
        "LEFT JOIN clocks c ON c.device_id = e.device_id WHERE e.device_id > ? ORDER BY e.device_id LIMIT ?",
        behind,
        most,
    )
    ordered_s = _ordered_s(database)
    for row in rows:
        device_id = bytes(row["device_id"])
        if row["learned"] is None or row["learned"] < row["counter"]:
            identity_key = identity_of(device_id)
            if identity_key is not None:
                learn_one(database, device_id, identity_key, now_ms, ordered_s.get(device_id, ()))
    return bytes(rows[-1]["device_id"]) if len(rows) == most else b""


def _ordered_s(database: Database) -> dict[bytes, list[int]]:
    """The intervals at rest that were ever ordered, by device."""
    found: dict[bytes, list[int]] = {}
    rows = database.rows(
        "SELECT DISTINCT device_id, argument FROM orders WHERE command = ? AND argument > 0",
        downlink.INTERVAL,
    )
    for row in rows:
        found.setdefault(bytes(row["device_id"]), []).append(row["argument"])
    return found


def learn_one(
    database: Database, device_id: bytes, identity_key: keys.Key, now_ms: int, ordered_s: Iterable[int] = ()
) -> Clock | None:
    """One tag's clock after its beacons since the last time, kept in the store."""
    before = kept(database, device_id)
    rows = database.rows(
        "SELECT counter, time_ms, flags FROM beacons WHERE device_id = ? AND counter > ? ORDER BY counter LIMIT ?",
        device_id,
        before.last.counter if before else -1,
        MOST_BEACONS,
    )
    heard = [Heard(row["counter"], row["time_ms"], row["flags"]) for row in rows]
    clock = learn(before, heard, identity_key, ordered_s)
    if clock is not None and clock is not before:
        _keep(database, device_id, clock, now_ms)
    return clock


def _keep(database: Database, device_id: bytes, clock: Clock, now_ms: int) -> None:
    database.run(
        "INSERT INTO clocks (device_id, counter, time_ms, flags, rate, overhead_ms, rate_var, rate_overhead_cov, "
        "overhead_var, rest_ms, moving_ms, pairs, refused, refused_in_a_row, learned_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET "
        "counter = excluded.counter, time_ms = excluded.time_ms, flags = excluded.flags, rate = excluded.rate, "
        "overhead_ms = excluded.overhead_ms, rate_var = excluded.rate_var, "
        "rate_overhead_cov = excluded.rate_overhead_cov, overhead_var = excluded.overhead_var, "
        "rest_ms = excluded.rest_ms, moving_ms = excluded.moving_ms, pairs = excluded.pairs, "
        "refused = excluded.refused, refused_in_a_row = excluded.refused_in_a_row, learned_ms = excluded.learned_ms "
        "WHERE excluded.counter > clocks.counter",
        device_id,
        *clock.last,
        clock.rate,
        clock.overhead_ms,
        clock.rr,
        clock.ro,
        clock.oo,
        clock.rest_ms,
        clock.moving_ms,
        clock.pairs,
        clock.refused,
        clock.refused_in_a_row,
        now_ms,
    )


async def run(
    open_store: Callable[[], Database],
    identity_of: IdentityOf,
    now_ms: Callable[[], int],
    tell: Callable[[str], None],
) -> None:
    """Some tags a minute until it is cancelled; a failure is told and tried again."""
    behind = b""
    while True:
        try:
            behind = await asyncio.to_thread(_with_own_store, open_store, identity_of, behind, now_ms())
        except GroundnetError as error:
            tell(str(error))
        await asyncio.sleep(LOOK_S)


def _with_own_store(
    open_store: Callable[[], Database], identity_of: IdentityOf, behind: bytes, now_ms: int
) -> bytes:
    database = open_store()
    try:
        return learn_some(database, identity_of, behind, now_ms)
    finally:
        database.close()
