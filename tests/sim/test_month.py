"""A month of one tracker: judged honestly, repeatable from its seed, and robust against what goes wrong."""

import dataclasses
import json

import pytest
from groundnet.cli.sim import app
from groundnet.errors import GroundnetError
from groundnet.sim.groundcore_runtime import load
from groundnet.sim.month import play as play_module
from groundnet.sim.month.faults import HOUR_US, Faults, Spells
from groundnet.sim.month.play import play
from groundnet.sim.month.script import write
from groundnet.sim.month.senses import Accelerometer
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.world import US_PER_S, World
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def week():
    return play(seed=5, days=3, thefts=3)


def test_no_theft_is_missed_and_nobody_is_woken_for_nothing(week):
    assert week.missed == 0
    assert [outcome.kind for outcome in week.thefts] == ["ride", "walk", "van"]
    assert week.false_alarms == week.false_sirens == 0


def test_the_same_seed_gives_the_same_month(week):
    assert play(seed=5, days=3, thefts=3) == week
    assert play(seed=6, days=3, thefts=3) != week


def test_every_theft_is_answered_by_a_beacon_and_the_siren(week):
    for outcome in week.thefts:
        assert outcome.beacon_s is not None and outcome.siren_s is not None
        assert outcome.report_s is not None and outcome.beacon_s <= outcome.report_s


def test_a_month_without_thefts_has_no_outcomes():
    quiet = play(seed=2, days=2, thefts=0)
    assert quiet.thefts == ()
    assert quiet.missed == 0
    assert quiet.median_s("report_s") is None


def test_a_guard_that_judges_nothing_misses_every_theft(monkeypatch):
    judge = load("motion").MotionJudge
    feed = judge.feed
    monkeypatch.setattr(judge, "feed", lambda *arguments: feed(*arguments)[:0])
    deaf = play(seed=5, days=2, thefts=1)
    assert deaf.missed == 1


def test_alarms_outside_a_theft_are_false(monkeypatch):
    def write_and_hide(*arguments):
        return dataclasses.replace(write(*arguments), thefts=())

    monkeypatch.setattr(play_module, "write", write_and_hide)
    hidden = play(seed=5, days=2, thefts=1)
    assert hidden.thefts == ()
    assert hidden.false_alarms > 0 and hidden.false_sirens > 0


@pytest.mark.parametrize(("days", "thefts"), [(1, 0), (367, 0), (2, 3), (2, -1)])
def test_impossible_months_are_refused(days, thefts):
    with pytest.raises(GroundnetError):
        play(1, days, thefts)


def test_spells_come_as_often_and_last_as_long_as_asked():
    spells = Spells.drawn(World(3).random("spells"), days=400, a_day=4, mean_s=480)
    count = len(spells.begin_us)
    assert 0.9 < count / 1600 < 1.1
    lasted_s = sum(end - begin for begin, end in zip(spells.begin_us, spells.end_us, strict=True)) / US_PER_S
    assert 430 < lasted_s / count < 530
    assert spells.holds(spells.begin_us[7]) and not spells.holds(spells.end_us[7])
    assert not spells.holds(spells.begin_us[0] - 1)
    assert spells.edges()[:2] == [(spells.begin_us[0], True), (spells.end_us[0], False)]
    assert Spells.drawn(World(3).random("none"), 30, 0, 1.0).edges() == []
    assert Faults.drawn(World(1).random("f"), 30).noise.begin_us


def test_the_bike_is_where_the_story_says():
    world = World(4)
    script = write(world.random("script"), 10, 3, world.start_unix_ms)
    for theft in script.thefts:
        unix_ms = world.start_unix_ms + theft.at_us // 1000
        before, after = script.journey.position(unix_ms), script.journey.position(unix_ms + 1_200_000)
        assert before[:2] != after[:2]
        assert script.motion.segment_at(theft.at_us).kind == "lift"
        assert script.motion.segment_at(theft.at_us - 60 * US_PER_S).kind == "still"
    back = script.journey.position(unix_ms + 2 * 3_600_000)
    assert back[:2] == pytest.approx(before[:2])


def test_knocks_wake_and_silence_does_not():
    woke = 0
    for seed in range(8):
        motion = MotionProfile(World(seed).random("knock")).still(100).bump()
        sensor = Accelerometer(motion, World(seed).random("noise"))
        wake_us = sensor.next_wake_us(0, 63, HOUR_US)
        woke += wake_us is not None and 100 <= wake_us / US_PER_S < 101
        assert sensor.next_wake_us(0, 63, 90 * US_PER_S) is None
        x, y, z = sensor.samples(50 * US_PER_S, 1)
        assert abs(x) < 40 and abs(y) < 40 and 960 < z < 1040
    assert woke >= 3  # it takes two samples running: some knocks are too short, thefts are not


def test_the_command_tells_people_and_machines():
    done = CliRunner().invoke(app, ["month", "--days", "2", "--thefts", "1", "--seed", "5"])
    assert done.exit_code == 0, done.output
    assert "0 of 1 thefts missed" in done.output and "mAh a day" in done.output
    done = CliRunner().invoke(app, ["month", "--days", "2", "--thefts", "1", "--seed", "5", "--json"])
    assert json.loads(done.output)["missed"] == 0
