"""The judge of motion on the motion profiles of the virtual bench, and every row of its table."""

import random
from itertools import pairwise

import pytest
from groundcore import motion
from groundcore.motion import MotionJudge
from groundnet.sim.motion_profile import MotionProfile, Tilt

SAMPLE_US = 1_000_000 // motion.SAMPLE_HZ
NOISE_MG = 4.5  # LIS2DW12, low-power mode 1 (datasheet table 3)
LEAD_S = 15  # standing still before something happens, to arm


def verdicts(seed, build, judge=None) -> list[tuple[float, str]]:
    """(seconds since the movement began, verdict) for one profile on a random mount."""
    stream = random.Random(seed)
    mount = Tilt(stream.uniform(-180, 180), stream.uniform(-90, 90))
    profile = MotionProfile(stream, mount).still(LEAD_S)
    build(profile)
    profile.still(5)
    judge = judge or MotionJudge()
    found = []
    time_us = stream.randrange(SAMPLE_US)
    while time_us < profile.end_us:
        sample = [round(axis * 1000 + stream.gauss(0, NOISE_MG)) for axis in profile.acceleration_g(time_us)]
        for verdict in judge.feed(sample, 1):
            found.append((time_us / 1e6 - LEAD_S, motion.VERDICTS[verdict]))
        time_us += SAMPLE_US
    assert judge.armed
    return found


def kinds(found) -> set[str]:
    return {verdict for _, verdict in found}


SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("build", [lambda p: p.wind(900), lambda p: p.truck(), lambda p: p.truck(1.5)])
def test_wind_and_trucks_are_nothing(seed, build):
    assert verdicts(seed, build) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mudguard_that_rattles_in_the_wind_is_a_bump_at_most(seed):
    assert kinds(verdicts(seed, lambda p: p.wind(1800, 1.0, 0.16))) <= {"bump"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("peak_g", [0.5, 0.8, 1.5])
def test_a_knock_is_a_bump_at_most(seed, peak_g):
    assert kinds(verdicts(seed, lambda p: p.bump(peak_g))) <= {"bump"}


@pytest.mark.parametrize("seed", SEEDS)
def test_knocks_that_go_on_are_tampering(seed):
    def knock(profile):
        for _ in range(6):
            profile.bump(1.5).still(3)

    found = kinds(verdicts(seed, knock))
    assert "tamper" in found
    assert not found & {"lifted", "rolling"}


REAL = [
    ("lift", lambda p: p.lift()),
    ("walk", lambda p: p.walk(10)),
    ("ride", lambda p: p.ride(10)),
    ("lift and walk", lambda p: p.lift().walk(10)),
]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "build"), REAL, ids=[name for name, _ in REAL])
def test_real_movement_is_known_within_three_seconds(seed, name, build):
    real = [time_s for time_s, verdict in verdicts(seed, build) if verdict in ("lifted", "rolling")]
    assert real
    # samples reach the judge up to one period late
    assert real[0] + motion.SAMPLE_PERIOD_MS / 1000 <= 3.0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_van_is_suspected_and_not_more(seed):
    found = verdicts(seed, lambda p: p.van(60))
    assert "transported" in kinds(found)
    assert not kinds(found) & {"lifted", "rolling"}


def test_a_slow_tilt_without_a_jerk_is_lifted():
    judge = MotionJudge()
    level = [0, 0, 1000] * 16
    leaning = [500, 0, 866] * 16
    for _ in range(4):
        assert judge.feed(level, 16) == []
    assert judge.feed(leaning, 16) == []
    assert judge.feed(leaning, 16) == [motion.LIFTED]
    assert judge.feed(leaning, 16) == []  # it lies there: said once


def test_tilt_below_fifteen_degrees_is_nothing():
    judge = MotionJudge()
    for _ in range(4):
        judge.feed([0, 0, 1000] * 16, 16)
    for _ in range(10):
        assert judge.feed([240, 0, 970] * 16, 16) == []


def test_arming_needs_four_still_windows_in_a_row():
    judge = MotionJudge()
    still, shaken = [0, 0, 1000] * 16, [0, 0, 1000, 300, 0, 1000] * 8
    for windows in (still, still, still, shaken, still, still, still):
        judge.feed(windows, 16)
        assert not judge.armed
    judge.feed(still, 16)
    assert judge.armed


def test_quiet_after_five_seconds_and_again_after_a_restart():
    judge = MotionJudge()
    for _ in range(7):
        judge.feed([0, 0, 1000] * 16, 16)
    assert not judge.quiet
    judge.feed([0, 0, 1000] * 16, 16)
    assert judge.quiet
    judge.restart()
    assert not judge.quiet


STATES = {state for state, _ in motion.TRANSITIONS}
CLASSES = (motion.STILL, motion.STIR, motion.SHAKE, motion.TILTED, motion.LEANT)


def test_the_table_is_whole():
    assert set(motion.TRANSITIONS) == {(state, kind) for state in STATES for kind in CLASSES}
    assert {state for state, _ in motion.TRANSITIONS.values()} == STATES


@pytest.mark.parametrize("row", motion.TRANSITIONS, ids=str)
def test_every_row_is_carried_out(row, monkeypatch):
    state, kind = row
    judge = MotionJudge()
    monkeypatch.setattr(judge, "_classify", lambda: kind)
    judge.state = state
    next_state, verdict = motion.TRANSITIONS[row]
    assert judge.feed([0, 0, 1000] * 16, 16) == ([verdict] if verdict else [])
    assert judge.state == next_state


def test_every_state_leads_back_to_rest():
    """Stillness ends everything but a lasting tilt."""
    for state in STATES:
        assert motion.TRANSITIONS[state, motion.STILL][0] == motion.REST


def test_sample_pieces_do_not_matter():
    build = REAL[1][1]
    whole = verdicts(3, build)
    assert whole == verdicts(3, build)
    assert all(earlier <= later for (earlier, _), (later, _) in pairwise(whole))
