"""What a device refuses of a bundle: each reason has a message of its own."""

import datetime
import struct

import pytest
from groundcore import bundle
from hypothesis import given
from hypothesis import strategies as st

DEVICE = {"role": "tag", "board": "one", "hardware_revision": 2, "mpy": "6.3"}
LIMITS = (3, (0, 2, 0))
GOOD = {
    "format": 1,
    "role": "tag",
    "board": "one",
    "hardware_revisions": [1, 2],
    "version": "0.2.0",
    "mpy": "6.3",
    "security_counter": 3,
    "least_version": "0.1.0",
    "not_after": "2026-12-31",
}
DAY = bundle.day("2026-12-31")


def test_a_good_bundle_is_taken_until_its_last_day_and_without_a_clock():
    bundle.judge(GOOD, DEVICE, LIMITS, DAY)
    bundle.judge(GOOD, DEVICE, LIMITS, None)


@pytest.mark.parametrize(
    ("change", "today", "detail"),
    [
        ({"security_counter": 2}, None, "security counter 2 is below 3"),
        ({"version": "0.1.9"}, None, "version 0.1.9 is older than 0.2.0"),
        ({"kind": "base"}, None, "the bundle holds the other kind of image"),
        ({"role": "base"}, None, "the bundle is for role 'base'"),
        ({"board": "two"}, None, "the bundle is for board 'two'"),
        ({"hardware_revisions": [1]}, None, "not for hardware revision 2"),
        ({"mpy": "6.2"}, None, "bytecode 6.2, but this device runs 6.3"),
        ({}, DAY + 1, "the bundle has expired on 2026-12-31"),
        ({"format": 2}, None, "bundle of another format"),
        ({"version": "new"}, None, "the manifest lacks something"),
    ],
)
def test_each_refusal_has_its_own_detail(change, today, detail):
    with pytest.raises(bundle.Refused) as refused:
        bundle.judge(GOOD | change, DEVICE, LIMITS, today)
    assert refused.value.args[1] == detail


@given(st.sampled_from(sorted(GOOD)), st.none() | st.text() | st.integers() | st.lists(st.integers()))
def test_a_manifest_of_any_form_is_answered(name, value):
    try:
        bundle.judge(GOOD | {name: value}, DEVICE, LIMITS, DAY)
    except bundle.Refused as refused:
        assert len(refused.args) == 2


@given(st.dates(min_value=datetime.date(1970, 1, 1), max_value=datetime.date(2199, 12, 31)))
def test_days_are_those_of_the_calendar(date):
    assert bundle.day(date.isoformat()) == (date - datetime.date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("head", "size", "detail"),
    [
        (b"GNB1", 4, "no bundle: too short"),
        (struct.pack("<4sII", b"GNB2", 1, 1), 3000, "no bundle: wrong magic"),
        (struct.pack("<4sII", b"GNB1", 2, 300_000), 3000, "manifest or image is too large"),
        (struct.pack("<4sII", b"GNB1", 2, 10), 24, "the bundle is not signed"),
        (struct.pack("<4sII", b"GNB1", 2, 10), 2992, "the bundle is cut off or has something behind it"),
    ],
)
def test_a_file_of_another_form_is_told(head, size, detail):
    with pytest.raises(bundle.Refused) as refused:
        bundle.layout(head, size)
    assert refused.value.args[1] == detail
    assert bundle.layout(struct.pack("<4sII", b"GNB1", 2, 10), 2993) == (2, 10)
