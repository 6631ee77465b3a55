"""Sightings into the store: each beacon once, each sighting once, replays refused with their reason."""

from groundwire import beacon

from groundnet.collector import orders
from groundnet.collector.database import Database
from groundnet.collector.resolver import Rejected, Resolved, Resolver

HEARD_TOGETHER_MS = 5_000  # clocks of stations differ by less; the same beacon later than that is a replay


class SightingStore:
    """Takes the sightings of stations; `rejects` in the database counts what was refused, by reason."""

    def __init__(self, database: Database, resolver: Resolver) -> None:
        self._database = database
        self._resolver = resolver

    def take(
        self, station_id: bytes, boot_count: int, first_sequence: int, sightings: list[dict], now_ms: int
    ) -> int:
        """Keep a batch, in one transaction; returns the next sequence that the station should send.

        A sequence that was taken before is passed over: stations repeat what was not acknowledged.
        """
        with self._database.transaction():
            row = self._database.row(
                "SELECT next_sequence FROM progress WHERE station_id = ? AND boot_count = ?",
                station_id,
                boot_count,
            )
            expected = row["next_sequence"] if row else 0
            for offset, sighting in enumerate(sightings):
                sequence = first_sequence + offset
                if sequence >= expected:
                    self._take_one(station_id, boot_count, sequence, sighting, now_ms)
            following = max(expected, first_sequence + len(sightings))
            self._database.run(
                "INSERT INTO progress VALUES (?, ?, ?) "
                "ON CONFLICT (station_id, boot_count) DO UPDATE SET next_sequence = excluded.next_sequence",
                station_id,
                boot_count,
                following,
            )
        return following

    def _take_one(
        self, station_id: bytes, boot_count: int, sequence: int, sighting: dict, now_ms: int
    ) -> None:
        time_ms = now_ms if sighting["time_ms"] is None else min(sighting["time_ms"], now_ms)
        try:
            found = self._resolver.resolve(sighting["beacon"])
            self._take_beacon(found, time_ms)
        except Rejected as rejected:
            self.reject(rejected.reason)
            return
        snr_cdb = sighting["snr_cdb"]
        self._database.run(
            "INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            station_id,
            boot_count,
            sequence,
            found.device.device_id,
            found.counter,
            time_ms,
            sighting["rssi_dbm"],
            None if snr_cdb is None else snr_cdb / 100,
        )

    def reject(self, reason: str, times: int = 1) -> None:
        """Count something that was refused."""
        self._database.run(
            "INSERT INTO rejects VALUES (?, ?) "
            "ON CONFLICT (reason) DO UPDATE SET count = rejects.count + excluded.count",
            reason,
            times,
        )

    def _take_beacon(self, found: Resolved, time_ms: int) -> None:
        """The beacon's own row; Rejected("replay") when its time does not fit its counter."""
        device_id, counter = found.device.device_id, found.counter
        known = self._database.row(
            "SELECT time_ms FROM beacons WHERE device_id = ? AND counter = ?", device_id, counter
        )
        if known is not None:
            if abs(time_ms - known["time_ms"]) > HEARD_TOGETHER_MS:
                raise Rejected("replay")
            return
        later = self._database.row(
            "SELECT min(time_ms) AS time_ms FROM beacons WHERE device_id = ? AND counter > ?",
            device_id,
            counter,
        )
        later_ms = None if later is None else later["time_ms"]
        if later_ms is not None and time_ms > later_ms + HEARD_TOGETHER_MS:
            raise Rejected("replay")
        self._database.run(
            "INSERT INTO beacons VALUES (?, ?, ?, ?, ?)",
            device_id,
            counter,
            time_ms,
            found.beacon.flags,
            found.beacon.battery,
        )
        if found.beacon.type == beacon.FIX:
            self._keep_fix(found, time_ms)
        if later_ms is None:  # one that a station delivers late tells nothing of how the tag is now
            self._learn(found)

    def _learn(self, found: Resolved) -> None:
        """What the newest beacon of a tag tells beside where it was heard."""
        device_id = found.device.device_id
        orders.obeyed(self._database, device_id, found.beacon.flags)
        self._database.run(
            "INSERT INTO epochs VALUES (?, ?) ON CONFLICT (device_id) DO UPDATE SET epoch = excluded.epoch",
            device_id,
            found.counter >> 4,
        )
        if found.beacon.type == beacon.CHALLENGE:
            orders.offered(self._database, device_id, found.beacon.body)

    def _keep_fix(self, found: Resolved, time_ms: int) -> None:
        place = beacon.reveal(found.beacon.body, found.counter, found.device.position_key)
        self._database.run(
            "INSERT INTO fixes VALUES (?, ?, ?, ?, ?, 'gnss', NULL, NULL)",
            found.device.device_id,
            time_ms - 1000 * (place.age_s or 0),
            place.lat_e7 / 1e7,
            place.lon_e7 / 1e7,
            float(place.accuracy_m or 100),
        )
