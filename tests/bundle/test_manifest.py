"""The manifest: each entry of a wrong type or value is refused by a message that names it, in both languages."""

import functools
import json

import pytest
from groundnet.bundle import build, container, manifest
from groundnet.bundle.manifest import BadManifest
from hypothesis import given
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
HASH = "0" * 64


@functools.cache
def good() -> dict:
    return dict(container.parse(build.build("tag", version="1.2.3")).manifest)


def parse(changed: dict):
    return manifest.parse(manifest.canonical(changed))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("role", 5),
        ("role", ""),
        ("board", None),
        ("board", "a\nb"),
        ("product", ["groundnet tag"]),
        ("hardware_revisions", 0),
        ("hardware_revisions", []),
        ("hardware_revisions", [2, 1]),
        ("hardware_revisions", [True]),
        ("hardware_revisions", [256]),
        ("version", 1),
        ("version", "1.2"),
        ("version", "1.2.65536"),
        ("least_version", "1.2.x"),
        ("mpy", 6.3),
        ("mpy", "6"),
        ("security_counter", "5"),
        ("security_counter", True),
        ("security_counter", 1.0),
        ("security_counter", -1),
        ("security_counter", 2**32),
        ("not_after", 20270101),
        ("not_after", "2027-02-30"),
        ("not_after", "20270101"),
        ("image_sha256", "AB" * 32),
        ("image_sha256", "00"),
        ("files", []),
        ("files", {"main.mpy": {"bytes": 1, "sha256": HASH}}),
        ("files", {"/main.mpy": {"bytes": "1", "sha256": HASH}}),
        ("files", {"/main.mpy": {"bytes": 1}}),
        ("settings", ["siren_s=3"]),
        ("settings", {"siren_s": None}),
        ("settings", {"armed": True}),
        ("kind", "application"),
    ],
)
def test_a_wrong_entry_is_named_with_what_it_should_be(name, value):
    with pytest.raises(BadManifest) as caught:
        parse(good() | {name: value})
    en, zh, should = caught.value.cause, caught.value.cause.zh, manifest.ENTRIES[name]
    assert f"'{name}'" in en and en.endswith(f"not {should[1]}")
    assert f"“{name}”" in zh and zh.endswith(should[2])


@pytest.mark.parametrize("name", sorted(manifest.ENTRIES.keys() - {"format", "kind"}))
def test_a_missing_entry_is_named(name):
    with pytest.raises(BadManifest, match=f"lacks '{name}'"):
        parse({key: value for key, value in good().items() if key != name})


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (b"", "no JSON text"),
        (b"\xff", "no JSON text"),
        (b"[" * 5000, "no JSON text"),
        (b"[]", "no JSON object"),
        (b"{}", "format null"),
        (b'{"format":2}', "format 2"),
        (b'{"format":1.0}', "format 1.0"),
        (b'{"format":1,"weight":3}', 'unknown entry "weight"'),
    ],
)
def test_what_is_no_manifest_at_all(packed, said):
    with pytest.raises(BadManifest, match=said):
        manifest.parse(packed)


def test_one_manifest_has_one_spelling():
    assert parse(good()) == good()
    with pytest.raises(BadManifest, match="spelled in another way"):
        manifest.parse(json.dumps(good()).encode())


@given(st.sampled_from(sorted(manifest.ENTRIES)), JSON)
def test_any_value_is_taken_or_refused_by_name(name, value):
    try:
        assert parse(good() | {name: value})[name] == value
    except BadManifest as error:
        assert name in error.cause and error.cause.zh and "\n" not in error.cause
