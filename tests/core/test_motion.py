"""The judge of motion on the motion profiles of the virtual bench, and every row of its table."""

import math
import random
from collections import Counter
from itertools import pairwise

import pytest
from core.devices import DEVICE_ID, Bench, records
from groundcore import events, motion
from groundcore.fall import FallJudge
from groundcore.motion import MotionJudge
from groundcore.tracker import Tracker
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.motion_segment import Tilt
from hypothesis import given, settings
from hypothesis import strategies as st

SAMPLE_US = 1_000_000 // motion.SAMPLE_HZ
NOISE_MG = 4.5  # LIS2DW12, low-power mode 1 (datasheet table 3)
LEAD_S = 15  # standing still before something happens, to arm


def rotation(stream) -> list[list[float]]:
    """Any rotation, all alike likely: from a unit quaternion."""
    a, b, c, d = (stream.gauss(0, 1) for _ in range(4))
    size = math.sqrt(a * a + b * b + c * c + d * d)
    a, b, c, d = a / size, b / size, c / size, d / size
    return [
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a - b * b + c * c - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a - b * b - c * c + d * d],
    ]


def turned(matrix, vector) -> list[float]:
    return [sum(row[axis] * vector[axis] for axis in range(3)) for row in matrix]


def recording(seed, build, lead_s=LEAD_S, tail_s=5) -> list[list[int]]:
    """Samples in milli-g of one profile on a random mount, clipped as the part clips them."""
    stream = random.Random(seed)
    profile = MotionProfile(stream, Tilt(stream.uniform(-8, 8), stream.uniform(-8, 8))).still(lead_s)
    build(profile)
    profile.still(tail_s)
    mount = rotation(stream)
    samples = []
    for time_us in range(stream.randrange(SAMPLE_US), profile.end_us, SAMPLE_US):
        felt = turned(mount, profile.acceleration_g(time_us))
        samples.append(
            [max(-2000, min(round(axis * 1000 + stream.gauss(0, NOISE_MG)), 2000)) for axis in felt]
        )
    return samples


def judged(samples, judge=None) -> list[tuple[float, str]]:
    """(seconds since the movement began, verdict) for each verdict."""
    judge = judge or MotionJudge()
    found = []
    for index, sample in enumerate(samples):
        for verdict in judge.feed(sample, 1):
            found.append((index / motion.SAMPLE_HZ - LEAD_S, motion.VERDICTS[verdict]))
    assert judge.armed
    return found


def verdicts(seed, build, judge=None) -> list[tuple[float, str]]:
    return judged(recording(seed, build), judge)


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


# Of 50 seeds: how many recordings hold each verdict.
TABLE = {
    "wind": (lambda p: p.wind(300), {}),
    "rain": (lambda p: p.rain(120), {}),
    "truck": (lambda p: p.truck(1.5), {}),
    "bump": (lambda p: p.bump(), {"bump": (10, 50)}),
    "shared rack": (lambda p: p.rack(120), {"bump": (1, 50)}),
    "storm with loose parts": (
        lambda p: p.storm(300),
        {"bump": (0, 50), "tamper": (0, 6), "rolling": (0, 12)},
    ),
    "fall": (lambda p: p.fall(), {"fallen": (50, 50)}),
    "lifted": (lambda p: p.lift(), {"lifted": (50, 50)}),
    "turned over": (lambda p: p.lift(80, 4), {"lifted": (50, 50)}),
    "rolling": (lambda p: p.ride(10), {"rolling": (50, 50), "lifted": (0, 5), "bump": (0, 3)}),
    "pushing": (lambda p: p.walk(10), {"rolling": (50, 50), "bump": (0, 3)}),
    "van": (lambda p: p.van(60), {"transported": (50, 50)}),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_table_of_profiles_over_fifty_seeds(name):
    build, expected = TABLE[name]
    counts = Counter()
    for seed in range(50):
        counts.update(kinds(verdicts(seed, build)))
    assert counts.keys() <= expected.keys(), counts
    for verdict, (fewest, most) in expected.items():
        assert fewest <= counts[verdict] <= most, counts


@pytest.mark.parametrize("seed", SEEDS)
def test_a_theft_in_a_storm_is_found_soon(seed):
    """The bar is raised by then."""
    gone = recording(seed, lambda p: p.storm(300).still(3).walk(10))
    began_s = len(gone) / motion.SAMPLE_HZ - LEAD_S - 15
    later = [
        time_s - began_s for time_s, verdict in judged(gone) if verdict == "rolling" and time_s > began_s
    ]
    assert later and later[0] < 5


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 49),
    st.sampled_from(["fall", "lifted", "pushing", "bump"]),
    st.permutations(range(3)),
    st.tuples(*[st.sampled_from((-1, 1))] * 3),
)
def test_the_24_turns_of_a_cube_change_nothing_at_all(seed, name, order, signs):
    """Mirrored too: every axis may be any other, with either sign."""
    samples = recording(seed, TABLE[name][0])
    other = [[sign * sample[axis] for axis, sign in zip(order, signs, strict=True)] for sample in samples]
    assert judged(other) == judged(samples)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 49),
    st.sampled_from(["fall", "lifted", "pushing", "van"]),
    st.integers(0, 10**6),
)
def test_any_rotation_gives_the_same_features(seed, name, turn):
    """Within the rounding to whole milli-g."""
    matrix = rotation(random.Random(turn))
    plain, rotated = MotionJudge(), MotionJudge()
    for sample in recording(seed, TABLE[name][0]):
        plain.feed(sample, 1)
        rotated.feed([round(axis) for axis in turned(matrix, sample)], 1)
        assert rotated.window.change_mg == pytest.approx(plain.window.change_mg, abs=3)
        assert rotated.window.sway_mg == pytest.approx(plain.window.sway_mg, abs=3)
    assert rotated.armed == plain.armed


def test_arming_again_on_the_other_stand_takes_the_new_mount():
    judge = MotionJudge()
    upright, leaning = [0, 0, 1000] * 16, [0, 500, 866] * 16
    for _ in range(5):
        judge.feed(upright, 16)
    assert judge.feed(leaning, 16) + judge.feed(leaning, 16) == [motion.LIFTED]
    judge.disarm()
    assert [judge.feed(leaning, 16) for _ in range(12)] == [[]] * 12
    assert judge.armed and judge.quiet
    assert judge.feed(upright, 16) + judge.feed(upright, 16) == [motion.LIFTED]


def test_what_fell_is_guarded_as_it_lies():
    judge = MotionJudge()
    upright, lying = [0, 0, 1000] * 16, [0, 980, 170] * 16
    for _ in range(5):
        judge.feed(upright, 16)
    assert judge.feed(lying, 16) + judge.feed(lying, 16) == [motion.FALLEN]
    assert [judge.feed(lying, 16) for _ in range(10)] == [[]] * 10
    leaning = [0, 700, 714] * 16
    assert judge.feed(leaning, 16) + judge.feed(leaning, 16) == [motion.LIFTED]


def falls(seed, build) -> int:
    judge = FallJudge()
    return sum(judge.feed(sample, 1) for sample in recording(seed, build, 5, 10))


def test_a_wearer_who_falls_and_lies_still():
    """A fall onto soft ground, or with the arm ahead, has no blow and is missed."""
    found = [falls(seed, lambda p: p.walk(5).collapse()) for seed in range(50)]
    assert max(found) == 1
    assert sum(found) >= 45


@pytest.mark.parametrize(
    "build",
    [lambda p: p.jump(), lambda p: p.walk(20), lambda p: p.ride(20), lambda p: p.fall()],
    ids=["jump", "walk", "ride", "bike falls"],
)
def test_who_jumps_walks_or_rides_has_not_fallen(build):
    assert sum(falls(seed, build) for seed in range(50)) == 0


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
CLASSES = (
    motion.STILL,
    motion.STIR,
    motion.SHAKE,
    motion.TILTED,
    motion.LEANT,
    motion.OVER,
    motion.LAIN,
)


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


def test_the_fall_of_a_wearer_reaches_the_collector_and_the_phone():
    bench = Bench(Tracker(DEVICE_ID, records("wearable", owner_phone="+385", collector_host="c"), bytes))
    bench.give(events.BOOT, events.BOOT_POWER_ON)
    bench.give(events.MODEM_READY)
    flat = [axis for sample in recording(1, lambda p: p.walk(5).collapse(), 5, 1) for axis in sample]
    for at in range(0, len(flat), 24):
        bench.now_ms += motion.SAMPLE_PERIOD_MS
        piece = flat[at : at + 24]
        bench.give(events.SAMPLES, piece, len(piece) // 3)
    assert [action[1] for _, action in bench.sent(events.BUZZ)] == [8], "asked first"
    assert not bench.sent(events.SEND_SMS)
    bench.now_ms += 20_000
    bench.give(events.TICK)
    (text,) = bench.sent(events.SEND_SMS)
    assert "+385" in text[1]
    assert not bench.sent(events.SIREN)
