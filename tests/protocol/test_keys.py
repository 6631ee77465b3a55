"""Keys: one purpose each, compared without haste, and never shown."""

import pytest
from groundnet.wire.dissect import Secrets
from groundwire import keys, session
from groundwire.errors import EncodeError
from hypothesis import given
from hypothesis import strategies as st

SECRET = b"\xa5" * 32


def test_each_label_gives_another_key():
    assert len({keys.derive_bytes(SECRET, label) for label in keys.LABELS}) == len(keys.LABELS) == 8


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_secret_has_32_bytes(size):
    with pytest.raises(EncodeError, match="secret"):
        keys.derive(bytes(size), keys.BEACON)


def test_nothing_shows_a_secret():
    key = keys.derive(SECRET, keys.SESSION)
    material = {SECRET.hex(), keys.derive_bytes(SECRET, keys.SESSION).hex()}
    initiator = session.Initiator(bytes(8), key, bytes(16))
    initiator.open()
    responder = session.Responder(bytes(8), key)
    for holder in (key, initiator, responder, Secrets(SECRET)):
        for text in (repr(holder), str(holder), f"{holder}"):
            assert not any(word in text for word in material | {"\\xa5", "0x36", "\\x93"})
    assert repr(key) == "<Key>"
    with pytest.raises(EncodeError) as caught:
        keys.derive(SECRET + b"x", keys.SESSION)
    assert "a5" not in str(caught.value)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_same_is_equality(left, right):
    assert keys.same(left, right) == (left == right)
    assert keys.same(left, bytes(left))


def test_ids_of_a_county_do_not_meet():
    """200 tags with 64 epochs each: no id twice, and none is a neighbour's in another epoch."""
    found = {
        keys.eid(keys.derive(bytes((tag,)) * 32, keys.IDENTITY), epoch)
        for tag in range(200)
        for epoch in range(64)
    }
    assert len(found) == 200 * 64
