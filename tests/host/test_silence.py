"""A removed battery is an alarm: who is silent, and who only seems so."""

import pytest
from groundnet.collector.casework.silence import PATIENCE, Intervals, silence_of, silent_devices
from groundnet.collector.intake import reports
from groundnet.collector.outbound import orders
from groundnet.provision.intervals import intervals_of
from groundnet.provision.registry import Record, Registry, Secret
from groundnet.sim.groundcore_runtime import load
from groundwire import downlink
from hypothesis import given
from hypothesis import strategies as st

from host.radio_senders import NOW_MS, ask, hello, sighting, sightings, signed_report

REGION, SETTINGS = load("region"), load("settings")

HOUR_MS = 3_600_000
ID = bytes(8)


def test_a_tag_is_silent_after_two_and_a_half_intervals(collector, tag):
    ask(collector, hello())
    assert silent_devices(collector.database, [tag.device_id], NOW_MS) == []  # installed, never heard yet
    ask(collector, sightings([sighting(tag.beacon(0), NOW_MS)]))
    due_ms = NOW_MS + round(2.5 * 2_025_000)
    assert silent_devices(collector.database, [tag.device_id], due_ms) == []
    (silence,) = silent_devices(collector.database, [tag.device_id], due_ms + 1)
    assert (silence.device_id, silence.heard_ms, silence.since_ms) == (tag.device_id, NOW_MS, due_ms)
    ask(collector, sightings([sighting(tag.beacon(1), due_ms)], 1), due_ms)
    assert silent_devices(collector.database, [tag.device_id], due_ms + 1) == []


def test_a_tracker_out_of_the_stations_reach_is_not_silent_while_it_reports(collector, tag):
    ask(collector, hello())
    ask(collector, sightings([sighting(tag.beacon(0), NOW_MS)]))
    reports.take(collector.database, tag.device_id, 1, 1, [], NOW_MS + 6 * HOUR_MS)
    assert silent_devices(collector.database, [tag.device_id], NOW_MS + 21 * HOUR_MS) == []
    (silence,) = silent_devices(collector.database, [tag.device_id], NOW_MS + 21 * HOUR_MS + 1)
    assert silence.heard_ms == NOW_MS + 6 * HOUR_MS


def heartbeat(interval_s):
    values = {"mode": "armed", "uptime_s": 1, "beacon_counter": 0, "temperature_c": None}
    return {"type": "heartbeat", "time_ms": NOW_MS, "interval_s": interval_s, **values}


@pytest.mark.parametrize(("told_s", "set_s", "counts_s"), [(600, 21600, 600), (None, 3600, 3600)])
def test_a_trackers_own_word_of_its_next_heartbeat_counts_before_what_it_was_set_to(
    collector, tag, told_s, set_s, counts_s
):
    ask(collector, signed_report(tag.device_id, tag.secret, 1, [heartbeat(told_s)]))
    due_ms = NOW_MS + round(2.5 * counts_s * 1000)
    for now_ms, silent in ((due_ms, 0), (due_ms + 1, 1)):
        found = silent_devices(
            collector.database, [tag.device_id], now_ms, lambda device_id: Intervals(1800, set_s)
        )
        assert len(found) == silent


@pytest.mark.parametrize(
    ("argument", "state", "counts_s"), [(7200, "done", 7200), (7200, "withdrawn", 1800), (10, "sent", 1800)]
)
def test_an_interval_that_was_ordered_makes_patience_longer(collector, tag, argument, state, counts_s):
    ask(collector, hello())
    ask(collector, sightings([sighting(tag.beacon(0), NOW_MS)]))
    number = orders.queue(collector.database, tag.device_id, downlink.INTERVAL, argument, NOW_MS)
    collector.database.run("UPDATE orders SET state = ? WHERE order_id = ?", state, number)
    due_ms = NOW_MS + round(2.5 * counts_s * 9 / 8 * 1000)
    assert silent_devices(collector.database, [tag.device_id], due_ms) == []
    assert len(silent_devices(collector.database, [tag.device_id], due_ms + 1)) == 1


def record(profile):
    return Record(ID, "GN-1", "tag", "b", profile, None, None, "", "", 1, Secret(bytes(32)))


@pytest.mark.parametrize("profile", ["vehicle", "livestock", "wearable", "sentry"])
@pytest.mark.parametrize("name", REGION.PLANS)
def test_a_device_must_be_heard_as_often_as_its_firmware_speaks(profile, name):
    """The firmware's own tables say what a device does that got these settings."""
    for written in ({}, {"parked_interval_s": "900", "heartbeat_s": "1200"}):
        own = SETTINGS.Settings("\n".join(f"{n}={v}" for n, v in written.items()).encode(), profile)
        expected = intervals_of(record(profile), {"region": name, **written})
        assert expected.beacon_s == (own["parked_interval_s"] or REGION.PLANS[name].parked_interval_s)
        assert expected.report_s == own["heartbeat_s"]


def test_the_registry_remembers_what_says_how_often_and_no_secret(tmp_path):
    registry = Registry(tmp_path / "registry.db")
    kept = {"heartbeat_s": "600", "region": "cn470", "wifi_key": "x", "owner_phone": "+8613800138000"}
    registry.keep_settings(ID, kept)
    registry.keep_settings(ID, {"region": "eu868"})
    assert registry.settings_of(ID) == {"heartbeat_s": "600", "region": "eu868"}
    assert registry.settings_of(bytes(7) + b"1") == {}
    registry.close()
    assert b"13800138000" not in (tmp_path / "registry.db").read_bytes()


def test_the_one_heard_last_comes_first(collector, tag):
    other = bytes.fromhex("0000aabbccddee02")
    reports.take(collector.database, tag.device_id, 1, 1, [], NOW_MS)
    reports.take(collector.database, other, 1, 1, [], NOW_MS + 1)
    found = silent_devices(collector.database, [tag.device_id, other], NOW_MS + 99 * HOUR_MS)
    assert [silence.device_id for silence in found] == [other, tag.device_id]


ways = st.lists(st.tuples(st.none() | st.integers(0, 10**12), st.integers(1, 10**6)), min_size=1, max_size=3)


@given(ways, st.integers(0, 10**13))
def test_silent_is_who_has_missed_its_time_on_every_way(heard, now_ms):
    silence = silence_of(ID, heard, now_ms)
    known = [(time_ms, interval_s) for time_ms, interval_s in heard if time_ms is not None]
    late = [now_ms - time_ms > PATIENCE * interval_s * 1000 for time_ms, interval_s in known]
    assert (silence is not None) == (bool(late) and all(late))
