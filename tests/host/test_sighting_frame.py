"""The quick way through a sightings frame says what the wire's own tables say, also of what is damaged."""

import pytest
from groundnet.collector.intake.sighting_frame import KIND, SightingBatch, taken_apart
from groundwire import messages
from groundwire.errors import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from host.radio_senders import NOW_MS, STATION

unknown_or = st.none() | st.integers(-200, 50)
heard = st.fixed_dictionaries(
    {
        "time_ms": st.none() | st.integers(0, 2**53),
        "rssi_dbm": unknown_or,
        "snr_cdb": st.none() | st.integers(-10_000, 10_000),
        "channel": st.none() | st.integers(0, 254),
        "beacon": st.binary(min_size=1, max_size=24),
    },
    optional={"extra": st.binary(min_size=1, max_size=5)},
)
batches = st.fixed_dictionaries(
    {
        "station_id": st.just(STATION),
        "boot_count": st.integers(0, 2**32 - 1),
        "first_sequence": st.integers(0, 2**32 - 1),
        "sightings": st.lists(heard, max_size=64),
    },
    optional={"extra": st.binary(min_size=1, max_size=5)},
)


def payload_of(values):
    return messages.encode("sightings", values)[1]


def by_the_tables(payload):
    return SightingBatch.of(messages.decode(KIND, payload).values)


@given(batches)
def test_what_was_encoded_is_taken_apart_alike(values):
    payload = payload_of(values)
    assert taken_apart(payload) == by_the_tables(payload) == SightingBatch.of(values)


@given(batches, st.data())
def test_what_was_damaged_is_taken_apart_or_refused_alike(values, data):
    payload = bytearray(payload_of(values))
    for _ in range(data.draw(st.integers(0, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    payload = bytes(payload[: data.draw(st.integers(0, len(payload)))])
    try:
        expected = by_the_tables(payload)
    except DecodeError as error:
        with pytest.raises(DecodeError) as refused:
            taken_apart(payload)
        assert refused.value.reason == error.reason
    else:
        assert taken_apart(payload) == expected


def test_more_than_a_frame_may_hold_is_refused():
    one = {"time_ms": NOW_MS, "rssi_dbm": -90, "snr_cdb": 0, "channel": 0, "beacon": bytes(15)}
    payload = bytearray(
        payload_of({"station_id": STATION, "boot_count": 1, "first_sequence": 0, "sightings": [one] * 64})
    )
    payload[16] = 65
    payload += payload[17 : 17 + payload[17] + 1]
    with pytest.raises(DecodeError):
        taken_apart(bytes(payload))
