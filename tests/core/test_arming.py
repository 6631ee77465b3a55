"""Armed and disarmed by order: it outlives a restart, and nobody disarms with a recording."""

import pytest
from core.devices import DEVICE_ID, SECRET, records
from core.test_tracker import UTC_MS, World, give_order
from groundcore import events, orders, store
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


# --- a shop alarm that is armed and disarmed over the network


def shop(**changed) -> World:
    return World(fixed_to="sentry", exit_delay_s=0, entry_delay_s=10, **changed)


def intruders(world) -> int:
    return [item["cause"] for item in world.items("alarm")].count("intruder")


def test_whoever_comes_in_by_order_is_no_intruder():
    world = shop()
    world.run(60)
    challenge = world.items("challenge")[-1]["challenge"]
    world.play(world.bench.give(events.INPUT, events.INPUT_PIR, 1))
    give_order(world, downlink.DISARM, 1, 0, challenge)
    world.run(60)
    assert world.bench.core.mode == "disarmed"
    assert intruders(world) == 0 and not world.bench.sent(events.SIREN)
    give_order(world, downlink.ARM, 2)
    world.run(10)
    world.play(world.bench.give(events.INPUT, events.INPUT_PIR, 1))
    world.run(30)
    assert intruders(world) == 1
    assert world.items("challenge")[-1]["challenge"] != challenge


def test_disarming_silences_the_siren():
    world = shop(siren_s=30)
    world.run(60)
    world.play(world.bench.give(events.INPUT, events.INPUT_PIR, 1))
    world.run(12)
    assert intruders(world) == 1
    give_order(world, downlink.DISARM, 1, 0, world.items("challenge")[-1]["challenge"])
    assert world.bench.sent(events.SIREN)[-1][1] == (events.SIREN, 0)


def test_an_order_to_disarm_does_not_outlive_the_turn_of_the_schedule():
    minute = UTC_MS // 60_000 % 1440
    world = shop(arm_from_min=(minute + 30) % 1440, arm_until_min=(minute + 300) % 1440)
    world.run(60)
    give_order(world, downlink.ARM, 1)  # early
    world.run(60)
    give_order(world, downlink.DISARM, 2, 0, world.items("challenge")[-1]["challenge"])
    assert store.State(world.bench.stored[store.STATE]).armed_by_order is False
    world.run(30 * 60)
    assert store.State(world.bench.stored[store.STATE]).armed_by_order is None
    world.play(world.bench.give(events.INPUT, events.INPUT_PIR, 1))
    world.run(60)
    assert intruders(world) == 1
