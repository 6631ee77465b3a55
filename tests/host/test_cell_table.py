"""Serving cell and neighbours against the offline table: weights, and a radius with every answer."""

import pytest
from groundnet.collector.places.cell_table import CellSeen, CellTable
from groundnet.geodesy import LocalFrame, distance_m

MIDDLE = (25.49, 103.79)
HEADER = "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal\n"


@pytest.fixture
def table(tmp_path):
    """Cells 1 and 2 lie 2 km apart with a range of 1000 m, cell 3 lies 30 km away."""
    frame = LocalFrame(*MIDDLE)
    rows = HEADER
    for cell, east_m in ((1, -1000), (2, 1000), (3, 30_000)):
        lat, lon = frame.to_degrees(east_m, 0)
        rows += f"LTE,460,0,10135,{cell},0,{lon:.7f},{lat:.7f},1000,9,1,0,0,0\n"
    path = tmp_path / "cells.csv"
    path.write_text(rows)
    return CellTable.read(path)


def seen(cell: int | None, serving: bool = False) -> CellSeen:
    return CellSeen(460, 0, 10135 if cell else None, cell, serving)


def east_m(estimate) -> float:
    return LocalFrame(*MIDDLE).to_metres(estimate.lat, estimate.lon)[0]


def test_a_serving_cell_alone_has_the_radius_of_its_range(table):
    estimate = table.locate([seen(1, True)])
    assert east_m(estimate) == pytest.approx(-1000, abs=1) and estimate.radius_m == 1000


def test_a_neighbour_draws_the_answer_a_fifth_of_the_way_only(table):
    both = table.locate([seen(1, True), seen(2)])
    assert east_m(both) == pytest.approx(-1000 + 2000 / 5, abs=2), "weights 1 and 1/4: twice the radius"
    assert table.locate([seen(2), seen(1, True)]) == both, "order does not matter, who serves does"
    assert east_m(table.locate([seen(1), seen(2, True)])) == pytest.approx(600, abs=2)


def test_cells_that_contradict_each_other_widen_the_radius(table):
    agreeing, torn = table.locate([seen(1, True), seen(2)]), table.locate([seen(1, True), seen(3)])
    assert torn.radius_m > 10 * agreeing.radius_m
    frame = LocalFrame(*MIDDLE)
    assert distance_m(torn.lat, torn.lon, *frame.to_degrees(-1000, 0)) < torn.radius_m


def test_what_has_no_identity_or_is_of_another_network_says_nothing(table):
    stranger = CellSeen(460, 1, 10135, 99, True)
    assert table.locate([seen(None), stranger]) is None
    assert table.locate([seen(None), stranger, seen(1)]) == table.locate([seen(1)])
    assert table.locate([]) is None


def test_a_cell_that_is_reported_twice_counts_once_and_as_the_serving_one(table):
    once = table.locate([seen(1, True), seen(2)])
    assert table.locate([seen(1), seen(1, True), seen(2), seen(2)]) == once


def test_a_cell_that_the_table_lacks_is_somewhere_in_its_area(table):
    rough = table.locate([seen(99, True)])
    middle_m = (-1000 + 1000 + 30_000) / 3
    assert east_m(rough) == pytest.approx(middle_m, abs=20)
    assert rough.radius_m == pytest.approx(30_000 - middle_m + 1000, rel=0.01), (
        "all three cells, with their range"
    )
    assert table.locate([seen(99, True), seen(1)]) == table.locate([seen(1)]), "a known neighbour says more"


def test_an_lte_cell_that_the_table_lacks_is_at_its_site(tmp_path):
    site = 0x2B5C3
    path = tmp_path / "cells.csv"
    path.write_text(
        HEADER
        + f"LTE,460,0,10135,{site << 8 | 1},0,103.79,25.49,800,9,1,0,0,0\n"
        + "LTE,460,0,10135,70000,0,103.99,25.49,800,9,1,0,0,0\n"
    )
    estimate = CellTable.read(path).locate([CellSeen(460, 0, 10135, site << 8 | 3, True)])
    assert (estimate.lat, estimate.lon) == pytest.approx((25.49, 103.79))
    assert estimate.radius_m == 1200, "half as much again as the sector that is known"
