"""Armed and disarmed by order: it outlives a restart, and nobody disarms with a recording."""

import pytest
from core.devices import SECRET
from groundcore import orders, store
from groundcore.orders import Orders
from groundcore.settings import Settings, encode
from groundwire import downlink, keys

KEY = keys.derive(SECRET, keys.DOWNLINK)
OFFERED_AT = 77  # beacon counter


def settings(armed: int) -> Settings:
    return Settings(encode({"armed": armed}), "vehicle")


def restarted(state: store.State) -> store.State:
    return store.State(state.encode())


@pytest.mark.parametrize("armed", [0, 1])
def test_without_an_order_the_setting_stands(armed):
    assert restarted(store.State()).armed(settings(armed)) == bool(armed)


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("armed", [0, 1])
def test_the_newest_order_stands_before_the_setting_and_outlives_a_restart(armed, lost):
    state = store.State()
    state.lost = lost
    taker = Orders(KEY, state)
    assert taker.take(downlink.encode(downlink.ARM, 1, 0, KEY)) == (orders.BEACON, 0, 1)
    assert restarted(state).armed(settings(armed))
    taker.offer_challenge(OFFERED_AT)
    off = downlink.encode(downlink.DISARM, 2, 0, KEY, taker.challenge())
    assert taker.take(off) == (orders.BEACON, 0, 2)
    assert not restarted(state).armed(settings(armed))
    assert restarted(state).lost == lost


def test_disarming_needs_an_answer_to_the_challenge_on_offer():
    state = store.State()
    taker = Orders(KEY, state)
    taker.take(downlink.encode(downlink.ARM, 1, 0, KEY))
    taker.offer_challenge(OFFERED_AT)
    recorded = downlink.encode(downlink.DISARM, 2, 0, KEY, taker.challenge())
    assert taker.take(recorded)
    taker.take(downlink.encode(downlink.ARM, 3, 0, KEY))
    state.downlink_counter = 0  # even when a device has lost its counter
    assert taker.take(recorded) is None  # nothing is on offer
    taker.offer_challenge(OFFERED_AT + 1)
    assert taker.take(recorded) is None  # it answers another one
    assert state.armed(settings(0))
    assert dict(zip(orders.REFUSALS, taker.refused, strict=True)) == {
        "malformed": 0,
        "forged": 1,
        "replayed": 0,
        "no_challenge": 1,
    }
