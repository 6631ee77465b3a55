"""The install points that a central registry has issued blocks to: name, and the one key that blocks are sealed to."""

from groundnet.errors import GroundnetError, Text
from groundnet.provision.point import Point
from groundnet.provision.registry import Registry


class PointChanged(GroundnetError):
    """A point shows another key than before, or its key was never seen."""


def remember(registry: Registry, point: Point, now_ms: int) -> None:
    """Keep a point's key at its first block. Raises PointChanged for another one later."""
    row = registry.database.execute(
        "SELECT public_key FROM known_points WHERE point_id = ?", (point.point_id,)
    ).fetchone()
    if row is not None and row["public_key"] != point.public_key:
        raise PointChanged(
            Text(f"{point.name} had another public key before", f"{point.name} 以前的公钥不是这个"),
            Text("ask the point; a computer that was set up anew has an id of its own",
                 "请向安装点核实；重新建立的安装点会有新的编号"),
        )  # fmt: skip
    registry.database.execute(
        """INSERT INTO known_points VALUES (?, ?, ?, ?)
            ON CONFLICT (point_id) DO UPDATE SET name = excluded.name""",
        (point.point_id, point.name, point.public_key, now_ms),
    )


def public_key(registry: Registry, point_id: str) -> bytes:
    """The key of a point that had a block before. Raises PointChanged when it was never seen."""
    row = registry.database.execute(
        "SELECT public_key FROM known_points WHERE point_id = ?", (point_id,)
    ).fetchone()
    if row is None:
        raise PointChanged(
            Text("the public key of that point is not known here", "这里没有该安装点的公钥"),
            Text("give the point's file with --to", "请用 --to 给出该安装点的公钥文件"),
        )
    return row["public_key"]


def ids_of(registry: Registry, name: str) -> set[str]:
    """Point ids that a name stands for: the id itself, and every point that was set up with this name."""
    rows = registry.database.execute(
        "SELECT point_id FROM known_points WHERE name = ? OR point_id = ?", (name, name)
    )
    return {row["point_id"] for row in rows}
