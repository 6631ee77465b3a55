"""The collector's core against beacons and reports made by hand: who, once, and never forged."""

import pytest
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.places.track import track
from groundnet.database.store import StoreError
from groundwire import beacon

from host.radio_senders import (
    NOW_MS,
    OTHER,
    TagSender,
    ask,
    count,
    fix_item,
    frame_of,
    hello,
    rejects,
    reply_of,
    sighting,
    sightings,
    signed_report,
)


def test_one_beacon_heard_by_two_stations_is_one_beacon_with_two_sightings(collector, tag):
    data = tag.beacon(5)
    assert ask(collector, sightings([sighting(data, NOW_MS)])).values["next_sequence"] == 1
    ask(collector, sightings([sighting(data, NOW_MS + 800)], station_id=OTHER), NOW_MS + 2000)
    assert (count(collector, "beacons"), count(collector, "sightings")) == (1, 2)


def test_a_repeated_batch_is_kept_once(collector, tag):
    batch = sightings([sighting(tag.beacon(n), NOW_MS + n) for n in range(4)])
    later_ms = NOW_MS + 100
    assert ask(collector, batch, later_ms).values["next_sequence"] == 4
    assert ask(collector, batch, later_ms).values["next_sequence"] == 4
    assert count(collector, "sightings") == 4


def test_a_forged_beacon_is_refused_with_its_reason(collector, tag):
    good = tag.beacon(3)
    wrong_mac = good[:-1] + bytes([good[-1] ^ 1])
    stranger = TagSender(tag.device_id, bytes(32)).beacon(3)
    ask(
        collector,
        sightings([sighting(wrong_mac, NOW_MS), sighting(stranger, NOW_MS), sighting(b"\x40" * 15, NOW_MS)]),
    )
    assert rejects(collector) == {"mac": 1, "unknown_eid": 2}
    assert count(collector, "sightings") == 0


def test_every_flipped_bit_of_a_beacon_is_refused(collector, tag):
    good = tag.beacon(40, beacon.MOTION)
    for bit in range(len(good) * 8):
        wrong = bytearray(good)
        wrong[bit // 8] ^= 1 << bit % 8
        ask(collector, sightings([sighting(bytes(wrong), NOW_MS)], first_sequence=bit))
    assert count(collector, "beacons") == 0


def test_a_replayed_beacon_is_refused(collector, tag):
    old = tag.beacon(2)
    ask(collector, sightings([sighting(old, NOW_MS), sighting(tag.beacon(9), NOW_MS + 1000)]), NOW_MS + 1000)
    much_later_ms = NOW_MS + 3_600_000
    ask(collector, sightings([sighting(old, much_later_ms)], 2), much_later_ms)
    never_heard_before = sighting(tag.beacon(4), much_later_ms)
    ask(collector, sightings([never_heard_before], first_sequence=3), much_later_ms)
    assert rejects(collector) == {"replay": 2}


def test_a_late_delivery_of_an_old_beacon_is_no_replay(collector, tag):
    """A station whose backhaul was down delivers hours later what it heard in time."""
    later_ms = NOW_MS + 7_200_000
    ask(collector, sightings([sighting(tag.beacon(30), later_ms)]), later_ms)
    ask(collector, sightings([sighting(tag.beacon(20), NOW_MS)], station_id=OTHER), later_ms)
    assert (count(collector, "beacons"), rejects(collector)) == (2, {})


def test_a_station_that_was_cut_off_for_hours_loses_no_sighting(collector, tag):
    """Sixty epochs late: in lost mode, with a beacon each 30 s, that is eight hours."""
    for step in range(16):
        ask(collector, sightings([sighting(tag.beacon(step * 100), NOW_MS + step)], step), NOW_MS + step)
    late = [sighting(tag.beacon(counter), NOW_MS + counter // 100) for counter in (640, 1003)]
    ask(collector, sightings(late, station_id=OTHER), NOW_MS + 20)
    assert (count(collector, "sightings"), rejects(collector)) == (18, {})


def test_a_tag_that_lost_power_is_found_beyond_its_reserved_block(collector, tag):
    for step, counter in enumerate((10, 1000, 2000, 3000)):
        ask(collector, sightings([sighting(tag.beacon(counter), NOW_MS + step)], step), NOW_MS + step)
    assert count(collector, "beacons") == 4


def test_a_restarted_collector_goes_on_where_it_was(tmp_path, tag):
    path = tmp_path / "again.db"
    for run in range(6):  # far beyond the first window in the end
        database = Database(path)
        collector = Collector(database, [(tag.device_id, tag.secret)])
        counter = run * 1500
        ask(collector, sightings([sighting(tag.beacon(counter), NOW_MS + run)], run), NOW_MS + run)
        assert count(collector, "beacons") == run + 1
        database.close()


def test_reports_are_kept_once_and_only_when_signed(collector, tag):
    good = signed_report(tag.device_id, tag.secret, 7, [fix_item(NOW_MS, 45.1, 13.1)])
    assert ask(collector, good).values["sequence"] == 7
    assert ask(collector, good).values["sequence"] == 7
    forged = signed_report(tag.device_id, bytes(32), 8, [fix_item(NOW_MS, 0, 0)])
    assert ask(collector, forged).name == "error"
    stranger = signed_report(bytes(8), tag.secret, 9, [fix_item(NOW_MS, 0, 0)])
    assert ask(collector, stranger).values["code"] == "refused"
    points = track(collector.database, tag.device_id)
    assert [(round(p.lat, 6), round(p.lon, 6), p.source) for p in points] == [(45.1, 13.1, "gnss")]


def test_an_unknown_kind_is_answered_not_dropped(collector):
    reply = reply_of(collector.receive(frame_of(hello())._replace(kind=0x6E), NOW_MS))
    assert (reply.name, reply.values["code"]) == ("error", "unknown_kind")


def test_a_cut_payload_is_counted_and_answered(collector):
    good = frame_of(hello())
    for size in range(len(good.payload)):
        reply = reply_of(collector.receive(good._replace(payload=good.payload[:size]), NOW_MS))
        assert reply.values["code"] == "malformed"
    assert rejects(collector)["short"] == len(good.payload)


def test_a_database_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "new.db"
    database = Database(path)
    database.run("PRAGMA user_version = 999")
    database.close()
    with pytest.raises(StoreError):
        Database(path)
