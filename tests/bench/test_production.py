"""The production test: sequences, slots that fail by themselves, numbers, reports, golden units."""

import json
import re
from random import Random
from xml.etree import ElementTree

import pytest
from groundnet.bench.interface import Lacking
from groundnet.bench.production import report, sequence
from groundnet.bench.production.line import Line, Slot
from groundnet.bench.production.measurements import Curve
from groundnet.bench.production.results import (
    BROKEN,
    FAILED,
    PASSED,
    Measured,
    Results,
    Statistics,
    UnitResult,
    drift,
    statistics,
    yield_share,
)
from groundnet.bench.production.run import JUNIT, PAGE, run
from groundnet.bench.sim_bench import SimBench
from groundnet.errors import GroundnetError
from groundnet.sim.individual import Individual

BASIC = {
    "name": "short",
    "role": "tag",
    "board": "xiao_c3_sx1262",
    "steps": [
        {"name": "current", "measure": "mean_current", "settle": "20 s", "over": "2 s", "high": 40.0},
        {"name": "beacon", "measure": "beacon_after_motion", "settle": "130 s", "high": 3.0},
    ],
}


def unit(number: str, value: float, verdict: str = PASSED, **more) -> UnitResult:
    measured = Measured("current", value, "uA", 0.0, 10.0, verdict == PASSED)
    return UnitResult(number, "short", "1", 0, 1.0, verdict, measured=[measured], **more)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda data: data.pop("steps"), "no steps"),
        (lambda data: data.update(role="cow"), "no role 'cow'"),
        (lambda data: data.update(colour="red"), "'colour' means nothing"),
        (lambda data: data["steps"][0].pop("high"), "step 1 has no limit"),
        (lambda data: data["steps"][0].update(measure="weight"), "nothing measures 'weight'"),
        (lambda data: data["steps"][0].update(over="2 V"), "'2 V' is not a time"),
        (lambda data: data["steps"][0].update(motion="ride"), "'motion' means nothing to mean_current"),
        (lambda data: data["steps"][0].update(low=50.0), "low is above high"),
        (lambda data: data["steps"][0].update(high="40 uA"), "'40 uA' is no number"),
        (lambda data: data["steps"][1].update(name="current"), "two steps are called 'current'"),
        (lambda data: data["steps"].append(3), "step 3 is no table"),
    ],
)
def test_a_mistake_in_a_sequence_is_named(change, complaint):
    data = json.loads(json.dumps(BASIC))
    change(data)
    with pytest.raises(GroundnetError) as caught:
        sequence.parse(data)
    assert complaint in str(caught.value.cause)


def test_units_are_tested_side_by_side_and_everything_is_kept(tmp_path):
    done = run(sequence.parse(BASIC), ["A1", "A2", "A3"], tmp_path, ["sim", "sim"], golden=["A3"])
    assert done.passed and {one.slot for one in done.units} == {"1", "2"}
    kept = Results(tmp_path / "results.db").units("short")
    assert {one.serial_number for one in kept} == {"A1", "A2", "A3"}
    assert (
        kept[0].measured
        == next(one for one in done.units if one.serial_number == kept[0].serial_number).measured
    )
    assert [one.serial_number for one in kept if one.golden] == ["A3"]
    page = (tmp_path / PAGE).read_text()
    assert not re.search(r"(src|href)\s*=|@import|https?://", page), "the page needs nothing else"
    assert page.count("<polyline") == 6, "current at rest and while it answers a movement, of three units"
    suites = ElementTree.parse(tmp_path / JUNIT).getroot()
    assert [suite.get("failures") for suite in suites] == ["0", "0", "0"]


def test_a_unit_out_of_its_limits_fails_and_is_named(tmp_path):
    strict = json.loads(json.dumps(BASIC))
    strict["steps"][0]["high"] = 1.0
    done = run(sequence.parse(strict), ["A1"], tmp_path)
    assert not done.passed
    assert [one.name for one in done.units[0].measured if not one.passed] == ["current"]
    failure = ElementTree.parse(tmp_path / JUNIT).getroot().find(".//failure")
    assert failure is not None and "limits none to 1" in str(failure.get("message"))


def test_units_differ_as_soldered_boards_do_and_each_is_always_the_same(tmp_path):
    currents = {}
    for folder in ("first", "again"):
        done = run(
            sequence.parse({**BASIC, "steps": BASIC["steps"][:1]}), ["A1", "A2", "A3"], tmp_path / folder
        )
        currents[folder] = [one.measured[0].value for one in done.units]
    assert currents["first"] == currents["again"]
    assert len(set(currents["first"])) == 3
    mean_ua = sum(currents["first"]) / 3
    assert all(abs(one / mean_ua - 1) < 0.3 for one in currents["first"])


def test_an_individual_is_within_what_data_sheets_allow():
    drawn = [Individual.drawn(Random(seed)) for seed in range(500)]
    assert max(abs(one.antenna_db) for one in drawn) <= 3.0
    assert 0.85 <= min(one.current_share for one in drawn) < max(one.current_share for one in drawn) <= 1.15
    assert max(abs(axis) for one in drawn for axis in one.zero_g) <= 0.030


def test_a_hung_board_fails_by_name_and_the_others_go_on(tmp_path):
    class Hung(SimBench):
        def device(self, *arguments, **how):
            device = super().device(*arguments, **{**how, "powered": False})
            device.assembled.board.files["/main.py"] = b"import time\nwhile True: time.sleep(3600)"
            device.power.restore()
            return device

    line = Line(
        sequence.parse({**BASIC, "steps": BASIC["steps"][1:]}),
        [Slot("1", lambda number: Hung(5) if number == "H1" else SimBench(5))],
        Results(tmp_path / "results.db"),
    )
    hung, good = line.run(["H1", "B2"])
    assert (hung.verdict, good.verdict) == (FAILED, PASSED)
    assert [one.name for one in hung.measured if not one.passed] == ["beacon"]


def test_a_broken_slot_is_released_and_the_others_go_on(tmp_path):
    closed = []

    class Gone(SimBench):
        def run(self, duration_s):
            raise Lacking("tag", "power any more")

        def close(self):
            closed.append(self)
            super().close()

    def open_bench(number):
        if number == "B1":
            raise GroundnetError("supply: is gone", "plug it in")
        return Gone() if number == "B2" else SimBench(5)

    line = Line(sequence.parse(BASIC), [Slot("1", open_bench)], Results(tmp_path / "results.db"))
    done = line.run(["B1", "B2", "B3"])
    assert [(one.serial_number, one.verdict) for one in done] == [
        ("B1", BROKEN),
        ("B2", BROKEN),
        ("B3", PASSED),
    ]
    assert "supply: is gone" in done[0].cause and "no power any more" in done[1].cause
    assert len(closed) == 1
    assert yield_share(done) == 1.0, "a broken test says nothing about the unit"
    assert "BROKEN" in report.html("run", done)
    errors = ElementTree.fromstring(report.junit("run", done)).findall(".//error")
    assert [error.get("message") for error in errors] == [one.cause for one in done[:2]]


def test_the_same_unit_twice_is_refused(tmp_path):
    with pytest.raises(GroundnetError, match="A1 comes twice"):
        run(sequence.parse(BASIC), ["A1", "A1"], tmp_path)


def test_statistics_by_hand():
    spread = Statistics("current", "uA", 0.0, 10.0, (4.0, 5.0, 6.0))
    assert (spread.mean, spread.deviation) == (5.0, 1.0)
    assert spread.cpk == pytest.approx(5 / 3)  # (10 - 5) / (3 * 1)
    assert Statistics("current", "uA", None, 8.0, (4.0, 5.0, 6.0)).cpk == pytest.approx(1.0)
    assert Statistics("current", "uA", 0.0, 10.0, (5.0, 5.0)).cpk is None
    units = [unit("A", 4.0), unit("B", 5.0, FAILED), unit("C", 9.0, golden=True), unit("D", 1.0, BROKEN)]
    assert statistics(units)[0].values == (4.0, 5.0)
    assert yield_share(units) == 0.5
    assert yield_share([*units, unit("B", 4.0)]) == 1.0, "the last test of a unit counts"
    assert yield_share([]) is None


def test_a_golden_unit_tells_when_the_station_has_drifted():
    earlier = [unit("G", value, golden=True) for value in (5.0, 5.1, 4.9)]
    assert drift(unit("G", 5.9), earlier) == []
    assert drift(unit("G", 6.5), earlier) == ["current: 6.5 uA, usually 5 uA"]
    assert drift(unit("G", 6.5), []) == []


def test_curves_survive_the_file(tmp_path):
    results = Results(tmp_path / "results.db")
    drawn = Curve(("s", "uA"), ((0.0, 1.0), (1.0, 2.5)))
    kept = unit("A", 4.0)
    kept.measured.append(Measured("trace", 1.0, "uA", None, 3.0, True, drawn))
    results.keep(kept)
    assert results.units("short")[0] == kept


def test_names_are_text_and_nothing_else():
    page = report.html("<script>alert(1)</script>", [unit("<b>A</b>", 4.0)])
    assert "<script>" not in page and "<b>A" not in page
