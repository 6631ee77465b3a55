"""Where a tag is: from levels, fixes and cells, each with an honest radius."""

from dataclasses import replace

import pytest
from groundnet.collector.places.cell_table import CellTable, CellTableError
from groundnet.collector.places.position import Ear, Estimate, expected_rssi_dbm, fuse, locate
from groundnet.collector.places.track import last_place, track
from groundnet.geodesy import LocalFrame, distance_m

from host.radio_senders import NOW_MS, ask, fix_item, hello, sighting, sightings, signed_report


def test_position_from_perfect_levels_is_where_the_tag_is():
    frame = LocalFrame(45.0, 13.0)
    truth = frame.to_degrees(120.0, -80.0)
    ears = []
    for east, north in ((-400, -300), (500, -200), (100, 600), (-200, 500)):
        lat, lon = frame.to_degrees(east, north)
        ears.append(Ear(lat, lon, expected_rssi_dbm(distance_m(lat, lon, *truth))))
    place = locate(ears)
    assert distance_m(place.lat, place.lon, *truth) < 100
    assert 40 <= place.radius_m < 1000  # nobody knows the stations' antennas
    known = [Ear(ear.lat, ear.lon, ear.rssi_dbm, replace(ear.hearing, spread_db=4.0)) for ear in ears]
    assert locate(known).radius_m < 400


@pytest.mark.parametrize("origin_lon", [179.999, -179.999, 180.0])
def test_a_position_across_the_antimeridian_is_where_the_tag_is(origin_lon):
    truth = (-16.8, origin_lon)  # Taveuni, Fiji
    frame = LocalFrame(*truth)
    ears = []
    for east, north in ((-400, -300), (500, -200), (100, 600), (-200, 500)):
        lat, lon = frame.to_degrees(east, north)
        assert -180 <= lon <= 180
        ears.append(Ear(lat, lon, expected_rssi_dbm(distance_m(lat, lon, *truth))))
    place = locate(ears)
    assert distance_m(place.lat, place.lon, *truth) < 100
    one, other = ((Estimate(ear.lat, ear.lon, 100), 0) for ear in (ears[0], ears[1]))
    both = fuse([one, other], 0)
    assert -180 <= both.lon <= 180
    assert distance_m(both.lat, both.lon, *frame.to_degrees(50, -250)) < 1


def test_one_station_alone_gives_a_ring_wide_radius():
    near = locate([Ear(45.0, 13.0, -80)])
    far = locate([Ear(45.0, 13.0, -115)])
    assert near.radius_m < far.radius_m
    assert distance_m(near.lat, near.lon, 45.0, 13.0) < 30


def test_estimates_that_contradict_each_other_widen_the_radius():
    near = fuse([(Estimate(45.0, 13.0, 100), 0), (Estimate(45.0005, 13.0, 100), 0)], 0)
    apart = fuse([(Estimate(45.0, 13.0, 100), 0), (Estimate(45.05, 13.0, 100), 0)], 0)
    assert near.radius_m < 100
    assert apart.radius_m == pytest.approx(distance_m(45.0, 13.0, 45.05, 13.0) / 2, rel=0.01)


def test_an_old_estimate_counts_less_the_faster_the_thing_may_move():
    fixes = [(Estimate(45.0, 13.0, 20), 600), (Estimate(45.01, 13.0, 20), 0)]
    assert fuse(fixes, 0).lat == pytest.approx(45.005)
    assert fuse(fixes, 1.5).lat == pytest.approx(45.01, abs=1e-4)


def test_last_place_prefers_a_sharp_fix_over_a_wide_cell(collector, tag):
    ask(collector, signed_report(tag.device_id, tag.secret, 1, [fix_item(NOW_MS, 45.1, 13.1, 8)]))
    ask(collector, hello(lat=45.102, lon=13.1))
    ask(collector, sightings([sighting(tag.beacon(1), NOW_MS + 5000, -108)]), NOW_MS + 5000)
    place = last_place(track(collector.database, tag.device_id))
    assert place.time_ms == NOW_MS + 5000
    driven = LocalFrame(45.1, 13.1).to_degrees(25, 0)  # the fix says 5 m/s eastwards
    assert distance_m(place.lat, place.lon, *driven) < 15


@pytest.mark.parametrize("age_s", [None, 0, 300])
def test_cells_become_a_place_with_the_tables_range_when_they_were_seen(tmp_path, collector, tag, age_s):
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
        "age_s": age_s,
    }
    ask(collector, signed_report(tag.device_id, tag.secret, 1, [cell]))
    (point,) = track(collector.database, tag.device_id, cells=CellTable.read(table_file))
    assert (point.lat, point.lon, point.radius_m, point.source) == (25.1, 102.5, 1200.0, "cell")
    assert point.time_ms == NOW_MS - 1000 * (age_s or 0)


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "radio,mcc,net,area,cell,lon,lat,range\nLTE,x,0,1,1,0,0,1\n"]
)
def test_a_bad_cell_table_is_named(tmp_path, text):
    path = tmp_path / "cells.csv"
    path.write_text(text)
    with pytest.raises(CellTableError):
        CellTable.read(path)
