"""Beacons, downlinks and sessions."""

from hand import DEVICE_ID, ORACLES, SECRET, TIME_MS, derived, mac, u8, u16, u32, u64, vector


def air_beacon(kind: int, profile: int, flags: int, battery: int, counter: int, body: bytes) -> bytes:
    if kind == 1:
        stream = mac(derived("position"), u32(counter))
        body = bytes(left ^ right for left, right in zip(body, stream, strict=False))
    head = u8(1 << 6 | kind << 3 | profile) + u8(flags) + u8(battery << 4 | counter & 15)
    whole = head + mac(derived("identity"), u32(counter >> 4))[:6] + body
    return whole + mac(derived("beacon"), u32(counter) + whole)[:6]


def beacon_vectors() -> list[dict]:
    north, east = round(45.1234567 * 2**24 / 180), round(13.654321 * 2**24 / 360)
    place = [north * 1_800_000_000 // 2**24, east * 3_600_000_000 // 2**24]
    position = north.to_bytes(3, "big") + east.to_bytes(3, "big") + u8(0x33) + u8(23) + u8(45)
    west_end = (0x1000000 - 3127).to_bytes(3, "big") + (0x800000).to_bytes(3, "big") + u8(0xFF) + b"\xff\xff"
    south = -(3127 * 1_800_000_000 // 2**24) - 1  # rounds down, away from zero
    cases = [
        ("plain", 0, 1, 0x43, 12, 0x12345, b"", None),
        ("first", 0, 0, 0, 15, 0, b"", None),
        ("last", 0, 7, 0xFF, 0, 2**32 - 1, b"", None),
        ("fix", 1, 1, 0x81, 9, 0x12346, position, [*place, 20, 60, 23, 90]),
        ("fix-unknowns", 1, 2, 0, 15, 0x777, west_end, [south, -1_800_000_000, None, None, None, None]),
        ("sos", 2, 3, 0x08, 7, 0xABCDEF, u8(1) + u8(14), None),
        ("challenge", 3, 1, 0x66, 3, 0x80000000, bytes(range(8)), None),
    ]
    found = []
    for name, kind, profile, flags, battery, counter, body, where in cases:
        air = air_beacon(kind, profile, flags, battery, counter, body)
        rest = {"position": where} if where else {}
        found.append(
            vector(
                f"beacon-{name}", "beacon", ORACLES, secret=SECRET, counter=counter,
                type=("plain", "fix", "sos", "challenge")[kind], profile=profile, flags=flags,
                battery=battery, eid=air[3:9], air=air, **rest,
            )
        )  # fmt: skip
    fine = air_beacon(0, 1, 0x43, 12, 0x12345, b"")
    bad = [
        ("empty", b"", "short"), ("cut", fine[:-1], "short"), ("long", fine + b"\x00", "size"),
        ("version", u8(0x81) + fine[1:], "version"), ("type", u8(0x61) + fine[1:], "type"),
        ("type-size", u8(0x49) + fine[1:], "size"), ("mac", fine[:-1] + u8(fine[-1] ^ 1), "mac"),
        ("flags", fine[:1] + b"\x42" + fine[2:], "mac"),
    ]  # fmt: skip
    found += [
        vector(f"beacon-bad-{name}", "beacon", ORACLES, secret=SECRET, counter=0x12345, air=air, error=error)
        for name, air, error in bad
    ]
    # The same bytes 16 counters later: the MAC covers the full counter, not only the bits on air.
    found.append(
        vector("beacon-replayed", "beacon", ORACLES, secret=SECRET, counter=0x12355, air=fine, error="mac")
    )
    return found


def air_downlink(command: int, counter: int, argument: int, challenge: bytes = b"") -> bytes:
    body = u8(0x78) + u8(command) + u32(counter) + u32(argument)
    return body + mac(derived("downlink"), body + challenge)[:8]


def downlink_vectors() -> list[dict]:
    challenge = bytes(range(0x10, 0x18))
    common = {"secret": SECRET, "op": "downlink", "origin": ORACLES}
    found = []
    for command, name, argument in (
        (1, "lost-on", 20), (2, "lost-off", 0), (3, "siren-on", 30), (4, "siren-off", 0),
        (5, "interval", 1800),
        (6, "locate", 0), (7, "time", 1_760_000_000), (8, "arm", 0), (9, "disarm", 0),
    ):  # fmt: skip
        proof = challenge if command in (2, 4, 9) else b""
        air = air_downlink(command, command + 40, argument, proof)
        found.append(
            vector(
                f"downlink-{name}", **common, last_counter=command + 39, challenge=challenge, air=air,
                command=command, counter=command + 40, argument=argument,
            )
        )  # fmt: skip
    lost_on, lost_off = air_downlink(1, 41, 20), air_downlink(2, 42, 0, challenge)
    newer = air_downlink(200, 43, 2**32 - 1)
    found.append(
        vector("downlink-new-command", **common, air=newer, command=200, counter=43, argument=2**32 - 1)
    )
    bad = [
        ("replay", lost_on, "replay", 41, b""), ("replay-older", lost_on, "replay", 42, b""),
        ("mac", lost_on[:-1] + u8(lost_on[-1] ^ 0x80), "mac", 0, b""),
        ("argument", lost_on[:9] + b"\x15" + lost_on[10:], "mac", 0, b""),
        ("no-challenge", lost_off, "challenge", 0, b""),
        ("old-challenge", lost_off, "mac", 0, bytes(8)),
        ("unchallenged", air_downlink(2, 42, 0), "mac", 0, challenge),
        ("disarm-unchallenged", air_downlink(9, 43, 0), "mac", 0, challenge),
        ("disarm-no-challenge", air_downlink(9, 43, 0, challenge), "challenge", 0, b""),
        ("cut", lost_on[:-1], "short", 0, b""), ("long", lost_on + b"\x00", "size", 0, b""),
        ("version", u8(0xB8) + lost_on[1:], "version", 0, b""),
    ]  # fmt: skip
    return found + [
        vector(
            f"downlink-bad-{name}", **common, air=air, error=error, last_counter=last, challenge=proof
        )
        for name, air, error, last, proof in bad
    ]  # fmt: skip


INITIATOR_NONCE, RESPONDER_NONCE = bytes(range(0x20, 0x30)), bytes(range(0x90, 0xA0))


def session_vectors() -> list[dict]:
    return [_good_session(), *_broken_seals(), _wrong_proofs()]


def _proofs() -> tuple[bytes, bytes, bytes]:
    """(responder's, initiator's, seal key)."""
    key = derived("session")
    return (
        mac(key, b"responder" + INITIATOR_NONCE + RESPONDER_NONCE)[:16],
        mac(key, b"initiator" + RESPONDER_NONCE + INITIATOR_NONCE)[:16],
        mac(key, b"seal" + INITIATOR_NONCE + RESPONDER_NONCE),
    )


def _sealed(counter: int, payload: bytes, kind: int = 0x1B, sequence: int = 7) -> bytes:
    """A sealed payload of the initiator."""
    head = u8(0) + u32(counter) + u8(kind) + u16(sequence)
    return payload + u32(counter) + mac(_proofs()[2], head + payload)[:8]


def _broken_seals() -> list[dict]:
    """What the responder unseals, in this order: the payload, or why not."""
    payload = u64(TIME_MS)
    first, second, third = (_sealed(counter, payload) for counter in (1, 2, 3))
    streams = [
        ("replay", [(first, payload), (first, "replay"), (second, payload)]),
        ("out-of-order", [(second, payload), (first, "replay"), (third, payload)]),
        ("gap", [(first, payload), (third, payload)]),
        ("mac", [(first[:-1] + u8(first[-1] ^ 1), "mac"), (first, payload)]),
        ("payload", [(u8(first[0] ^ 1) + first[1:], "mac")]),
        ("other-kind", [(_sealed(1, payload, kind=0x19), "mac")]),
        ("other-sequence", [(_sealed(1, payload, sequence=8), "mac")]),
        ("too-short-for-a-seal", [(first[:11], "unsealed")]),
    ]
    return [
        vector(
            f"seal-{name}", "unseal", ORACLES, secret=SECRET, device_id=DEVICE_ID,
            initiator_nonce=INITIATOR_NONCE, responder_nonce=RESPONDER_NONCE, kind=0x1B, sequence=7,
            frames=[
                [sealed.hex(), answer if isinstance(answer, str) else answer.hex()] for sealed, answer in frames
            ],
        )
        for name, frames in streams
    ]  # fmt: skip


def _wrong_proofs() -> dict:
    """What a device answers to somebody who guesses: (time, request, reply without its text)."""
    challenge, prove = RESPONDER_NONCE.hex() + _proofs()[0].hex(), _proofs()[1].hex()
    opened = (0x02, (DEVICE_ID + INITIATOR_NONCE).hex(), {"kind": 0x82, "payload": challenge})
    wrong = (0x03, bytes(16).hex())

    def refused(request: int, code: str, retry_after_ms: int | None) -> dict:
        return {"kind": 0xFF, "request": request, "code": code, "retry_after_ms": retry_after_ms}

    steps = [
        (0, 0x03, prove, refused(0x03, "wrong_state", None)),
        (0, 0x02, (bytes(8) + INITIATOR_NONCE).hex(), refused(0x02, "refused", None)),
        (0, *opened),
        (0, *wrong, refused(0x03, "refused", 1000)),
        (0, 0x03, prove, refused(0x03, "wrong_state", None)),
        (400, 0x02, opened[1], refused(0x02, "refused", 600)),
        (1000, *opened),
        (1000, *wrong, refused(0x03, "refused", 2000)),
        (3000, *opened),
        (3000, *wrong, refused(0x03, "refused", 4000)),
        (7000, *opened),
        (7000, 0x03, prove, {"kind": 0x83, "payload": ""}),
        (7000, *opened),
        (7000, *wrong, refused(0x03, "refused", 1000)),
    ]
    return vector(
        "wrong-proofs", "guesses", ORACLES, secret=SECRET, device_id=DEVICE_ID,
        responder_nonce=RESPONDER_NONCE,
        steps=[
            {"now_ms": now_ms, "request": [kind, payload], "reply": reply}
            for now_ms, kind, payload, reply in steps
        ],
    )  # fmt: skip


def _good_session() -> dict:
    responder_proof, prove, seal_key = _proofs()
    payload, reply = u64(TIME_MS), u8(0x1B)  # time_write, and the ack of it
    reply_head = u8(1) + u32(1) + u8(0xFE) + u16(7)
    return vector(
        "session", "session", ORACLES, secret=SECRET, device_id=DEVICE_ID,
        initiator_nonce=INITIATOR_NONCE, responder_nonce=RESPONDER_NONCE,
        steps=[
            [0x02, (DEVICE_ID + INITIATOR_NONCE).hex()], [0x82, (RESPONDER_NONCE + responder_proof).hex()],
            [0x03, prove.hex()], [0x83, ""],
        ],
        kind=0x1B, sequence=7, payload=payload, sealed=_sealed(1, payload),
        reply_kind=0xFE, reply=reply, sealed_reply=reply + u32(1) + mac(seal_key, reply_head + reply)[:8],
    )  # fmt: skip
