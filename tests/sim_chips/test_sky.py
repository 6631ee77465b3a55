"""The sky: where a thing is, what it sees of the sky, and what a receiver there measures."""

import math
import statistics

import pytest
from groundnet.geodesy import LocalFrame, distance_m
from groundnet.sim.sky import NONE, OPEN, SYSTEMS, URBAN, Journey, Sky
from groundnet.sim.world import US_PER_S, World

START_MS = 1_608_272_150_000
LAT, LON = 25.5, 103.8
HOUR_US = 3600 * US_PER_S


def make_sky(seed: int = 1, name: str = "bike", journey: Journey | None = None, view=OPEN) -> Sky:
    return Sky(World(seed, START_MS), name, journey or Journey.parked(LAT, LON), view)


def errors_m(sky: Sky, times_us: range) -> list[float]:
    fixes = [sky.measure(time_us) for time_us in times_us]
    return [distance_m(fix.lat, fix.lon, LAT, LON) for fix in fixes if fix is not None]


def test_a_journey_is_straight_between_its_points_and_rests_outside():
    north_lat, east_lon = LocalFrame(LAT, LON).to_degrees(300, 400)
    points = [(START_MS + 60_000, north_lat, east_lon), (START_MS + 10_000, LAT, LON)]
    sky = make_sky(journey=Journey(points))
    for seconds, way_m, speed_mps in ((0, 0, 0), (9, 0, 0), (35, 250, 10), (59.999, 500, 10), (61, 500, 0)):
        truth = sky.truth(round(seconds * US_PER_S))
        assert distance_m(LAT, LON, truth.lat, truth.lon) == pytest.approx(way_m, abs=0.5)
        assert truth.speed_mps == pytest.approx(speed_mps, abs=0.02)
    assert sky.truth(20 * US_PER_S).course_deg == pytest.approx(math.degrees(math.atan2(300, 400)), abs=0.1)


def test_two_points_at_one_time_are_no_infinite_speed():
    journey = Journey([(0, 25.0, 103.0), (1000, 25.1, 103.0), (1000, 25.2, 103.0), (2000, 25.2, 103.0)])
    assert all(journey.velocity(unix_ms)[0] < 12_000 for unix_ms in range(0, 2001, 100))
    with pytest.raises(ValueError, match="needs a point"):
        Journey([])


def test_a_later_cover_wins_and_ends():
    sky = make_sky(view=URBAN)
    sky.cover(NONE, START_MS + 10_000, START_MS + 20_000)
    sky.cover(OPEN, START_MS + 15_000, START_MS + 16_000)
    views = [sky.view(second * US_PER_S) for second in (9, 10, 15, 16, 20)]
    assert views == [URBAN, NONE, OPEN, NONE, URBAN]


def test_a_measurement_does_not_depend_on_who_asked_before():
    asked_often, asked_once = make_sky(), make_sky()
    for second in range(500):
        asked_often.measure(second * US_PER_S)
    assert asked_often.measure(1000 * US_PER_S) == asked_once.measure(1000 * US_PER_S)


@pytest.mark.parametrize("other", [make_sky(seed=2), make_sky(name="van")])
def test_another_seed_or_receiver_errs_otherwise(other):
    mine, others = make_sky().measure(HOUR_US), other.measure(HOUR_US)
    assert distance_m(mine.lat, mine.lon, others.lat, others.lon) > 0.1


@pytest.mark.parametrize("view, low_m, high_m", [(OPEN, 0.8, 4), (URBAN, 3, 16)])
def test_a_parked_receiver_wanders_slowly_by_metres(view, low_m, high_m):
    sky = make_sky(view=view)
    spread = errors_m(sky, range(0, 24 * HOUR_US, 97 * US_PER_S))
    assert low_m < statistics.median(spread) < high_m
    near = [sky.measure(second * US_PER_S) for second in range(100, 102)]
    assert distance_m(near[0].lat, near[0].lon, near[1].lat, near[1].lon) < 1.5


def test_a_worse_receiver_errs_in_proportion():
    sky = make_sky()
    usual, fresh = sky.measure(HOUR_US), sky.measure(HOUR_US, error_factor=7)
    usual_m = distance_m(usual.lat, usual.lon, LAT, LON)
    assert distance_m(fresh.lat, fresh.lon, LAT, LON) == pytest.approx(7 * usual_m, rel=0.01)


def test_fewer_satellites_are_heard_in_town_and_none_without_sky():
    used = {}
    for view in (OPEN, URBAN, NONE):
        sky = make_sky(view=view)
        counts = [
            sum(satellite.used for satellite in sky.satellites(time_us))
            for time_us in range(0, 12 * HOUR_US, HOUR_US // 4)
        ]
        used[view] = statistics.mean(counts)
    assert used[OPEN] > 12 > used[URBAN] > 4 > used[NONE] == 0
    assert make_sky(view=NONE).measure(HOUR_US) is None
    assert make_sky(view=URBAN).measure(HOUR_US).hdop > make_sky().measure(HOUR_US).hdop


def test_one_system_has_fewer_satellites_than_both():
    sky = make_sky()
    both = sky.satellites(HOUR_US)
    assert {satellite.system for satellite in both} == set(SYSTEMS)
    assert sky.satellites(HOUR_US, ("BD",)) == tuple(sat for sat in both if sat.system == "BD")
    assert sky.measure(HOUR_US, ("BD",)).hdop > sky.measure(HOUR_US).hdop
    assert sky.measure(HOUR_US, ()) is None
