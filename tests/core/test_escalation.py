"""The alarm by degrees: every row of the table, and the paths that matter."""

import pytest
from core.tables import assert_every_row_is_visited
from groundcore import escalation, motion
from groundcore.escalation import Escalation
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

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


def test_every_row_is_visited_through_the_public_calls(monkeypatch):
    """Verdicts and calm reach their rows as the guard makes them, not by their names."""
    verdict_of = {what: verdict for verdict, what in escalation._INPUT_OF.items()}
    table = dict(escalation.TRANSITIONS)

    def play(state, what):
        alarm = at(state)
        if what == escalation.CALM:
            out = alarm.check(alarm.next_deadline())
        elif what in verdict_of:
            out = alarm.verdict(verdict_of[what], 0)
        else:
            out = alarm.take(what)
        assert (alarm.state, out) == table[state, what]

    assert_every_row_is_visited(escalation, monkeypatch, play)


def test_the_walker_tells_of_a_row_that_nothing_reached(monkeypatch):
    with pytest.raises(AssertionError, match="nothing reached"):
        assert_every_row_is_visited(escalation, monkeypatch, lambda state, what: None)


def test_a_vehicle_that_was_blown_over_is_reported_without_a_sound():
    alarm = at(escalation.QUIET)
    assert alarm.verdict(motion.FALLEN, 0) == escalation.REPORT
    assert alarm.level == 0
    assert alarm.verdict(motion.LIFTED, 1000) & escalation.CHIRP


class AlarmMachine(RuleBasedStateMachine):
    """Whatever came before, and in whatever cool-down: a movement that persists is reported by its second verdict.

    The alarm is already at its end (position is followed and was reported) or the movement brings it there.
    """

    def __init__(self):
        super().__init__()
        self.alarm = Escalation(STILL_AFTER_MS)
        self.now_ms = 0
        self.reported = False  # since it was quiet last

    def _took(self, out):
        self.reported = self.reported or bool(out & escalation.REPORT)

    @rule(verdict=st.sampled_from(sorted(escalation._INPUT_OF)))
    def verdict(self, verdict):
        self._took(self.alarm.verdict(verdict, self.now_ms))

    @rule(what=st.sampled_from([escalation.GONE, escalation.SILENT]))
    def other(self, what):
        self._took(self.alarm.take(what))

    @rule(passed_ms=st.sampled_from([1, 640, 29_999, 30_000, 60_000, 119_999, 120_000]))
    def time_passes(self, passed_ms):
        self.now_ms += passed_ms
        self.alarm.check(self.now_ms)
        if self.alarm.state == escalation.QUIET:
            self.reported = False

    @rule(verdict=st.sampled_from([motion.LIFTED, motion.ROLLING]))
    def a_movement_persists(self, verdict):
        for _ in range(2):
            self._took(self.alarm.verdict(verdict, self.now_ms))
            self.now_ms += 3840
        assert self.reported
        assert self.alarm.level >= 2

    @invariant()
    def no_alarm_without_a_report(self):
        assert self.reported or self.alarm.level <= 1


AlarmMachine.TestCase.settings = settings(max_examples=60, deadline=None)
test_no_sequence_loses_a_movement = AlarmMachine.TestCase
