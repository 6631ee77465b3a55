"""From a rotating id to the tag behind it: the ids of a window of epochs of every tag, made in advance.

A tag's epoch is its beacon counter / 16, so no clock is needed. Ahead, the window reaches past the largest jump that
a tag's counter makes when it lost power (one block of 1000 reserved beacons = 63 epochs), more than twice. Behind, it
covers what a station without backhaul delivers late: a night in lost mode with a beacon each 30 s.
"""

from dataclasses import dataclass

from groundwire import beacon, keys
from groundwire.errors import AuthenticationError, DecodeError

EPOCHS_BEHIND = 64
EPOCHS_AHEAD = 140
LARGEST_EPOCH = (1 << 28) - 1


@dataclass(frozen=True)
class KnownDevice:
    """A device whose beacons and reports can be checked; keys show nothing when printed."""

    device_id: bytes
    identity_key: keys.Key
    beacon_key: keys.Key
    position_key: keys.Key
    downlink_key: keys.Key
    report_key: keys.Key

    @classmethod
    def from_secret(cls, device_id: bytes, secret: bytes) -> "KnownDevice":
        labels = (keys.IDENTITY, keys.BEACON, keys.POSITION, keys.DOWNLINK, keys.REPORT)
        return cls(device_id, *(keys.derive(secret, label) for label in labels))

    def same_keys(self, other: "KnownDevice") -> bool:
        """Whether both come from one secret."""
        return keys.same(self.beacon_key.mac(b""), other.beacon_key.mac(b""))


@dataclass(frozen=True)
class Resolved:
    """A beacon whose sender is proved."""

    device: KnownDevice
    counter: int
    beacon: beacon.Beacon


class Rejected(Exception):
    """A beacon that is nobody's; ``reason`` is a fixed word: malformed, unknown_eid or mac."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Resolver:
    """All known devices by their current and coming ids."""

    def __init__(self) -> None:
        self._by_eid: dict[bytes, tuple[KnownDevice, int]] = {}
        self._windows: dict[bytes, tuple[int, int]] = {}  # device -> first and last epoch in the index

    def add(self, device: KnownDevice, epoch: int) -> None:
        """Know a device whose last heard epoch is ``epoch`` (0 for a new one)."""
        first, last = max(0, epoch - EPOCHS_BEHIND), min(epoch + EPOCHS_AHEAD, LARGEST_EPOCH)
        self._index(device, first, last)
        self._windows[device.device_id] = (first, last)

    def resolve(self, data: bytes) -> Resolved:
        """The proved sender of a beacon. Raises Rejected."""
        try:
            found = beacon.decode(data)
        except DecodeError as error:
            raise Rejected("malformed") from error
        known = self._by_eid.get(found.eid)
        if known is None:
            raise Rejected("unknown_eid")
        device, epoch = known
        counter = beacon.expand(epoch, found.low)
        try:
            beacon.verify(data, counter, device.beacon_key)
        except AuthenticationError as error:
            raise Rejected("mac") from error
        self._slide(device, epoch)
        return Resolved(device, counter, found)

    def follow(self, device: KnownDevice, epoch: int) -> None:
        """Move the window to an epoch in which another collector heard the device; never back."""
        first, last = self._windows[device.device_id]
        if epoch <= last - EPOCHS_AHEAD:
            return
        for old in range(first, last + 1):
            self._by_eid.pop(keys.eid(device.identity_key, old), None)
        self.add(device, epoch)

    def coming_eids(self, device: KnownDevice, epoch: int, count: int) -> list[bytes]:
        """The ids of ``count`` epochs from ``epoch`` on."""
        return [keys.eid(device.identity_key, e) for e in range(epoch, min(epoch + count, LARGEST_EPOCH + 1))]

    def _slide(self, device: KnownDevice, epoch: int) -> None:
        """Move the window on once a quarter of it is used up; never back."""
        first, last = self._windows[device.device_id]
        if epoch + EPOCHS_AHEAD * 3 // 4 <= last:
            return
        for old in range(first, epoch - EPOCHS_BEHIND):
            self._by_eid.pop(keys.eid(device.identity_key, old), None)
        end = min(epoch + EPOCHS_AHEAD, LARGEST_EPOCH)
        self._index(device, last + 1, end)
        self._windows[device.device_id] = (max(first, epoch - EPOCHS_BEHIND), end)

    def _index(self, device: KnownDevice, first: int, last: int) -> None:
        for epoch in range(first, last + 1):
            self._by_eid[keys.eid(device.identity_key, epoch)] = (device, epoch)
