"""Whose id is nobody's yet is not lost: tags that come back, late deliveries, tags registered after they were heard."""

import pytest
from groundnet.collector.database import Database
from groundnet.collector.intake import unresolved
from groundnet.collector.intake.core import Collector
from groundnet.collector.senders.clock_drift import spread_sum
from groundnet.collector.senders.clock_service import identities, learn_some
from groundwire import beacon, keys

from host.radio_senders import NOW_MS, OTHER, STATION, TagSender, ask, count, rejects, sighting, sightings

DAY_MS = 86_400_000


def tell(collector, tag, counter, now_ms, sequence=0, station_id=STATION, flags=0):
    data = tag.beacon(counter, flags)
    return ask(collector, sightings([sighting(data, now_ms)], sequence, station_id), now_ms)


def search(collector, now_ms, most=1000):
    """Until there is nothing left to do; how many shares that took."""
    shares = 1
    while collector.search(now_ms):
        shares += 1
        assert shares < most
    return shares


def counters(collector):
    return [row["counter"] for row in collector.database.rows("SELECT counter FROM beacons ORDER BY counter")]


def test_a_stolen_tag_that_comes_back_after_days_in_lost_mode_is_known_again(collector, tag):
    tell(collector, tag, 40, NOW_MS, flags=beacon.LOST)
    back_ms = NOW_MS + 9 * DAY_MS
    counter = 40 + 9 * 86_400 // 30
    tell(collector, tag, counter, back_ms, 1)
    search(collector, back_ms)
    assert counters(collector) == [40, counter]
    tell(collector, tag, counter + 1, back_ms + 30_000, 2)
    assert counters(collector)[-1] == counter + 1, "its window has moved with it"
    assert rejects(collector) == {}


def test_a_tag_is_found_first_where_its_clock_says_that_it_is(store_at, monkeypatch):
    """The walk by the clocks is ten times as fast as the wide one, which is not needed here."""
    monkeypatch.setattr(unresolved, "SHARE", 4)
    tags = [TagSender(number.to_bytes(8, "big"), number.to_bytes(32, "big")) for number in range(1, 41)]
    database = Database(store_at("collector.db"))
    collector = Collector(database, [(tag.device_id, tag.secret) for tag in tags])
    drift, overhead_ms = 1.013, 180

    def wait_ms(counter):
        spread = spread_sum(keys.derive(tags[-1].secret, keys.IDENTITY), counter, counter)
        return round(drift * (600_000 + 600_000 * spread / 2048)) + overhead_ms

    at_ms = NOW_MS
    for counter in range(150):
        tell(collector, tags[-1], counter, at_ms, counter)
        at_ms += wait_ms(counter + 1)
    learn_some(database, identities(collector.devices), b"", at_ms)
    assert database.row("SELECT pairs FROM clocks")["pairs"] > 100
    counter = 150
    while counter < 150 + 30 * 144:  # a month out of reach
        counter += 1
        at_ms += wait_ms(counter)
    searched = []
    monkeypatch.setattr(collector._sightings.unresolved, "_walk_wide", lambda *_: searched.append("wide"))
    tell(collector, tags[-1], counter, at_ms, 200)
    collector.search(at_ms)
    collector.search(at_ms)
    assert count(collector, "beacons") == 151 and not searched
    database.close()


def test_an_open_case_is_searched_for_as_one_in_lost_mode(collector, tag):
    """The order reached the tag, but no station heard it obey."""
    tell(collector, tag, 40, NOW_MS)
    collector.database.run(
        "INSERT INTO cases (device_id, reporter, document, reason, opened_ms) VALUES (?, '', '', '', ?)",
        tag.device_id,
        NOW_MS,
    )
    back_ms = NOW_MS + 9 * DAY_MS
    tell(collector, tag, 40 + 9 * 86_400 // 30, back_ms, 1)
    search(collector, back_ms)
    assert count(collector, "beacons") == 2


def test_what_a_station_delivers_a_week_late_is_kept_with_its_time(collector, tag):
    for step in range(40):
        tell(collector, tag, step * 50, NOW_MS + step * 60_000, step)
    late_ms = NOW_MS + 3_600_000
    ask(collector, sightings([sighting(tag.beacon(51), NOW_MS + 61_000)], station_id=OTHER), late_ms)
    search(collector, late_ms)
    row = collector.database.row("SELECT time_ms FROM beacons WHERE counter = 51")
    assert row["time_ms"] == NOW_MS + 61_000
    assert rejects(collector) == {}


def test_a_tag_that_is_registered_after_it_was_heard_is_found(collector):
    new = TagSender(bytes.fromhex("0000aabbccddee77"), bytes(range(1, 33)))
    tell(collector, new, 3, NOW_MS)
    search(collector, NOW_MS)
    assert rejects(collector) == {"unknown_eid": 1}
    assert count(collector, "sightings") == 0
    collector.learn([(new.device_id, new.secret)])
    search(collector, NOW_MS + 1000)
    assert (count(collector, "sightings"), count(collector, "unresolved")) == (1, 0)


def test_nothing_that_waits_is_lost_with_the_process(store_at, tag):
    address = store_at("collector.db")
    database = Database(address)
    stranger = TagSender(bytes.fromhex("0000aabbccddee77"), bytes(range(1, 33)))
    tell(Collector(database), tag, 3, NOW_MS)
    tell(Collector(database), stranger, 3, NOW_MS, 1)
    database.close()
    database = Database(address)
    collector = Collector(database, [(tag.device_id, tag.secret)])
    search(collector, NOW_MS + 1000)
    assert (counters(collector), count(collector, "unresolved")) == ([3], 1)
    database.close()


def test_what_is_repeated_waits_once_and_is_counted_once(collector):
    stranger = TagSender(bytes.fromhex("0000aabbccddee77"), bytes(range(1, 33)))
    for _ in range(3):
        tell(collector, stranger, 3, NOW_MS)
        search(collector, NOW_MS)
    assert (count(collector, "unresolved"), rejects(collector)) == (1, {"unknown_eid": 1})


def test_a_forged_beacon_with_a_distant_id_of_a_tag_is_not_taken(collector, tag):
    forged = bytearray(tag.beacon(40 + 5000))
    forged[-1] ^= 1
    tell(collector, tag, 40, NOW_MS, flags=beacon.LOST)
    back_ms = NOW_MS + 9 * DAY_MS
    ask(collector, sightings([sighting(bytes(forged), back_ms)], 1), back_ms)
    search(collector, back_ms)
    assert (count(collector, "beacons"), rejects(collector)) == (1, {"unknown_eid": 1})


def test_a_large_county_is_searched_a_share_at_a_time(store_at, monkeypatch):
    monkeypatch.setattr(unresolved, "SHARE", 7)
    tags = [TagSender(number.to_bytes(8, "big"), number.to_bytes(32, "big")) for number in range(1, 41)]
    database = Database(store_at("collector.db"))
    collector = Collector(database, [(tag.device_id, tag.secret) for tag in tags])
    tell(collector, tags[-1], 70 * 16, NOW_MS)
    assert count(collector, "beacons") == 0
    assert 40 // 7 <= search(collector, NOW_MS) <= 40 // 7 + 3
    assert counters(collector) == [70 * 16]
    database.close()


@pytest.mark.parametrize("most", ["MOST", "MOST_A_STATION"])
def test_a_flood_of_strangers_has_its_bounds(collector, tag, monkeypatch, most):
    monkeypatch.setattr(unresolved, most, 10)
    stranger = TagSender(bytes.fromhex("0000aabbccddee77"), bytes(range(1, 33)))
    flood = [sighting(stranger.beacon(number * 16), NOW_MS) for number in range(30)]
    ask(collector, sightings(flood), NOW_MS)
    tell(collector, tag, 70 * 16, NOW_MS, station_id=OTHER)  # far ahead: it has to wait, too
    search(collector, NOW_MS)
    assert rejects(collector)["unknown_eid"] == 30 + (most == "MOST")
    assert count(collector, "beacons") == (most == "MOST_A_STATION"), "one station's flood is its own"
    next_day_ms = NOW_MS + unresolved.KEEP_MS + 1
    tell(collector, stranger, 16 * 1000, next_day_ms, 30)
    search(collector, next_day_ms)
    if most == "MOST":
        assert count(collector, "unresolved") == 1, "what was kept for a day makes room"
