"""From a rotating id to the tag behind it, proved by the beacon's MAC.

The ids of each tag's near window (see id_windows) stand ready in one table. The wide windows are searched a share at a
time, for all ids at once that were nobody's (see unresolved).
"""

import struct
from collections.abc import Iterable, Set
from hashlib import sha256
from typing import NamedTuple

from groundwire import beacon, keys
from groundwire.errors import AuthenticationError, DecodeError

from groundnet.collector.senders import id_windows
from groundnet.collector.senders.id_table import EPOCH_LOW_MASK, IdTable
from groundnet.collector.senders.known_devices import KnownDevice, KnownDevices

LARGEST_EPOCH = id_windows.LARGEST_EPOCH
_HALF = EPOCH_LOW_MASK + 1 >> 1
_number = int.from_bytes
_EPOCH = struct.Struct(">I")
_INNER, _OUTER = bytes(byte ^ 0x36 for byte in range(256)), bytes(byte ^ 0x5C for byte in range(256))
_PADDING = bytes(64 - keys.SECRET_SIZE)


class Resolved(NamedTuple):
    """A beacon whose sender is proved. ``number`` is the sender's in KnownDevices."""

    number: int
    device_id: bytes
    counter: int
    beacon: beacon.Beacon


class Rejected(Exception):
    """A beacon that is nobody's; ``reason`` is a fixed word: malformed, unknown_eid or mac."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Ids:
    """The ids of one device: HMAC-SHA256 as groundwire.keys.eid, with the key's blocks taken in once."""

    def __init__(self, secret: bytes) -> None:
        block = keys.derive_bytes(secret, keys.IDENTITY) + _PADDING
        self._inner, self._outer = sha256(block.translate(_INNER)), sha256(block.translate(_OUTER))

    def of(self, epoch: int) -> bytes:
        """The 6 bytes of an epoch's id."""
        inner = self._inner.copy()
        inner.update(_EPOCH.pack(epoch))
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()[: keys.EID_SIZE]


class Resolver:
    """All known devices by their coming ids.

    Args:
        devices: the columns; this class moves their anchors.
    """

    def __init__(self, devices: KnownDevices) -> None:
        self.devices = devices
        self._table = IdTable()

    def reserve(self, devices: int) -> None:
        """Make room for so many more devices at once."""
        self._table.reserve(len(self._table) + devices * len(id_windows.near(1000)))

    def add(self, device_id: bytes, secret: bytes, epoch: int) -> None:
        """Know a device, or its new secret, last heard in ``epoch`` (0: never)."""
        old = self.devices.number(device_id)
        if old is not None:
            self._change(old, id_windows.near(self.devices.anchors[old]), ())
        number = self.devices.put(device_id, secret)
        self.devices.anchors[number] = epoch
        self._change(number, (), id_windows.near(epoch))

    def resolve(self, data: bytes) -> Resolved:
        """The proved sender of a beacon. Raises Rejected."""
        try:
            found = beacon.decode(data)
        except DecodeError as error:
            raise Rejected("malformed") from error
        owners = self._table.owners(_number(found.eid, "big"))
        if not owners:
            raise Rejected("unknown_eid")
        for number, low in owners:
            anchor = self.devices.anchors[number]
            epoch = anchor + ((low - anchor + _HALF) & EPOCH_LOW_MASK) - _HALF
            resolved = self.proved(data, found, number, epoch)
            if resolved is not None:
                if epoch >= anchor + id_windows.STEP:
                    self.follow(number, epoch)
                return resolved
        raise Rejected("mac")

    def proved(self, data: bytes, found: beacon.Beacon, number: int, epoch: int) -> Resolved | None:
        """The beacon as of this device and epoch; None when its MAC says no."""
        counter = beacon.expand(epoch, found.low)
        try:
            beacon.verify(data, counter, self.devices.beacon_key(number))
        except AuthenticationError:
            return None
        return Resolved(number, self.devices.device_id(number), counter, found)

    def knows(self, eid: bytes) -> bool:
        """Whether an id stands ready."""
        return bool(self._table.owners(_number(eid, "big")))

    def follow(self, number: int, epoch: int) -> None:
        """Move a device's window to an epoch in which it was heard, here or by another collector; never back."""
        anchor = self.devices.anchors[number]
        there = id_windows.moved(anchor, epoch)
        if there != anchor:
            self.devices.anchors[number] = there
            self._change(number, id_windows.near(anchor), id_windows.near(there))

    def coming_eids(self, device: KnownDevice, epoch: int, count: int) -> list[bytes]:
        """The ids of ``count`` epochs from ``epoch`` on."""
        return [keys.eid(device.identity_key, e) for e in range(epoch, min(epoch + count, LARGEST_EPOCH + 1))]

    def search(self, number: int, wanted: Set[bytes], epochs: Iterable[int]) -> list[tuple[bytes, int]]:
        """(id, epoch) of those of ``wanted`` that a device has in these epochs."""
        ids = Ids(self.devices.secret(number))
        return [(eid, epoch) for epoch in epochs if (eid := ids.of(epoch)) in wanted]

    def _change(self, number: int, old: Iterable[int], new: Iterable[int]) -> None:
        ids, table = Ids(self.devices.secret(number)), self._table
        gone, come = set(old), set(new)
        for epoch in gone - come:
            table.discard(_number(ids.of(epoch), "big"), epoch, number)
        for epoch in come - gone:
            table.add(_number(ids.of(epoch), "big"), epoch, number)
