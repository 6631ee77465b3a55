"""The devices whose beacons and reports can be checked, in columns: two million of them are a few hundred megabytes."""

from array import array
from collections.abc import Iterator
from functools import cached_property

from groundwire import keys

ID_SIZE = 8


class KnownDevice:
    """One device; its keys are derived when they are used, and show nothing when printed."""

    def __init__(self, device_id: bytes, secret: bytes) -> None:
        self.device_id = device_id
        self._secret = secret

    @classmethod
    def from_secret(cls, device_id: bytes, secret: bytes) -> "KnownDevice":
        """The same by name. Raises EncodeError("secret") unless it has 32 bytes."""
        device = cls(device_id, secret)
        device.beacon_key  # noqa: B018 - derives, and so checks, now
        return device

    def __repr__(self) -> str:
        return f"<KnownDevice {self.device_id.hex()}>"

    @cached_property
    def identity_key(self) -> keys.Key:
        return keys.derive(self._secret, keys.IDENTITY)

    @cached_property
    def beacon_key(self) -> keys.Key:
        return keys.derive(self._secret, keys.BEACON)

    @cached_property
    def position_key(self) -> keys.Key:
        return keys.derive(self._secret, keys.POSITION)

    @cached_property
    def downlink_key(self) -> keys.Key:
        return keys.derive(self._secret, keys.DOWNLINK)

    @cached_property
    def report_key(self) -> keys.Key:
        return keys.derive(self._secret, keys.REPORT)


class KnownDevices:
    """Devices by id or by number. Numbers rise from 0 and stay; a device that has a new secret keeps its number."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._ids = bytearray()
        self._secrets = bytearray()
        self._beacon_keys = bytearray()
        self.anchors = array("I")  # the epoch around which a device's near window lies
        self.heard_ms = array("Q")  # Unix ms of the last beacon, 0: never
        self.is_lost = bytearray()  # 1: that beacon was sent in lost mode

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._numbers)

    def __contains__(self, device_id: bytes) -> bool:
        return device_id in self._numbers

    def number(self, device_id: bytes) -> int | None:
        return self._numbers.get(device_id)

    def get(self, device_id: bytes) -> KnownDevice | None:
        number = self._numbers.get(device_id)
        return None if number is None else self.at(number)

    def at(self, number: int) -> KnownDevice:
        """The device of a number, its keys yet to be derived."""
        return KnownDevice(self.device_id(number), self.secret(number))

    def device_id(self, number: int) -> bytes:
        return bytes(self._ids[number * ID_SIZE : (number + 1) * ID_SIZE])

    def secret(self, number: int) -> bytes:
        size = keys.SECRET_SIZE
        return bytes(self._secrets[number * size : (number + 1) * size])

    def beacon_key(self, number: int) -> keys.Key:
        size = keys.SECRET_SIZE
        return keys.Key(bytes(self._beacon_keys[number * size : (number + 1) * size]))

    def has(self, device_id: bytes, secret: bytes) -> bool:
        """Whether it is known with this very secret."""
        number = self._numbers.get(device_id)
        return number is not None and keys.same(self.secret(number), secret)

    def put(self, device_id: bytes, secret: bytes) -> int:
        """Know a device, or its new secret; gives its number. Raises EncodeError("secret")."""
        derived = keys.derive_bytes(secret, keys.BEACON)
        number = self._numbers.get(device_id)
        if number is None:
            self._numbers[device_id] = number = len(self._numbers)
            self._ids += device_id
            self._secrets += secret
            self._beacon_keys += derived
            self.anchors.append(0)
            self.heard_ms.append(0)
            self.is_lost.append(0)
        else:
            size = keys.SECRET_SIZE
            self._secrets[number * size : (number + 1) * size] = secret
            self._beacon_keys[number * size : (number + 1) * size] = derived
        return number

    def heard(self, device_id: bytes, time_ms: int, is_lost: bool) -> None:
        """Remember the newest beacon of a known device."""
        number = self._numbers[device_id]
        self.heard_ms[number] = time_ms
        self.is_lost[number] = is_lost
