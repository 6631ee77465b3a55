"""A station that serves tags of both modulations: on a board with the real firmware, by turns or by two radios."""

import pytest
from groundnet.sim import groundcore_runtime
from groundnet.sim.listening import play

listening, region = groundcore_runtime.load("listening"), groundcore_runtime.load("region")


def test_one_radio_in_turns_hears_the_share_of_its_turns_and_answers_in_time():
    found = play("in turns", 90)
    assert 0.57 <= found.share("LoRa") <= 0.77 and 0.23 <= found.share("GFSK") <= 0.43
    assert found.answered["LoRa"] and found.answered["GFSK"], "each on the downlink channel of its kind"
    assert found.slowest_ms <= region.WINDOW_MS - 60


def test_two_radios_hear_and_answer_everything_that_does_not_fall_into_their_own_answers():
    found = play("two radios", 40)
    assert (found.share("LoRa"), found.share("GFSK")) == (1, 1)
    assert found.answered == {"LoRa": 4, "GFSK": 4} and found.slowest_ms <= region.WINDOW_MS - 60


def test_one_channel_is_all_a_station_hears_unless_it_is_told_otherwise():
    found = play("LoRa only", 20)
    assert (found.share("LoRa"), found.share("GFSK")) == (1, 0)


@pytest.mark.parametrize("name", sorted(region.PLANS))
def test_each_plan_has_turns_whose_partner_is_of_the_other_modulation(name):
    served = listening.plans(name, True)
    assert listening.plans(name, False) == (region.plan(name),)
    assert served[0] == region.plan(name)
    kinds = {bool(plan.beacon.spreading_factor) for plan in served}
    assert len(kinds) == len(served) == (2 if name in listening.PARTNERS else 1)
    for turn in listening.turns(served):
        assert served[turn.number].beacon == turn.channel
        assert turn.frame_ms * 1000 >= region.airtime_us(turn.channel, 24)
        assert turn.dwell_ms > 4 * turn.frame_ms


def test_a_region_that_nobody_knows_has_no_turns():
    assert listening.plans("atlantis", True) == ()
