"""Link frames in a stream: whole, in pieces, with things behind, broken in every place."""

import pytest
from groundnet.wire import vectors as golden
from groundwire import frame
from groundwire.errors import EncodeError
from hypothesis import given
from hypothesis import strategies as st

FRAMES = [vector for vector in golden.load() if vector["op"] == "frame" and "error" not in vector]
NEXT = frame.encode(0x01, b"the next one", 99)
NEXT_FRAME = frame.Frame(0x01, 99, b"the next one", False)

each_frame = pytest.mark.parametrize("vector", FRAMES, ids=lambda vector: vector["name"])


def line_of(vector) -> bytes:
    return bytes.fromhex(vector["line"])


def frame_of(vector) -> frame.Frame:
    return frame.Frame(vector["kind"], vector["sequence"], bytes.fromhex(vector["payload"]), vector["sealed"])


def read(decoder: frame.Decoder, data: bytes, size: int | None = None) -> list:
    """Feed `data` in pieces of `size`; everything answered but NEED_MORE."""
    answers = []
    size = size or max(len(data), 1)
    for start in range(0, len(data), size):
        decoder.feed(data[start : start + size])
        while (answer := decoder.next()) is not frame.NEED_MORE:
            answers.append(answer)
    return answers


@each_frame
def test_whole(vector):
    decoder = frame.Decoder(600)
    assert read(decoder, line_of(vector)) == [frame_of(vector)]
    assert decoder.frames == 1
    assert not any(decoder.drops.values())


@each_frame
def test_byte_by_byte(vector):
    assert read(frame.Decoder(600), line_of(vector), 1) == [frame_of(vector)]


@each_frame
@pytest.mark.parametrize("trailing", [NEXT, b"\x00", b"\x01", b"\x10\x01"], ids=lambda data: data.hex()[:8])
def test_with_trailing_bytes(vector, trailing):
    expected = [frame_of(vector)] + ([NEXT_FRAME] if trailing == NEXT else [])
    for size in (None, 1):
        assert read(frame.Decoder(600), line_of(vector) + trailing, size) == expected


@each_frame
def test_behind_garbage(vector):
    decoder = frame.Decoder(600)
    garbage = b"Traceback (most recent call last):\r\n>>> \xff\x00\x02"
    assert read(decoder, garbage + line_of(vector)) == [frame.CORRUPT, frame.CORRUPT, frame_of(vector)]
    assert decoder.drops["cobs"] == 2


@each_frame
def test_every_byte_flipped_costs_this_frame_and_never_the_next(vector):
    line = line_of(vector)
    for at in range(len(line)):
        for mask in (0x01, 0x80, 0xFF, line[at] or 0x55):
            spoiled = line[:at] + bytes((line[at] ^ mask,)) + line[at + 1 :]
            decoder = frame.Decoder(600)
            answers = read(decoder, spoiled + NEXT)
            assert answers[-1] == NEXT_FRAME, (at, mask)
            if 0 < at < len(line) - 1:  # a spoiled delimiter leaves the frame itself whole or joined to noise
                assert not [answer for answer in answers[:-1] if isinstance(answer, frame.Frame)], (at, mask)
                assert sum(decoder.drops.values()) == len(answers) - 1 > 0


@each_frame
def test_cut_anywhere_costs_this_frame_and_never_the_next(vector):
    line = line_of(vector)
    for at in range(len(line)):
        answers = read(frame.Decoder(600), line[:at] + NEXT)
        expected = [frame_of(vector)] if at == len(line) - 1 else []  # NEXT brings the delimiter
        assert [answer for answer in answers if isinstance(answer, frame.Frame)] == [*expected, NEXT_FRAME]


@each_frame
def test_every_byte_doubled_costs_this_frame_and_never_the_next(vector):
    line = line_of(vector)
    for at in range(1, len(line) - 1):
        answers = read(frame.Decoder(600), line[:at] + line[at : at + 1] + line[at:] + NEXT)
        assert answers == [frame.CORRUPT, NEXT_FRAME]


def test_a_frame_larger_than_the_buffer_is_dropped_and_counted_however_it_comes():
    for size in (None, 1, 7, 64):
        decoder = frame.Decoder(64)
        assert read(decoder, frame.encode(0x10, bytes(500)) + NEXT, size) == [frame.CORRUPT, NEXT_FRAME]
        assert decoder.drops["too_long"] == 1


def test_a_frame_of_exactly_the_capacity_fits():
    line = frame.encode(0x10, b"\x01" * 40)
    assert len(read(frame.Decoder(len(line) - 2), line)) == 1
    assert read(frame.Decoder(len(line) - 3), line) == [frame.CORRUPT]
    assert len(read(frame.Decoder(len(line) - 2), line, 1)) == 1
    assert read(frame.Decoder(len(line) - 3), line, 1) == [frame.CORRUPT]


def test_direction_of_an_echo():
    request, reply = frame.encode(0x01), frame.encode(0x81)
    device, host = frame.Decoder(64, frame.REQUESTS), frame.Decoder(64, frame.REPLIES)
    assert [getattr(answer, "kind", answer) for answer in read(device, request + reply)] == [
        0x01,
        frame.NOT_FOR_ME,
    ]
    assert [getattr(answer, "kind", answer) for answer in read(host, request + reply)] == [
        frame.NOT_FOR_ME,
        0x81,
    ]
    assert device.drops["direction"] == host.drops["direction"] == 1


def test_reset_forgets_the_running_frame():
    decoder = frame.Decoder(64)
    decoder.feed(NEXT[:6])
    assert decoder.next() is frame.NEED_MORE
    decoder.reset()
    assert read(decoder, NEXT[1:]) == [NEXT_FRAME]


def test_feeding_before_everything_was_read_is_refused():
    decoder = frame.Decoder(64)
    decoder.feed(NEXT + NEXT)
    decoder.next()
    with pytest.raises(EncodeError, match="undrained"):
        decoder.feed(NEXT)


def test_named_answers_show_their_names():
    assert [repr(answer) for answer in (frame.NEED_MORE, frame.CORRUPT, frame.NOT_FOR_ME)] == [
        "NEED_MORE",
        "CORRUPT",
        "NOT_FOR_ME",
    ]


@pytest.mark.parametrize(
    ("kind", "payload", "sequence", "reason"),
    [
        (256, b"", 0, "range"),
        (-1, b"", 0, "range"),
        (None, b"", 0, "range"),
        (1, b"", 65536, "range"),
        (1, b"", -1, "range"),
        (1, b"", "1", "range"),
        (1, bytes(4097), 0, "size"),
    ],
)
def test_what_a_frame_cannot_carry(kind, payload, sequence, reason):
    with pytest.raises(EncodeError) as caught:
        frame.encode(kind, payload, sequence)
    assert caught.value.reason == reason


@given(st.binary(max_size=1200))
def test_stuffing_is_undone(raw):
    encoded = frame.cobs_encode(raw)
    assert b"\x00" not in encoded
    assert frame.cobs_decode(encoded) == raw


@given(st.integers(0, 255), st.binary(max_size=frame.MAX_PAYLOAD), st.integers(0, 65535), st.booleans())
def test_round_trip_and_size(kind, payload, sequence, sealed):
    line = frame.encode(kind, payload, sequence, sealed)
    assert len(line) <= frame.encoded_size(len(payload))
    assert len(line) <= len(payload) + frame.OVERHEAD or len(payload) > 246
    assert read(frame.Decoder(5000), line) == [frame.Frame(kind, sequence, payload, sealed)]


@given(st.lists(st.one_of(st.binary(max_size=40), st.just(NEXT), st.just(NEXT[:-2])), max_size=8), st.data())
def test_any_bytes_in_any_pieces_give_the_same_answers(parts, data):
    stream = b"".join(parts)
    whole, pieces = frame.Decoder(48), frame.Decoder(48)
    expected = read(whole, stream)
    answers = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        answers += read(pieces, stream[:size])
        stream = stream[size:]
    assert answers == expected
    assert pieces.drops == whole.drops
