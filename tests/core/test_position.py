"""Which fixes are believed, and what a parked device tells."""

from pathlib import Path

import pytest
from groundcore import sms
from groundcore.gnss import Fix
from groundcore.position import Anchor, Locator, Position, distance_m, unrolled
from groundnet.sim import gnss_log
from hypothesis import given
from hypothesis import strategies as st

LOGS = Path(__file__).parent / "data" / "gnss"
GOOD = Fix(1_790_000_000, 0, 452761000, 137237000, 5000, 9000, 1, 9, 90, True)


def fix(**changes) -> Fix:
    return GOOD._replace(**changes)


class Script:
    """Stands for the GNSS reader: gives prepared fixes."""

    def __init__(self, fixes):
        self.fixes = fixes

    def feed(self, data):
        return self.fixes


def believed(*fixes, skip=0) -> list[Position]:
    """The positions that a locator makes of fixes one second apart."""
    locator = Locator()
    locator._skip = skip
    places = []
    for index, one in enumerate(fixes):
        locator._reader = Script((one._replace(utc_s=one.utc_s + index),))
        if locator.feed(b"", 1000 * index):
            places.append(locator.last)
    return places


@pytest.mark.parametrize(
    "changes",
    [
        {"active": False},
        {"quality": 0},
        {"quality": 6},
        {"quality": 8},
        {"sats": 3},
        {"sats": None},
        {"hdop_c": 0},
        {"hdop_c": 251},
        {"hdop_c": None},
    ],
)
def test_bad_fixes_are_not_believed(changes):
    assert believed(fix(**changes)) == []
    assert len(believed(fix())) == 1


def test_the_first_fixes_of_a_session_are_dropped():
    locator = Locator()
    locator._reader = Script((GOOD,))
    assert [locator.feed(b"", 1000 * second) is not None for second in range(4)] == [False, False, True, True]
    locator.start()
    assert locator.feed(b"", 5000) is None


def test_an_impossible_jump_is_not_believed_until_it_lasts():
    far = fix(lat_e7=462761000)
    places = believed(fix(), far, fix(), far, far, far)
    assert [place.lat_e7 for place in places] == [452761000, 452761000, 462761000]


def test_standing_the_best_counts_and_moving_the_newest():
    locator = Locator()
    locator._skip = 0
    for index, (hdop_c, speed) in enumerate([(90, 0), (60, 0), (120, 0)]):
        locator._reader = Script((fix(hdop_c=hdop_c, speed_mm_s=speed, lat_e7=452761000 + index),))
        locator.feed(b"", 1000 * index)
    assert locator.best(3000).hdop_c == 60
    locator._reader = Script((fix(hdop_c=150, speed_mm_s=3000),))
    locator.feed(b"", 3000)
    assert locator.best(3000).hdop_c == 150
    assert locator.best(60_000) is None  # a fix is good for five seconds


def test_accuracy_follows_dilution_and_a_rolled_over_week_is_put_right():
    (place,) = believed(fix(hdop_c=200, utc_s=GOOD.utc_s - 619315200))
    assert place.accuracy_m == 10
    assert place.utc_s == GOOD.utc_s
    assert unrolled(GOOD.utc_s) == GOOD.utc_s


@given(st.integers(-3, 3), st.integers(0, 10**8))
def test_a_week_number_that_rolls_over_does_not_spoil_utc(rolls, later_s):
    near_s = GOOD.utc_s + later_s
    assert unrolled(near_s + rolls * 619315200, near_s) == near_s


def test_time_that_jumps_is_no_utc_and_no_way_to_get_far():
    """A leap of an hour, or of 1024 weeks, must not make a distant place reachable."""
    far = fix(lat_e7=462761000)
    for leap_s in (3600, 86400 * 365, -86400):
        jumped = far._replace(utc_s=far.utc_s + leap_s)
        assert len(believed(fix(), jumped, fix(), jumped)) == 2
        assert len(believed(fix(), fix(utc_s=GOOD.utc_s + leap_s))) == 1
    rolled = believed(fix(), fix(utc_s=GOOD.utc_s - 619315200), fix(utc_s=GOOD.utc_s + 619315200))
    assert [place.utc_s - GOOD.utc_s for place in rolled] == [0, 1, 2]


def test_a_wrong_first_time_is_corrected_when_several_fixes_agree():
    wrong = fix(utc_s=GOOD.utc_s + 86400)
    assert [place.utc_s for place in believed(wrong, fix(), fix(), fix())][-1] == GOOD.utc_s + 3


@pytest.mark.parametrize("log", sorted(LOGS.glob("*.log")), ids=lambda log: log.stem)
def test_real_recordings_give_sane_positions_only(log):
    """Whatever a receiver really sent: what is believed passed the gate, and is good for five seconds."""
    locator = Locator()
    for number, line in enumerate(gnss_log.recorded_lines(log)):
        if locator.feed(line, 100 * number) is not None:
            place = locator.last
            assert 0 < place.hdop_c <= 250 and place.sats >= 4 and place.accuracy_m >= 3
            assert place.utc_s >= 1735689600
        best = locator.best(100 * number)
        assert best is None or 100 * number - best.taken_ms <= 5000


@given(st.integers(-850000000, 850000000), st.integers(-1800000000, 1799999999), st.integers(-9000, 9000))
def test_distance_is_symmetric_and_crosses_the_date_line(lat_e7, lon_e7, step_e7):
    other = (lon_e7 + step_e7 + 1800000000) % 3600000000 - 1800000000
    way = distance_m(lat_e7, lon_e7, lat_e7, other)
    assert way == pytest.approx(distance_m(lat_e7, other, lat_e7, lon_e7))
    assert way <= abs(step_e7) * 0.0112


def test_a_degree_of_latitude():
    assert distance_m(450000000, 0, 460000000, 0) == pytest.approx(111_319, rel=0.001)


def place(lat_e7=452761000, speed_mm_s=0, accuracy_m=4, taken_ms=0) -> Position:
    return Position(GOOD.utc_s, 0, lat_e7, 137237000, accuracy_m, speed_mm_s, 9000, 9, 90, taken_ms)


def test_drift_around_the_anchor_is_not_movement():
    anchor = Anchor()
    anchor.hold(place())
    for metres in (5, 12, 24):
        drifted = place(lat_e7=452761000 + metres * 90, speed_mm_s=300)
        told = anchor.hold(drifted)
        assert (told.lat_e7, told.speed_mm_s, told.course_cdeg) == (452761000, 0, None)
        assert not anchor.has_left(drifted)


@pytest.mark.parametrize("changes", [{"lat_e7": 452761000 + 60 * 90}, {"speed_mm_s": 3000}])
def test_movement_leaves_the_anchor(changes):
    anchor = Anchor()
    anchor.hold(place())
    moved = place(**changes)
    assert anchor.has_left(moved)
    assert anchor.hold(moved) is moved


def test_a_better_fix_moves_the_anchor():
    anchor = Anchor()
    anchor.hold(place(accuracy_m=9))
    assert anchor.hold(place(lat_e7=452761090, accuracy_m=3)).lat_e7 == 452761090


@given(st.integers(-900000000, 900000000))
def test_degrees_in_texts(value_e7):
    assert float(sms.degrees(value_e7)) == pytest.approx(value_e7 / 1e7, abs=5.1e-6)


def test_texts():
    here = place(taken_ms=0)
    link = "https://osm.org/?mlat=45.27610&mlon=13.72370#map=17/45.27610/13.72370"
    assert sms.position("GN-1", here, 2000, "en") == "GN-1: within 4 m, now. " + link
    assert "3 min ago" in sms.position("GN-1", here, 200_000, "en")
    assert sms.position("GN-1", here, 60_000, "zh").startswith("GN-1：误差4米，60秒前。")
    assert sms.alarm("GN-1", "lifted", None, (), 0, 0, "en") == "Alarm: GN-1 is lifted. No position yet."
    cell = ((219, 1, 30001, 12345678, -91, "lte"),)
    assert "219-1-30001-12345678，5分钟前" in sms.alarm("GN-1", "rolling", None, cell, 301, 0, "zh")
    assert "219-1-30001-12345678, now." in sms.alarm("GN-1", "rolling", None, cell, 9, 0, "en")
    assert link in sms.alarm("GN-1", "rolling", here, cell, 0, 0, "en")
