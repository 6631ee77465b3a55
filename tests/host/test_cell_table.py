"""Serving cell and neighbours against the offline table: weights, and a radius with every answer."""

import pytest
from groundnet.collector.cell_table import CellSeen, CellTable
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


def test_what_is_not_in_the_table_or_has_no_identity_says_nothing(table):
    assert table.locate([seen(None), seen(99, True)]) is None
    assert table.locate([seen(None), seen(99), seen(1, True)]) == table.locate([seen(1, True)])
    assert table.locate([]) is None
