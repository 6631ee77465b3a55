"""What a write of sightings puts into the store: each sighting once, each beacon dated by who tells the truth."""

from collections import Counter

from groundnet.collector.intake.newest import Newest
from groundnet.collector.intake.reception import HEARD_TOGETHER_MS, Reception
from groundnet.collector.senders.resolver import Resolved


class SightingRows:
    """What one `write` will put into the store.

    Args:
        told: who told of these beacons before, with which number.
        rejects: counts what is refused.
    """

    def __init__(self, told: dict[tuple[bytes, int, bytes], tuple[int, int]], rejects: Counter[str]) -> None:
        self._told = told
        self._rejects = rejects
        self.sightings: list[tuple] = []
        self.new: list[tuple[Resolved, Newest]] = []
        self.dated_again: list[tuple[Resolved, int, int]] = []

    def add_new(self, resolved: Resolved, receptions: list[Reception]) -> Newest:
        """A beacon that nobody told of before; its first copy dates what can be true of it."""
        received_ms = min([one.received_ms for one in receptions])
        at = Newest(resolved.counter, self._add(resolved, receptions, received_ms), received_ms)
        self.new.append((resolved, at))
        return at

    def add_again(self, resolved: Resolved, receptions: list[Reception], held: Newest) -> Newest:
        """The newest beacon that we hold: the latest time that can be true dates it.

        A false time can then only be an earlier one, and any station that tells the truth puts it right.
        """
        time_ms = self._add(resolved, receptions, held.received_ms)
        if time_ms <= held.time_ms:
            return held
        self.dated_again.append((resolved, held.time_ms, time_ms))
        return held._replace(time_ms=time_ms)

    def _add(self, resolved: Resolved, receptions: list[Reception], held_ms: int) -> int:
        """The sightings; returns the latest time, -1 when none was taken."""
        device_id, counter, latest_ms = resolved.device_id, resolved.counter, -1
        for one in receptions:
            key = (device_id, counter, one.station_id)
            before = self._told.get(key)
            if before is not None:
                if before != (one.boot_count, one.sequence):
                    self._rejects["replay"] += 1
                continue  # else our acknowledgement was lost
            if one.time_ms > held_ms + HEARD_TOGETHER_MS:
                self._rejects["replay"] += 1
                continue
            time_ms = min(one.time_ms, held_ms)
            self._told[key] = (one.boot_count, one.sequence)
            self.sightings.append(one.row(device_id, counter, time_ms))
            latest_ms = max(latest_ms, time_ms)
        return latest_ms
