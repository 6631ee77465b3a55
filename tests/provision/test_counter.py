"""The counter's screen as a table: every state with every event, and what the rows add up to."""

import itertools

import pytest
from groundnet.provision.counter import (
    FORGET_AFTER_MS,
    STEPS,
    TABLE,
    TAKES_ENTRIES,
    Action,
    Counter,
    Event,
    News,
    State,
    Tag,
)
from groundnet.provision.refusal import REASONS
from groundnet.provision.subject import Draft

TAG = Tag(bytes(7) + b"\x01", "tag", "xiao_c3_sx1262", "0.1.0", ("accelerometer",))
OTHER = Tag(bytes(7) + b"\x02", "tag", "xiao_c3_sx1262", "0.1.0", ("accelerometer",))
DRAFT = Draft("vehicle", "A12345", "云", "13800000000")
REASON = REASONS["silent"]


def news(event: Event) -> News:
    """An event as the counter's driver tells it."""
    if event is Event.TAG:
        return News(event, tag=OTHER)
    if event is Event.SAME_TAG:
        return News(Event.TAG, tag=TAG)
    if event in (Event.REFUSED, Event.FAILED, Event.CUT, Event.NOTICE):
        return News(event, reason=REASON, support="48-0000")
    if event in (Event.DRAFT, Event.ORDER):
        return News(event, draft=DRAFT)
    return News(event, tag_id="GN-0001X" if event is Event.WRITTEN else "")


def counter_in(state: State) -> Counter:
    return Counter(state=state, tag=TAG, draft=DRAFT, since_ms=1_000)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_every_state_with_every_event(state, event):
    counter = counter_in(state)
    action = counter.handle(news(event), 2_000)
    if event in (Event.NOTICE, Event.DRAFT):
        assert (counter.state, action) == (state, None)
        assert counter.version == (state in TAKES_ENTRIES)
        return
    row = TABLE.get((state, event))
    if row is None:
        assert (counter.state, action, counter.version, counter.since_ms) == (state, None, 0, 1_000)
        return
    then, wanted = row
    assert (counter.state, counter.version, counter.since_ms) == (then, 1, 2_000)
    if wanted is Action.FORGET:
        assert action is None and counter.draft == Draft("vehicle", province="云")
    else:
        assert action is wanted and counter.draft == DRAFT


def test_every_state_has_one_step_and_a_way_in_and_out():
    assert sorted(itertools.chain(*STEPS.values())) == sorted(State)
    for state in State:
        assert any(row[0] is state for (begin, _), row in TABLE.items() if begin is not state) or (
            state is State.WAITING
        )
        assert any(begin is state and row[0] is not state for (begin, _), row in TABLE.items())


def test_work_begins_only_where_it_is_asked_for_and_always_leads_to_its_state():
    busy = {Action.WRITE: State.WRITING, Action.LOCK: State.LOCKING, Action.UNDO: State.UNDOING}
    for (_, event), (state, action) in TABLE.items():
        assert busy.get(action) is (state if action in busy else None)
        if state in busy.values():
            assert event in (Event.ORDER, Event.ADVANCE, Event.BACK, Event.SAME_TAG, Event.APPROVED)


def test_nothing_is_locked_before_print_and_nothing_undone_after():
    """Undo until print: no way leads from locking to undoing."""
    reach = {State.LOCKING}
    while (
        more := {
            then
            for (begin, _), (then, _) in TABLE.items()
            if begin in reach and then not in (State.WAITING, State.FOUND)
        }
        - reach
    ):
        reach |= more
    assert not reach & {State.UNDOING, State.UNDONE, State.WRITING}


def test_the_whole_way():
    counter = Counter()
    told = [
        (News(Event.APPEARED), State.LOOKING, None),
        (News(Event.TAG, tag=TAG), State.FOUND, None),
        (News(Event.CARD), State.CARDED, None),
        (News(Event.ORDER, draft=DRAFT), State.WRITING, Action.WRITE),
        (News(Event.WRITTEN, tag_id="GN-0001X"), State.VERIFIED, None),
        (News(Event.ADVANCE), State.LOCKING, Action.LOCK),
        (News(Event.LOCKED), State.DONE, None),
        (News(Event.GONE), State.WAITING, None),
    ]
    steps = []
    for time_ms, (one, state, action) in enumerate(told):
        assert (counter.handle(one, time_ms), counter.state) == (action, state)
        steps.append(counter.step)
        assert counter.tag_id == ("GN-0001X" if state in (State.VERIFIED, State.LOCKING, State.DONE) else "")
    assert steps == [1, 2, 2, 3, 4, 4, 4, 1]
    assert counter.draft == Draft("vehicle", province="云") and counter.tag is None


def test_tags_without_a_printed_card_are_asked_for_none():
    counter = Counter(cards=False, state=State.LOOKING)
    counter.handle(News(Event.TAG, tag=TAG), 0)
    assert counter.state is State.CARDED


def test_a_tag_pulled_in_the_middle_goes_on_when_the_same_one_returns():
    counter = counter_in(State.WRITING)
    counter.handle(News(Event.CUT), 5)
    assert (counter.state, counter.notice.reason.name) == (State.CUT_WRITING, "cut_off")
    assert counter.handle(News(Event.REFUSED, reason=REASON), 6) is None
    assert (counter.state, counter.notice.reason) == (State.CUT_WRITING, REASON)
    assert counter.handle(News(Event.TAG, tag=TAG), 7) is Action.WRITE


def test_another_tag_in_its_place_is_never_written_by_itself():
    counter = counter_in(State.CUT_LOCKING)
    assert counter.handle(News(Event.TAG, tag=OTHER), 7) is None
    assert (counter.state, counter.tag, counter.draft) == (State.FOUND, OTHER, DRAFT)


def test_a_scan_that_is_refused_leaves_everything_as_it_was_and_the_next_entry_clears_it():
    counter = counter_in(State.CARDED)
    counter.handle(News(Event.NOTICE, reason=REASONS["label_damaged"]), 3)
    assert (counter.state, counter.draft, counter.notice.reason.number) == (State.CARDED, DRAFT, 21)
    counter.handle(News(Event.DRAFT, draft=DRAFT), 4)
    assert counter.notice is None


@pytest.mark.parametrize("state", [state for state, event in TABLE if event is Event.TICK])
def test_what_an_owner_said_is_forgotten_when_nobody_goes_on(state):
    counter = counter_in(state)
    deadline_ms = counter.next_deadline_ms()
    assert deadline_ms == 1_000 + FORGET_AFTER_MS
    counter.handle(News(Event.TICK), deadline_ms)
    assert counter.draft.empty and counter.next_deadline_ms() is None


@pytest.mark.parametrize("state", [State.WRITING, State.VERIFIED, State.DONE, State.LOCKING])
def test_nothing_is_forgotten_while_the_tag_is_being_bound(state):
    assert counter_in(state).next_deadline_ms() is None
