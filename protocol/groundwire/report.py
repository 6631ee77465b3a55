"""Signed messages of a tracker: `report` and the collector's `report_ack`.

The first field of both is their MAC: HMAC(report key, kind u8 | payload behind the MAC), first 8 bytes.
It covers fields that only a newer peer knows, too. (boot_count, sequence) in the ack name the report.
"""

from groundwire import messages
from groundwire.constant import const
from groundwire.errors import AuthenticationError
from groundwire.keys import Key, same

_MAC_SIZE = const(8)


def encode(name: str, values: dict, key: Key) -> tuple:
    """(kind, payload) of a signed message; `values` without "mac". Raises as `messages.encode`."""
    unsigned = dict(values)
    unsigned["mac"] = bytes(_MAC_SIZE)
    kind, payload = messages.encode(name, unsigned)
    return kind, _mac(kind, payload, key) + payload[_MAC_SIZE:]


def verify(kind: int, payload: bytes, key: Key) -> None:
    """Raises AuthenticationError("mac") when the payload was not signed with `key`."""
    if not same(_mac(kind, payload, key), payload[:_MAC_SIZE]):
        raise AuthenticationError("mac", "the message is not from the holder of this key")


def _mac(kind, payload, key):
    return key.mac(bytes((kind,)) + payload[_MAC_SIZE:])[:_MAC_SIZE]
