"""The alarm by degrees: every row of the table, and the paths that matter."""

import pytest
from groundcore import escalation, motion
from groundcore.escalation import Escalation

STILL_AFTER_MS = 120_000


def at(state) -> Escalation:
    alarm = Escalation(STILL_AFTER_MS)
    alarm.state = state
    return alarm


@pytest.mark.parametrize("row", escalation.TRANSITIONS, ids=str)
def test_every_row(row):
    state, what = row
    alarm = at(state)
    next_state, out = escalation.TRANSITIONS[row]
    assert alarm.take(what) == out
    assert alarm.state == next_state


STATES = sorted(escalation.LEVELS)
INPUTS = sorted({what for _, what in escalation.TRANSITIONS} | {escalation.SILENT})


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", INPUTS)
def test_what_is_not_in_the_table_changes_nothing(state, what):
    if (state, what) not in escalation.TRANSITIONS:
        alarm = at(state)
        assert alarm.take(what) == 0
        assert alarm.state == state


def test_every_alarm_ends_when_it_is_calm_and_no_movement_lowers_it():
    for state in set(STATES) - {escalation.QUIET}:
        assert escalation.TRANSITIONS[state, escalation.CALM][0] == escalation.QUIET
    for (state, what), (next_state, _) in escalation.TRANSITIONS.items():
        if what != escalation.CALM:
            assert escalation.LEVELS[next_state] >= escalation.LEVELS[state]


def test_one_knock_makes_no_sound():
    alarm = at(escalation.QUIET)
    assert alarm.verdict(motion.BUMP, 0) == 0
    assert alarm.check(29_999) == 0
    assert alarm.state == escalation.NOTED
    alarm.check(30_000)
    assert alarm.state == escalation.QUIET
    assert alarm.next_deadline() is None


def test_lifting_chirps_and_going_on_sounds_the_siren():
    alarm = at(escalation.QUIET)
    first = alarm.verdict(motion.LIFTED, 0)
    assert first & escalation.CHIRP and first & escalation.REPORT and first & escalation.LOCATE
    assert not first & (escalation.SIREN | escalation.TEXT)
    second = alarm.verdict(motion.ROLLING, 640)
    assert second & escalation.SIREN and second & escalation.TEXT
    assert alarm.level == 2


def test_a_storm_alone_never_makes_a_sound_but_a_new_place_does():
    alarm = at(escalation.QUIET)
    assert alarm.verdict(motion.TRANSPORTED, 0) == escalation.LOCATE
    assert alarm.verdict(motion.TRANSPORTED, 26_000) == 0
    assert alarm.take(escalation.GONE) & escalation.SIREN
    assert alarm.level == 3


def test_movement_during_the_cool_down_starts_it_again():
    alarm = at(escalation.FOLLOWING)
    alarm.verdict(motion.ROLLING, 100_000)
    assert alarm.check(219_999) == 0
    assert alarm.check(220_000) == escalation.REARM
    assert alarm.verdict(motion.LIFTED, 220_001) & escalation.CHIRP
