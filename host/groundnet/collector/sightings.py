"""Sightings into the store: each beacon once, each sighting once, replays refused with their reason.

Stations are not authenticated, so what a station claims (its id, its numbers, its times) decides only about its own
sightings. What decides about a beacon is its counter, which a MAC proves, and the collector's own clock: a beacon that
the collector holds was sent before it came in, and so was every beacon with a lower counter.
"""

from groundwire import beacon

from groundnet.collector import orders
from groundnet.collector.database import Database
from groundnet.collector.epoch_news import EpochNews
from groundnet.collector.resolver import Rejected, Resolved, Resolver

HEARD_TOGETHER_MS = (
    5_000  # clocks of stations are off by less; a beacon heard later than it can be is a replay
)
LATEST_DELIVERY_MS = 7 * 24 * 3600 * 1000  # a station without backhaul keeps no sighting for longer


class SightingStore:
    """Takes the sightings of stations; `rejects` in the database counts what was refused, by reason."""

    def __init__(self, database: Database, resolver: Resolver, news: EpochNews) -> None:
        self._database = database
        self._resolver = resolver
        self._news = news

    def take(
        self, station_id: bytes, boot_count: int, first_sequence: int, sightings: list[dict], now_ms: int
    ) -> int:
        """Keep a batch, in one transaction; returns the next sequence that the station should send.

        What this station told before is passed over: stations repeat what was not acknowledged.
        """
        with self._database.transaction():
            for offset, sighting in enumerate(sightings):
                try:
                    self._take_one(station_id, boot_count, first_sequence + offset, sighting, now_ms)
                except Rejected as rejected:
                    self.reject(rejected.reason)
        return first_sequence + len(sightings)

    def _take_one(
        self, station_id: bytes, boot_count: int, sequence: int, sighting: dict, now_ms: int
    ) -> None:
        """Keep one sighting. Raises Rejected."""
        found = self._resolved(sighting["beacon"])
        device_id, counter = found.device.device_id, found.counter
        told = self._database.row(
            "SELECT boot_count, sequence FROM sightings WHERE station_id = ? AND device_id = ? AND counter = ?",
            station_id,
            device_id,
            counter,
        )
        if told is not None:
            if (told["boot_count"], told["sequence"]) == (boot_count, sequence):
                return  # our acknowledgement was lost
            raise Rejected("replay")
        time_ms = self._heard_ms(device_id, counter, _believable_ms(sighting["time_ms"], now_ms), now_ms)
        self._take_beacon(found, time_ms, now_ms)
        snr_cdb = sighting["snr_cdb"]
        self._database.run(
            "INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            station_id,
            boot_count,
            sequence,
            device_id,
            counter,
            time_ms,
            sighting["rssi_dbm"],
            None if snr_cdb is None else snr_cdb / 100,
        )

    def _resolved(self, data: bytes) -> Resolved:
        """The proved sender, also of a tag that only other collectors have heard for long. Raises Rejected."""
        try:
            return self._resolver.resolve(data)
        except Rejected as rejected:
            if rejected.reason != "unknown_eid" or not self._news.followed():
                raise
        return self._resolver.resolve(data)

    def reject(self, reason: str, times: int = 1) -> None:
        """Count something that was refused."""
        self._database.run(
            "INSERT INTO rejects VALUES (?, ?) "
            "ON CONFLICT (reason) DO UPDATE SET count = rejects.count + excluded.count",
            reason,
            times,
        )

    def _heard_ms(self, device_id: bytes, counter: int, claimed_ms: int, now_ms: int) -> int:
        """When a station heard a beacon: as it says, but not after the collector held this or a later one.

        Raises Rejected("replay") when it says that it heard it long after that.
        """
        held = self._database.row(
            "SELECT min(received_ms) AS ms FROM beacons WHERE device_id = ? AND counter >= ?",
            device_id,
            counter,
        )
        latest_ms = now_ms if held is None or held["ms"] is None else held["ms"]
        if claimed_ms > latest_ms + HEARD_TOGETHER_MS:
            raise Rejected("replay")
        return min(claimed_ms, latest_ms)

    def _take_beacon(self, found: Resolved, time_ms: int, now_ms: int) -> None:
        """The beacon's own row: the first copy makes it, and the latest time that can be true dates it.

        A false time can then only be an earlier one, and any station that tells the truth puts it right.
        """
        device_id, counter = found.device.device_id, found.counter
        known = self._database.row(
            "SELECT time_ms FROM beacons WHERE device_id = ? AND counter = ?", device_id, counter
        )
        if known is not None:
            if time_ms > known["time_ms"]:
                self._date_again(found, known["time_ms"], time_ms)
            return
        newer = self._database.row(
            "SELECT 1 FROM beacons WHERE device_id = ? AND counter > ? LIMIT 1", device_id, counter
        )
        self._database.run(
            "INSERT INTO beacons (device_id, counter, time_ms, flags, battery, received_ms) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            device_id,
            counter,
            time_ms,
            found.beacon.flags,
            found.beacon.battery,
            now_ms,
        )
        if found.beacon.type == beacon.FIX:
            self._keep_fix(found, time_ms)
        if newer is None:  # one that a station delivers late tells nothing of how the tag is now
            self._learn(found)

    def _date_again(self, found: Resolved, old_ms: int, time_ms: int) -> None:
        device_id, counter = found.device.device_id, found.counter
        self._database.run(
            "UPDATE beacons SET time_ms = ? WHERE device_id = ? AND counter = ?", time_ms, device_id, counter
        )
        if found.beacon.type == beacon.FIX:
            place = _place(found)
            self._database.run(
                "UPDATE fixes SET time_ms = ? WHERE device_id = ? AND time_ms = ? AND lat = ? AND lon = ?",
                _fix_ms(place, time_ms),
                device_id,
                _fix_ms(place, old_ms),
                place.lat_e7 / 1e7,
                place.lon_e7 / 1e7,
            )

    def _learn(self, found: Resolved) -> None:
        """What the newest beacon of a tag tells beside where it was heard."""
        device_id = found.device.device_id
        orders.obeyed(self._database, device_id, found.beacon.flags)
        self._database.run(
            "INSERT INTO epochs VALUES (?, ?, (SELECT coalesce(max(change), 0) + 1 FROM epochs)) "
            "ON CONFLICT (device_id) DO UPDATE SET epoch = excluded.epoch, change = excluded.change "
            "WHERE epochs.epoch <> excluded.epoch",
            device_id,
            found.counter >> 4,
        )
        if found.beacon.type == beacon.CHALLENGE:
            orders.offered(self._database, device_id, found.beacon.body)

    def _keep_fix(self, found: Resolved, time_ms: int) -> None:
        place = _place(found)
        self._database.run(
            "INSERT INTO fixes VALUES (?, ?, ?, ?, ?, 'gnss', NULL, NULL)",
            found.device.device_id,
            _fix_ms(place, time_ms),
            place.lat_e7 / 1e7,
            place.lon_e7 / 1e7,
            float(place.accuracy_m or 100),
        )


def _believable_ms(claimed_ms: int | None, now_ms: int) -> int:
    """A station's time of a sighting; the collector's own where that is missing, long past or still to come."""
    if claimed_ms is None or claimed_ms < now_ms - LATEST_DELIVERY_MS:
        return now_ms
    return min(claimed_ms, now_ms)


def _place(found: Resolved) -> beacon.Position:
    return beacon.reveal(found.beacon.body, found.counter, found.device.position_key)


def _fix_ms(place: beacon.Position, time_ms: int) -> int:
    return time_ms - 1000 * (place.age_s or 0)
