"""The collector's core against beacons and reports made by hand: who, once, and never forged."""

import json
from xml.etree import ElementTree

import pytest
from groundnet.collector.cases import CaseError, close_case, open_case
from groundnet.collector.cell_table import CellTable, CellTableError
from groundnet.collector.core import Collector
from groundnet.collector.database import Database, DatabaseError
from groundnet.collector.export import FORMATS
from groundnet.collector.position import Ear, expected_rssi_dbm, locate
from groundnet.collector.track import last_place, track
from groundnet.geodesy import LocalFrame, distance_m
from groundwire import beacon, downlink, keys

from host.radio_senders import (
    STATION,
    TagSender,
    fix_item,
    frame_of,
    hello,
    reply_of,
    request,
    sighting,
    sightings,
    signed_report,
)

NOW_MS = 1_700_000_000_000
OTHER = bytes.fromhex("3c71bf0000b00002")


@pytest.fixture
def tag():
    return TagSender(bytes.fromhex("0000aabbccddee01"), bytes(range(32)))


@pytest.fixture
def collector(tmp_path, tag):
    database = Database(tmp_path / "collector.db")
    yield Collector(database, [(tag.device_id, tag.secret)])
    database.close()


def ask(collector, line, now_ms=NOW_MS):
    return reply_of(collector.receive(frame_of(line), now_ms))


def count(collector, table):
    return collector.database.row(f"SELECT count(*) AS n FROM {table}")["n"]


def rejects(collector):
    return {row["reason"]: row["count"] for row in collector.database.rows("SELECT * FROM rejects")}


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


def test_lost_mode_reaches_the_tag_and_ends_with_its_challenge(collector, tag):
    ask(collector, hello())
    ask(collector, sightings([sighting(tag.beacon(0), NOW_MS)]))
    case = open_case(collector.database, tag.device_id, "owner", "2026-118", "stolen at night", NOW_MS)
    orders = ask(collector, hello()).values["orders"]
    assert len(orders) == 1
    key = keys.derive(tag.secret, keys.DOWNLINK)
    command = downlink.accept(orders[0]["downlink"], key, 0)
    assert command.command == downlink.LOST_ON
    next_eid = keys.eid(keys.derive(tag.secret, keys.IDENTITY), 1)
    assert next_eid in orders[0]["eids"]

    receipt = {"order_id": orders[0]["order_id"], "result": "sent", "time_ms": NOW_MS, "eid": bytes(6)}
    assert ask(collector, request("downlink_receipt", station_id=STATION, receipts=[receipt])).values[
        "orders"
    ]
    ask(collector, sightings([sighting(tag.beacon(1, beacon.LOST), NOW_MS + 1)], 1), NOW_MS + 1)
    assert ask(collector, hello()).values["orders"] == []

    close_case(collector.database, tag.device_id, "found", NOW_MS + 2)
    assert ask(collector, hello()).values["orders"] == []  # no challenge yet: nothing that could be replayed
    challenge = downlink.make_challenge(key, 2)
    offer = tag.beacon(2, beacon.LOST, beacon.CHALLENGE, challenge)
    ask(collector, sightings([sighting(offer, NOW_MS + 3)], 2), NOW_MS + 3)
    orders = ask(collector, hello(), NOW_MS + 4).values["orders"]
    off = downlink.accept(orders[0]["downlink"], key, command.counter, challenge)
    assert off.command == downlink.LOST_OFF
    with pytest.raises(CaseError):
        close_case(collector.database, tag.device_id, "again", NOW_MS)
    assert case.case_id == 1


def test_two_open_cases_for_one_tag_are_refused(collector, tag):
    open_case(collector.database, tag.device_id, "owner", "", "stolen", NOW_MS)
    with pytest.raises(CaseError):
        open_case(collector.database, tag.device_id, "owner", "", "stolen", NOW_MS)


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


def test_position_from_perfect_levels_is_where_the_tag_is():
    frame = LocalFrame(45.0, 13.0)
    truth = frame.to_degrees(120.0, -80.0)
    ears = []
    for east, north in ((-400, -300), (500, -200), (100, 600), (-200, 500)):
        lat, lon = frame.to_degrees(east, north)
        ears.append(Ear(lat, lon, expected_rssi_dbm(distance_m(lat, lon, *truth))))
    place = locate(ears)
    assert distance_m(place.lat, place.lon, *truth) < 100
    assert 40 <= place.radius_m < 600


def test_one_station_alone_gives_a_ring_wide_radius():
    near = locate([Ear(45.0, 13.0, -80)])
    far = locate([Ear(45.0, 13.0, -115)])
    assert near.radius_m < far.radius_m
    assert distance_m(near.lat, near.lon, 45.0, 13.0) < 30


def test_last_place_prefers_a_sharp_fix_over_a_wide_cell(collector, tag):
    ask(collector, signed_report(tag.device_id, tag.secret, 1, [fix_item(NOW_MS, 45.1, 13.1, 8)]))
    ask(collector, hello(lat=45.102, lon=13.1))
    ask(collector, sightings([sighting(tag.beacon(1), NOW_MS + 5000, -108)]), NOW_MS + 5000)
    place = last_place(track(collector.database, tag.device_id))
    assert place.time_ms == NOW_MS + 5000
    assert distance_m(place.lat, place.lon, 45.1, 13.1) < 15


def test_every_format_holds_every_point(collector, tag):
    items = [fix_item(NOW_MS + 1000 * n, 45 + n / 1000, 13 - n / 1000) for n in range(3)]
    ask(collector, signed_report(tag.device_id, tag.secret, 1, items), NOW_MS + 9000)
    points = track(collector.database, tag.device_id)
    gpx = ElementTree.fromstring(FORMATS["gpx"](points, "云A12345"))
    found = gpx.findall(".//{http://www.topografix.com/GPX/1/1}trkpt")
    assert [element.attrib["lat"] for element in found] == ["45.0000000", "45.0010000", "45.0020000"]
    rows = FORMATS["csv"](points, "x").splitlines()
    assert rows[0].startswith("time,lat,lon,radius_m,source")
    assert rows[1].startswith("2023-11-14T22:13:20.000Z,45.0000000,13.0000000,10.0,gnss")
    collection = json.loads(FORMATS["geojson"](points, "x"))
    assert [feature["geometry"]["type"] for feature in collection["features"]] == [
        "LineString",
        *["Point"] * 3,
    ]
    assert collection["features"][1]["geometry"]["coordinates"] == [13.0, 45.0]


def test_cells_become_a_place_with_the_tables_range(tmp_path, collector, tag):
    table_file = tmp_path / "cells.csv"
    table_file.write_text(
        "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal\n"
        "LTE,460,0,4301,28741121,0,102.5,25.1,1200,9,1,0,0,-90\n"
    )
    cell = {
        "type": "cell",
        "time_ms": NOW_MS,
        "radio": "lte",
        "mcc": 460,
        "mnc": 0,
        "area": 4301,
        "cell": 28741121,
        "signal_dbm": -95,
        "serving": 1,
    }
    ask(collector, signed_report(tag.device_id, tag.secret, 1, [cell]))
    (point,) = track(collector.database, tag.device_id, cells=CellTable.read(table_file))
    assert (point.lat, point.lon, point.radius_m, point.source) == (25.1, 102.5, 1200.0, "cell")


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "radio,mcc,net,area,cell,lon,lat,range\nLTE,x,0,1,1,0,0,1\n"]
)
def test_a_bad_cell_table_is_named(tmp_path, text):
    path = tmp_path / "cells.csv"
    path.write_text(text)
    with pytest.raises(CellTableError):
        CellTable.read(path)


def test_a_database_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "new.db"
    database = Database(path)
    database.run("PRAGMA user_version = 999")
    database.close()
    with pytest.raises(DatabaseError):
        Database(path)


def test_only_the_station_that_heard_best_is_asked_to_answer(collector, tag):
    """Stations that answer at once would drown each other."""
    for station in (STATION, OTHER):
        ask(collector, hello(station))
    data = tag.beacon(0)
    ask(collector, sightings([sighting(data, NOW_MS, -110)]))
    ask(collector, sightings([sighting(data, NOW_MS, -90)], station_id=OTHER))
    open_case(collector.database, tag.device_id, "owner", "", "stolen", NOW_MS)
    assert ask(collector, hello(STATION)).values["orders"] == []
    assert len(ask(collector, hello(OTHER)).values["orders"]) == 1
    silence_ms = NOW_MS + 600_000  # the better station went dark: the other one takes over
    assert len(ask(collector, hello(STATION), silence_ms).values["orders"]) == 1
