"""Cells a tracker saw: told with their radio and their age, and no position any more after ten minutes."""

import pytest
from core.test_tracker import World, give_order
from groundcore import events
from groundcore.whereabouts import Whereabouts, cell_items
from groundwire import downlink
from groundwire.report_table import RADIOS

CELLS = ((219, 1, 30001, 12345678, -91, "nr"), (219, 1, 30001, 12345679, -99, "gsm"))
LAST_MS = 600_000


@pytest.mark.parametrize("radio", RADIOS)
def test_the_radio_is_told_as_the_modem_told_it(radio):
    (item,) = cell_items(((460, 0, 1, 2, -80, radio),), 7)
    assert (item["radio"], item["age_s"], item["serving"]) == (radio, 7, 1)


def test_cells_are_a_position_for_ten_minutes():
    where = Whereabouts()
    assert where.cells(0) == ()
    where.hear_cells(CELLS, 1000)
    where.hear_cells((), 5000)
    assert where.cells(5000) == CELLS and where.cells_age_s(61_000) == 60
    assert where.cells(1000 + LAST_MS - 1) == CELLS
    assert where.cells(1000 + LAST_MS) == ()


def dark(*answers):
    """A tracker without sky whose modem gives these answers about cells, the last one for ever."""
    world = World(sky=False)
    left = list(answers)
    usual = world.answer

    def answer(bench, action):
        if action[0] == events.REQUEST_CELLS:
            return (events.CELLS, left.pop(0) if len(left) > 1 else left[0])
        return usual(bench, action)

    world.answer = answer
    return world


def test_cells_seen_before_are_told_once_with_their_age():
    world = dark(CELLS, ())
    world.run(27)
    fresh = world.items("cell")
    assert [item["age_s"] for item in fresh] == [0, 0]
    assert [item["radio"] for item in fresh] == ["nr", "gsm"]
    world.run(150)
    again = world.items("cell")[2:]
    assert [item["cell"] for item in again] == [12345678, 12345679], "once, not every half minute"
    assert 25 <= again[0]["age_s"] <= 40


def test_cells_of_long_ago_are_told_to_nobody():
    world = dark(CELLS, ())
    world.run(27)
    world.run(LAST_MS // 1000)
    world.reports.clear()
    give_order(world, downlink.LOCATE, 1)
    world.run(60)
    assert world.bench.sent(events.REQUEST_CELLS)
    assert not world.items("cell")
    world.play(world.bench.give(events.SUPPLY, 12_000))
    world.play(world.bench.give(events.SUPPLY, 0))
    assert "No position yet" in world.texts[-1][1]


def test_a_text_says_how_old_its_cell_is():
    world = dark(CELLS, ())
    world.run(27)
    world.run(240)
    world.play(world.bench.give(events.SUPPLY, 12_000))
    world.play(world.bench.give(events.SUPPLY, 0))
    assert "219-1-30001-12345678, 4 min ago." in world.texts[-1][1]
