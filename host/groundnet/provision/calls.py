"""The points of a central registry: when each last called, what of it waits, how many identities it has left."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from groundnet.database.store import Row
from groundnet.provision import blocks, known_points, point
from groundnet.provision.registry import Registry

FEW = 50  # identities; a busy point gives out as many in a day or two


@dataclass(frozen=True)
class Block:
    """A block that was issued.

    Args:
        used: how many of its identities arrived in devices.
        secrets_here: False where the registry was brought back from a copy that is older than the block.
        shares_numbers: with another block; then the same ids may be given away twice.
    """

    block_id: str
    first: int
    count: int
    used: int
    issued_ms: int
    secrets_here: bool = True
    shares_numbers: bool = False


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


def status_of(registry: Registry, free: int | None, waiting: int) -> dict[str, object]:
    """What a point says of itself at each call: identities left, records that wait, who it is, its receipts."""
    here = point.read(registry)
    who = {} if here is None else {"setup": here.text(), "blocks": blocks.shown(registry)}
    return {"free": free, "waiting": waiting, **who}


def keep(registry: Registry, name: str, status: object, now_ms: int) -> None:
    """A point called. What it says of itself is taken as far as it has the right form. Raises StoreError."""
    said = status if isinstance(status, dict) else {}
    with registry.transaction():
        registry.database.execute(
            """INSERT INTO calls VALUES (?, ?, ?, ?) ON CONFLICT (point) DO UPDATE SET last_ms = excluded.last_ms,
                free = excluded.free, waiting = excluded.waiting""",
            (name, now_ms, _count(said.get("free")), _count(said.get("waiting")) or 0),
        )
        receipts = said.get("blocks")
        learned = blocks.learn(registry, receipts, now_ms) if isinstance(receipts, list) else []
        if learned:
            with contextlib.suppress(point.PointError, known_points.PointChanged):
                caller = point.parse(str(said.get("setup")))
                if caller.point_id in {block.point_id for block in learned}:
                    known_points.remember(registry, caller, now_ms)


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
    name: str, point_ids: list[str], call: Row | None, devices: int, issued: tuple[Block, ...]
) -> PointState:
    return PointState(
        name,
        tuple(point_ids),
        call["last_ms"] if call else None,
        call["free"] if call else None,
        call["waiting"] if call else 0,
        int(devices),
        issued,
    )


def _blocks(registry: Registry, point_ids: Sequence[str]) -> tuple[Block, ...]:
    found = []
    for point_id in point_ids:
        rows = registry.database.execute(
            """SELECT block_id, first, count, changed_ms,
                (SELECT count(*) FROM devices WHERE number >= first AND number < first + count) AS used,
                (SELECT count(*) FROM identities WHERE identities.block_id = blocks.block_id) AS here,
                (SELECT count(*) FROM blocks AS other WHERE other.block_id <> blocks.block_id
                    AND other.first < blocks.first + blocks.count AND blocks.first < other.first + other.count)
                    AS shared
                FROM blocks WHERE direction = 'issued' AND point_id = ? ORDER BY first""",
            (point_id,),
        ).fetchall()
        found += [
            Block(
                *(row[name] for name in ("block_id", "first", "count", "used", "changed_ms")),
                secrets_here=row["here"] == row["count"],
                shares_numbers=row["shared"] > 0,
            )
            for row in rows
        ]
    return tuple(found)


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 1 << 32 else None
