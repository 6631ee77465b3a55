"""What a place errs: new errors average out, common ones stay, and change when the thing gets to another side."""

import math
import random

import pytest
from groundnet.collector.places.error_budget import ErrorBudget
from groundnet.collector.places.observation import LONGEST_REST_MS, Observation, rests
from groundnet.collector.places.position import Ear, Estimate
from hypothesis import given
from hypothesis import strategies as st


def test_new_errors_average_out_and_a_common_one_does_not():
    budget = ErrorBudget().told(0.0, 100.0, 400.0)
    assert budget.variance == pytest.approx(500.0)
    for count in range(1, 100):
        budget = budget.told(count / (count + 1), 100.0, 400.0)
    assert budget.new_m2 == pytest.approx(1.0)
    assert budget.variance == pytest.approx(401.0)


def test_the_budget_is_what_errors_really_are():
    """Against errors that are drawn: a walk of 12 places with an autocorrelated error, weighed by a fixed gain."""
    draw, kept, fade = random.Random(1), 0.7, math.exp(-30 / 100)
    squares, runs = 0.0, 20_000
    for _ in range(runs):
        place, common = 0.0, draw.gauss(0, 1)
        for step in range(12):
            common = common if step == 0 else fade * common + math.sqrt(1 - fade**2) * draw.gauss(0, 1)
            error = 3 * common + draw.gauss(0, 2)
            place = error if step == 0 else kept * (place + draw.gauss(0, 1)) + (1 - kept) * error
        squares += place * place
    budget = ErrorBudget().told(0.0, 4.0, 9.0)
    for _ in range(11):
        budget = budget.moved(30, 100, 1.0).told(kept, 4.0, 9.0)
    assert budget.variance == pytest.approx(squares / runs, rel=0.05)


@given(
    st.tuples(*[st.floats(0, 1e6)] * 3),
    st.tuples(*[st.floats(0, 1e6)] * 3),
    st.floats(0, 1),
    st.floats(0, 1e5),
)
def test_mixing_and_moving_invents_no_certainty(one, other, share, metres):
    one, other = (ErrorBudget(a, math.sqrt(b), c) for a, b, c in (one, other))
    assert one.moved(metres, 100.0, 5.0).variance == pytest.approx(one.variance + 5.0)
    mixed = one.mixed(other, share).variance
    assert mixed <= (1 + 1e-9) * max(one.variance, other.variance) + 1e-9
    assert one.mixed(one, share).variance >= one.present_m**2 - 1e-6


def heard(time_s, *levels, moving=False):
    ears = tuple(Ear(45.0, 13.0 + 0.01 * index, level) for index, level in enumerate(levels))
    return Observation(time_s * 1000, "sightings", ears=ears, moving=moving)


def test_the_same_heard_again_is_one_rest():
    parked = [heard(1800 * index, -100 + index % 3, -110) for index in range(50)]
    assert [rest.members for rest in rests(parked)] == [tuple(parked)]
    assert rests(parked)[0].until_ms == 49 * 1_800_000


@pytest.mark.parametrize(
    "then",
    [
        heard(60, -100, -110, moving=True),
        heard(60, -100, -110, moving=None),
        heard(60, -100, -114),
        heard(60, -100),
        heard(60, -100, -110, -120),
        heard(LONGEST_REST_MS // 1000 + 1, -100, -110),
        Observation(60_000, "gnss", Estimate(45.0, 13.0, 5.0), moving=False),
    ],
)
def test_whatever_may_be_elsewhere_is_no_rest(then):
    assert len(rests([heard(0, -100, -110), then])) == 2


def test_what_tells_no_place_is_nothing():
    assert rests([Observation(0, "sightings")]) == []
