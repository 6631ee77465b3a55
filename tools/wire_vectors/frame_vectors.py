"""Link frames, good and broken."""

from cobs import cobs
from hand import HAND, crc32, line, u32, vector


def cobs_vectors() -> list[dict]:
    paper = "Cheshire and Baker, Consistent Overhead Byte Stuffing (1999), and the cobs package"
    raws = [
        b"\x00", b"\x00\x00", b"\x00\x11\x00", b"\x11\x22\x00\x33", b"\x11\x22\x33\x44", b"\x11\x00\x00\x00",
        bytes(range(1, 255)), bytes(range(255)), bytes(range(1, 256)), bytes(range(2, 256)) + b"\x00",
        bytes(range(3, 256)) + b"\x00\x01", b"\x01" * 600, bytes(300), b"\x01" * 508, b"\x01" * 254 + b"\x00",
    ]  # fmt: skip
    return [
        vector(f"cobs-{number}", "cobs", paper, raw=raw, encoded=cobs.encode(raw))
        for number, raw in enumerate(raws)
    ]


def frame_vectors() -> list[dict]:
    origin = f"{HAND}; CRC by crcmod, stuffing by the cobs package"
    good = [
        ("empty", 0x01, 0, b"", False),
        ("sequence", 0x1A, 0xFFFF, b"", False),
        ("zeros", 0x12, 1, bytes(16), False),
        ("ff", 0x12, 256, b"\xff" * 16, False),
        ("block-253", 0x7F, 2, b"\x5a" * 245, False),
        ("block-254", 0x7F, 2, b"\x5a" * 246, False),
        ("long", 0x7F, 3, bytes(range(256)) * 2, False),
        ("sealed", 0x1B, 7, bytes(range(20)), True),
        ("reply", 0xFE, 0x0102, b"\x1b", False),
        ("text-in-payload", 0x70, 9, b">>> print('hello')\r\n", False),
    ]
    found = [
        vector(
            f"frame-{name}", "frame", origin, line=line(kind, sequence, payload, 0x11 if sealed else 0x10),
            kind=kind, sequence=sequence, payload=payload, sealed=sealed,
        )
        for name, kind, sequence, payload, sealed in good
    ]  # fmt: skip
    fine = line(0x01, 5, b"abc")
    short = b"\x10\x01\x00"
    bad = [
        ("crc", "crc", fine[:6] + bytes((fine[6] ^ 0x01,)) + fine[7:]),
        ("cut", "cobs", fine[:5] + b"\x00"),
        ("code-too-far", "cobs", b"\x09abc\x00"),
        ("short", "short", cobs.encode(short + u32(crc32(short))) + b"\x00"),
        ("version-0", "version", line(0x01, 5, b"abc", 0x00)),
        ("version-2", "version", line(0x01, 5, b"abc", 0x20)),
        ("reserved-bit", "version", line(0x01, 5, b"abc", 0x12)),
        ("too-long", "too_long", line(0x01, 5, bytes(601))),
        ("text", "crc", b"\x01" * 9 + b"\x00"),
    ]
    return found + [
        vector(f"frame-bad-{name}", "frame", origin, error=error, line=data) for name, error, data in bad
    ]


def stream_vectors() -> list[dict]:
    """Whole streams with everything that a decoder answers, in order."""
    request, reply = line(0x01, 5, b"abc"), line(0x81, 6, b"")
    frames = {
        "request": {"kind": 0x01, "sequence": 5, "payload": b"abc".hex(), "sealed": False},
        "reply": {"kind": 0x81, "sequence": 6, "payload": "", "sealed": False},
    }
    streams = [
        ("both", "any", request + reply, ["request", "reply"]),
        ("requests-only", "requests", request + reply, ["request", "direction"]),
        ("replies-only", "replies", request + reply, ["direction", "reply"]),
        ("cut-then-good", "any", request[:6] + request, ["cobs", "request"]),
        ("shared-delimiter", "any", request[:-1] + reply, ["request", "reply"]),
        ("text-then-good", "any", b"boot: ok\r\n" + request, ["cobs", "request"]),
        ("too-long-then-good", "any", line(0x01, 5, bytes(601)) + request, ["too_long", "request"]),
        ("idle-line", "any", bytes(9) + reply + bytes(9), ["reply"]),
        ("good-without-its-end", "any", request[:-1], []),
    ]
    origin = f"{HAND}; CRC by crcmod, stuffing by the cobs package"
    return [
        vector(
            f"stream-{name}", "stream", origin, accept=accept, stream=data,
            answers=[frames.get(answer, answer) for answer in answers],
        )
        for name, accept, data, answers in streams
    ]  # fmt: skip
