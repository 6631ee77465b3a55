"""Tracks as OGC KML 2.2: the order of the schema's elements, times, coordinates and circles, by an XML parser."""

import itertools
import json
import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from groundnet.collector.places.circle import ring
from groundnet.collector.places.export import FORMATS
from groundnet.collector.places.track import TrackPoint
from groundnet.geodesy import distance_m
from hypothesis import given
from hypothesis import strategies as st

KML, GX = "{http://www.opengis.net/kml/2.2}", "{http://www.google.com/kml/ext/2.2}"
# Sequences of http://schemas.opengis.net/kml/2.2.0/ogckml22.xsd, as far as tracks have such elements.
FEATURE = (
    "name",
    "visibility",
    "open",
    "description",
    "TimeStamp",
    "TimeSpan",
    "styleUrl",
    "Style",
    "ExtendedData",
)
CHILDREN = {
    "kml": ("Document",),
    "Document": (*FEATURE, "Placemark", "Folder"),
    "Folder": (*FEATURE, "Placemark"),
    "Placemark": (*FEATURE, "Track", "MultiGeometry"),
    "TimeStamp": ("when",),
    "Style": ("LineStyle", "PolyStyle"),
    "LineStyle": ("color", "width"),
    "PolyStyle": ("color",),
    "ExtendedData": ("Data",),
    "Data": ("value",),
    "MultiGeometry": ("Point", "Polygon"),
    "Point": ("coordinates",),
    "Polygon": ("outerBoundaryIs",),
    "outerBoundaryIs": ("LinearRing",),
    "LinearRing": ("coordinates",),
    "Track": ("altitudeMode", "when", "coord"),
}

points = st.builds(
    TrackPoint,
    time_ms=st.integers(0, 4_000_000_000_000),
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    radius_m=st.floats(1, 50_000),
    source=st.sampled_from(("gnss", "cell", "sightings")),
)


def local(element):
    return element.tag.removeprefix(KML).removeprefix(GX)


def assert_schema(element):
    """Children are those that the schema knows, in its order; colours and style references have its form."""
    allowed = CHILDREN.get(local(element), ())
    names = [local(child) for child in element]
    assert set(names) <= set(allowed)
    assert names == sorted(names, key=allowed.index)
    if local(element) == "color":
        assert re.fullmatch("[0-9a-f]{8}", element.text)
    for child in element:
        assert_schema(child)


def places(text):
    return [tuple(float(number) for number in place.split(",")) for place in text.split()]


def unix_ms(text):
    return round((datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


@given(st.lists(points, max_size=4), st.text("云A12345<&>'\"", max_size=16))
def test_kml_follows_the_schema_and_comes_back(track, name):
    root = ElementTree.fromstring(FORMATS["kml"](track, name))
    assert root.tag == KML + "kml"
    assert_schema(root)
    assert (root.findtext(f"{KML}Document/{KML}name") or "") == name
    whens = [unix_ms(when.text) for when in root.iterfind(f".//{GX}Track/{KML}when")]
    coords = [tuple(map(float, one.text.split())) for one in root.iterfind(f".//{GX}coord")]
    assert whens == [point.time_ms for point in track]
    for (lon, lat, _), point in zip(coords, track, strict=True):
        assert -180 <= lon <= 180
        assert distance_m(lat, lon, point.lat, point.lon) < 0.02
    marks = root.findall(f".//{KML}Folder/{KML}Placemark")
    assert [unix_ms(mark.findtext(f"{KML}TimeStamp/{KML}when")) for mark in marks] == whens


@given(points)
def test_a_circle_has_its_radius_all_around_and_is_closed(point):
    root = ElementTree.fromstring(FORMATS["kml"]([point], "x"))
    corners = places(root.findtext(f".//{KML}LinearRing/{KML}coordinates"))
    assert len(corners) >= 4 and corners[0] == corners[-1]
    for lon, lat in corners:
        assert -180 <= lon <= 180 and -90 <= lat <= 90
        assert distance_m(lat, lon, point.lat, point.lon) == pytest.approx(
            point.radius_m, rel=0.001, abs=0.05
        )


@given(st.floats(-80, 80), st.floats(-170, 170), st.floats(10, 20_000))
def test_a_ring_is_counterclockwise(lat, lon, radius_m):
    """By the shoelace formula, as RFC 7946 section 3.1.6 wants it of an outer ring."""
    corners = ring(lat, lon, radius_m)
    area = sum(
        (lon2 - lon) * (lat1 - lat) * -1 + (lon1 - lon) * (lat2 - lat)
        for (lat1, lon1), (lat2, lon2) in itertools.pairwise(corners)
    )
    assert area > 0


def test_all_formats_tell_the_same_place():
    point = TrackPoint(1_700_000_000_000, 25.1234567, 102.7654321, 12.0, "gnss")
    text = {form: write([point], "x") for form, write in FORMATS.items()}
    assert '<trkpt lat="25.1234567" lon="102.7654321">' in text["gpx"]
    assert ",25.1234567,102.7654321," in text["csv"]
    assert json.loads(text["geojson"])["features"][0]["geometry"]["coordinates"] == [102.7654321, 25.1234567]
    assert "<coordinates>102.7654321,25.1234567</coordinates>" in text["kml"]
