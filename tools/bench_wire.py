"""The codec against its peers: `make bench` runs this, prints ratios and writes build/bench/wire.json.

Peers decode the same fields of the same bytes in the same run. Times are the best of many short rounds, so that
another program on the machine disturbs little; ratios are what counts.
"""

import hashlib
import json
import struct
import time
from binascii import crc32
from collections.abc import Callable
from pathlib import Path

import bitstruct
import cbor2
import construct
from cobs import cobs
from groundnet.sim.runtime import run_script
from groundnet.wire.vectors import search_path
from groundwire import beacon, frame, keys, messages

OUT = Path(__file__).resolve().parent.parent / "build" / "bench"
SECRET = bytes(range(32))
COUNTER = 0x12345
ROUNDS, CALLS = 60, 500

BEACON_KEY = keys.derive(SECRET, keys.BEACON)
PADS = BEACON_KEY._inner, BEACON_KEY._outer


def micros(call: Callable[[], object]) -> float:
    """Microseconds of one call: the best of ROUNDS rounds of CALLS."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(CALLS):
            call()
        best = min(best, time.perf_counter() - began)
    return best / CALLS * 1e6


def make_beacon() -> bytes:
    buffer = bytearray(beacon.MAX_SIZE)
    eid = keys.eid(keys.derive(SECRET, keys.IDENTITY), COUNTER >> keys.EPOCH_BITS)
    size = beacon.encode_into(buffer, beacon.PLAIN, 1, 0x43, 12, COUNTER, eid)
    return bytes(buffer[: beacon.protect(buffer, size, COUNTER, BEACON_KEY)])


def plain_mac(message: bytes) -> bytes:
    """The MAC and nothing else: what any implementation must pay."""
    inner = hashlib.sha256(PADS[0] + message).digest()
    return hashlib.sha256(PADS[1] + inner).digest()[:6]


def beacon_figures() -> dict:
    air = make_beacon()
    peer = construct.BitStruct(
        "version" / construct.BitsInteger(2),
        "type" / construct.BitsInteger(3),
        "profile" / construct.BitsInteger(3),
        "flags" / construct.BitsInteger(8),
        "battery" / construct.BitsInteger(4),
        "low" / construct.BitsInteger(4),
        "eid" / construct.Bytewise(construct.Bytes(6)),
        "mac" / construct.Bytewise(construct.Bytes(6)),
    )
    bits = bitstruct.compile("u2u3u3u8u4u4r48r48")
    packed = cbor2.dumps([1, 0, 1, 0x43, 12, 5, air[3:9], air[9:]])
    bare = struct.Struct(">BBB6s6s")
    message = struct.pack(">I", COUNTER) + air[:9]

    def decode_and_verify():
        beacon.decode(air)
        beacon.verify(air, COUNTER, BEACON_KEY)

    def struct_and_mac():
        bare.unpack(air)
        return plain_mac(message)

    figures = {
        "decode_us": micros(lambda: beacon.decode(air)),
        "verify_us": micros(lambda: beacon.verify(air, COUNTER, BEACON_KEY)),
        "decode_and_verify_us": micros(decode_and_verify),
        "construct_us": micros(lambda: peer.parse(air)),
        "bitstruct_us": micros(lambda: bits.unpack(air)),
        "cbor2_us": micros(lambda: cbor2.loads(packed)),
        "struct_us": micros(lambda: bare.unpack(air)),
        "struct_and_mac_us": micros(struct_and_mac),
    }
    figures["construct_over_ours"] = figures["construct_us"] / figures["decode_us"]
    figures["ours_over_struct_and_mac"] = figures["decode_and_verify_us"] / figures["struct_and_mac_us"]
    return figures


# construct.Int8ub and the others by their documented meaning: their aliases confuse the type checker.
U8 = construct.FormatField(">", "B")
U16 = construct.FormatField(">", "H")
U32 = construct.FormatField(">", "L")
U64 = construct.FormatField(">", "Q")
I16 = construct.FormatField(">", "h")
I8 = construct.FormatField(">", "b")

HEALTH = {
    "station_id": bytes(8), "boot_count": 3, "time_ms": 1_760_000_000_000, "uptime_s": 3600, "heard": 9000,
    "bad_frames": 4, "queued": 12, "lost": 0, "orders_waiting": 1, "noise_dbm": -104, "supply_mv": 5021,
    "temperature_c": -7,
}  # fmt: skip
HEALTH_FORM = ">8sIQIIIHIBhHb"


def frame_figures() -> dict:
    kind, payload = messages.encode("station_health", HEALTH)
    line = frame.encode(kind, payload, 7)
    decoder = frame.Decoder(600)
    bare = struct.Struct(">BBH" + HEALTH_FORM[1:] + "I")
    packed = cbor2.dumps([kind, 7, *HEALTH.values()])
    fields = (
        "station_id" / construct.Bytes(8), "boot_count" / U32, "time_ms" / U64,
        "uptime_s" / U32, "heard" / U32, "bad_frames" / U32,
        "queued" / U16, "lost" / U32, "orders_waiting" / U8,
        "noise_dbm" / I16, "supply_mv" / U16, "temperature_c" / I8,
    )  # fmt: skip
    fields_only = construct.Struct(*fields)
    body = construct.Struct("head" / U8, "kind" / U8, "sequence" / U16, *fields)
    peer = construct.Struct(
        "fields" / construct.RawCopy(body),
        "crc" / construct.Checksum(U32, crc32, construct.this.fields.data),
    )

    def ours():
        decoder.feed(line)
        found = decoder.next()
        decoder.next()
        return messages.decode(found.kind, found.payload)  # pyright: ignore - it is a Frame

    def encode():
        number, body = messages.encode("station_health", HEALTH)
        return frame.encode(number, body, 7)

    def by_struct():
        raw = cobs.decode(line[1:-1])
        return crc32(raw[:-4]), bare.unpack(raw)

    def link_only():
        decoder.feed(line)
        found = decoder.next()
        decoder.next()
        return found

    figures = {
        "decode_us": micros(ours),
        "of_that_link_frame_us": micros(link_only),
        "of_that_message_us": micros(lambda: messages.decode(kind, payload)),
        "encode_us": micros(encode),
        "construct_us": micros(lambda: peer.parse(cobs.decode(line[1:-1]))),
        "construct_of_that_message_us": micros(lambda: fields_only.parse(payload)),
        "cbor2_without_framing_us": micros(lambda: cbor2.loads(packed)),
        "struct_crc_and_cobs_in_c_us": micros(by_struct),
    }
    figures["construct_over_ours"] = figures["construct_us"] / figures["decode_us"]
    figures["construct_over_ours_message"] = (
        figures["construct_of_that_message_us"] / figures["of_that_message_us"]
    )
    figures["ours_over_struct"] = figures["decode_us"] / figures["struct_crc_and_cobs_in_c_us"]
    return figures


def batch_figures() -> dict:
    heard = {
        "time_ms": 1_760_000_000_000,
        "rssi_dbm": -110,
        "snr_cdb": 250,
        "channel": 1,
        "beacon": make_beacon(),
    }
    values = {"station_id": bytes(8), "boot_count": 3, "first_sequence": 0, "sightings": [heard] * 64}
    _, payload = messages.encode("sightings", values)
    each_us = micros(lambda: messages.decode(0x31, payload)) / 64
    return {"decode_us_each": each_us, "decode_per_s": round(1e6 / each_us)}


MICROPYTHON = """
import gc, hashlib, time
from groundwire import beacon, frame, keys, messages
secret, counter = bytes(range(32)), 0x12345
key = keys.derive(secret, keys.BEACON)
eid = keys.eid(keys.derive(secret, keys.IDENTITY), counter >> 4)
buffer = bytearray(24)
size = beacon.encode_into(buffer, 0, 1, 0x43, 12, counter, eid)
end = beacon.protect(buffer, size, counter, key)
air = bytes(buffer[:end])
message = bytes(13)
payload = bytes(range(64))
line = frame.encode(0x1B, payload, 7)
decoder = frame.Decoder(600)
def decode_frame():
    decoder.feed(line)
    decoder.next()
    decoder.next()
CALLS = {
    "beacon_encode": lambda: beacon.encode_into(buffer, 0, 1, 0x43, 12, counter, eid),
    "beacon_protect": lambda: beacon.protect(buffer, size, counter, key),
    "beacon_decode": lambda: beacon.decode(air),
    "beacon_verify": lambda: beacon.verify(air, counter, key),
    "mac": lambda: key.mac(message),
    "plain_sha256": lambda: hashlib.sha256(message).digest(),
    "frame_encode_64": lambda: frame.encode(0x1B, payload, 7),
    "frame_decode_64": decode_frame,
    "nothing": lambda: None,
}
for name, call in CALLS.items():
    call()
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(50):
        call()
    used = (gc.mem_alloc() - before) // 50
    gc.enable()
    best = 1 << 30
    for _ in range(4):
        gc.collect()
        began = time.ticks_ms()
        for _ in range(20000):
            call()
        best = min(best, time.ticks_diff(time.ticks_ms(), began))
    print(name, best / 20, used)
"""


def micropython_figures() -> dict:
    done = run_script(MICROPYTHON, search_path=search_path())
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    rows = [line.split() for line in done.stdout.decode().splitlines()]
    idle_us = next(float(us) for name, us, _ in rows if name == "nothing")
    figures = {
        name: {"us": float(us) - idle_us, "bytes": int(size)} for name, us, size in rows if name != "nothing"
    }
    figures["mac_over_plain_sha256"] = figures["mac"]["us"] / figures["plain_sha256"]["us"]
    return figures


def rounded(figures: dict) -> dict:
    return {
        name: rounded(value) if isinstance(value, dict) else round(value, 2)
        for name, value in figures.items()
    }


def main() -> None:
    found = {
        "beacon": rounded(beacon_figures()),
        "frame_station_health": rounded(frame_figures()),
        "sightings_batch_of_64": rounded(batch_figures()),
        "micropython": rounded(micropython_figures()),
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "wire.json").write_text(json.dumps(found, indent=1) + "\n")
    for group, figures in found.items():
        print(group)
        for name, value in figures.items():
            shown = (
                " ".join(f"{key} {part}" for key, part in value.items()) if isinstance(value, dict) else value
            )
            print(f"  {name:32} {shown}")


if __name__ == "__main__":
    main()
