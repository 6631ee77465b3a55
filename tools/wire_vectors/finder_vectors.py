"""Messages by which a finder is lent the ids of a tag, and commands for it."""

from hand import SECRET, TIME_MS, mac, message, rejected, sized, text, u8, u16, u32, u64

EIDS = [bytes(range(at, at + 6)) for at in (0, 6, 12)]


def siren(counter: int) -> bytes:
    """siren_on for the device's own time, as section 6 of the page lays it out."""
    key = mac(SECRET, b"groundnet/1 downlink\x01")
    body = b"\x78\x03" + u32(counter) + u32(0)
    return body + mac(key, body)[:8]


def finder_messages() -> list[dict]:
    begin = text("A7F3") + u32(4711) + u16(3) + u64(TIME_MS) + u32(28_800)
    values = {"code": "A7F3", "first_epoch": 4711, "count": 3, "expires_ms": TIME_MS, "budget_s": 28_800}
    ids = u16(0) + u8(3) + b"".join(EIDS)
    commands = u8(2) + sized(u8(2) + siren(8)) + sized(u8(2) + siren(9))
    records = [{"purpose": "siren", "downlink": siren(counter).hex()} for counter in (8, 9)]
    following = text("A7F3") + u32(4711) + u16(3) + u32(28_680) + u8(2)
    return [
        message(0x60, "follow_begin", begin, **values),
        rejected(0x60, "follow_begin", begin[:-1], "cut", "short"),
        rejected(
            0x60, "follow_begin", text("A7F3") + u32(4711) + u16(2049) + u64(TIME_MS) + u32(28_800),
            "too-many", "range",
        ),
        rejected(
            0x60, "follow_begin", text("A7F3") + u32(4711) + u16(3) + u64(TIME_MS) + u32(259_201),
            "too-long", "range",
        ),
        message(0x61, "follow_ids", ids, first=0, eids=[eid.hex() for eid in EIDS]),
        rejected(0x61, "follow_ids", ids[:-1], "cut", "short"),
        rejected(0x61, "follow_ids", u16(0) + u8(49) + bytes(6 * 49), "too-many", "range"),
        message(0x62, "follow_commands", commands, commands=records),
        message(0x62, "follow_commands", u8(0), "none", commands=[]),
        message(0x63, "follow_finish", b""),
        message(0x64, "follow_clear", b""),
        message(0x65, "follow_read", b""),
        message(
            0xE5, "following", following, code="A7F3", first_epoch=4711, count=3, left_s=28_680, commands=2
        ),
        message(
            0xE5, "following", text("") + u32(0) + u16(0) + u32(0) + u8(0), "nobody", code="", first_epoch=0,
            count=0, left_s=0, commands=0,
        ),
    ]  # fmt: skip
