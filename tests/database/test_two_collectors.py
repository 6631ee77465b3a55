"""Two collectors on one database: what one hears the other knows."""

import pytest
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from host.radio_senders import NOW_MS, OTHER, STATION, TagSender, ask, count, rejects, sighting, sightings

TAG = TagSender(bytes.fromhex("0000aabbccddee01"), bytes(range(32)))
STEP = 1000  # beacons from one sign to the next: what the window of ids bridges
FAR = 20 * STEP  # beyond every window


@pytest.fixture
def pair(store_at):
    databases = [Database(store_at("collector.db")) for _ in range(2)]
    yield [Collector(database, [(TAG.device_id, TAG.secret)]) for database in databases]
    for database in databases:
        database.close()


def hear(collector, station_id, sequence, counter):
    line = sightings([sighting(TAG.beacon(counter), NOW_MS + counter)], sequence, station_id)
    return ask(collector, line, NOW_MS + counter)


def test_a_tag_that_comes_from_the_others_stations_is_known(pair):
    here, there = pair
    hear(here, STATION, 0, 1)
    for sequence, counter in enumerate(range(STEP, FAR + 1, STEP)):
        hear(there, OTHER, sequence, counter)
    hear(here, STATION, 1, FAR + 1)
    hear(here, STATION, 2, FAR)  # the same beacon as the others' last
    assert rejects(here) == {} and count(here, "sightings") == FAR // STEP + 3
    assert count(here, "beacons") == FAR // STEP + 2


def test_what_is_nobodys_is_still_refused(pair):
    here, there = pair
    hear(there, OTHER, 0, 1)
    stranger = TagSender(bytes(8), bytes(32)).beacon(1)
    ask(here, sightings([sighting(stranger, NOW_MS)], 0, STATION))
    assert rejects(here) == {"unknown_eid": 1}


def test_a_repeat_to_the_other_one_is_kept_once(pair):
    for collector in (*pair, *pair):
        acknowledged = hear(collector, STATION, 0, 7)
        assert acknowledged.values["next_sequence"] == 1
    assert count(pair[0], "sightings") == 1 and rejects(pair[0]) == {}
