"""Messages: every kind round trips, any bytes decode or are refused, newer and older peers get along."""

import sys

import pytest
from groundwire import link_table, messages, update_table
from groundwire.errors import DecodeError, EncodeError
from groundwire.fields import Layout
from groundwire.scalars import fixed_size, is_scalar, scalar_range
from hypothesis import given
from hypothesis import strategies as st

KINDS = [kind for kind in range(256) if messages.name_of(kind)]


def values_of(fields) -> st.SearchStrategy[dict]:
    return st.fixed_dictionaries({field[0]: value_of(field) for field in fields})


def value_of(field) -> st.SearchStrategy:
    code = field[1]
    if is_scalar(field):
        low, high, unknown = scalar_range(field)
        numbers = st.integers(low, high).filter(lambda number: number != unknown)
        return numbers if unknown is None else st.none() | numbers
    if code == "enum":
        return st.sampled_from(field[2]) | st.integers(len(field[2]), 255)
    if code == "flags":
        names = [*field[2], *(f"bit{bit}" for bit in range(len(field[2]), 32))]
        return st.sets(st.integers(0, 31)).map(lambda bits: [names[bit] for bit in sorted(bits)])
    if code == "blob":
        return st.binary(min_size=field[2], max_size=field[3])
    if code == "text":
        return st.text(max_size=field[2]).filter(lambda text: is_fitting(text, field[2]))
    if code == "fixeds":
        return st.lists(st.binary(min_size=field[2], max_size=field[2]), max_size=min(field[3], 4))
    if code == "records":
        return st.lists(values_of(field[2]), max_size=min(field[3], 3))
    if code == "items":
        known = [
            values_of(sum(fields, ())).map(lambda values, name=name: {"type": name, **values})
            for _, name, *fields in field[2]
        ]
        strange = st.binary(max_size=20).map(
            lambda extra: {"type": 200, **({"extra": extra} if extra else {})}
        )
        return st.lists(st.one_of(*known, strange), max_size=min(field[3], 4))
    return st.binary(min_size=fixed_size(field), max_size=fixed_size(field))


def is_fitting(text: str, size: int) -> bool:
    try:
        return len(text.encode()) <= size
    except UnicodeEncodeError:
        return False


@pytest.mark.parametrize("kind", KINDS, ids=messages.name_of)
@given(data=st.data())
def test_round_trip(kind, data):
    values = data.draw(values_of(messages.layout_of(kind).fields))
    again, payload = messages.encode(messages.name_of(kind), values)
    assert again == kind
    assert messages.decode(kind, payload) == (kind, messages.name_of(kind), values)


@pytest.mark.parametrize("kind", [*KINDS, 0x6F], ids=hex)
@given(payload=st.binary(max_size=200))
def test_any_bytes_give_values_that_encode_to_the_same_bytes_or_a_named_error(kind, payload):
    try:
        message = messages.decode(kind, payload)
    except DecodeError as error:
        assert error.reason in ("short", "range", "text")
        return
    again = messages.encode(message.name or kind, message.values)[1]
    assert again == payload or (kind == 0xFF and again[: len(payload)] == payload)


@pytest.mark.parametrize("kind", KINDS, ids=messages.name_of)
def test_out_of_range_is_our_own_error(kind):
    layout = messages.layout_of(kind)
    for field in layout.fields:
        if is_scalar(field):
            low, high, unknown = scalar_range(field)
            for wrong in {low - 1, high + 1} | ({unknown} if unknown is not None else {2**64}):
                with pytest.raises(EncodeError) as caught:
                    Layout((field,)).encode({field[0]: wrong})
                assert caught.value.reason == "range"


def test_fields_of_a_newer_peer_come_through():
    kind, payload = messages.encode("ack", {"request": 3})
    message = messages.decode(kind, payload + b"\x01\x02")
    assert message.values == {"request": 3, "extra": b"\x01\x02"}
    assert messages.encode("ack", message.values) == (kind, payload + b"\x01\x02")


def test_fields_that_an_older_peer_does_not_send_are_unknown():
    older = Layout((("first", "B"), ("name", "text", 8)))
    newer = Layout(
        (("first", "B"), ("name", "text", 8)), (("wait_ms", "I", 0, 10, 2**32 - 1), ("more", "B", 0, 9, 255))
    )
    with_list = Layout((("first", "B"), ("name", "text", 8)), (("ids", "fixeds", 2, 3),))
    payload = older.encode({"first": 1, "name": "x"})
    assert newer.decode(payload) == {"first": 1, "name": "x", "wait_ms": None, "more": None}
    assert with_list.decode(payload) == {"first": 1, "name": "x", "ids": []}
    grown = newer.encode({"first": 1, "name": "x", "wait_ms": 5, "more": None})
    assert newer.decode(grown[:-1]) == {"first": 1, "name": "x", "wait_ms": 5, "more": None}
    assert older.decode(grown)["extra"] == bytes((0, 0, 0, 5, 255))


def test_an_unknown_kind_comes_through_and_goes_back():
    message = messages.decode(0x6F, b"\x00\xff")
    assert message == (0x6F, None, {"extra": b"\x00\xff"})
    assert messages.encode(0x6F, message.values) == (0x6F, b"\x00\xff")
    assert messages.access_of(0x6F) == messages.PEER
    for wrong in ({}, {"extra": b"", "more": 1}, {"extra": "text"}):
        with pytest.raises(EncodeError, match="unexpected"):
            messages.encode(0x6F, wrong)


def test_an_unknown_value_is_outside_its_range():
    def check(fields):
        for field in fields:
            if field[1] == "records":
                check(field[2])
            if field[1] == "items":
                for _, _, *inner in field[2]:
                    check(sum(inner, ()))
            if is_scalar(field) and len(field) == 5:
                assert not field[2] <= field[4] <= field[3], field

    for kind in KINDS:
        check(messages.layout_of(kind).fields)


def test_names_and_kinds():
    assert messages.kind_of("report") == 0x40
    assert messages.name_of(0x30) == "station_hello"
    assert messages.access_of(messages.kind_of("settings_write")) == messages.SESSION
    with pytest.raises(EncodeError, match="unknown"):
        messages.kind_of("nonsense")


def test_replies_have_the_top_bit_and_names_are_unique():
    names = [messages.name_of(kind) for kind in KINDS]
    assert len(set(names)) == len(names)
    requests = {kind for kind in KINDS if kind < 0x80}
    answered = {"ack", "error", "orders"}
    for kind in KINDS:
        if kind >= 0x80 and messages.name_of(kind) not in answered | {"update_state"}:
            assert kind & 0x7F in requests


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("ack", {}, "missing"),
        ("ack", {"request": 1, "stranger": 2}, "unexpected"),
        ("ack", {"request": 1, "extra": "text"}, "type"),
        ("ack", {"request": True}, "type"),
        ("ack", {"request": None}, "type"),
        ("session_prove", {"initiator_proof": bytes(15)}, "size"),
        ("session_prove", {"initiator_proof": "0" * 16}, "size"),
        ("self_test", {"parts": "radio"}, "type"),
        ("self_test", {"parts": ["nothing"]}, "range"),
        ("settings_write", {"settings": {}}, "type"),
        ("settings_write", {"settings": [1]}, "type"),
        ("settings_write", {"settings": [{"name": 1, "value": ""}]}, "type"),
        ("settings_write", {"settings": [{"name": "x" * 25, "value": ""}]}, "size"),
        ("settings_write", {"settings": [{"name": "\ud800", "value": ""}]}, "size"),
        ("settings_write", {"settings": [{"name": "", "value": ""}] * 65}, "size"),
        ("settings_write", {"settings": [{"name": "", "value": "", "extra": bytes(254)}]}, "size"),
        ("update_block", {"offset_bytes": 0, "data": b""}, "size"),
        ("orders", {"time_ms": 0, "orders": [
            {"order_id": 1, "expires_ms": 0, "eids": [b"12345"], "downlink": b"x"},
        ]}, "size"),
        ("settings_read", {"first": 256}, "range"),
        ("self_test", {"parts": []} | {"stranger": 1}, "unexpected"),
        ("provision", {
            "state": 1, "tag_id": "", "profile": 1, "install_point": "", "check_value": bytes(8),
        }, "range"),
    ],
)  # fmt: skip
def test_what_a_message_cannot_carry(name, values, reason):
    with pytest.raises(EncodeError) as caught:
        messages.encode(name, values)
    assert caught.value.reason == reason


@pytest.mark.parametrize("kind", ["report", 2, -1, 256, None])
def test_an_item_goes_by_its_name_or_by_a_number_without_one(kind):
    head = {"mac": bytes(8), "device_id": bytes(8), "boot_count": 0, "sequence": 0}
    with pytest.raises(EncodeError, match="range"):
        messages.encode("report", {**head, "items": [{"type": kind}]})
    with pytest.raises(EncodeError, match="missing"):
        messages.encode("report", {**head, "items": [{}]})


def test_a_payload_cut_anywhere_is_too_short():
    values = {"device_id": bytes(8), "boot_count": 1, "sequence": 2, "mac": bytes(8)}
    items = [{"type": "downlink_done", "time_ms": 5, "counter": 9}, {"type": 99, "extra": b"abc"}]
    kind, payload = messages.encode("report", {**values, "items": items})
    _, orders = messages.encode("orders", {"time_ms": 0, "orders": [order_for(bytes(6))]})
    for number, whole in ((kind, payload), (0xB3, orders)):
        for size in range(len(whole)):
            with pytest.raises(DecodeError, match="short"):
                messages.decode(number, whole[:size])


def order_for(eid: bytes) -> dict:
    return {"order_id": 1, "expires_ms": 0, "eids": [eid], "downlink": b"x"}


def test_a_list_inside_a_record_ends_with_its_record():
    _, payload = messages.encode("orders", {"time_ms": 0, "orders": [order_for(bytes(6))]})
    at = (
        len(payload) - 2 - 6 - 1
    )  # the count of EIDs: two are promised, one and two bytes of downlink are there
    with pytest.raises(DecodeError, match="short: eids"):
        messages.decode(0xB3, payload[:at] + b"\x02" + payload[at + 1 :])


def test_kinds_of_a_table_that_an_image_leaves_out_are_unknown(monkeypatch):
    monkeypatch.setitem(sys.modules, "groundwire.report_table", None)
    monkeypatch.setattr(messages, "_loaded", {})
    monkeypatch.setattr(messages, "_entries", {})
    assert messages.decode(0x40, b"\x01") == (0x40, None, {"extra": b"\x01"})
    assert messages.name_of(0x31) == "sightings"


def test_the_states_of_an_update_are_the_same_to_host_and_collector():
    assert update_table.STATES == link_table.UPDATE_STATES
