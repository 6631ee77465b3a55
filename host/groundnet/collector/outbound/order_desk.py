"""Orders by hand: arm, disarm, siren, locate and the interval, and what became of them.

Lost mode is not among them: it begins and ends with a case (cases.py). Who may order is who may look (lookups.py),
and every order is in the same book.
"""

from dataclasses import dataclass

from groundwire import downlink

from groundnet.collector.casework.lookups import written_down
from groundnet.collector.database import Database
from groundnet.collector.outbound import orders
from groundnet.errors import GroundnetError

MOST_SIREN_S = 30  # as in the firmware's settings
INTERVAL_S = (10, 86_400)  # of beacons at rest
BY_HAND = {
    "arm": downlink.ARM,
    "disarm": downlink.DISARM,
    "siren-on": downlink.SIREN_ON,
    "siren-off": downlink.SIREN_OFF,
    "locate": downlink.LOCATE,
    "interval": downlink.INTERVAL,
}


class OrderRefused(GroundnetError):
    """An order that nobody may give now, or that no device would take."""


@dataclass(frozen=True)
class Given:
    """An order and its fate: queued, sent, done, expired or withdrawn."""

    order_id: int
    device_id: bytes
    command: str
    argument: int
    created_ms: int
    expires_ms: int
    state: str
    ordered_by: str


def give(
    database: Database,
    device_ids: list[bytes],
    command: str,
    seconds: int | None,
    who: str,
    why: str,
    is_owner: bool,
    now_ms: int,
) -> list[Given]:
    """Queue one order for each device that may be ordered about: those with an open case, all for the owner.

    Args:
        command: a name in BY_HAND.
        seconds: how long the siren sounds (0..30), or the interval of beacons at rest (10..86,400, 0: as set);
            None for the device's own setting, and for the other commands.

    Raises OrderRefused for an unknown command, a number out of range, and when no device may be ordered about.
    """
    argument = _argument(command, seconds)
    granted = written_down(database, device_ids, who, f"order {command}", why, is_owner, now_ms)
    if not granted:
        raise OrderRefused(
            "orders are taken while a case is open only",
            "open one with `groundnet case open`, or let the owner order it with their token (--owner)",
        )
    with database.transaction():
        numbers = [
            orders.queue(database, device_id, BY_HAND[command], argument, now_ms) for device_id in granted
        ]
        for number in numbers:
            database.run("UPDATE orders SET ordered_by = ? WHERE order_id = ?", who, number)
    return [given for given in list_orders(database, now_ms) if given.order_id in numbers]


def withdraw(database: Database, order_id: int, now_ms: int) -> Given:
    """Take back an order; one on the air already may still be obeyed. Raises OrderRefused when it has ended."""
    for given in list_orders(database, now_ms):
        if given.order_id == order_id and given.state in ("queued", "sent"):
            database.run("UPDATE orders SET state = 'withdrawn' WHERE order_id = ?", order_id)
            return next(given for given in list_orders(database, now_ms) if given.order_id == order_id)
    raise OrderRefused(f"no order {order_id} is waiting", "list orders with `groundnet order list`")


def list_orders(database: Database, now_ms: int) -> list[Given]:
    """All orders, newest first."""
    orders.waiting(database, now_ms)  # what has run out says so
    return [
        Given(
            row["order_id"],
            row["device_id"],
            (downlink.COMMANDS[row["command"]] or "").replace("_", "-"),
            row["argument"],
            row["created_ms"],
            row["expires_ms"],
            row["state"],
            row["ordered_by"],
        )
        for row in database.rows("SELECT * FROM orders ORDER BY order_id DESC")
    ]


def _argument(command: str, seconds: int | None) -> int:
    if command not in BY_HAND:
        raise OrderRefused(f"there is no order '{command}'", f"choose one of: {', '.join(BY_HAND)}")
    if command not in ("siren-on", "interval"):
        if seconds is not None:
            raise OrderRefused(f"{command} takes no --seconds", "leave it out")
        return 0
    if command == "interval" and seconds is None:
        raise OrderRefused("interval needs --seconds", "give 10 to 86400, or 0 for the device's own setting")
    low, high = INTERVAL_S if command == "interval" else (0, MOST_SIREN_S)
    if seconds and not low <= seconds <= high:
        raise OrderRefused(f"{seconds} s is out of range", f"give {low} to {high}, or 0 for the device's own")
    return seconds or 0
