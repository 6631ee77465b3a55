"""The stream of orders: what comes out of its pieces, however they are cut, and what is ordered at all."""

import hashlib
import struct
import zlib

import pytest
from groundnet.flash.listing import Listing, summary
from groundnet.flash.orders import plan_of
from hypothesis import given, settings
from hypothesis import strategies as st

PAGE_BYTES = 4096
contents = st.one_of(
    st.binary(max_size=3000),
    st.integers(0, 60_000).map(bytes),
    st.integers(1, 400).map(lambda n: b"abc\n" * n),
)


def orders_in(stream, window_bits):
    """What a board gets out of the stream: after each piece just what is promised, and never more than a page."""
    unpacker = zlib.decompressobj(-window_bits) if window_bits else None
    packed = orders = b""
    at = 0
    while at < len(stream):
        packed_bytes, plain_bytes = struct.unpack_from("<HH", stream, at)
        at += 4
        packed += stream[at : at + packed_bytes]
        at += packed_bytes
        assert plain_bytes <= PAGE_BYTES
        if plain_bytes:  # zero means no limit to zlib
            plain = unpacker.decompress(packed, plain_bytes) if unpacker else packed
            packed = unpacker.unconsumed_tail if unpacker else b""
            assert len(plain) == plain_bytes
            orders += plain
    return orders


def carried_out(orders):
    """Files by path after the orders."""
    files, at, order = {}, 0, None
    while order != 0:
        order, size = struct.unpack_from("<BH", orders, at)
        data = orders[at + 3 : at + 3 + size]
        at += 3 + size
        if order == 2:
            path, content = data.decode(), b""
        elif order == 3:
            content += data
        elif order == 4:
            assert hashlib.sha256(content).digest() == data
            files[path] = content
    assert at == len(orders)
    return files


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["/a", "/b/c", "/b/d/e", "/字"]), contents, max_size=4),
    st.sampled_from([0, 9, 10, 15]),
)
def test_what_is_sent_is_what_is_wanted_whatever_window_the_board_has(files, window_bits):
    stream = plan_of(files, Listing(), None).stream(window_bits)
    assert carried_out(orders_in(stream, window_bits)) == files


def test_only_what_differs_is_ordered():
    there = Listing({"/a": hashlib.sha256(b"1").digest(), "/b": hashlib.sha256(b"2").digest()}, {"", "/lib"})
    plan = plan_of({"/a": b"1", "/b": b"3", "/lib/x/c": b""}, there, None)
    assert (list(plan.missing), plan.folders, plan.removed) == (["/b", "/lib/x/c"], ("/lib/x",), ())


@pytest.mark.parametrize(
    ("prune", "removed"),
    [
        ("", ("/lib/old", "/main.py", "/lib/")),
        ("/lib", ("/lib/old",)),
        ("/state", ("/state/identity",)),
    ],
)
def test_pruning_spares_identity_and_application_unless_they_are_named(prune, removed):
    names = ("/lib/old", "/main.py", "/slots/a.gnb", "/state/identity")
    there = Listing(dict.fromkeys(names, b""), {"", "/lib", "/slots", "/state"})
    assert plan_of({}, there, prune).removed == removed


def test_a_folder_is_known_by_names_and_contents_alone():
    hashes = {"a": b"1" * 32, "b": b"2" * 32}
    assert summary(hashes) == summary(dict(reversed(hashes.items())))
    others = [{"a": b"2" * 32, "b": b"1" * 32}, {"a": b"1" * 32}, {"a/b": b"1" * 32, "b": b"2" * 32}, {}]
    assert len({summary(hashes), *map(summary, others)}) == 5
