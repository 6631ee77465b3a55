"""Armed and disarmed by order: it outlives a restart, and nobody disarms with a recording."""

import pytest
from core.devices import DEVICE_ID, SECRET, records
from groundcore import orders, store
from groundcore.orders import Orders
from groundcore.tracker import Tracker
from groundwire import downlink, keys

KEY = keys.derive(SECRET, keys.DOWNLINK)
OFFERED_AT = 77  # beacon counter


def tracker(state: store.State, armed: int) -> Tracker:
    return Tracker(DEVICE_ID, {**records(armed=armed), store.STATE: state.encode()})


def restarted(state: store.State) -> store.State:
    return store.State(state.encode())


@pytest.mark.parametrize("armed", [0, 1])
def test_without_an_order_the_setting_stands(armed):
    assert tracker(store.State(), armed).mode == ("armed" if armed else "disarmed")


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("armed", [0, 1])
def test_the_newest_order_stands_before_the_setting_and_outlives_a_restart(armed, lost):
    state = store.State()
    state.lost = lost
    taker = Orders(KEY, state)
    assert taker.take(downlink.encode(downlink.ARM, 1, 0, KEY)) == (orders.BEACON, 0, 1)
    assert tracker(state, armed).mode == ("lost" if lost else "armed")
    assert restarted(state).armed_by_order is True
    taker.offer_challenge(OFFERED_AT)
    off = downlink.encode(downlink.DISARM, 2, 0, KEY, taker.challenge())
    assert taker.take(off) == (orders.SILENCE, 0, 2)
    assert restarted(state).armed_by_order is False
    assert tracker(state, armed).mode == ("lost" if lost else "disarmed")
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
    assert state.armed_by_order
    assert dict(zip(orders.REFUSALS, taker.refused, strict=True)) == {
        "malformed": 0,
        "forged": 1,
        "replayed": 0,
        "no_challenge": 1,
    }
