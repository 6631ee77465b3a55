"""Downlink orders: from "this tag shall be lost" to authenticated bytes at the right stations.

queued -> sent -> done, or expired or withdrawn. An order is lent to the station that heard the tag best, anew with
each of its polls, until the tag obeys; to all stations while nobody heard the tag. The downlink counter is taken
when the order is made and only rises, so an order may be sent again and again: the tag carries it out once.
"""

from dataclasses import dataclass

from groundwire import beacon, downlink

from groundnet.collector.database import Database
from groundnet.collector.senders.known_devices import KnownDevice, KnownDevices
from groundnet.collector.senders.resolver import Resolver

LIFE_MS = 14 * 24 * 3600 * 1000
EPOCHS_AHEAD = 16  # 256 beacons: hours at rest, an hour and more in lost mode
HEARD_LATELY_MS = 24 * 3600 * 1000
IN_TOUCH_MS = 100_000  # a station polls each 30 s
LEASE_MS = 100_000  # how long a station may keep an order without being given it again
ORDERS_A_REPLY = 16  # groundwire's limit


@dataclass(frozen=True)
class Order:
    order_id: int
    device_id: bytes
    command: int
    argument: int
    counter: int
    expires_ms: int


def queue(database: Database, device_id: bytes, command: int, argument: int, now_ms: int) -> int:
    """Keep a new order, withdraw older ones it contradicts; returns its id. Call inside a transaction."""
    last = database.row("SELECT last FROM downlink_counters WHERE device_id = ?", device_id)
    counter = 1 if last is None else last["last"] + 1
    database.run(
        "INSERT INTO downlink_counters VALUES (?, ?) ON CONFLICT (device_id) DO UPDATE SET last = excluded.last",
        device_id,
        counter,
    )
    for other in REPLACES.get(command, (command,)):
        database.run(
            "UPDATE orders SET state = 'withdrawn' WHERE device_id = ? AND command = ? AND state IN ('queued', 'sent')",
            device_id,
            other,
        )
    row = database.row(
        "INSERT INTO orders (device_id, command, argument, counter, created_ms, expires_ms, state) "
        "VALUES (?, ?, ?, ?, ?, ?, 'queued') RETURNING order_id",
        device_id,
        command,
        argument,
        counter,
        now_ms,
        now_ms + LIFE_MS,
    )
    assert row is not None
    return row["order_id"]


REPLACES = {
    downlink.LOST_ON: (downlink.LOST_ON, downlink.LOST_OFF),
    downlink.LOST_OFF: (downlink.LOST_ON, downlink.LOST_OFF),
    downlink.SIREN_ON: (downlink.SIREN_ON, downlink.SIREN_OFF),
    downlink.SIREN_OFF: (downlink.SIREN_ON, downlink.SIREN_OFF),
    downlink.ARM: (downlink.ARM, downlink.DISARM),
    downlink.DISARM: (downlink.ARM, downlink.DISARM),
}


def waiting(database: Database, now_ms: int, device_id: bytes | None = None) -> list[Order]:
    """Orders that still have to be obeyed, oldest first."""
    rows = database.rows(
        "SELECT * FROM orders WHERE state IN ('queued', 'sent') AND device_id = coalesce(?, device_id) "
        "ORDER BY order_id",
        device_id,
    )
    if any(row["expires_ms"] <= now_ms for row in rows):  # most often there is nothing to write
        database.run(
            "UPDATE orders SET state = 'expired' WHERE state IN ('queued', 'sent') AND expires_ms <= ?",
            now_ms,
        )
    return [
        Order(
            row["order_id"],
            row["device_id"],
            row["command"],
            row["argument"],
            row["counter"],
            row["expires_ms"],
        )
        for row in rows
        if row["expires_ms"] > now_ms
    ]


def for_station(
    database: Database, resolver: Resolver, devices: KnownDevices, station_id: bytes, now_ms: int
) -> list[dict]:
    """Orders for one station as values of the wire's `orders` records."""
    found = []
    for order in waiting(database, now_ms):
        device = devices.get(order.device_id)
        if device is None or _speaker(database, order.device_id, now_ms) not in (station_id, None):
            continue
        data = finished(database, device, order)
        if data is None:
            continue  # it needs a challenge that the tag has not offered yet
        row = database.row("SELECT epoch FROM epochs WHERE device_id = ?", order.device_id)
        epoch = row["epoch"] if row else 0
        eids = resolver.coming_eids(device, epoch, EPOCHS_AHEAD)
        found.append(
            {"order_id": order.order_id, "expires_ms": now_ms + LEASE_MS, "eids": eids, "downlink": data}
        )
    return found[:ORDERS_A_REPLY]


def for_tracker(database: Database, device: KnownDevice, now_ms: int) -> list[dict]:
    """Orders for the tracker itself, over its own uplink."""
    finished_orders = (
        finished(database, device, order) for order in waiting(database, now_ms, device.device_id)
    )
    return [{"downlink": data} for data in finished_orders if data is not None][:8]


def finished(database: Database, device: KnownDevice, order: Order) -> bytes | None:
    """The authenticated bytes; None while the tag's challenge is missing."""
    challenge = b""
    if order.command in downlink.CHALLENGED:
        row = database.row("SELECT challenge FROM challenges WHERE device_id = ?", order.device_id)
        if row is None:
            return None
        challenge = row["challenge"]
    return downlink.encode(order.command, order.counter, order.argument, device.downlink_key, challenge)


def sent(database: Database, order_id: int, time_ms: int) -> None:
    """A station put the order on the air; whether the tag heard it, its next beacon tells."""
    database.run(
        "UPDATE orders SET state = 'sent', sent_ms = ? WHERE order_id = ? AND state = 'queued'",
        time_ms,
        order_id,
    )


def offered(database: Database, device_id: bytes, challenge: bytes) -> None:
    """Keep the challenge that a tag offers now: what ends lost mode or the siren must answer it."""
    database.run(
        "INSERT INTO challenges VALUES (?, ?) ON CONFLICT (device_id) DO UPDATE SET challenge = excluded.challenge",
        device_id,
        challenge,
    )


def obeyed(database: Database, device_id: bytes, flags: int) -> None:
    """Close the orders that a beacon's flags show to be carried out."""
    done = [downlink.LOST_ON if flags & beacon.LOST else downlink.LOST_OFF]
    done += [downlink.SIREN_ON] if flags & beacon.SIREN else []
    for command in done:
        database.run(
            "UPDATE orders SET state = 'done' WHERE device_id = ? AND command = ? AND state = 'sent'",
            device_id,
            command,
        )


def obeyed_counter(database: Database, device_id: bytes, counter: int) -> None:
    """Close the order that a tracker says it carried out."""
    database.run("UPDATE orders SET state = 'done' WHERE device_id = ? AND counter = ?", device_id, counter)


def _speaker(database: Database, device_id: bytes, now_ms: int) -> bytes | None:
    """The one station that shall answer the tag: of those in touch, the one that heard its last beacon best.

    Stations that answer the same beacon at once drown each other; so only one is asked. None: nobody heard it.
    """
    row = database.row(
        "SELECT s.station_id FROM sightings s JOIN stations t ON t.station_id = s.station_id "
        "WHERE s.device_id = ? AND s.time_ms >= ? AND t.seen_ms >= ? "
        "ORDER BY s.counter DESC, coalesce(s.rssi_dbm, -1000) DESC LIMIT 1",
        device_id,
        now_ms - HEARD_LATELY_MS,
        now_ms - IN_TOUCH_MS,
    )
    return None if row is None else row["station_id"]
