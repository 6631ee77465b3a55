"""Tracks over time: noise is smoothed, what cannot be true is left out, and the radius holds 68 % of the truths."""

import math
import random
from dataclasses import replace

import pytest
from groundnet.collector.places.hearing import USUAL
from groundnet.collector.places.observation import rests
from groundnet.collector.places.position import Ear, Estimate, expected_rssi_dbm
from groundnet.collector.places.smoothing import Observation, filtered, smooth
from groundnet.geodesy import LocalFrame, distance_m
from hypothesis import given, settings
from hypothesis import strategies as st

FRAME = LocalFrame(25.1, 102.7)
EARS = replace(USUAL, spread_db=5.0)  # calibrated
STATIONS = ((-700, -500), (600, -400), (200, 800), (900, 700))


def fix(time_s, east, north, radius_m=15.0, source="gnss"):
    return Observation(time_s * 1000, source, Estimate(*FRAME.to_degrees(east, north), radius_m))


def heard(time_s, east, north, moving=None, shadows=(0, 0, 0, 0)):
    ears = tuple(
        Ear(*FRAME.to_degrees(x, y), expected_rssi_dbm(math.hypot(x - east, y - north)) + shadow, EARS)
        for (x, y), shadow in zip(STATIONS, shadows, strict=True)
    )
    return Observation(time_s * 1000, "sightings", ears=ears, moving=moving)


def off_m(one, east, north):
    return distance_m(one.place.lat, one.place.lon, *FRAME.to_degrees(east, north))


def ride(seed, count=60, every_s=10):
    """(seconds, east, north) of a thing that rides at some 6 m/s and turns now and then."""
    draw, course, x, y = random.Random(seed), 0.0, 0.0, 0.0
    for index in range(count):
        yield index * every_s, x, y
        course += draw.gauss(0, 0.3)
        x, y = x + 6 * every_s * math.sin(course), y + 6 * every_s * math.cos(course)


def noisy(seed, radius_m):
    draw, sigma = random.Random(f"noise{seed}"), radius_m / 1.51
    way = list(ride(seed))
    return way, [fix(t, x + draw.gauss(0, sigma), y + draw.gauss(0, sigma), radius_m) for t, x, y in way]


def test_one_fix_is_itself():
    (one,) = smooth([fix(0, 0, 0, 12.0)])
    assert (one.place.lat, one.place.lon, one.place.radius_m) == (25.1, 102.7, 12.0)


def test_a_smoothed_ride_is_nearer_to_the_truth_than_its_fixes():
    raw = after = 0.0
    for seed in range(5):
        way, seen = noisy(seed, 60.0)
        raw += sum(
            distance_m(s.place.lat, s.place.lon, *FRAME.to_degrees(x, y))
            for s, (_, x, y) in zip(seen, way, strict=True)
        )
        after += sum(off_m(one, x, y) for one, (_, x, y) in zip(smooth(seen), way, strict=True))
    assert after < 0.8 * raw


@pytest.mark.parametrize(("way_of", "most"), [(filtered, 0.85), (smooth, 0.95)])
def test_the_radius_holds_about_68_percent_of_the_truths(way_of, most):
    """Hindsight may be surer than it says: it does not count on it that errors of neighbouring fixes differ."""
    inside = count = 0
    for seed in range(12):
        way, seen = noisy(seed, 60.0)
        for one, (_, x, y) in zip(way_of(seen), way, strict=True):
            inside += off_m(one, x, y) <= one.place.radius_m
            count += 1
    assert 0.6 < inside / count < most


@pytest.mark.parametrize("spoofed", [[20], [20, 21], [59], [0]])
def test_a_jump_that_nothing_can_make_is_left_out(spoofed):
    way, seen = noisy(1, 15.0)
    for index in spoofed:
        seen[index] = fix(way[index][0], 40_000, 30_000)
    found = smooth(seen)
    assert {one.seen.time_ms for one in found} == {
        t * 1000 for i, (t, _, _) in enumerate(way) if i not in spoofed
    }
    truths = {t * 1000: (x, y) for t, x, y in way}
    assert max(off_m(one, *truths[one.seen.time_ms]) for one in found) < 60


def test_a_jump_that_a_van_could_make_is_left_out_once_the_next_fix_denies_it():
    seen = [fix(60 * index, 0, 0) for index in range(20)]
    seen[10] = fix(600, 1500, 0)
    assert 600_000 not in {one.seen.time_ms for one in smooth(seen)}
    assert max(off_m(one, 0, 0) for one in smooth(seen)) < 20


def test_a_wrong_cell_does_not_drag_what_stations_say():
    seen = [heard(30 * index, 0, 0, moving=False) for index in range(10)]
    seen.insert(5, fix(140, 15_000, 0, 800.0, "cell"))
    found = smooth(seen)
    assert [one.seen.source for one in found] == ["sightings"] * 10
    assert max(off_m(one, 0, 0) for one in found) < 120


def test_three_that_agree_are_believed_wherever_they_are():
    seen = [fix(10 * index, 0, 0) for index in range(5)]
    seen += [fix(100 + 10 * index, 300_000, 0) for index in range(3)]
    assert [one.seen for one in smooth(seen)] == seen


def test_after_hours_of_silence_a_thing_may_be_anywhere():
    seen = [fix(0, 0, 0), fix(3 * 3600, 400_000, 0)]
    assert [one.seen for one in filtered(seen)] == seen


def test_hearing_the_same_again_makes_nothing_surer():
    shadows = (6, -4, 5, -6)
    once = filtered([heard(0, 0, 0, False, shadows)])[0].place.radius_m
    often = filtered([heard(60 * index, 0, 0, False, shadows) for index in range(30)])[-1].place.radius_m
    assert often > 0.6 * once


def test_between_two_fixes_stations_place_it_on_the_way():
    """What a straight line through both fixes would say is 800 m off."""
    way = [(0, 0), (250, 400), (500, 800), (750, 400), (1000, 0)]
    seen = [
        fix(0, 0, 0),
        *(heard(60 * i, x, y, True) for i, (x, y) in enumerate(way) if 0 < i < 4),
        fix(240, 1000, 0),
    ]
    middle = smooth(seen)[2]
    assert off_m(middle, 500, 800) < 400


def test_a_measured_speed_carries_on():
    driven = Observation(0, "gnss", Estimate(*FRAME.to_degrees(0, 0), 10.0), speed_mps=10.0, course_deg=90.0)
    later = heard(20, 200, 0)
    assert off_m(filtered([driven, later])[-1], 200, 0) < 60


def test_a_ride_over_180_degrees_is_one_track():
    def at(observation):
        """The same beside the antimeridian."""
        east, north = FRAME.to_metres(observation.place.lat, observation.place.lon)
        place = LocalFrame(25.1, 180.0).to_degrees(east - 1500, north)
        return replace(observation, place=Estimate(*place, observation.place.radius_m))

    way, seen = noisy(1, 15.0)
    there = smooth([at(one) for one in seen])
    assert {one.place.lon > 0 for one in there} == {True, False}
    for one, usual, (_, x, y) in zip(there, smooth(seen), way, strict=True):
        assert -180 <= one.place.lon <= 180
        assert one.place.radius_m == pytest.approx(usual.place.radius_m, rel=1e-3)
        truth = LocalFrame(25.1, 180.0).to_degrees(x - 1500, y)
        assert distance_m(one.place.lat, one.place.lon, *truth) < 60


def test_a_year_of_a_parked_tag_is_a_handful_of_observations():
    """Seventeen thousand beacons with the noise of an hour's weather: the time goes with what is new."""
    draw = random.Random(4)
    seen = [
        heard(1800 * n, 0, 0, False, [round(draw.gauss(0, 0.5)) for _ in STATIONS]) for n in range(17_520)
    ]
    assert len(rests(seen)) < 200
    found = smooth(seen)
    assert [one.seen for one in found] == seen
    assert max(off_m(one, 0, 0) for one in found) < 200


def test_the_radius_holds_as_many_truths_when_stations_are_wrong_alike():
    """A tag that is louder than the usual one and stations that are off, for a whole ride, beside shadows."""
    inside = count = 0
    for seed in range(24):
        draw = random.Random(f"wrong{seed}")
        tag_db, station_db = draw.gauss(0, 2), [draw.gauss(0, 3) for _ in STATIONS]
        way = [(t, x / 4, y / 4) for t, x, y in ride(seed, 30)]
        seen = [
            heard(t, x, y, True, [tag_db + offset + draw.gauss(0, 4) for offset in station_db])
            for t, x, y in way
        ]
        for one, (_, x, y) in zip(smooth(seen), way, strict=True):
            inside += off_m(one, x, y) <= one.place.radius_m
            count += 1
    assert 0.58 < inside / count < 0.85


sightings_or_fixes = st.one_of(
    st.builds(fix, st.integers(0, 90_000), st.floats(-9e4, 9e4), st.floats(-9e4, 9e4), st.floats(1, 5e4)),
    st.builds(
        heard,
        st.integers(0, 90_000),
        st.floats(-900, 900),
        st.floats(-900, 900),
        st.sampled_from([None, True]),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(sightings_or_fixes, max_size=12))
def test_whatever_was_seen_the_track_is_finite_and_in_order(seen):
    seen.sort(key=lambda one: one.time_ms)
    for way_of in (filtered, smooth):
        found = way_of(seen)
        assert [one.seen for one in found] == [one for one in seen if one in [f.seen for f in found]]
        assert not seen or found
        for one in found:
            assert math.isfinite(one.place.lat) and math.isfinite(one.place.lon)
            assert 0 < one.place.radius_m < 1e6
