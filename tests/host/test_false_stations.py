"""A station that lies: about times, about numbers, about who it is. It spoils its own sightings and no others."""

import sqlite3

import pytest
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.places.track import track
from groundnet.collector.schema import STEPS
from groundwire import beacon
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host.radio_senders import NOW_MS, OTHER, STATION, ask, count, rejects, sighting, sightings

HOUR_MS = 3_600_000
LIAR = bytes.fromhex("666600000000bad0")
PLACE = beacon.Position(450000000, 130000000, 10, 5, None, None)  # five seconds old


def heard(collector, station_id):
    rows = collector.database.rows(
        "SELECT * FROM sightings WHERE station_id = ? ORDER BY counter", station_id
    )
    return [(row["counter"], row["time_ms"]) for row in rows]


def tell(collector, data, time_ms, station_id=STATION, first_sequence=0, now_ms=NOW_MS):
    return ask(collector, sightings([sighting(data, time_ms)], first_sequence, station_id), now_ms)


@pytest.mark.parametrize("lie_ms", [-30 * 24 * HOUR_MS, -HOUR_MS, HOUR_MS, -NOW_MS])
def test_a_false_time_refuses_no_honest_copy_and_no_later_or_lower_beacon(collector, tag, lie_ms):
    tell(collector, tag.beacon(20), NOW_MS + lie_ms, LIAR)
    tell(collector, tag.beacon(20), NOW_MS, STATION)
    tell(collector, tag.beacon(19), NOW_MS - 30_000, STATION, 1)
    tell(collector, tag.beacon(21), NOW_MS + 30_000, STATION, 2, NOW_MS + 30_000)
    assert rejects(collector) == {}
    assert heard(collector, STATION) == [(19, NOW_MS - 30_000), (20, NOW_MS), (21, NOW_MS + 30_000)]
    dated = collector.database.row("SELECT time_ms FROM beacons WHERE counter = 20")
    assert dated["time_ms"] == NOW_MS


def test_a_fix_that_a_liar_delivers_first_is_dated_by_who_tells_the_truth(collector, tag):
    data = tag.beacon(20, kind=beacon.FIX, body=beacon.position_body(PLACE))
    tell(collector, data, NOW_MS - HOUR_MS, LIAR)
    tell(collector, data, NOW_MS)
    (fix,) = track(collector.database, tag.device_id)
    assert (fix.time_ms, round(fix.lat, 4), round(fix.lon, 4)) == (NOW_MS - 5000, 45.0, 13.0)


def test_a_number_near_the_end_takes_nothing_from_who_it_names(collector, tag):
    last = 2**32 - 2
    assert tell(collector, tag.beacon(1), NOW_MS, first_sequence=last).values["next_sequence"] == last + 1
    for number in (2, 3):
        reply = tell(collector, tag.beacon(number), NOW_MS, first_sequence=number - 2)
        assert reply.values["next_sequence"] == number - 1
    assert [counter for counter, _ in heard(collector, STATION)] == [1, 2, 3]


def test_a_number_taken_by_another_beacon_stands_in_nobodys_way(collector, tag):
    tell(collector, tag.beacon(1), NOW_MS)
    tell(collector, tag.beacon(2), NOW_MS)
    assert [counter for counter, _ in heard(collector, STATION)] == [1, 2]


def test_a_beacon_that_a_station_hears_again_later_is_a_replay(collector, tag):
    tell(collector, tag.beacon(4), NOW_MS)
    later_ms = NOW_MS + HOUR_MS
    tell(collector, tag.beacon(4), later_ms, STATION, 1, later_ms)
    tell(collector, tag.beacon(4), later_ms, OTHER, 0, later_ms)
    assert rejects(collector) == {"replay": 2}
    assert count(collector, "sightings") == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lies=st.lists(
        st.tuples(
            st.integers(0, 5),
            st.one_of(st.none(), st.integers(0, 2 * NOW_MS)),
            st.integers(0, 2**32 - 3),
            st.integers(0, 150_000),
        ),
        max_size=12,
    )
)
def test_whatever_a_liar_tells_every_honest_sighting_is_kept_with_its_time(tmp_path_factory, tag, lies):
    """Beacon n is sent at n * 30 s, and reaches the collector at once; the liar repeats real beacons at any time."""
    database = Database(tmp_path_factory.mktemp("lies") / "collector.db")
    collector = Collector(database, [(tag.device_id, tag.secret)])
    told = [(NOW_MS + n * 30_000, STATION, n, NOW_MS + n * 30_000, n) for n in range(6)]
    for n, time_ms, sequence, delay_ms in lies:  # nobody can repeat a beacon before it was sent
        told.append((NOW_MS + n * 30_000 + delay_ms, LIAR, n, time_ms, sequence))
    for now_ms, station_id, n, time_ms, sequence in sorted(told, key=lambda one: (one[0], one[1] == STATION)):
        tell(collector, tag.beacon(n), time_ms, station_id, sequence, now_ms)
    assert heard(collector, STATION) == [(n, NOW_MS + n * 30_000) for n in range(6)]
    assert [row["time_ms"] for row in database.rows("SELECT time_ms FROM beacons ORDER BY counter")] == [
        NOW_MS + n * 30_000 for n in range(6)
    ]
    database.close()


def test_a_database_of_before_keeps_its_sightings(tmp_path):
    """Made by the steps of the version that named sightings by the station's numbers."""
    path = tmp_path / "old.db"
    before = STEPS[: next(n for n, step in enumerate(STEPS) if "sightings_next" in step)]
    old = sqlite3.connect(path)
    for step in before:
        old.execute(step)
    old.execute(f"PRAGMA user_version = {len(before)}")
    for sequence in (0, 1):  # the same beacon twice, as a lying number could make it
        old.execute("INSERT INTO sightings VALUES (?, 1, ?, ?, 7, 1000, -90, 5.0)", (STATION, sequence, LIAR))
    old.execute("INSERT INTO beacons VALUES (?, 7, 1000, 0, 10)", (LIAR,))
    old.commit()
    old.close()
    database = Database(path)
    assert [row["sequence"] for row in database.rows("SELECT sequence FROM sightings")] == [0]
    assert database.row("SELECT received_ms FROM beacons")["received_ms"] == 1000
    database.close()
