"""When a rule begins and ends to hold."""

import itertools

import pytest
from groundnet.alerts.contact import ContactError, masked, normalise
from groundnet.alerts.rules import QUIET_MS, Rule, RuleError, Seen, checked, holds
from groundnet.alerts.wording import text
from hypothesis import given
from hypothesis import strategies as st

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000


def rule(kind, **parameters):
    return Rule(1, bytes(8), "GN-00012", kind, checked(kind, parameters), "tel:+8613800000000")


def test_a_thing_that_moves_is_told_of_once_until_it_stood_still():
    moved, at = rule("moved"), NOW_MS
    assert not holds(moved, Seen(), False, at, 0)
    assert holds(moved, Seen(moved_ms=at), False, at, 0)
    assert holds(moved, Seen(moved_ms=at), True, at + QUIET_MS, 0)
    assert not holds(moved, Seen(moved_ms=at), True, at + QUIET_MS + 1, 0)


@pytest.mark.parametrize(
    ("span", "hour", "told"),
    [
        ("22:00-06:00", 23, True),
        ("22:00-06:00", 5, True),
        ("22:00-06:00", 6, False),
        ("22:00-06:00", 12, False),
        ("08:00-17:30", 8, True),
        ("08:00-17:30", 18, False),
    ],
)
def test_movement_may_matter_at_certain_hours_alone(span, hour, told):
    assert holds(rule("moved", between=span), Seen(moved_ms=NOW_MS), False, NOW_MS, 60 * hour) is told


def test_a_place_counts_as_left_only_when_its_whole_radius_is_outside():
    left = rule("left", lat=25.0, lon=103.0, radius_m=1000)
    degree_m = 111_195  # of latitude
    outside = 25.0 + 1500 / degree_m
    assert not holds(left, Seen(), False, NOW_MS, 0)
    assert not holds(left, Seen(place=(outside, 103.0, 600)), False, NOW_MS, 0)
    assert holds(left, Seen(place=(outside, 103.0, 400)), False, NOW_MS, 0)
    assert holds(left, Seen(place=(25.0 + 700 / degree_m, 103.0, 400)), True, NOW_MS, 0)
    assert not holds(left, Seen(place=(25.0 + 500 / degree_m, 103.0, 400)), True, NOW_MS, 0)
    assert holds(left, Seen(), True, NOW_MS, 0), "no news is no return"


def test_a_battery_is_low_until_it_is_clearly_fuller():
    low = rule("battery", percent=20)
    assert not holds(low, Seen(), False, NOW_MS, 0)
    assert holds(low, Seen(battery_percent=20), False, NOW_MS, 0)
    assert holds(low, Seen(battery_percent=29), True, NOW_MS, 0)
    assert not holds(low, Seen(battery_percent=31), True, NOW_MS, 0)
    assert holds(low, Seen(battery_percent=80, battery_low=True), False, NOW_MS, 0)
    assert holds(low, Seen(battery_low=True), False, NOW_MS, 0)


def test_silence_is_counted_from_the_last_word():
    silent = rule("silent", hours=6)
    assert not holds(silent, Seen(), False, NOW_MS, 0), "never heard is not gone"
    assert not holds(silent, Seen(heard_ms=NOW_MS), False, NOW_MS + 6 * HOUR_MS, 0)
    assert holds(silent, Seen(heard_ms=NOW_MS), False, NOW_MS + 6 * HOUR_MS + 1, 0)


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=40),
    st.floats(1, 80),
)
def test_a_battery_never_tells_twice_without_ten_percent_between(levels, limit):
    low, held, told = rule("battery", percent=limit), False, []
    for at, level in enumerate(levels):
        now = holds(low, Seen(battery_percent=level), held, NOW_MS, 0)
        if now and not held:
            told.append(at)
        held = now
    for first, second in itertools.pairwise(told):
        assert max(levels[first:second]) > limit + 10


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("stolen", {}),
        ("left", {"lat": 25.0, "lon": 103.0}),
        ("left", {"lat": 95.0, "lon": 103.0, "radius_m": 500}),
        ("left", {"lat": 25.0, "lon": float("nan"), "radius_m": 500}),
        ("battery", {}),
        ("battery", {"percent": 0}),
        ("silent", {"hours": 1, "percent": 5}),
        ("moved", {"between": "25:00-06:00"}),
        ("battery", {"percent": 20, "between": "22:00-06:00"}),
    ],
)
def test_a_rule_that_says_nothing_is_refused(kind, parameters):
    with pytest.raises(RuleError):
        checked(kind, parameters)


@pytest.mark.parametrize("kind", ["moved", "left", "battery", "silent", "test"])
def test_a_text_fits_into_one_message_of_ucs2(kind):
    for language in ("zh", "en"):
        assert len(text(kind, "GN-00012", {"hours": 8760.0}, "2026-11-23T08:00:00.000Z", language)) <= 70


@pytest.mark.parametrize(
    ("said", "known", "shown"),
    [
        ("+86 138-0000-1234", "tel:+8613800001234", "tel:+861********34"),
        ("li@example.org", "mailto:li@example.org", "mailto:l***@example.org"),
        ("mailto:li@example.org", "mailto:li@example.org", "mailto:l***@example.org"),
        ("https://hook.example/secret", "https://hook.example/secret", "https://hook.example/***"),
        ("http://127.0.0.1:9/x", "http://127.0.0.1:9/x", "http://127.0.0.1/***"),
    ],
)
def test_an_address_has_one_spelling_and_is_shown_in_part(said, known, shown):
    assert normalise(said) == known
    assert masked(known) == shown


@pytest.mark.parametrize(
    "said",
    [
        "",
        "13800001234",
        "http://hook.example/x",
        "https://",
        "https://a:b@c/",
        "li@",
        "ftp://x/y",
        "https://[x/",
    ],
)
def test_what_is_no_address_is_refused(said):
    with pytest.raises(ContactError):
        normalise(said)


@pytest.mark.parametrize(
    "said", ["li@example.org\nBcc: x@example.org", "a b@example.org", "li@example.org,x@y.org"]
)
def test_a_mail_address_is_one_address(said):
    with pytest.raises(ContactError):
        normalise(said)
