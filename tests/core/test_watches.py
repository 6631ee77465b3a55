"""The watches behind the profiles, each on its own: every row of every table, and the limits of each."""

import pytest
from groundcore import escalation, events, fence, help_call, sentry
from groundcore.fence import Fence
from groundcore.help_call import HelpCall
from groundcore.position import Position
from groundcore.presence import Presence
from groundcore.sentry import Sentry
from groundcore.settings import Settings, encode
from groundcore.stillness import Stillness
from groundwire import beacon, keys
from hypothesis import given
from hypothesis import strategies as st

SECRET = bytes(range(32))
IDENTITY = keys.derive(SECRET, keys.IDENTITY)
KEY_TEXT = keys.derive_bytes(SECRET, keys.IDENTITY).hex()


def place(lat_e7, accuracy_m=5):
    return Position(1_760_000_000, 0, lat_e7, 0, accuracy_m, 0, None, 8, 100, 0)


def metres(north_m):
    return round(north_m / 0.0111319)


def beacon_of(counter, identity=IDENTITY):
    buffer = bytearray(beacon.MAX_SIZE)
    eid = keys.eid(identity, counter >> keys.EPOCH_BITS)
    size = beacon.encode_into(buffer, beacon.PLAIN, 1, 0, 12, counter, eid)
    return bytes(buffer[: beacon.protect(buffer, size, counter, keys.derive(SECRET, keys.BEACON))])


# --- help


@pytest.mark.parametrize(("state", "what"), list(help_call.TRANSITIONS))
def test_every_row_of_the_call(state, what):
    call, actions = HelpCall(), []
    call.state = state
    call.cause = 0 if state == help_call.CALM else help_call.BUTTON
    after, out = help_call.TRANSITIONS[state, what]
    assert call.take(what, actions) == out
    assert call.state == after
    felt = (help_call.CONFIRM, help_call.COMFORT, help_call.ASK)
    assert len(actions) == sum(bool(out & bit) for bit in felt)


def test_a_press_calls_at_once_and_a_long_one_takes_it_back():
    call, actions = HelpCall(), []
    assert call.press(1, 1000, actions) & help_call.RAISE
    assert actions == [(events.BUZZ, 2)]
    assert call.press(0, 9000, actions) == 0, "the press that called does not take it back, however long"
    assert call.alarm == "sos" and call.interval_ms(10_000) == 5000 and call.interval_ms(70_000) == 30_000
    call.press(1, 20_000, actions)
    assert call.press(0, 22_000, actions) == 0, "too short"
    call.press(1, 30_000, actions)
    assert call.press(0, 33_000, actions) & help_call.END
    assert call.body(34_000) == b"" and call.interval_ms(34_000) is None


def test_after_a_fall_the_wearer_is_asked_and_a_press_says_that_all_is_well():
    call, actions = HelpCall(20_000), []
    assert call.fell(1000, actions) == help_call.ASK and actions == [(events.BUZZ, 8)]
    assert call.asking and call.body(2000) == b"" and call.interval_ms(2000) is None, "nobody is called yet"
    assert call.fell(2000, actions) == 0 and call.next_deadline() == 21_000, "asked once"
    assert call.press(1, 15_000, actions) & help_call.END
    assert call.state == help_call.CALM and call.next_deadline() is None
    assert call.press(0, 16_000, actions) == 0
    assert call.press(1, 17_000, actions) & help_call.RAISE, "the next press calls"


def test_who_does_not_answer_after_a_fall_is_helped():
    call, actions = HelpCall(20_000), []
    call.fell(1000, actions)
    asleep = HelpCall(20_000)
    asleep.restore(call.number, call.cause, call.since_ms)
    assert asleep.check(20_999, actions) == 0
    assert asleep.check(21_000, actions) & help_call.RAISE
    assert asleep.alarm == "fall" and asleep.body(23_000) == bytes((help_call.FALL, 2))
    assert actions[1:] == [(events.BUZZ, 2)], "the wearer feels that the call went out"


@pytest.mark.parametrize("state", [help_call.CALLING, help_call.HEARD])
def test_who_calls_already_is_not_asked_after_a_fall(state):
    call, actions = HelpCall(20_000), []
    call.call(help_call.BUTTON, 0, actions)
    call.state = state
    assert call.fell(5000, actions) & help_call.RAISE and call.alarm == "fall"


def test_without_a_time_to_cancel_a_fall_calls_at_once():
    call = HelpCall(0)
    assert call.fell(1000, []) & help_call.RAISE and call.alarm == "fall"


def test_the_wearer_feels_the_answer_once():
    call, actions = HelpCall(), []
    call.call(help_call.FALL, 0, actions)
    actions.clear()
    call.take(help_call.ANSWER, actions)
    call.take(help_call.ANSWER, actions)
    assert actions == [(events.BUZZ, 5)]
    assert call.alarm == "fall" and call.body(5500) == bytes((help_call.FALL, 5))


def test_a_call_ends_by_itself_and_survives_a_sleep_with_the_button_down():
    call, actions = HelpCall(), []
    call.press(1, 0, actions)
    call.press(0, 100, actions)
    call.press(1, 1000, actions)
    other = HelpCall()
    other.restore(call.number, call.cause, call.since_ms)
    assert other.press(0, 5000, actions) & help_call.END
    assert call.check(1000 + 1_799_999, actions) == 0
    assert call.check(call.next_deadline(), actions) == help_call.END
    assert call.next_deadline() is None


# --- fence


@pytest.mark.parametrize(("state", "side"), list(fence.TRANSITIONS))
def test_every_row_of_the_fence(state, side):
    circle = Fence(0, 0, 100)
    circle.state = state
    after, out = fence.TRANSITIONS[state, side]
    assert circle.take(place(metres(500 if side == fence.OUT else 10))) == out
    assert circle.state == after


@given(st.lists(st.tuples(st.floats(0, 99), st.integers(1, 60)), max_size=30))
def test_drift_at_the_edge_is_no_alarm(positions):
    """Whatever the receiver shows, while the truth is inside and the error within the radius it states."""
    circle = Fence(0, 0, 100)
    for north_m, error_m in positions:
        assert circle.take(place(metres(north_m + error_m * 0.99), error_m)) == fence.NOTHING


def test_a_single_position_outside_is_no_alarm_and_coming_back_is_told():
    circle = Fence(0, 0, 100)
    taken = [circle.take(place(metres(north_m))) for north_m in (300, 50, 300, 301, 400, 102, 50, 40)]
    assert taken == [0, 0, 0, fence.LEFT, 0, 0, fence.BACK, 0]


# --- stillness


def test_stillness_is_said_once_until_it_moves_again():
    still = Stillness(1000)
    assert [still.check(now_ms) for now_ms in (999, 1000, 5000)] == [False, True, False]
    assert still.next_deadline() is None
    still.moved(6000)
    assert still.next_deadline() == 7000
    assert not still.check(6999) and still.check(7000)


# --- sentry


def room(**changed):
    return Sentry(Settings(encode(changed), "sentry"))


@pytest.mark.parametrize(("state", "what"), list(sentry.TRANSITIONS))
def test_every_row_of_the_sentry(state, what):
    guard = room()
    guard.state = state
    after, out = sentry.TRANSITIONS[state, what]
    assert guard.take(what, 1000) == out
    assert guard.state == after


def test_an_intruder_gets_the_entry_delay_and_then_the_siren():
    guard = room(exit_delay_s=10, entry_delay_s=20)
    assert guard.check(True, None, 0) == 0 and guard.state == sentry.LEAVING
    assert guard.take(sentry.SEEN, 5000) == 0, "whoever armed it walks out"
    assert guard.check(True, None, 10_000) == 0 and guard.state == sentry.WATCHING
    assert guard.take(sentry.SEEN, 60_000) == escalation.CHIRP
    assert guard.next_deadline() <= 80_000
    assert guard.check(True, None, 79_999) == 0
    assert guard.check(True, None, 80_000) == escalation.SIREN | escalation.REPORT | escalation.TEXT
    assert guard.take(sentry.SEEN, 90_000) == 0, "one alarm, not one a second"
    guard.check(True, None, 260_000)
    assert guard.take(sentry.SEEN, 270_000) == escalation.CHIRP, "still there after three minutes: again"


def test_whoever_disarms_in_time_is_no_intruder():
    guard = room(exit_delay_s=0)
    guard.check(True, None, 0)
    guard.check(True, None, 1)
    assert guard.take(sentry.SEEN, 1000) == escalation.CHIRP
    assert guard.check(False, None, 2000) == 0 and guard.state == sentry.OPEN
    assert guard.check(False, None, 100_000) == 0


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(-720, 840), st.integers(0, 10**6))
def test_the_schedule_is_in_local_time_and_may_pass_midnight(start, end, offset, minute):
    guard = room(arm_from_min=start, arm_until_min=end, utc_offset_min=offset)
    guard.check(True, minute * 60_000, 0)
    local = (minute + offset) % 1440
    inside = start == end or (start <= local < end if start < end else not end <= local < start)
    assert (guard.state != sentry.OPEN) == inside


# --- presence


def test_the_fob_is_known_by_its_ids_and_near_for_a_while():
    near = Presence(KEY_TEXT, 100, 90_000)
    assert near.paired and not near.near(0)
    assert near.hear(beacon_of(100 * 16 + 3), 1000)
    assert near.near(90_999) and not near.near(91_000)


def test_old_beacons_and_those_of_others_are_nothing():
    near = Presence(KEY_TEXT, 100, 90_000)
    assert near.hear(beacon_of(1605), 1000)
    for stale in (beacon_of(1605), beacon_of(1604), beacon_of(1599)):
        assert not near.hear(stale, 100_000)
    assert not near.hear(beacon_of(1606, keys.derive(bytes(32), keys.IDENTITY)), 100_000)
    assert not near.hear(b"", 100_000) and not near.hear(bytes(15), 100_000)
    assert not near.near(100_000)
    assert near.hear(beacon_of(1606), 100_000)


def test_a_fob_that_was_away_for_long_is_found_again():
    near = Presence(KEY_TEXT, 0, 90_000)
    far = beacon_of(16 * 200)
    tries = 0
    while not near.hear(far, tries):
        tries += 1
        assert tries < 40
    assert near.near(tries)
    lost = Presence(KEY_TEXT, 0, 90_000)
    assert not any(lost.hear(beacon_of(16 * 5000), number) for number in range(100)), "the search has an end"


@pytest.mark.parametrize("text", ["", "00", "g" * 64, "0" * 63])
def test_without_a_key_nobody_is_near(text):
    nobody = Presence(text, 0, 90_000)
    assert not nobody.paired
    assert not nobody.hear(beacon_of(3), 0)
