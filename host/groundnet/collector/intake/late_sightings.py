"""Sightings of a beacon that is older than the newest one of its tag, one by one: delivered late, or replayed."""

from groundwire import beacon

from groundnet.collector.database import Database
from groundnet.collector.intake.reception import HEARD_TOGETHER_MS, Reception, fix_row
from groundnet.collector.senders.known_devices import KnownDevices
from groundnet.collector.senders.resolver import Rejected, Resolved


class LateSightings:
    """Takes them into the store, within a transaction."""

    def __init__(self, database: Database, devices: KnownDevices) -> None:
        self._database = database
        self._devices = devices

    def take(self, found: Resolved, reception: Reception) -> None:
        """Keep one sighting. Raises Rejected."""
        device_id, counter = found.device_id, found.counter
        told = self._database.row(
            "SELECT boot_count, sequence FROM sightings WHERE device_id = ? AND counter = ? AND station_id = ?",
            device_id,
            counter,
            reception.station_id,
        )
        if told is not None:
            if (told["boot_count"], told["sequence"]) == (reception.boot_count, reception.sequence):
                return  # our acknowledgement was lost
            raise Rejected("replay")
        time_ms = self._heard_ms(found, reception)
        self._take_beacon(found, time_ms, reception.received_ms)
        self._database.run(
            "INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *reception.row(device_id, counter, time_ms),
        )

    def _heard_ms(self, found: Resolved, reception: Reception) -> int:
        """When a station heard a beacon: as it says, but not after the collector held this or a later one.

        Raises Rejected("replay") when it says that it heard it long after that.
        """
        held = self._database.row(
            "SELECT min(received_ms) AS ms FROM beacons WHERE device_id = ? AND counter >= ?",
            found.device_id,
            found.counter,
        )
        latest_ms = reception.received_ms if held is None or held["ms"] is None else held["ms"]
        if reception.time_ms > latest_ms + HEARD_TOGETHER_MS:
            raise Rejected("replay")
        return min(reception.time_ms, latest_ms)

    def _take_beacon(self, found: Resolved, time_ms: int, received_ms: int) -> None:
        """The beacon's own row: the first copy makes it, and the latest time that can be true dates it.

        A false time can then only be an earlier one, and any station that tells the truth puts it right.
        """
        known = self._database.row(
            "SELECT time_ms FROM beacons WHERE device_id = ? AND counter = ?", found.device_id, found.counter
        )
        if known is None:
            self._database.run(
                "INSERT INTO beacons (device_id, counter, time_ms, flags, battery, received_ms) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                found.device_id,
                found.counter,
                time_ms,
                found.beacon.flags,
                found.beacon.battery,
                received_ms,
            )
            if found.beacon.type == beacon.FIX:
                keep_fixes(self._database, [fix_row(found, time_ms, self._devices)])
        elif time_ms > known["time_ms"]:
            date_again(self._database, self._devices, [(found, known["time_ms"], time_ms)])


def keep_fixes(database: Database, rows: list[tuple]) -> None:
    """Positions that tags told themselves."""
    database.run_many("INSERT INTO fixes VALUES (?, ?, ?, ?, ?, 'gnss', NULL, NULL)", rows)


def date_again(database: Database, devices: KnownDevices, beacons: list[tuple[Resolved, int, int]]) -> None:
    """(beacon, old time, new time): it was sent later than was thought, and so was its fix."""
    database.run_many(
        "UPDATE beacons SET time_ms = ? WHERE device_id = ? AND counter = ?",
        [(time_ms, found.device_id, found.counter) for found, _, time_ms in beacons],
    )
    for found, old_ms, time_ms in beacons:
        if found.beacon.type == beacon.FIX:
            device_id, fix_ms, lat, lon, _ = fix_row(found, old_ms, devices)
            database.run(
                "UPDATE fixes SET time_ms = ? WHERE device_id = ? AND time_ms = ? AND lat = ? AND lon = ?",
                fix_ms + time_ms - old_ms,
                device_id,
                fix_ms,
                lat,
                lon,
            )
