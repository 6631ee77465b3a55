"""Tracks as files that other programs read: GPX 1.1, GeoJSON (RFC 7946) and CSV."""

import csv
import io
import itertools
import json
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from groundnet.cli.track import app
from groundnet.collector.places.export import CSV_COLUMNS, FORMATS, iso_time
from groundnet.collector.places.track import TrackPoint
from groundnet.geodesy import distance_m
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

GPX = "{http://www.topografix.com/GPX/1/1}"
# Order of the elements in a wptType, from https://www.topografix.com/GPX/1/1/gpx.xsd
WAYPOINT = [
    *(
        "ele",
        "time",
        "magvar",
        "geoidheight",
        "name",
        "cmt",
        "desc",
        "src",
        "link",
        "sym",
        "type",
        "fix",
        "sat",
    ),
    *("hdop", "vdop", "pdop", "ageofdgpsdata", "dgpsid", "extensions"),
]

CONTROL = "plate\x00\x1b\ud800\uffff<&>"

points = st.builds(
    TrackPoint,
    time_ms=st.integers(0, 4_000_000_000_000),
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    radius_m=st.floats(1, 50_000),
    source=st.sampled_from(("gnss", "cell", "sightings")),
    speed_mps=st.none() | st.floats(0, 100),
    course_deg=st.none() | st.floats(0, 359.99),
    heard_by=st.integers(0, 9),
)
tracks = st.lists(points, max_size=6)


@given(tracks, st.text("云A12345<&>'\"", max_size=16))
def test_gpx_follows_the_schema(track, name):
    root = ElementTree.fromstring(FORMATS["gpx"](track, name))
    assert root.tag == GPX + "gpx"
    assert root.attrib == {"version": "1.1", "creator": "groundnet"}
    assert [child.tag for child in root] == [GPX + "trk"]
    assert [child.tag for child in root[0]] == [GPX + "name", GPX + "trkseg"]
    assert (root[0][0].text or "") == name
    assert len(root[0][1]) == len(track)
    for element, point in zip(root[0][1], track, strict=True):
        assert_waypoint(element, point)


def assert_waypoint(element, point):
    assert element.tag == GPX + "trkpt"
    assert -90 <= float(element.attrib["lat"]) <= 90
    assert -180 <= float(element.attrib["lon"]) < 180  # longitudeType: maxExclusive
    names = [child.tag.removeprefix(GPX) for child in element]
    assert names == sorted(names, key=WAYPOINT.index)
    assert_time(element.find(GPX + "time").text, point.time_ms)
    assert all(not child.tag.startswith(GPX) for child in element.find(GPX + "extensions"))


def assert_time(text, time_ms):
    assert text.endswith("Z")
    assert (
        round((datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
        == time_ms
    )


@given(tracks)
def test_geojson_is_a_collection_of_a_line_and_points(track):
    collection = json.loads(FORMATS["geojson"](track, "x"), parse_constant=pytest.fail)
    assert set(collection) - {"bbox"} == {"type", "features"} and collection["type"] == "FeatureCollection"
    assert ("bbox" in collection) == bool(track)
    features = collection["features"]
    if len(track) > 1:  # RFC 7946 section 3.1.4: a LineString has two or more positions
        assert_line(features.pop(0)["geometry"], [one["geometry"]["coordinates"] for one in features])
    assert len(features) == len(track)
    for feature, point in zip(features, track, strict=True):
        assert set(feature) == {"type", "geometry", "properties"} and feature["type"] == "Feature"
        assert feature["geometry"]["type"] == "Point"
        lon, lat = feature["geometry"]["coordinates"]
        assert distance_m(lat, lon, point.lat, point.lon) < 0.02
        assert_time(feature["properties"]["time"], point.time_ms)


def assert_line(line, positions):
    """RFC 7946 section 3.1.9: what crosses 180 degrees is cut there, and goes on at the other side."""
    if line["type"] == "LineString":
        assert line["coordinates"] == positions
        return
    assert line["type"] == "MultiLineString"
    parts = line["coordinates"]
    for before, after in itertools.pairwise(parts):
        assert (before[-1][0], after[0][0]) in ((180.0, -180.0), (-180.0, 180.0))
        assert before[-1][1] == after[0][1]
    cut = [parts[0][:-1], *(part[1:-1] for part in parts[1:-1]), parts[-1][1:]]
    assert [position for part in cut for position in part] == positions
    for part in parts:
        assert all(abs(after[0] - before[0]) <= 180.0 for before, after in itertools.pairwise(part))


@given(tracks.filter(bool))
def test_the_box_of_a_geojson_holds_every_position(track):
    collection = json.loads(FORMATS["geojson"](track, "x"))
    west, south, east, north = collection["bbox"]
    for feature in collection["features"]:
        if feature["geometry"]["type"] == "Point":
            lon, lat = feature["geometry"]["coordinates"]
            assert south <= lat <= north
            assert west <= lon <= east if west <= east else lon >= west or lon <= east


def test_a_track_over_180_degrees_has_a_small_box_and_a_cut_line():
    track = [TrackPoint(0, -16.8, 179.9, 5.0, "gnss"), TrackPoint(1000, -16.6, -179.7, 5.0, "gnss")]
    collection = json.loads(FORMATS["geojson"](track, "x"))
    assert collection["bbox"] == [179.9, -16.8, -179.7, -16.6]  # the example of RFC 7946 section 5.2, Fiji
    assert collection["features"][0]["geometry"]["coordinates"] == [
        [[179.9, -16.8], [180.0, -16.75]],
        [[-180.0, -16.75], [-179.7, -16.6]],
    ]


@given(tracks)
def test_csv_has_a_header_and_a_row_for_each_point(track):
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](track, "x"))))
    assert len(rows) == len(track)
    for row, point in zip(rows, track, strict=True):
        assert tuple(row) == CSV_COLUMNS
        assert float(row["lat"]) == pytest.approx(point.lat, abs=1e-6)
        assert row["time"] == iso_time(point.time_ms)
        assert (row["speed_mps"] == "") == (point.speed_mps is None)


def test_the_forms_of_one_known_point():
    point = TrackPoint(1_700_000_000_000, 45.0, 180.0, 10.0, "gnss", 5.0, 90.0)
    assert FORMATS["csv"]([point], "x").splitlines()[1] == (
        "2023-11-14T22:13:20.000Z,45.0000000,-180.0000000,10.0,gnss,5.00,90.00,"
    )
    assert '<trkpt lat="45.0000000" lon="-180.0000000">' in FORMATS["gpx"]([point], "x")
    assert json.loads(FORMATS["geojson"]([point], "x"))["features"][0]["geometry"]["coordinates"] == [
        -180.0,
        45.0,
    ]


def test_a_name_with_what_xml_cannot_say_is_still_a_gpx_file():
    text = FORMATS["gpx"]([TrackPoint(0, 45.0, 13.0, 5.0, "gnss")], CONTROL)
    name = ElementTree.fromstring(text.encode()).findtext(f".//{GPX}name")
    assert name == "plate" + 4 * "\N{REPLACEMENT CHARACTER}" + "<&>"


def test_a_span_that_ends_before_it_begins_is_a_usage_error():
    options = ("--since", "2026-11-23T09:00:00Z", "--until", "2026-11-23T08:59:59Z")
    done = CliRunner().invoke(app, ["GN-1", *options])
    assert done.exit_code == 2
    assert "--since is later than --until" in done.output
