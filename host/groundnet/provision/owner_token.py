"""The owner's own token: who shows it sees where their device is, and gives it orders, without a case.

100 random bits, told once and kept as SHA-256 alone: nobody can print it again, and with so many bits a slow hash would
add nothing (NIST SP 800-63B, 5.1.2, look-up secrets of 112 bits or less are salted: the device id is hashed along).
All devices on one vehicle share a token; a new one replaces the old one, and what makes a device nobody's ends it.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable

from groundnet.errors import GroundnetError, Text
from groundnet.provision.audit import Audit
from groundnet.provision.record import BOUND, Record
from groundnet.provision.registry import Registry
from groundnet.provision.tag_id import ALPHABET

_GROUPS, _GROUP = 4, 5  # characters of 5 bits
_LOOKALIKES = str.maketrans("ILO", "110")


class OwnerTokenError(GroundnetError):
    """No token can be given for this device, or the one that was shown is not the owner's."""


def issue(registry: Registry, records: Iterable[Record], now_ms: int) -> str:
    """A new token for the devices of one owner, like ``7K2M9-...``; earlier ones open nothing any more.

    Raises OwnerTokenError when one of them was not handed over.
    """
    records = list(records)
    for record in records:
        if record.state not in BOUND:
            raise OwnerTokenError(
                Text(f"{record.tag_id} was not handed over", f"{record.tag_id} 还没有交付"),
                Text("provision it first", "请先完成写入和交付"),
            )
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(_GROUPS * _GROUP))
    with registry.transaction():
        for record in records:
            registry.database.execute(
                "INSERT INTO owner_tokens VALUES (?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET "
                "digest = excluded.digest, made_ms = excluded.made_ms",
                (record.device_id, _digest(record.device_id, drawn), now_ms),
            )
            Audit(registry).append(now_ms, "owner token", tag_id=record.tag_id)
    return "-".join(drawn[at : at + _GROUP] for at in range(0, len(drawn), _GROUP))


def revoke(registry: Registry, records: Iterable[Record], now_ms: int) -> int:
    """End the tokens of the devices; returns how many of them had one."""
    ended = 0
    with registry.transaction():
        for record in records:
            changed = registry.database.execute(
                "DELETE FROM owner_tokens WHERE device_id = ?", (record.device_id,)
            ).rowcount
            if changed:
                Audit(registry).append(now_ms, "owner token", "revoked", tag_id=record.tag_id)
            ended += changed
    return ended


def opened_by(registry: Registry, records: Iterable[Record], token: str) -> list[Record]:
    """Those of the devices that the token belongs to. Raises OwnerTokenError when it is none of theirs."""
    shown = re.sub(r"[\s-]", "", token.upper()).translate(_LOOKALIKES)
    opened = []
    for record in records:
        row = registry.database.execute(
            "SELECT digest FROM owner_tokens WHERE device_id = ?", (record.device_id,)
        ).fetchone()
        if row is not None and hmac.compare_digest(row["digest"], _digest(record.device_id, shown)):
            opened.append(record)
    if not opened:
        raise OwnerTokenError(
            Text("this is not the owner's token", "车主凭证不正确"),
            Text(
                "type it as on the owner's paper; a new one is made with `groundnet provision token`",
                "请照车主的凭证输入；可用 `groundnet provision token` 重新发放",
            ),
        )
    return opened


def _digest(device_id: bytes, token: str) -> bytes:
    return hashlib.sha256(b"groundnet owner token" + device_id + token.encode()).digest()
