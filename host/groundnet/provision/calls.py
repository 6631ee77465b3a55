"""The points of a central registry: when each last called, what of it waits, how many identities it has left."""

from collections.abc import Sequence
from dataclasses import dataclass

from groundnet.database.store import Row
from groundnet.provision.registry import Registry

FEW = 50  # identities; a busy point gives out as many in a day or two


@dataclass(frozen=True)
class Block:
    """A block that was issued. ``used``: how many of its identities arrived in devices."""

    block_id: str
    first: int
    count: int
    used: int
    issued_ms: int


@dataclass(frozen=True)
class PointState:
    """One point, by the name that its token has or that it was set up with.

    Args:
        last_ms: its last call; None: it has never called.
        free: identities that are left as it said then; None where it makes its own.
        waiting: records that it had not told yet when it last called, and will.
        devices: that are bound at it, as far as it told.
    """

    point: str
    point_ids: tuple[str, ...]
    last_ms: int | None
    free: int | None
    waiting: int
    devices: int
    blocks: tuple[Block, ...]

    @property
    def left(self) -> int | None:
        """Identities that it can still give out: as it said, or by what arrived of its blocks; None: its own."""
        if self.free is not None or not self.blocks:
            return self.free
        return sum(block.count - block.used for block in self.blocks)

    def few(self, least: int = FEW) -> bool:
        """Whether it needs its next block."""
        return self.left is not None and self.left < least


def keep(registry: Registry, point: str, status: object, now_ms: int) -> None:
    """A point called. What it says of itself is taken as far as it has the right form."""
    said = status if isinstance(status, dict) else {}
    free, waiting = said.get("free"), said.get("waiting")
    registry.database.execute(
        """INSERT INTO calls VALUES (?, ?, ?, ?) ON CONFLICT (point) DO UPDATE SET last_ms = excluded.last_ms,
            free = excluded.free, waiting = excluded.waiting""",
        (point, now_ms, _count(free), _count(waiting) or 0),
    )


def points(registry: Registry) -> list[PointState]:
    """Every point that has called or got a block, by name."""
    database = registry.database
    calls = {row["point"]: row for row in database.execute("SELECT * FROM calls").fetchall()}
    ids: dict[str, list[str]] = {name: [] for name in calls}
    for row in database.execute("SELECT point_id, name FROM known_points ORDER BY known_ms").fetchall():
        ids.setdefault(row["point_id"] if row["point_id"] in calls else row["name"], []).append(
            row["point_id"]
        )
    devices = {
        row["point"]: row["bound"]
        for row in database.execute(
            "SELECT point, sum(bound) AS bound FROM arrived GROUP BY point"
        ).fetchall()
    }
    return [
        _state(name, ids[name], calls.get(name), devices.get(name, 0), _blocks(registry, ids[name]))
        for name in sorted(ids)
    ]


def _state(
    name: str, point_ids: list[str], call: Row | None, devices: int, blocks: tuple[Block, ...]
) -> PointState:
    return PointState(
        name,
        tuple(point_ids),
        call["last_ms"] if call else None,
        call["free"] if call else None,
        call["waiting"] if call else 0,
        int(devices),
        blocks,
    )


def _blocks(registry: Registry, point_ids: Sequence[str]) -> tuple[Block, ...]:
    found = []
    for point_id in point_ids:
        rows = registry.database.execute(
            """SELECT block_id, first, count, changed_ms, (SELECT count(*) FROM devices
                WHERE number >= first AND number < first + count) AS used
                FROM blocks WHERE direction = 'issued' AND point_id = ? ORDER BY first""",
            (point_id,),
        ).fetchall()
        found += [
            Block(row["block_id"], row["first"], row["count"], row["used"], row["changed_ms"]) for row in rows
        ]
    return tuple(found)


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 1 << 32 else None
