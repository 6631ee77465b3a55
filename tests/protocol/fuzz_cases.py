"""Random cases for the codec, made and judged by the same source on CPython and on MicroPython.

`run(seed, count)` yields one line for each case: what went in and what came out, value or error, in a form
that is the same on both interpreters. The test compares the lines.
"""

from groundwire import beacon, downlink, frame, keys, messages, report, utf8
from groundwire.errors import WireError
from groundwire.scalars import fixed_size, is_scalar, scalar_range

KINDS = [
    kind for kind in range(256) if messages.layout_of(kind) is not None
]  # fmt: skip
SECRET = bytes(range(32))


class Dice:
    """xorshift32: the same numbers everywhere."""

    def __init__(self, seed):
        self.state = (seed * 2654435761 + 1) & 0xFFFFFFFF or 1

    def number(self, limit):
        """0..limit - 1, limit up to 2**32."""
        word = self.state
        word ^= (word << 13) & 0xFFFFFFFF
        word ^= word >> 17
        word ^= (word << 5) & 0xFFFFFFFF
        self.state = word
        return word % limit

    def between(self, low, high):
        wide = self.number(1 << 32) << 64 | self.number(1 << 32) << 32 | self.number(1 << 32)
        return low + wide % (high - low + 1)

    def choose(self, choices):
        return choices[self.number(len(choices))]

    def chance(self, one_in):
        return self.number(one_in) == 0

    def data(self, size):
        return bytes([self.choose((0, 255, self.number(256), self.number(256))) for _ in range(size)])


def plain(value):
    """A text that both interpreters write in the same way."""
    if isinstance(value, dict):
        return "{" + ",".join([str(key) + "=" + plain(value[key]) for key in sorted(value)]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([plain(entry) for entry in value]) + "]"
    if isinstance(value, bytes):
        return "0x" + "".join([f"{byte:02x}" for byte in value])
    if isinstance(value, str):
        return plain(value.encode())
    return str(value)


def attempt(call, *arguments):
    """What a call gives, or which of our errors; anything else is a failure and comes through."""
    try:
        return plain(call(*arguments))
    except WireError as error:
        return f"{error.__class__.__name__}({error})"


def value_for(dice, field, wrong):
    """A value for a field; with `wrong`, often one that the field cannot carry."""
    code = field[1]
    if wrong and dice.chance(3):
        return dice.choose(
            (None, -1, 1 << 64, 3, b"", b"\x00" * 300, "", "\xe9" * 130, [], [{}], [1], {}, True)
        )
    if is_scalar(field):
        low, high, unknown = scalar_range(field)
        return dice.choose(
            (low, high, dice.between(low, high), dice.between(low, high), low if unknown is None else None)
        )
    if code == "enum":
        return dice.choose(field[2]) if not dice.chance(4) else dice.between(len(field[2]), 255)
    if code == "flags":
        return [dice.choose(field[2]), "bit" + str(dice.between(len(field[2]), 31))][: dice.number(3)]
    if code == "blob":
        return dice.data(dice.between(field[2], min(field[3], 40)))
    if code == "text":
        return "".join(
            [dice.choose(("a", "~", "\x00", "\u00e9", "\u5e73", "\U0001f6b2")) for _ in range(field[2] // 4)]
        )
    if code == "fixeds":
        return [dice.data(field[2]) for _ in range(dice.number(3))]
    if code == "records":
        return [values_for(dice, field[2], wrong) for _ in range(dice.number(3))]
    if code == "items":
        return [item_for(dice, field, wrong) for _ in range(dice.number(4))]
    return dice.data(fixed_size(field))


def item_for(dice, field, wrong):
    number, name, *fields = dice.choose(field[2])
    if dice.chance(6):
        return {"type": dice.between(100, 255), "extra": dice.data(dice.number(9))}
    values = values_for(dice, sum(fields, ()), wrong)
    values["type"] = number if wrong and dice.chance(9) else name
    return values


def values_for(dice, fields, wrong=False):
    values = {}
    for field in fields:
        if not (wrong and dice.chance(40)):
            values[field[0]] = value_for(dice, field, wrong)
    if dice.chance(5):
        values["extra"] = dice.data(dice.number(5))
    if wrong and dice.chance(40):
        values["stranger"] = 1
    return values


def spoiled(dice, data):
    """Bytes with something done to them: flipped, cut, doubled, filled."""
    if not data or dice.chance(8):
        return dice.data(dice.number(60))
    at = dice.number(len(data))
    return dice.choose(
        (
            data[:at] + bytes((data[at] ^ 1 << dice.number(8),)) + data[at + 1 :],
            data[:at],
            data[:at] + data[at : at + 1] + data[at:],
            data[:at] + dice.data(3) + data[at:],
            data,
        )
    )


def case_encode(dice):
    kind = dice.choose(KINDS)
    values = values_for(dice, messages.layout_of(kind).fields, wrong=dice.chance(2))
    return attempt(messages.encode, messages.name_of(kind), values)


def case_decode(dice):
    kind = dice.choose(KINDS)
    _, payload = messages.encode(messages.name_of(kind), values_for(dice, messages.layout_of(kind).fields))
    payload = spoiled(dice, payload)
    return plain(payload) + " " + attempt(messages.decode, kind, payload)


def case_frames(dice):
    stream = b""
    for _ in range(dice.number(4)):
        line = frame.encode(dice.number(256), dice.data(dice.number(50)), dice.number(65536), dice.chance(2))
        stream += spoiled(dice, line)
    decoder = frame.Decoder(40, dice.number(3))
    answers = []
    while stream:
        size = 1 + dice.number(30)
        decoder.feed(stream[:size])
        stream = stream[size:]
        answer = decoder.next()
        while answer is not frame.NEED_MORE:
            answers.append(answer if isinstance(answer, tuple) else str(answer))
            answer = decoder.next()
    return plain(answers) + plain(decoder.drops)


def case_cobs(dice):
    raw = (
        dice.data(dice.number(600))
        if dice.chance(2)
        else b"\x01" * dice.number(600) + dice.data(dice.number(3))
    )
    encoded = frame.cobs_encode(raw)
    assert frame.cobs_decode(encoded) == raw
    return plain(encoded) + plain(frame.cobs_decode(spoiled(dice, encoded)))


def case_beacon(dice):
    identity_key, beacon_key = keys.derive(SECRET, keys.IDENTITY), keys.derive(SECRET, keys.BEACON)
    position_key = keys.derive(SECRET, keys.POSITION)
    kind, counter = dice.number(4), dice.between(0, beacon.MAX_COUNTER)
    body = dice.data(beacon.BODY_SIZES[kind])
    buffer = bytearray(24)
    eid = keys.eid(identity_key, counter >> 4)
    size = beacon.encode_into(
        buffer, kind, dice.number(8), dice.number(256), dice.number(16), counter, eid, body
    )
    size = beacon.protect(buffer, size, counter, beacon_key, position_key)
    air = spoiled(dice, bytes(buffer[:size]))
    return plain(air) + attempt(beacon.decode, air) + attempt(beacon.verify, air, counter, beacon_key)


def case_beacon_ranges(dice):
    numbers = [dice.choose((-1, 0, 3, 4, 8, 15, 16, 255, 256)) for _ in range(4)]
    counter = dice.choose((-1, 0, 1 << 32, (1 << 32) - 1))
    eid, body = dice.data(dice.choose((5, 6, 7))), dice.data(dice.choose((0, 2, 8, 9, 10)))
    buffer = bytearray(dice.choose((14, 15, 23, 24)))
    said = attempt(beacon.encode_into, buffer, *numbers, counter, eid, body)
    return said + plain(bytes(buffer))


def case_position(dice):
    position = beacon.Position(
        dice.between(-900000002, 900000002),
        dice.between(-1800000002, 1800000002),
        dice.choose((None, 0, 3, 4, 30000, 30001, dice.number(9999))),
        dice.choose((None, 0, 5, 6, 604800, 604801, dice.number(99999))),
        dice.choose((None, -1, 0, 254, 255, 300, dice.number(200))),
        dice.choose((None, 0, 1, 359, 360, -1, dice.number(360))),
    )
    said = attempt(beacon.position_body, position)
    key = keys.derive(SECRET, keys.POSITION)
    body = dice.data(dice.choose((9, 9, 9, 8)))
    counter = dice.number(1 << 32)
    return (
        said
        + attempt(beacon.reveal, body, counter, key)
        + attempt(beacon.sos_body, dice.between(-2, 257), counter)
    )


def case_downlink(dice):
    key = keys.derive(SECRET, keys.DOWNLINK)
    command, counter = dice.between(-1, 10), dice.between(-1, 1 << 32)
    challenge = dice.data(dice.choose((0, 0, 8, 7)))
    argument = dice.choose((-1, 0, (1 << 32) - 1, 1 << 32))
    said = attempt(downlink.encode, command, counter, argument, key, challenge)
    fine = downlink.encode(2, 5, 0, key, bytes(8)) if dice.chance(2) else downlink.encode(1, 5, 60, key)
    air = spoiled(dice, fine)
    last, proof = dice.choose((0, 4, 5, 6)), dice.choose((b"", bytes(8), bytes(7)))
    return said + plain(air) + attempt(downlink.decode, air) + attempt(downlink.accept, air, key, last, proof)


def case_report(dice):
    key = keys.derive(SECRET, keys.REPORT)
    kind, payload = dice.choose(("report", "report_ack")), b""
    values = values_for(dice, messages.layout_of(messages.kind_of(kind)).fields)
    number, payload = report.encode(kind, values, key)
    payload = spoiled(dice, payload)
    return plain(payload) + attempt(report.verify, number, payload, key)


def case_utf8(dice):
    raw = spoiled(dice, "\u00e9\u5e73\U0001f6b2a".encode())
    return plain(raw) + str(utf8.is_utf8(raw))


CASES = (
    case_encode, case_encode, case_encode, case_decode, case_decode, case_decode, case_frames, case_frames,
    case_cobs, case_beacon, case_beacon_ranges, case_position, case_downlink, case_report, case_utf8,
)  # fmt: skip


def run(seed, count):
    """Yield one line for each of `count` cases."""
    for number in range(count):
        dice = Dice(seed * 1000003 + number)
        case = CASES[number % len(CASES)]
        yield case.__name__ + " " + case(dice)
