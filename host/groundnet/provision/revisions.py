"""What a central registry has to know of each device of a point: a revision that grows, and the one that it knows.

A revision is the time of the change in Unix ms, or one more than the last where the clock was turned back. Whatever
was told twice, late or in another order, the highest one counts. A device that was never bound here has no row.
"""

from dataclasses import dataclass

from groundnet.database.store import Store


@dataclass(frozen=True)
class Revision:
    """Of one device. ``forgotten``: its owner asked for that since it was bound."""

    number: int
    sent: int
    bound_ms: int
    forgotten: bool

    @property
    def waits(self) -> bool:
        return self.number > self.sent


def bound(database: Store, device_id: bytes, now_ms: int) -> None:
    """It was handed over."""
    database.execute(
        """INSERT INTO uplink VALUES (?1, ?2, 0, ?2, 0) ON CONFLICT (device_id) DO UPDATE SET
            revision = CASE WHEN excluded.revision > uplink.revision THEN excluded.revision
                ELSE uplink.revision + 1 END,
            bound_ms = excluded.bound_ms, forgotten = 0""",
        (device_id, now_ms),
    )


def changed(database: Store, device_id: bytes, now_ms: int = 0) -> None:
    """Something else of it is another now; nothing to tell as long as it was never bound."""
    database.execute(
        "UPDATE uplink SET revision = CASE WHEN ?1 > revision THEN ?1 ELSE revision + 1 END WHERE device_id = ?2",
        (now_ms, device_id),
    )


def forgotten(database: Store, device_id: bytes, now_ms: int) -> None:
    """Its owner's data are deleted, and are to be everywhere."""
    changed(database, device_id, now_ms)
    database.execute("UPDATE uplink SET forgotten = 1 WHERE device_id = ?", (device_id,))


def every(database: Store) -> dict[bytes, Revision]:
    """The revision of each device that was ever bound, by device id."""
    rows = database.execute("SELECT * FROM uplink").fetchall()
    return {
        bytes(row["device_id"]): Revision(
            row["revision"], row["sent"], row["bound_ms"], bool(row["forgotten"])
        )
        for row in rows
    }


def known(database: Store, device_id: bytes, number: int) -> bool:
    """The central registry has this revision; whether nothing has changed since it was sent."""
    database.execute("UPDATE uplink SET sent = ?1 WHERE device_id = ?2 AND sent < ?1", (number, device_id))
    row = database.execute("SELECT revision FROM uplink WHERE device_id = ?", (device_id,)).fetchone()
    return row is not None and row["revision"] == number
