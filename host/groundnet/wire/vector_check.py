"""Runs golden vectors against the codec. The same source on CPython and on MicroPython.

A vector is a dict: `name`, `origin` (who says so, never our own encoder), `op`, and what the op needs.
`check` gives None when the codec agrees, else what it said instead. Bytes are hex strings.
"""

from groundwire import beacon, downlink, frame, keys, messages, report, session
from groundwire.errors import WireError

from groundnet.wire.plain import from_hex, from_json, to_hex, to_json


def check(vector):
    """None, or a line saying how the codec differs from the vector."""
    try:
        got = _OPS[vector["op"]](vector)
    except WireError as error:
        got = {"error": error.reason}
    wanted = {}
    for name in got:
        wanted[name] = vector.get(name)
    if "error" in vector and "error" not in got:
        return "wanted error {}, got {}".format(vector["error"], got)
    return None if got == wanted else f"wanted {wanted}, got {got}"


def _hmac(vector):
    mac = keys.Key(from_hex(vector["key"])).mac(from_hex(vector["message"]))
    return {"mac": to_hex(mac)[: len(vector["mac"])]}


def _derive(vector):
    return {"okm": to_hex(keys.derive_bytes(from_hex(vector["secret"]), from_hex(vector["label"])))}


def _check_value(vector):
    return {"check_value": to_hex(keys.check_value(from_hex(vector["secret"])))}


def _provision_proof(vector):
    proof = keys.provision_proof(from_hex(vector["secret"]), from_hex(vector["challenge"]))
    return {"proof": to_hex(proof)}


def _eid(vector):
    key = keys.derive(from_hex(vector["secret"]), keys.IDENTITY)
    return {"eid": to_hex(keys.eid(key, vector["epoch"]))}


def _cobs(vector):
    raw, encoded = from_hex(vector["raw"]), from_hex(vector["encoded"])
    return {"encoded": to_hex(frame.cobs_encode(raw)), "raw": to_hex(frame.cobs_decode(encoded) or b"")}


def _frame(vector):
    decoder = frame.Decoder(vector.get("capacity", 600))
    decoder.feed(from_hex(vector["line"]))
    answer = decoder.next()
    if not isinstance(answer, frame.Frame):
        return {"error": next(reason for reason in decoder.drops if decoder.drops[reason])}
    line = frame.encode(answer.kind, answer.payload, answer.sequence, answer.sealed)
    return {
        "kind": answer.kind,
        "sequence": answer.sequence,
        "payload": to_hex(answer.payload),
        "sealed": answer.sealed,
        "line": to_hex(line),
    }


def _stream(vector):
    decoder = frame.Decoder(600, _ACCEPT[vector["accept"]])
    decoder.feed(from_hex(vector["stream"]))
    answers: list = []
    while True:
        found = decoder.next()
        if found is frame.NEED_MORE:
            return {"answers": answers}
        if isinstance(found, frame.Frame):
            answers.append(
                {
                    "kind": found.kind,
                    "sequence": found.sequence,
                    "payload": to_hex(found.payload),
                    "sealed": found.sealed,
                }
            )
        else:
            answers.append(next(reason for reason in decoder.drops if decoder.drops[reason]))
            decoder.drops = dict.fromkeys(frame.DROP_REASONS, 0)


def _message(vector):
    kind, payload = vector["kind"], from_hex(vector["payload"])
    message = messages.decode(kind, payload)
    layout = messages.layout_of(kind)
    fields = layout.fields if layout else None
    values = to_json(fields, message.values)
    again = messages.encode(message.name or kind, from_json(fields, values))[1]
    got = {"message": message.name, "values": values}
    if not vector.get("older"):  # an older peer's shorter payload grows when a newer one encodes it
        got["payload"] = to_hex(again)
    return got


def _report(vector):
    kind, payload = vector["kind"], from_hex(vector["payload"])
    key = keys.derive(from_hex(vector["secret"]), keys.REPORT)
    report.verify(kind, payload, key)
    values = messages.decode(kind, payload).values
    del values["mac"]
    again = report.encode(messages.name_of(kind) or "", values, key)[1]
    return {"payload": to_hex(again)}


def _beacon(vector):
    air = from_hex(vector["air"])
    found = beacon.decode(air)
    got = {
        "type": beacon.TYPES[found.type],
        "profile": found.profile,
        "flags": found.flags,
        "battery": found.battery,
        "eid": to_hex(found.eid),
    }
    if "secret" not in vector:
        return got
    secret, counter = from_hex(vector["secret"]), vector["counter"]
    identity_key = keys.derive(secret, keys.IDENTITY)
    beacon_key, position_key = keys.derive(secret, keys.BEACON), keys.derive(secret, keys.POSITION)
    eid = keys.eid(identity_key, counter >> keys.EPOCH_BITS)
    beacon.verify(air, beacon.expand(counter >> keys.EPOCH_BITS, found.low), beacon_key)
    body = found.body
    if found.type == beacon.FIX:
        position = beacon.reveal(body, counter, position_key)
        got["position"] = list(position)
        body = beacon.position_body(position)
    buffer = bytearray(beacon.MAX_SIZE)
    size = beacon.encode_into(
        buffer, found.type, found.profile, found.flags, found.battery, counter, eid, body
    )
    size = beacon.protect(buffer, size, counter, beacon_key, position_key)
    got["air"] = to_hex(bytes(buffer[:size]))
    return got


def _downlink(vector):
    air = from_hex(vector["air"])
    key = keys.derive(from_hex(vector["secret"]), keys.DOWNLINK)
    challenge = from_hex(vector.get("challenge", ""))
    found = downlink.accept(air, key, vector.get("last_counter", 0), challenge)
    proof = challenge if found.command in downlink.CHALLENGED else b""
    again = downlink.encode(found.command, found.counter, found.argument, key, proof)
    return {
        "command": found.command,
        "counter": found.counter,
        "argument": found.argument,
        "air": to_hex(again),
    }


def _challenge(vector):
    key = keys.derive(from_hex(vector["secret"]), keys.DOWNLINK)
    return {"challenge": to_hex(downlink.make_challenge(key, vector["counter"]))}


def _session(vector):
    key = keys.derive(from_hex(vector["secret"]), keys.SESSION)
    device_id = from_hex(vector["device_id"])
    initiator = session.Initiator(device_id, key, from_hex(vector["initiator_nonce"]))
    responder = session.Responder(device_id, key)
    steps = []
    request = initiator.open()
    while request is not None:
        reply = responder.receive(messages.decode(*request), 0, from_hex(vector["responder_nonce"]))
        steps += [request, reply]
        request = initiator.receive(messages.decode(*reply))
    got: dict = {"steps": [[kind, to_hex(payload)] for kind, payload in steps]}
    kind, sequence, payload = vector["kind"], vector["sequence"], from_hex(vector["payload"])
    sealed = initiator.seal(kind, payload, sequence)
    got["sealed"] = to_hex(sealed)
    got["payload"] = to_hex(responder.unseal(frame.Frame(kind, sequence, sealed, True)))
    reply = responder.seal(vector["reply_kind"], from_hex(vector["reply"]), sequence)
    got["sealed_reply"] = to_hex(reply)
    return got


def _unseal(vector):
    key = keys.derive(from_hex(vector["secret"]), keys.SESSION)
    device_id = from_hex(vector["device_id"])
    initiator = session.Initiator(device_id, key, from_hex(vector["initiator_nonce"]))
    responder = session.Responder(device_id, key)
    request = initiator.open()
    while request is not None:
        reply = responder.receive(messages.decode(*request), 0, from_hex(vector["responder_nonce"]))
        request = initiator.receive(messages.decode(*reply))
    got: list = []
    for sealed, _ in vector["frames"]:
        try:
            answer = to_hex(
                responder.unseal(frame.Frame(vector["kind"], vector["sequence"], from_hex(sealed), True))
            )
        except WireError as error:
            answer = error.reason
        got.append([sealed, answer])
    return {"frames": got}


def _guesses(vector):
    key = keys.derive(from_hex(vector["secret"]), keys.SESSION)
    responder = session.Responder(from_hex(vector["device_id"]), key)
    got: list = []
    for step in vector["steps"]:
        kind, payload = step["request"]
        message = messages.decode(kind, from_hex(payload))
        kind, payload = responder.receive(message, step["now_ms"], from_hex(vector["responder_nonce"]))
        reply = {"kind": kind, "payload": to_hex(payload)}
        if kind == _ERROR:
            values = messages.decode(kind, payload).values
            reply = {"kind": kind, "request": values["request"], "code": values["code"]}
            reply["retry_after_ms"] = values["retry_after_ms"]
        got.append({"now_ms": step["now_ms"], "request": step["request"], "reply": reply})
    return {"steps": got}


_ERROR = 0xFF
_ACCEPT = {"any": frame.ANY, "requests": frame.REQUESTS, "replies": frame.REPLIES}
_OPS = {
    "hmac": _hmac,
    "derive": _derive,
    "check_value": _check_value,
    "provision_proof": _provision_proof,
    "eid": _eid,
    "cobs": _cobs,
    "frame": _frame,
    "stream": _stream,
    "message": _message,
    "report": _report,
    "beacon": _beacon,
    "downlink": _downlink,
    "challenge": _challenge,
    "session": _session,
    "unseal": _unseal,
    "guesses": _guesses,
}
