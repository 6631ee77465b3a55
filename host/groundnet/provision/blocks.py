"""Blocks of identities: numbers and secrets that the central registry makes for one point (see `parcel`).

Two points never give away the same id, because no number is in two blocks. A point takes a block of the centre that it
trusts (see `signing`), for itself, unchanged, once; it looks at the signature before anything else.
"""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import replace

from groundnet.errors import Text
from groundnet.provision import identities, known_points, parcel, point, signing
from groundnet.provision import tag_id as tag_ids
from groundnet.provision.audit import Audit
from groundnet.provision.parcel import Block, BlockError, Parcel
from groundnet.provision.registry import Registry

MOST = 10_000  # a year of a busy point; what a stolen computer may hold is no more than that


def issue(registry: Registry, to: point.Point, count: int, now_ms: int) -> str:
    """Make a block for a point; the text of its file. The secrets stay here, too, for who looks for the tags.

    Raises BlockError, PointChanged, VaultLocked.
    """
    if not identities.makes_own(registry):
        raise BlockError(
            Text("this point gets its own ids from blocks", "本安装点的编号来自号段，不能再发放"),
            Text("issue blocks at the central registry", "请在中心登记簿发放"),
        )
    if not 1 <= count <= MOST:
        raise BlockError(f"{count} identities are not a block", f"issue 1 to {MOST} at once")
    with registry.transaction():
        known_points.remember(registry, to, now_ms)
        first = identities.next_number(registry)
        if first + count - 1 > tag_ids.LARGEST:
            raise BlockError("there are not as many tag ids left", "issue a smaller block")
        centre = signing.own(registry).centre_id
        block = Block(secrets.token_hex(8), to.point_id, first, count, centre)
        made = [(number, secrets.token_bytes(32)) for number in range(first, first + count)]
        text = _written(registry, block, made, to.public_key)
        _keep(registry, block, "issued", made, now_ms)
        Audit(registry).append(now_ms, "issue block", operation=block.block_id)
    return text


def issue_again(registry: Registry, block_id: str, now_ms: int, to: point.Point | None = None) -> str:
    """The file of a block that was issued and lost: the same numbers and secrets under the same block id.

    Args:
        to: only for a block that is older than the centre's knowledge of its points.

    Both files open at the same point, the second one to arrive is known there. Raises BlockError, PointChanged,
    VaultLocked, VaultDamaged.
    """
    row = registry.database.execute(
        "SELECT * FROM blocks WHERE block_id = ? AND direction = 'issued'", (block_id.strip().lower(),)
    ).fetchone()
    if row is None:
        raise BlockError(
            Text(f"no block '{block_id}' was issued here", f"这里没有发放过号段“{block_id}”"),
            Text("`provision central show POINT` lists its blocks", "用 `provision central show 安装点` 查看号段"),
        )  # fmt: skip
    with registry.transaction():
        if to is not None and to.point_id == row["point_id"]:
            known_points.remember(registry, to, now_ms)
        key = known_points.public_key(registry, row["point_id"])
        centre = signing.own(registry).centre_id
        block = Block(row["block_id"], row["point_id"], row["first"], row["count"], centre)
        text = _written(registry, block, _held(registry, block), key)
        Audit(registry).append(now_ms, "issue block again", operation=block.block_id)
    return text


def load(registry: Registry, text: str, now_ms: int) -> Block:
    """Take a block into the registry of its point. Raises BlockError, VaultLocked, VaultDamaged, RegistryError."""
    arrived = parcel.parse(text)
    block = arrived.block
    mine = point.private_key(registry)
    _check_centre(registry, arrived)
    here = point.read(registry)
    if here is None or here.own_ids or here.point_id != block.point_id:
        raise BlockError(
            Text("this block was issued for another point", "该号段发放给了别的安装点"),
            Text("ask for a block for this point", "请申请本安装点的号段"),
        )
    made = parcel.opened(arrived, mine)
    with registry.transaction():
        if _is_known(registry, block):
            raise BlockError(
                Text("this block is loaded already", "该号段已经装入"),
                Text("nothing is left to do", "无需再次装入"),
            )
        if _overlaps(registry, block):
            raise BlockError(
                Text("its numbers were given to this point before", "其中的编号此前已发放给本安装点"),
                Text("ask the central registry for another block", "请向中心申请另一个号段"),
            )
        _keep(registry, block, "loaded", made, now_ms)
        registry.database.execute("INSERT INTO receipts VALUES (?, ?)", (block.block_id, arrived.receipt))
        Audit(registry).append(now_ms, "load block", operation=block.block_id)
    return block


def describe(text: str) -> Block:
    """What the open part of a block file says of it; nothing is checked. Raises BlockError."""
    return parcel.parse(text).block


def shown(registry: Registry) -> list[dict[str, object]]:
    """The receipts of a point for its blocks, as it shows them to its centre at each call."""
    here = point.read(registry)
    rows = registry.database.execute(
        """SELECT blocks.*, receipts.receipt FROM blocks JOIN receipts ON receipts.block_id = blocks.block_id
            WHERE direction = 'loaded' ORDER BY first"""
    ).fetchall()
    centre = registry.database.execute("SELECT public_key FROM centre").fetchone()
    if here is None or centre is None:
        return []
    centre_id = signing.Centre("", centre["public_key"]).centre_id
    return [
        {
            **{name: row[name] for name in ("block_id", "point_id", "first", "count")},
            "centre": centre_id,
            "receipt": base64.b64encode(row["receipt"]).decode(),
        }
        for row in rows
    ]


def learn(registry: Registry, receipts: Sequence[object], now_ms: int) -> list[Block]:
    """Blocks that this centre issued and does not know: its file was brought back from an old copy.

    Their numbers are not given away a second time; their secrets are not here any more. What is no receipt of this
    centre is passed over. Raises StoreError.
    """
    centre = signing.own(registry)
    learned = []
    for said in receipts:
        if not isinstance(said, dict):
            continue
        try:
            block, receipt = parcel.block_of(said), base64.b64decode(said["receipt"], validate=True)
        except (ValueError, KeyError, TypeError):
            continue
        if not centre.signed(block.receipt(), receipt):
            continue  # before anything else is done with it
        if not _is_known(registry, block):
            _keep(registry, block, "issued", [], now_ms)
            Audit(registry).append(now_ms, "learn block", operation=block.block_id)
            learned.append(block)
    return learned


def _check_centre(registry: Registry, arrived: Parcel) -> None:
    """Nothing of a block is looked at before its centre is known to be the trusted one."""
    centre = signing.trusted(registry)
    if centre is None:
        raise BlockError(
            Text("this point trusts no central registry yet", "本安装点尚未信任任何中心"),
            Text("run `provision trust FILE` with the centre's public key", "请用中心的公钥文件运行 `provision trust`"),
        )  # fmt: skip
    if arrived.block.centre != centre.centre_id:
        raise BlockError(
            Text("this block is of another central registry", "该号段来自另一个中心"),
            Text(f"ask {centre.name} ({centre.centre_id}) for it", f"请向 {centre.name}（{centre.centre_id}）申请"),
        )  # fmt: skip
    if not arrived.signed_by(centre):
        raise BlockError(
            Text("the block was changed after the centre signed it", "号段文件在中心签名后被改动"),
            Text("copy the file again; if it says so again, tell the centre", "请重新复制；仍然如此请告知中心"),
        )  # fmt: skip


def _written(registry: Registry, block: Block, made: list[tuple[int, bytes]], public_key: bytes) -> str:
    receipt = signing.sign(registry, block.receipt())
    sealed = parcel.seal(block, made, public_key, receipt)
    return replace(sealed, signature=signing.sign(registry, sealed.body())).text()


def _held(registry: Registry, block: Block) -> list[tuple[int, bytes]]:
    """Numbers and secrets of a block that was issued here. Raises BlockError, VaultLocked."""
    rows = registry.database.execute(
        "SELECT * FROM identities WHERE block_id = ? ORDER BY number", (block.block_id,)
    ).fetchall()
    if len(rows) != block.count:
        raise BlockError(
            Text("the secrets of this block are not here: the registry is of an older copy",
                 "这里没有该号段的密钥：登记簿是从旧备份恢复的"),
            Text("bring back a newer copy, or issue another block", "请恢复更新的备份，或发放另一个号段"),
        )  # fmt: skip
    return [(row["number"], registry.opened("secret", row["secret"], row)) for row in rows]


def _is_known(registry: Registry, block: Block) -> bool:
    found = registry.database.execute("SELECT 1 FROM blocks WHERE block_id = ?", (block.block_id,))
    return found.fetchone() is not None


def _overlaps(registry: Registry, block: Block) -> bool:
    last = block.first + block.count - 1
    counted = registry.database.execute(
        """SELECT (SELECT count(*) FROM devices WHERE number BETWEEN ? AND ?)
            + (SELECT count(*) FROM identities WHERE number BETWEEN ? AND ?)""",
        (block.first, last) * 2,
    )
    return counted.fetchone()[0] > 0


def _keep(
    registry: Registry, block: Block, direction: str, made: list[tuple[int, bytes]], now_ms: int
) -> None:
    registry.database.execute(
        "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)",
        (block.block_id, block.point_id, direction, block.first, block.count, now_ms),
    )
    vault = registry.vault
    for number, secret in made:
        tag_id = tag_ids.make(number)
        kept = vault.seal("secret", secret, tag_id) if vault else secret
        registry.database.execute(
            "INSERT INTO identities VALUES (?, ?, ?, ?, ?)",
            (number, tag_id, block.block_id, vault is not None, kept),
        )
