"""One reception of a beacon by a station, as the store takes it, and what may be believed of its time."""

from typing import NamedTuple

from groundwire import beacon

from groundnet.collector.senders.known_devices import KnownDevices
from groundnet.collector.senders.resolver import Resolved

HEARD_TOGETHER_MS = (
    5_000  # clocks of stations are off by less; a beacon heard later than it can be is a replay
)
LATEST_DELIVERY_MS = 7 * 24 * 3600 * 1000  # a station without backhaul keeps no sighting for longer


class Reception(NamedTuple):
    """What a station claims of one beacon; ``time_ms`` is already one that can be believed."""

    station_id: bytes
    boot_count: int
    sequence: int
    beacon: bytes
    time_ms: int
    rssi_dbm: int | None
    snr_cdb: int | None
    received_ms: int

    def row(self, device_id: bytes, counter: int, time_ms: int) -> tuple:
        """For the table of sightings."""
        snr_db = None if self.snr_cdb is None else self.snr_cdb / 100
        number = self.boot_count, self.sequence
        return (self.station_id, *number, device_id, counter, time_ms, self.rssi_dbm, snr_db)


def believable_ms(claimed_ms: int | None, now_ms: int) -> int:
    """A station's time of a sighting; the collector's own where that is missing, long past or still to come."""
    if claimed_ms is None or claimed_ms < now_ms - LATEST_DELIVERY_MS:
        return now_ms
    return min(claimed_ms, now_ms)


def fix_row(found: Resolved, time_ms: int, devices: KnownDevices) -> tuple:
    """A fix beacon's row for the table of fixes; its position is hidden from all but us."""
    place = beacon.reveal(found.beacon.body, found.counter, devices.at(found.number).position_key)
    return (
        found.device_id,
        time_ms - 1000 * (place.age_s or 0),
        place.lat_e7 / 1e7,
        place.lon_e7 / 1e7,
        float(place.accuracy_m or 100),
    )
