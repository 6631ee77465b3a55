"""The position's bench reads any recorded journey, and says what it measured."""

import importlib.util
import math
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "bench_position.py"
GPX = '<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{}</trkseg></trk></gpx>'
POINT = '<trkpt lat="{}" lon="{}"><time>{}</time></trkpt>'


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("bench_position", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def journey(tmp_path):
    def write(*points):
        path = tmp_path / "journey.gpx"
        path.write_text(GPX.format("".join(points)))
        return path

    return write


def test_points_are_taken_in_order_and_without_a_time_they_are_none(bench, journey):
    path = journey(
        POINT.format(45.001, 13.0, "2026-11-23T08:01:00Z"),
        '<trkpt lat="1" lon="2"/>',
        POINT.format(45.0, 13.0, "2026-11-23T09:00:00+01:00"),
        POINT.format(45.002, 13.0, "2026-11-23T08:02:00"),
    )
    frame, places = bench.read_journey(path)
    assert (frame.lat, frame.lon) == (45.0, 13.0)
    times = [time_ms - bench.BEGIN_MS for time_ms, _, _ in places]
    assert times == [0, 60_000, 120_000, 120_000 + bench.PARKED_MS]
    assert [round(north) for _, _, north in places] == [0, 111, 222, 222]
    assert bench.place_at(places, bench.BEGIN_MS + 30_000)[1] == pytest.approx(55.6, abs=0.1)


@pytest.mark.parametrize(
    "points", [[], ['<trkpt lat="1" lon="2"/>'], [POINT.format("x", 1, "2026-11-23T08:00:00Z")], ["<trkpt"]]
)
def test_what_is_no_journey_is_named(bench, journey, points):
    with pytest.raises(SystemExit, match=r"journey.gpx .*; name a recorded journey"):
        bench.read_journey(journey(*points))


def test_the_summary_counts_truths_within_both_radii(bench):
    errors = [bench.Error(float(off_m), 10.0) for off_m in (1, 5, 10, 12, 15, 16, 17, 30, 40, 50)]
    told = bench.summary(errors)
    assert (told["answers"], told["median_m"], told["p90_m"]) == (10, 16.0, 50.0)
    assert told["within_68"] == 0.3
    assert told["within_95"] == 0.6  # 1.62 times the radius
    assert math.exp(-1.14 * bench.WIDER**2) == pytest.approx(0.05, abs=0.001)
    assert "within_68" not in bench.summary([bench.Error(1.0)])


def test_a_county_is_heard_and_every_way_answers(bench, journey, tmp_path):
    path = journey(
        *(POINT.format(45 + 0.0002 * n, 13.0, f"2026-11-23T08:{n:02}:00Z") for n in range(4)),
    )
    frame, places = bench.read_journey(path)
    county = bench.County(1, 500, frame, places, tmp_path / "store.db")
    county.play(places)
    found = bench.answers(county)
    county.database.close()
    assert len(found) == 8
    assert {len(ways) for ways in found.values()} <= {32, 33}
