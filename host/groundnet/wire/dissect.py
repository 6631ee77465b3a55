"""Bytes of any layer, taken apart: link frames, beacons, downlinks; found out by looking at them."""

import itertools
from dataclasses import dataclass, field

from groundwire import beacon, downlink, frame, keys, messages, session
from groundwire.errors import WireError
from groundwire.frame import MAX_PAYLOAD, OVERHEAD

from groundnet.errors import GroundnetError
from groundnet.wire.plain import to_hex, to_json
from groundnet.wire.spans import Span, message_spans

SEARCH_EPOCHS = 4096  # how far from epoch 0 an EID is looked for when no counter is given
_LONGEST_LINE = frame.encoded_size(MAX_PAYLOAD) + OVERHEAD


@dataclass
class Secrets:
    """What the person at the keyboard knows. Shows nothing of it."""

    secret: bytes | None = field(default=None, repr=False)  # the device's 32 bytes
    counter: int | None = None  # full beacon counter, when known
    challenge: bytes = b""  # the one that a lost-off or siren-off answers


@dataclass
class Piece:
    """One thing that was recognised: its layer, its JSON, and its bytes with their meaning."""

    layer: str
    json: dict
    spans: list[Span]


def dissect(data: bytes, secrets: Secrets | None = None) -> list[Piece]:
    """Take bytes apart, whatever layer they are. Raises GroundnetError when nothing fits."""
    secrets = secrets or Secrets()
    stream = _split_stream(data)
    if any(piece.layer == "frame" for piece in stream):
        return stream
    try:
        if downlink.is_downlink(data):
            return [_downlink(data, secrets)]
        return [_beacon(data, secrets)]
    except WireError as error:
        if data.endswith(b"\x00") and len(data) > 1:
            return stream
        reason = stream[0].json["reason"] if stream else "empty"
        raise GroundnetError(
            f"these bytes are no link frame ({reason}), no beacon and no downlink ({error})",
            "check that the hex is complete",
        ) from error


def message_piece(kind: int, payload: bytes) -> Piece:
    """Take a bare message payload apart. Raises GroundnetError when it does not decode."""
    try:
        message = messages.decode(kind, payload)
    except WireError as error:
        raise GroundnetError(
            f"this is no payload of kind 0x{kind:02x} ({error})", "check the kind and the hex"
        ) from error
    layout = messages.layout_of(kind)
    values = to_json(layout.fields if layout else None, message.values)
    json = {"layer": "message", "kind": kind, "name": message.name, "values": values}
    return Piece("message", json, message_spans(layout, payload, 0))


def _split_stream(data: bytes) -> list[Piece]:
    """Frames and what lies between them. A frame stands for its two delimiters, garbage for its own bytes."""
    lines = data.split(b"\x00")
    pieces = [_line(line) for line in lines if line]
    for piece, following in itertools.pairwise(pieces):
        if piece.layer == following.layer == "garbage":
            piece.json["bytes"] += "00"
    if pieces and pieces[-1].layer == "garbage" and not lines[-1]:
        pieces[-1].json["bytes"] += "00"
    return pieces


def _line(line: bytes) -> Piece:
    decoder = frame.Decoder(_LONGEST_LINE)
    decoder.feed(line + b"\x00")
    answer = decoder.next()
    if isinstance(answer, frame.Frame):
        return _frame(answer, frame.cobs_decode(line) or b"")
    reason = next(reason for reason, count in decoder.drops.items() if count)
    json = {"layer": "garbage", "reason": reason, "bytes": to_hex(line)}
    return Piece("garbage", json, [Span(0, line, "garbage", f"dropped: {reason}")])


def _frame(answer: frame.Frame, raw: bytes) -> Piece:
    name = messages.name_of(answer.kind)
    json = {
        "layer": "frame",
        "version": raw[0] >> 4,
        "sealed": answer.sealed,
        "kind": answer.kind,
        "name": name,
        "sequence": answer.sequence,
    }
    spans = [
        Span(0, raw[:1], "head", f"version {raw[0] >> 4}{', sealed' if answer.sealed else ''}"),
        Span(1, raw[1:2], "kind", name or "not known here"),
        Span(2, raw[2:4], "sequence", str(answer.sequence)),
    ]
    payload, seal = answer.payload, b""
    if answer.sealed and len(payload) >= session.SEAL_SIZE:
        payload, seal = payload[: -session.SEAL_SIZE], payload[-session.SEAL_SIZE :]
    spans += _payload(answer.kind, payload, json)
    at = 4 + len(payload)
    if seal:
        json["seal"] = {"counter": int.from_bytes(seal[:4], "big"), "mac": to_hex(seal[4:])}
        spans.append(Span(at, seal[:4], "seal counter", str(json["seal"]["counter"])))
        spans.append(Span(at + 4, seal[4:], "seal MAC", to_hex(seal[4:])))
        at += len(seal)
    spans.append(Span(at, raw[at:], "crc32", "right"))
    return Piece("frame", json, spans)


def _payload(kind: int, payload: bytes, json: dict) -> list[Span]:
    try:
        message = messages.decode(kind, payload)
    except WireError as error:
        json["problem"] = str(error)
        json["payload"] = to_hex(payload)
        return [Span(4, payload, "payload", f"does not decode: {error}")]
    layout = messages.layout_of(kind)
    json["values"] = to_json(layout.fields if layout else None, message.values)
    return message_spans(layout, payload, 4)


def _name(names: tuple, number: int) -> str | int:
    """The name of a number, or the number when no name is known: as enumerations in messages."""
    return names[number] if number < len(names) and names[number] is not None else number


def _beacon(data: bytes, secrets: Secrets) -> Piece:
    found = beacon.decode(data)
    flags = [name for bit, name in enumerate(beacon.FLAGS) if found.flags >> bit & 1]
    kind = beacon.TYPES[found.type]
    profile = _name(beacon.PROFILES, found.profile)
    level = None if found.battery == beacon.BATTERY_UNKNOWN else found.battery
    json = {
        "layer": "beacon",
        "version": 1,
        "type": kind,
        "profile": profile,
        "flags": flags,
        "battery_level": level,
        "low": found.low,
        "eid": to_hex(found.eid),
        "body": to_hex(found.body),
        "mac": to_hex(found.mac),
    }
    spans = [
        Span(0, data[:1], "head", f"version 1, {kind}, profile {profile}"),
        Span(1, data[1:2], "flags", ", ".join(flags) or "none"),
        Span(
            2,
            data[2:3],
            "battery, low",
            f"battery {'unknown' if level is None else level}/14, low {found.low}",
        ),
        Span(3, found.eid, "eid", to_hex(found.eid)),
    ]
    if found.body:
        spans.append(Span(9, found.body, "body", _describe_body(found)))
    checked = _check_beacon(data, found, secrets, json)
    spans.append(Span(len(data) - 6, found.mac, "mac", checked))
    return Piece("beacon", json, spans)


def _describe_body(found: beacon.Beacon) -> str:
    if found.type == beacon.SOS:
        return f"cause {_name(beacon.SOS_CAUSES, found.body[0])}, {found.body[1]} s ago"
    if found.type == beacon.CHALLENGE:
        return f"challenge {to_hex(found.body)}"
    return "position, hidden"


def _check_beacon(data: bytes, found: beacon.Beacon, secrets: Secrets, json: dict) -> str:
    """Check the MAC when a secret is given; add what that reveals to `json`."""
    if secrets.secret is None:
        return "not checked: no key given"
    counter = secrets.counter
    if counter is None:
        identity_key = keys.derive(secrets.secret, keys.IDENTITY)
        epochs = (epoch for epoch in range(SEARCH_EPOCHS) if keys.eid(identity_key, epoch) == found.eid)
        epoch = next(epochs, None)
        if epoch is None:
            json["verified"] = False
            return f"WRONG: the EID is of no epoch below {SEARCH_EPOCHS} of this key; give the counter"
        counter = beacon.expand(epoch, found.low)
    try:
        beacon.verify(data, counter, keys.derive(secrets.secret, keys.BEACON))
    except WireError:
        json["verified"] = False
        return "WRONG for this key and counter"
    json["verified"], json["counter"] = True, counter
    if found.type == beacon.FIX:
        position = beacon.reveal(found.body, counter, keys.derive(secrets.secret, keys.POSITION))
        json["position"] = position._asdict()
    return f"right for counter {counter}"


def _downlink(data: bytes, secrets: Secrets) -> Piece:
    found = downlink.decode(data)
    name = _name(downlink.COMMANDS, found.command)
    json = {
        "layer": "downlink",
        "version": 1,
        "command": name,
        "counter": found.counter,
        "argument": found.argument,
        "mac": to_hex(data[10:]),
    }
    checked = "not checked: no key given"
    if secrets.secret is not None:
        try:
            downlink.accept(data, keys.derive(secrets.secret, keys.DOWNLINK), -1, secrets.challenge)
            json["verified"], checked = True, "right"
        except WireError as error:
            json["verified"], checked = False, f"WRONG: {error}"
    spans = [
        Span(0, data[:1], "head", "version 1, downlink"),
        Span(1, data[1:2], "command", str(name)),
        Span(2, data[2:6], "counter", str(found.counter)),
        Span(6, data[6:10], "argument", str(found.argument)),
        Span(10, data[10:], "mac", checked),
    ]
    return Piece("downlink", json, spans)
