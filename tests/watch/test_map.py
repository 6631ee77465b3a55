"""Projection, GCJ-02 and the drawn map."""

import math
import re
from xml.etree import ElementTree

import pytest
from groundnet.collector.places.track import TrackPoint
from groundnet.geodesy import distance_m
from groundnet.watch import gcj02, map_svg
from groundnet.watch.map_svg import Style
from groundnet.watch.projection import View
from groundnet.watch.situation import Station
from hypothesis import given
from hypothesis import strategies as st

# Published with the map library eviltransform (test data, three cities): WGS-84, then GCJ-02.
PUBLISHED = (
    ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
    ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
    ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
)


@pytest.mark.parametrize(("wgs84", "shown"), PUBLISHED)
def test_a_place_in_china_is_shown_where_its_maps_have_it(wgs84, shown):
    assert distance_m(*gcj02.from_wgs84(*wgs84), *shown) < 0.001
    assert distance_m(*gcj02.to_wgs84(*shown), *wgs84) < 0.001


@given(st.floats(20, 50), st.floats(75, 130))
def test_the_way_there_and_back_is_a_millimetre(lat, lon):
    shown = gcj02.from_wgs84(lat, lon)
    assert 1 < distance_m(lat, lon, *shown) < 1500
    assert distance_m(*gcj02.to_wgs84(*shown), lat, lon) < 0.001


@pytest.mark.parametrize("place", [(45.2783, 13.7230), (-33.9, 151.2), (35.7, 139.8), (0.0, 0.0)])
def test_elsewhere_nothing_is_moved(place):
    assert gcj02.from_wgs84(*place) == place == gcj02.to_wgs84(*place)


def test_tiles_lie_where_the_web_has_them():
    # OpenStreetMap wiki, "Slippy map tilenames": Null Island is the corner of four tiles of every zoom.
    view = View([(0.0, 0.0, 100_000.0)], 512, 512, whole_zoom=True)
    x, y = view.at(0.0, 0.0)
    count = 1 << round(view.zoom)
    by_place = {(column, row): (left, top) for _, column, row, left, top in view.tiles()}
    assert by_place[(count // 2, count // 2)] == pytest.approx((x, y))
    # The corner of tile 16/32745/21782 by that page's own formulas, in degrees.
    n = 1 << 16
    lat = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * 21782 / n))))
    near = View([(lat, 32745 / n * 360 - 180, 120.0)], 400, 400, whole_zoom=True)
    corner = {(column, row): (left, top) for _, column, row, left, top in near.tiles()}
    more = round(near.zoom) - 16
    assert corner[(32745 << more, 21782 << more)] == pytest.approx((200, 200), abs=0.01)


@given(
    st.lists(
        st.tuples(st.floats(-80, 80), st.floats(-0.5, 0.5), st.floats(0, 3000)), min_size=1, max_size=20
    ),
    st.floats(-180, 180),
)
def test_every_place_is_in_the_picture_also_over_the_antimeridian(places, middle):
    first = places[0][0]
    near = [
        (max(-80, min(80, first + (lat - first) / 200)), math.remainder(middle + lon, 360), radius_m)
        for lat, lon, radius_m in places
    ]
    view = View(near, 1000, 640)
    for lat, lon, _ in near:
        x, y = view.at(lat, lon)
        assert -1 <= x <= 1001 and -1 <= y <= 641


def test_a_kilometre_is_as_long_as_the_scale_says():
    view = View([(25.0, 103.0, 2000.0)], 1000, 640)
    east = view.at(25.0, 103.0 + math.degrees(1000 / 6_371_008.8) / math.cos(math.radians(25)))
    assert east[0] - view.at(25.0, 103.0)[0] == pytest.approx(view.pixels(1000, 25.0), rel=1e-6)


def station(state="good", lat=25.0, lon=103.0):
    return Station("3c71bf0000b00001", lat, lon, 1, state, {})


def points(count):
    return [TrackPoint(1000 * n, 25.0 + n / 10_000, 103.0, 30.0, "gnss") for n in range(count)]


def test_a_map_is_svg_that_needs_nothing_else_and_no_inline_style():
    drawn = map_svg.of_track([station()], points(5), points(5)[-1], Style())
    root = ElementTree.fromstring(drawn)
    assert "style=" not in drawn and "http" not in drawn
    timed = [element for element in root.iter() if "data-t" in element.attrib]
    assert len(timed) == 5 + 5 + 4, "radii, fixes and the legs between them"
    assert re.search(r"\d+ m</text>", drawn) and ">N</text>" in drawn


def test_a_long_track_is_thinned_and_keeps_its_ends():
    drawn = map_svg.of_track([], points(5000), points(5000)[-1], Style())
    times = [int(found) for found in re.findall(r'class="fix gnss" data-t="(\d+)"', drawn)]
    assert len(times) == map_svg.MOST_POINTS and (times[0], times[-1]) == (0, 4_999_000)


def test_what_has_no_place_is_not_drawn_and_nothing_at_all_is_no_map():
    nowhere = Station("x", None, None, 1, "good", {})
    assert map_svg.overview([nowhere], {}, {}, Style()) == ""
    assert map_svg.overview([nowhere, station()], {}, {}, Style()).count('<g class="station') == 1


def test_a_name_cannot_break_out_of_the_map():
    drawn = map_svg.overview([], {1: points(1)[0]}, {1: '<script>&"'}, Style())
    assert "<script>" not in drawn
    ElementTree.fromstring(drawn)


def test_tiles_are_drawn_only_when_asked_for_and_positions_move_for_maps_of_china():
    plain = map_svg.overview([station()], {}, {}, Style())
    tiled = map_svg.overview([station()], {}, {}, Style(tiles="https://t.example/{z}/{x}/{y}.png?a&b"))
    assert "<image" not in plain and 'href="https://t.example/' in tiled and "?a&amp;b" in tiled
    both = [
        map_svg.overview([station(), station(lat=25.2)], {}, {}, style)
        for style in (Style(), Style(gcj02.from_wgs84))
    ]
    assert both[0] != both[1]
