"""The ring in flash in which a station keeps sightings while the collector is away."""

from apps.run_loop import Part
from drivers.flash_records import FlashRecordError
from drivers.flash_ring import FlashRing
from groundcore import events
from micropython import const

_FOLDER = "/sightings"
_SEGMENTS = const(258)  # of 4 KiB, 80 sightings each: 20,480 are there when the oldest two are being removed


class SightingShelf(Part):
    """Carries out SHELVE, TAKE_SHELF and DROP_SHELF."""

    actions = (
        (events.SHELVE, "shelve"),
        (events.TAKE_SHELF, "take"),
        (events.DROP_SHELF, "drop"),
    )
    errors = (FlashRecordError, OSError)

    def __init__(self, loop):
        self._loop = loop
        self._ring = FlashRing(_FOLDER, _SEGMENTS)
        self._told_lost = 0
        self._giving = 0  # records that are being written

    def shelve(self, records: list) -> None:
        self._giving = len(records)
        self._ring.append(records)
        self._giving = 0
        lost = self._ring.lost - self._told_lost
        if lost:
            self._told_lost = self._ring.lost
            self._loop.post(events.SHELF_LOST, lost)

    def take(self) -> None:
        self._loop.post(events.SHELF, *self._ring.oldest())

    def drop(self, number: int) -> None:
        self._ring.drop(number)

    def fill_permille(self) -> int:
        """How full the ring is."""
        return min(1000, 1000 * self._ring.segments // _SEGMENTS)

    def failed(self, action: int) -> None:
        """A ring that is not read is taken for empty until more goes in; what did not go in is lost."""
        if action == events.TAKE_SHELF:
            self._loop.post(events.SHELF, None, [])
        elif action == events.SHELVE and self._giving:
            self._loop.post(events.SHELF_LOST, self._giving)
            self._giving = 0

    def test(self) -> tuple:
        return True, self._ring.segments, "segments in use"
