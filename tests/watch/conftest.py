"""A county with two stations, a stolen bike with tag and tracker, and one that nobody may look at."""

import pytest
from groundnet.collector.casework.cases import open_cases
from groundnet.collector.database import Database
from groundnet.provision.people import People
from groundnet.provision.registry import Record, Registry, Secret
from groundnet.watch.desk import Desk

NOW_MS = 1_800_000_000_000
MINUTE_MS = 60_000
TAG, TRACKER, PRIVATE = (bytes.fromhex(f"3c71bf0000a0000{number}") for number in (1, 2, 3))
STATIONS = (
    (bytes.fromhex("3c71bf0000b00001"), 25.090, 103.790),
    (bytes.fromhex("3c71bf0000b00002"), 25.100, 103.805),
)
NAME, PIN = "王芳", "2468"


class County:
    """The files, and what happens in them."""

    def __init__(self, folder):
        self.paths = folder / "collector.db", folder / "registry.db"
        self.now_ms = NOW_MS
        self.database, self.registry = Database(self.paths[0]), Registry(self.paths[1])
        for device_id, role, plate in (
            (TAG, "tag", "云A12345"),
            (TRACKER, "tracker", "云A12345"),
            (PRIVATE, "tag", "云B77777"),
        ):
            self.registry.reserve(
                Record(device_id, "", role, "b", "vehicle", plate, None, "", "", 1, Secret(bytes(32)))
            )
        for number, (station_id, lat, lon) in enumerate(STATIONS):
            self.database.run(
                "INSERT INTO stations (station_id, lat, lon, boot_count, seen_ms, health) VALUES (?, ?, ?, 1, ?, ?)",
                station_id,
                lat,
                lon,
                NOW_MS - number * 20 * MINUTE_MS,
                '{"noise_dbm": -112, "queued": 3}',
            )
        for device_id in (TAG, PRIVATE):
            for minute in range(6):
                self.hear(device_id, minute, 25.092 + minute / 2000, 103.795)

    def hear(self, device_id, minute, lat, lon):
        """A beacon and a fix, some minutes after three hours ago."""
        at_ms = NOW_MS - 180 * MINUTE_MS + minute * MINUTE_MS
        self.database.run(
            "INSERT INTO beacons (device_id, counter, time_ms, flags, battery, received_ms) VALUES (?, ?, ?, 1, 9, ?)",
            device_id,
            minute,
            at_ms,
            at_ms,
        )
        self.database.run(
            "INSERT INTO fixes VALUES (?, ?, ?, ?, 20.0, 'gnss', NULL, NULL)", device_id, at_ms, lat, lon
        )

    def steal(self):
        """Returns the number of the case."""
        stolen = open_cases(
            self.database, [TAG, TRACKER], "owner", "2026-118", "stolen", NOW_MS - 170 * MINUTE_MS
        )
        return stolen[0].case_id

    def looks(self):
        """(who, device, what, granted) of the audit, without cases."""
        rows = self.database.rows("SELECT * FROM lookups WHERE what NOT LIKE 'case%' ORDER BY lookup_id")
        return [(row["who"], row["device_id"], row["what"], row["granted"]) for row in rows]

    def hire(self):
        People(self.registry).add(NAME, PIN, "supervisor", 1)

    def close(self):
        self.database.close()
        self.registry.close()


@pytest.fixture
def county(tmp_path):
    made = County(tmp_path)
    yield made
    made.close()


@pytest.fixture
def desk(county):
    """Opened late, so that a test can hire people first."""
    made = []

    def open_desk():
        stores = lambda: (Database(county.paths[0]), Registry(county.paths[1]))  # noqa: E731 - in the desk's thread
        made.append(Desk(stores, "root", lambda: county.now_ms))
        return made[-1]

    yield open_desk
    for one in made:
        one.close()
