"""Records, settings, orders, duty and the queue of reports."""

from itertools import pairwise

import pytest
from groundcore import orders, region, settings, store
from groundcore.beaconing import interval_ms
from groundcore.orders import Orders
from groundcore.report_queue import URGENT, ReportQueue
from groundwire import downlink, keys
from groundwire.errors import EncodeError
from hypothesis import given
from hypothesis import strategies as st

SECRET = bytes(range(32))
KEY = keys.derive(SECRET, keys.DOWNLINK)
NAMES = st.text(st.characters(codec="utf-8"), max_size=8)


@given(NAMES, st.sampled_from(store.PROFILES), NAMES, st.binary(min_size=32, max_size=32), st.booleans())
def test_identity_there_and_back(tag_id, profile, install_point, secret, locked):
    identity = store.Identity(tag_id, profile, install_point, secret, locked)
    assert store.decode_identity(store.encode_identity(identity)) == identity


@given(st.binary(max_size=120))
def test_any_bytes_are_an_identity_or_none(record):
    identity = store.decode_identity(record)
    if identity is not None:
        assert store.decode_identity(store.encode_identity(identity)) == identity


def test_identity_that_does_not_fit():
    with pytest.raises(EncodeError, match="size"):
        store.encode_identity(store.Identity("x" * 33, "vehicle", "", SECRET, False))
    with pytest.raises(EncodeError, match="range"):
        store.encode_identity(store.Identity("x", "submarine", "", SECRET, False))


def test_state_there_and_back_and_damaged():
    state = store.State()
    state.lost, state.beacon_limit, state.challenge_counter = True, 4_000_000_000, 7
    record = state.encode()
    assert len(record) == store.STATE_SIZE
    assert vars(store.State(record)) == vars(state)
    for damaged in (None, b"", record[:-1], b"\xff" + record[1:]):
        assert vars(store.State(damaged)) == vars(store.State())


def test_settings_defaults_profiles_and_changes():
    kept = settings.Settings(settings.encode({"siren_s": 5, "owner_phone": "+385 1"}), "livestock")
    assert (kept["siren_s"], kept.text("owner_phone")) == (5, "+385 1")
    assert kept["moving_interval_s"] == 120
    assert settings.Settings(None, "vehicle")["moving_interval_s"] == 20


@pytest.mark.parametrize(
    ("name", "text"),
    [("siren_s", "31"), ("siren_s", "x"), ("nothing", "1"), ("language", "deu"), ("owner_phone", "1\n2")],
)
def test_settings_out_of_range(name, text):
    assert settings.parse(name, text) is None


def test_unknown_and_damaged_settings_are_left_out():
    assert settings.decode(b"siren_s=5\nfuture=1\nregion\nsiren_s=99\n") == {"siren_s": 5}


def test_every_default_is_in_its_range():
    for name in settings.TABLE:
        for profile in (*settings.PROFILES, "vehicle"):
            value = settings.default(name, profile)
            assert settings.parse(name, str(value)) == value


def test_secrets_are_not_shown():
    assert settings.shown("wifi_key", "hunter22") == ""
    assert settings.shown("wifi_name", "yard") == "yard"


# --- orders


def take(taker, command, counter, argument=0, challenge=b"", key=KEY):
    return taker.take(downlink.encode(command, counter, argument, key, challenge))


def test_orders_change_the_state_and_ask():
    state = store.State()
    taker = Orders(KEY, state)
    assert take(taker, downlink.LOST_ON, 1, 45) == (orders.BEACON, 45, 1)
    assert (state.lost, state.lost_interval_s, state.downlink_counter) == (True, 45, 1)
    assert take(taker, downlink.SIREN_ON, 2, 10) == (orders.SOUND, 10, 2)
    assert take(taker, downlink.INTERVAL, 5, 600) == (orders.BEACON, 600, 5)
    assert state.parked_interval_s == 600
    assert take(taker, downlink.LOCATE, 6) == (orders.LOCATE, 0, 6)
    assert take(taker, downlink.TIME, 7, 99) == (orders.SET_TIME, 99, 7)
    assert take(taker, 200, 8) == (orders.NOTHING, 0, 8)


def test_off_needs_the_challenge_on_offer_once():
    state = store.State()
    taker = Orders(KEY, state)
    challenge = downlink.make_challenge(KEY, 77)
    assert take(taker, downlink.LOST_OFF, 1, 0, challenge) is None
    taker.offer_challenge(77)
    assert taker.challenge() == challenge
    taker.offer_challenge(78)
    assert taker.challenge() == challenge
    state.lost = True
    assert take(taker, downlink.LOST_OFF, 2, 0, bytes(8)) is None
    assert state.lost
    assert take(taker, downlink.LOST_OFF, 3, 0, challenge) == (orders.BEACON, 0, 3)
    assert not state.lost and taker.challenge() == b""
    assert taker.refused == [0, 1, 0, 1]


def test_forged_replayed_and_malformed_orders_change_nothing_and_are_counted():
    state = store.State()
    taker = Orders(KEY, state)
    good = downlink.encode(downlink.LOST_ON, 5, 0, KEY)
    assert taker.take(good) is not None
    before = vars(state).copy()
    assert taker.take(good) is None
    assert take(taker, downlink.SIREN_ON, 4) is None
    assert take(taker, downlink.SIREN_ON, 9, key=keys.derive(bytes(32), keys.DOWNLINK)) is None
    assert taker.take(good[:-1]) is None
    for index in range(len(good)):
        assert taker.take(good[:index] + bytes([good[index] ^ 1]) + good[index + 1 :]) is None
    assert vars(state) == before
    assert dict(zip(orders.REFUSALS, taker.refused, strict=True))["replayed"] == 2
    assert sum(taker.refused) == 4 + len(good)


# --- regions


def test_airtime_agrees_with_the_known_value():
    channel = region.PLANS["eu868"].beacon
    assert region.airtime_us(channel, 12) == 144_384  # DESIGN: 12 bytes at SF9/125 kHz


@pytest.mark.parametrize(("sf", "size", "ms"), [(7, 16, 51.456), (12, 24, 1482.752), (8, 20, 102.912)])
def test_airtime_agrees_with_the_formula(sf, size, ms):
    channel = region.PLANS["eu868"].beacon._replace(spreading_factor=sf)
    symbol_ms = 2**sf / 125
    slow = 2 if symbol_ms >= 16 else 0
    payload = 8 + max(-(-(8 * size + 16 - 4 * sf + 8 + 20) // (4 * (sf - slow))), 0) * 5
    assert region.airtime_us(channel, size) / 1000 == pytest.approx((12.25 + payload) * symbol_ms)
    assert region.airtime_us(channel, size) / 1000 == pytest.approx(ms, abs=0.1 * symbol_ms)


@pytest.mark.parametrize("name", region.PLANS)
def test_every_plan_carries_every_frame(name):
    for channel in region.PLANS[name][:2]:
        assert region.DutyLedger().may_send(channel, 24, 0)


def test_a_parked_device_beacons_as_the_plan_says_unless_a_setting_or_an_order_says_else():
    for name, seconds in (("eu868", 1800), ("cn470", 1800), ("eu868-gfsk", 120), ("cn470-gfsk", 120)):
        plan_s = region.plan(name).parked_interval_s
        plain, changed = (
            settings.Settings(None, "vehicle"),
            settings.Settings(b"parked_interval_s=600", "vehicle"),
        )
        assert interval_ms(store.State(None), plain, False, False, plan_s) == seconds * 1000
        assert interval_ms(store.State(None), changed, False, False, plan_s) == 600_000
        assert interval_ms(store.State(None), plain, True, False, plan_s) == 20_000
    assert settings.parse("parked_interval_s", "0") == 0 and settings.parse("parked_interval_s", "9") is None


@given(st.integers(0, 255), st.sampled_from(sorted(region.PLANS)))
def test_gfsk_airtime_counts_every_bit(size, name):
    for channel in region.PLANS[name][:2]:
        if channel.bitrate_bps:
            bits = channel.preamble + 32 + 8 + 8 * size + 16
            assert region.airtime_us(channel, size) == pytest.approx(bits / channel.bitrate_bps * 1e6, abs=1)


def test_unknown_region_has_no_plan():
    assert region.plan("atlantis") is None


def test_dwell_is_kept():
    slow = region.PLANS["cn470"].beacon._replace(spreading_factor=12)
    assert not region.DutyLedger().may_send(slow, 24, 0)


@given(st.lists(st.integers(0, 300_000), max_size=400))
def test_no_hour_has_more_than_its_share(gaps_ms):
    channel = region.PLANS["eu868"].beacon
    ledger = region.DutyLedger()
    now_ms, sent = 0, []
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        if ledger.may_send(channel, 24, now_ms):
            ledger.sent(channel, 24, now_ms)
            sent.append(now_ms)
        ledger = region.DutyLedger(ledger.pack())
    airtime_ms = region.airtime_us(channel, 24) / 1000
    for start in sent:
        within = [time_ms for time_ms in sent if start <= time_ms < start + 3_600_000]
        assert len(within) * airtime_ms <= 36_000


def test_an_hour_later_there_is_room_again():
    channel = region.PLANS["eu868"].beacon
    ledger = region.DutyLedger()
    while ledger.may_send(channel, 24, 0):
        ledger.sent(channel, 24, 0)
    assert not ledger.may_send(channel, 24, 3_599_999)
    assert ledger.may_send(channel, 24, 3_900_000)


# --- queue


def test_alarms_go_first_and_batches_are_small():
    queue = ReportQueue()
    for number in range(14):
        queue.put({"n": number})
    queue.put({"n": "alarm"}, URGENT)
    assert queue.urgent
    assert [item["n"] for item in queue.take()] == ["alarm", *range(11)]
    assert not queue.urgent
    assert [item["n"] for item in queue.take()] == [11, 12, 13]
    assert queue.take() == []


def test_a_full_queue_thins_history_and_keeps_alarms():
    queue = ReportQueue()
    queue.put({"n": "alarm"}, URGENT)
    for number in range(500):
        queue.put({"n": number})
    assert len(queue) <= 240
    assert queue.urgent
    kept = []
    while len(queue):
        kept += [item["n"] for item in queue.take()]
    assert kept[0] == "alarm" and kept[-1] == 499
    assert queue.lost == 500 - (len(kept) - 1)
    gaps = [later - earlier for earlier, later in pairwise(kept[1:])]
    assert max(gaps[-100:]) == 1


def test_a_queue_full_of_alarms_drops_the_oldest():
    queue = ReportQueue()
    for number in range(244):
        queue.put({"n": number}, URGENT)
    assert len(queue) == 240
    assert queue.take()[0] == {"n": 4}
