"""Beacons and downlinks: every byte counts, replays fail, challenges work once."""

import pytest
from groundnet.wire import vectors as golden
from groundwire import beacon, downlink, keys
from groundwire.errors import AuthenticationError, DecodeError, EncodeError, WireError
from hypothesis import given
from hypothesis import strategies as st

SECRET = bytes(range(32))
IDENTITY_KEY, BEACON_KEY = keys.derive(SECRET, keys.IDENTITY), keys.derive(SECRET, keys.BEACON)
POSITION_KEY, DOWNLINK_KEY = keys.derive(SECRET, keys.POSITION), keys.derive(SECRET, keys.DOWNLINK)
COUNTER = 0x12345

BEACONS = [vector for vector in golden.load() if vector["op"] == "beacon" and "error" not in vector]
DOWNLINKS = [vector for vector in golden.load() if vector["op"] == "downlink" and "error" not in vector]


def make(kind: int = beacon.PLAIN, counter: int = COUNTER, body: bytes = b"", flags: int = 0) -> bytes:
    buffer = bytearray(beacon.MAX_SIZE)
    eid = keys.eid(IDENTITY_KEY, counter >> keys.EPOCH_BITS)
    size = beacon.encode_into(buffer, kind, 1, flags, 7, counter, eid, body)
    size = beacon.protect(buffer, size, counter, BEACON_KEY, POSITION_KEY)
    return bytes(buffer[:size])


@pytest.mark.parametrize("vector", BEACONS, ids=lambda vector: vector["name"])
def test_every_flipped_bit_of_a_beacon_is_noticed(vector):
    air = bytes.fromhex(vector["air"])
    assert len(air) <= 24
    beacon.verify(air, vector["counter"], BEACON_KEY)
    for bit in range(8 * len(air)):
        spoiled = bytearray(air)
        spoiled[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AuthenticationError, match="mac"):
            beacon.verify(bytes(spoiled), vector["counter"], BEACON_KEY)


@pytest.mark.parametrize("vector", BEACONS, ids=lambda vector: vector["name"])
def test_a_beacon_cut_or_with_trailing_bytes_is_refused(vector):
    air = bytes.fromhex(vector["air"])
    for size in range(len(air)):
        with pytest.raises(DecodeError):
            beacon.decode(air[:size])
    with pytest.raises(DecodeError, match="size"):
        beacon.decode(air + b"\x00")


@given(st.binary(max_size=40))
def test_any_bytes_off_the_air_give_a_value_or_a_named_error(data):
    for read in (beacon.decode, downlink.decode):
        try:
            read(data)
        except DecodeError as error:
            assert error.reason in ("short", "version", "type", "size")
    with pytest.raises(WireError):
        beacon.verify(data, COUNTER, BEACON_KEY)
    with pytest.raises(WireError):
        downlink.accept(data, DOWNLINK_KEY, 0)


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_a_beacon_may_come_in_any_buffer(form):
    air = make(beacon.CHALLENGE, body=bytes(range(8)))
    found = beacon.decode(form(air))
    assert found == beacon.decode(air)
    assert type(found.eid) is bytes
    beacon.verify(form(air), COUNTER, BEACON_KEY)


def test_sizes_by_type_agree():
    for kind, size in enumerate(beacon.BODY_SIZES):
        assert len(make(kind, body=bytes(size))) == 15 + size <= beacon.MAX_SIZE


def test_the_mac_covers_the_counter_bits_that_are_not_on_air():
    air = make()
    for other in (COUNTER + 16, COUNTER - 16, COUNTER ^ 0x80000000):
        assert beacon.decode(air).low == other & 15
        with pytest.raises(AuthenticationError):
            beacon.verify(air, other, BEACON_KEY)


@given(st.integers(0, beacon.MAX_COUNTER))
def test_a_counter_comes_back_from_epoch_and_low_bits(counter):
    air = make(counter=counter)
    assert beacon.expand(counter >> keys.EPOCH_BITS, beacon.decode(air).low) == counter


def test_a_tag_shows_nothing_that_links_two_epochs():
    here, there = make(counter=0x100), make(counter=0x110)
    assert here[:3] == there[:3]
    assert here[3:9] != there[3:9]
    assert here[9:] != there[9:]


@given(
    st.integers(-900000000, 899999999),
    st.integers(-1800000000, 1799999999),
    st.none() | st.integers(0, 30000),
    st.none() | st.integers(0, 604800),
    st.none() | st.integers(0, 254),
    st.none() | st.integers(0, 359),
)
def test_a_fix_comes_back_within_its_steps(lat_e7, lon_e7, accuracy_m, age_s, speed_kmh, course_deg):
    where = beacon.Position(lat_e7, lon_e7, accuracy_m, age_s, speed_kmh, course_deg)
    air = make(beacon.FIX, body=beacon.position_body(where))
    assert len(air) == 24
    seen = beacon.reveal(beacon.decode(air).body, COUNTER, POSITION_KEY)
    assert abs(seen.lat_e7 - lat_e7) <= 108  # the last step below the pole rounds down
    assert abs(seen.lon_e7 - lon_e7) <= 215
    assert (seen.accuracy_m is None) == (accuracy_m is None) and (accuracy_m or 0) <= (seen.accuracy_m or 0)
    assert (seen.age_s is None) == (age_s is None) and (age_s or 0) <= (seen.age_s or 0)
    assert seen.speed_kmh == speed_kmh
    assert seen.course_deg == (None if course_deg is None else course_deg // 2 * 2)


def test_a_position_is_hidden_and_differs_each_time():
    body = beacon.position_body(beacon.Position(451234567, 136543210, 5, 10, 0, 0))
    first, second = make(beacon.FIX, 0x50, body), make(beacon.FIX, 0x51, body)
    assert first[9:18] != body
    assert first[9:18] != second[9:18]


def test_what_a_position_cannot_say_is_unknown_or_clamped():
    far = beacon.Position(0, 0, 30001, 604801, 300, 719)
    buffer = beacon.position_body(far)
    seen = beacon.reveal(beacon._mask(buffer, 0, POSITION_KEY), 0, POSITION_KEY)
    assert seen == beacon.Position(0, 0, None, None, 254, 358)
    for lat_e7, lon_e7 in ((900000000, 0), (-900000001, 0), (0, 1800000000), (0, -1800000001)):
        with pytest.raises(EncodeError, match="range"):
            beacon.position_body(beacon.Position(lat_e7, lon_e7, None, None, None, None))
    with pytest.raises(DecodeError, match="size"):
        beacon.reveal(bytes(8), 0, POSITION_KEY)


def test_a_wearable_calls_for_help():
    air = make(
        beacon.SOS, flags=beacon.SOS_ACTIVE, body=beacon.sos_body(beacon.SOS_CAUSES.index("fall"), 999)
    )
    found = beacon.decode(air)
    assert (found.flags, found.body, len(air)) == (beacon.SOS_ACTIVE, bytes((2, 255)), 17)
    with pytest.raises(EncodeError, match="range"):
        beacon.sos_body(256, 0)


@pytest.mark.parametrize(
    ("numbers", "counter", "eid", "body", "room", "reason"),
    [
        ((4, 0, 0, 0), 0, 6, 0, 24, "range"),
        ((0, 8, 0, 0), 0, 6, 0, 24, "range"),
        ((0, 0, 256, 0), 0, 6, 0, 24, "range"),
        ((0, 0, 0, 16), 0, 6, 0, 24, "range"),
        ((0, 0, 0, -1), 0, 6, 0, 24, "range"),
        ((0, 0, 0, 0), 2**32, 6, 0, 24, "range"),
        ((0, 0, 0, 0), 0, 5, 0, 24, "size"),
        ((2, 0, 0, 0), 0, 6, 3, 24, "size"),
        ((1, 0, 0, 0), 0, 6, 9, 23, "size"),
    ],
)
def test_what_a_beacon_cannot_carry(numbers, counter, eid, body, room, reason):
    buffer = bytearray(room)
    with pytest.raises(EncodeError) as caught:
        beacon.encode_into(buffer, *numbers, counter, bytes(eid), bytes(body))
    assert caught.value.reason == reason
    assert buffer == bytearray(room)


def test_a_fix_is_never_sent_in_the_open():
    buffer = bytearray(24)
    size = beacon.encode_into(buffer, beacon.FIX, 1, 0, 0, 0, bytes(6), bytes(9))
    with pytest.raises(EncodeError, match="missing"):
        beacon.protect(buffer, size, 0, BEACON_KEY)


@pytest.mark.parametrize("vector", DOWNLINKS, ids=lambda vector: vector["name"])
def test_every_flipped_bit_of_a_downlink_is_noticed(vector):
    air, challenge = bytes.fromhex(vector["air"]), bytes.fromhex(vector.get("challenge", ""))
    for bit in range(8 * len(air)):
        spoiled = bytearray(air)
        spoiled[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError) as caught:
            downlink.accept(bytes(spoiled), DOWNLINK_KEY, 0, challenge)
        assert caught.value.reason in ("mac", "version")


def test_a_recorded_command_does_not_work_twice():
    command = downlink.encode(downlink.SIREN_ON, 7, 30, DOWNLINK_KEY)
    assert downlink.accept(command, DOWNLINK_KEY, 6).argument == 30
    with pytest.raises(AuthenticationError, match="replay"):
        downlink.accept(command, DOWNLINK_KEY, 7)


def test_a_recorded_lost_off_does_not_work_for_the_next_theft():
    first, second = (downlink.make_challenge(DOWNLINK_KEY, counter) for counter in (100, 900))
    off = downlink.encode(downlink.LOST_OFF, 8, 0, DOWNLINK_KEY, first)
    assert downlink.accept(off, DOWNLINK_KEY, 7, first).command == downlink.LOST_OFF
    with pytest.raises(AuthenticationError, match="mac"):  # even a tag that lost its counter refuses it
        downlink.accept(off, DOWNLINK_KEY, 0, second)
    with pytest.raises(AuthenticationError, match="challenge"):
        downlink.accept(off, DOWNLINK_KEY, 0)


def test_a_command_for_one_tag_is_nothing_to_another():
    other = keys.derive(bytes(32), keys.DOWNLINK)
    with pytest.raises(AuthenticationError, match="mac"):
        downlink.accept(downlink.encode(downlink.LOCATE, 1, 0, DOWNLINK_KEY), other, 0)


@pytest.mark.parametrize(
    ("command", "counter", "argument", "challenge", "reason"),
    [
        (0, 1, 0, b"", "range"),
        (256, 1, 0, b"", "range"),
        (1, 2**32, 0, b"", "range"),
        (1, 1, -1, b"", "range"),
        (2, 1, 0, b"", "challenge"),
        (1, 1, 0, bytes(8), "challenge"),
    ],
)
def test_what_a_downlink_cannot_carry(command, counter, argument, challenge, reason):
    with pytest.raises(EncodeError) as caught:
        downlink.encode(command, counter, argument, DOWNLINK_KEY, challenge)
    assert caught.value.reason == reason
