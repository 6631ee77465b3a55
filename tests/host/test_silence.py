"""A removed battery is an alarm: who is silent, and who only seems so."""

from groundnet.collector import reports
from groundnet.collector.silence import PATIENCE, silence_of, silent_devices
from hypothesis import given
from hypothesis import strategies as st

from host.radio_senders import NOW_MS, ask, hello, sighting, sightings

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
