"""JSON back to bytes: the inverse of `dissect`. What a key would tell is taken from the JSON, or made."""

from collections.abc import Callable

from groundwire import beacon, downlink, frame, keys, messages
from groundwire.errors import WireError

from groundnet.errors import GroundnetError
from groundnet.wire.plain import from_hex, from_json

_SEE = "see `groundnet wire decode --json` for the form"


def assemble(described: dict | list, secret: bytes | None = None) -> bytes:
    """Bytes of what `dissect` described. With `secret`, missing EIDs and MACs are made.

    Raises GroundnetError: cause and action.
    """
    try:
        if isinstance(described, list) and described:
            return b"".join(assemble(piece, secret) for piece in described)
        if not isinstance(described, dict):
            raise GroundnetError("the JSON is no object with a layer", _SEE)
        return _layer_of(described)(described, secret)
    except KeyError as error:
        raise GroundnetError(f"the JSON has no {error.args[0]}", _SEE) from error
    except (TypeError, AttributeError, ValueError) as error:
        raise GroundnetError("a value in the JSON is of another kind than the wire needs", _SEE) from error
    except WireError as error:
        raise GroundnetError(f"this cannot go on the wire: {error}", "correct the value") from error


def _layer_of(described: dict) -> Callable[[dict, bytes | None], bytes]:
    layer = described.get("layer")
    made = _LAYERS.get(layer) if isinstance(layer, str) else None
    if made is None:
        raise GroundnetError(f"the JSON's layer is none of {', '.join(_LAYERS)}", _SEE)
    return made


def _message(described: dict, secret: bytes | None) -> bytes:
    return _payload(described)


def _payload(described: dict) -> bytes:
    if "payload" in described:
        return from_hex(described["payload"])
    name = described.get("name")
    kind = messages.kind_of(name) if name else described["kind"]
    layout = messages.layout_of(kind)
    values = from_json(layout.fields if layout else None, described["values"])
    return messages.encode(name or kind, values)[1]


def _frame(described: dict, secret: bytes | None) -> bytes:
    name = described.get("name")
    kind = messages.kind_of(name) if name else described["kind"]
    payload = _payload(described)
    seal = described.get("seal")
    if seal:
        payload += seal["counter"].to_bytes(4, "big") + from_hex(seal["mac"])
    return frame.encode(kind, payload, described.get("sequence", 0), bool(described.get("sealed")))


def _garbage(described: dict, secret: bytes | None) -> bytes:
    return from_hex(described["bytes"])


def _number(names: tuple, value: str | int) -> int:
    return names.index(value) if isinstance(value, str) else value


def _key(secret: bytes | None, label: bytes) -> keys.Key:
    if secret is None:
        raise GroundnetError("the JSON has no MAC", "give the device's secret with --key, or the MAC")
    return keys.derive(secret, label)


def _beacon(described: dict, secret: bytes | None) -> bytes:
    kind = _number(beacon.TYPES, described["type"])
    flags = sum(1 << beacon.FLAGS.index(name) for name in described["flags"])
    level = described.get("battery_level")
    counter = described.get("counter", described.get("low"))
    if counter is None:
        raise GroundnetError("the JSON has neither counter nor low", "give the beacon's counter")
    if "eid" in described:
        eid = from_hex(described["eid"])
    else:
        eid = keys.eid(_key(secret, keys.IDENTITY), counter >> keys.EPOCH_BITS)
    signed = "mac" in described
    if kind == beacon.FIX and not signed:
        body = beacon.position_body(beacon.Position(**described["position"]))
    else:
        body = from_hex(described.get("body", ""))
    buffer = bytearray(beacon.MAX_SIZE)
    profile = _number(beacon.PROFILES, described["profile"])
    battery = beacon.BATTERY_UNKNOWN if level is None else level
    size = beacon.encode_into(buffer, kind, profile, flags, battery, counter, eid, body)
    if signed:
        return bytes(buffer[:size]) + from_hex(described["mac"])
    end = beacon.protect(buffer, size, counter, _key(secret, keys.BEACON), _key(secret, keys.POSITION))
    return bytes(buffer[:end])


def _downlink(described: dict, secret: bytes | None) -> bytes:
    command = _number(downlink.COMMANDS, described["command"])
    challenge = from_hex(described.get("challenge", ""))
    counter, argument = described["counter"], described["argument"]
    if "mac" in described:
        unsigned = downlink.encode(command, counter, argument, keys.Key(b""), _any_challenge(command))
        return unsigned[: -len(from_hex(described["mac"]))] + from_hex(described["mac"])
    return downlink.encode(command, counter, argument, _key(secret, keys.DOWNLINK), challenge)


def _any_challenge(command: int) -> bytes:
    return bytes(downlink.CHALLENGE_SIZE) if command in downlink.CHALLENGED else b""


_LAYERS = {
    "frame": _frame,
    "message": _message,
    "beacon": _beacon,
    "downlink": _downlink,
    "garbage": _garbage,
}
