"""esp32: wake sources, non-volatile storage, partitions."""

import struct

import operations as op
from _board import call

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True
HEAP_DATA = 4
HEAP_EXEC = 1

_EXT0 = 1
_EXT1 = 2
_GPIO = 3
_ENOENT = 2


def _wake(kind: int, pins, level) -> None:
    call(op.WAKE_PINS, kind, bytes([1 if level else 0]) + bytes([pin.gpio for pin in pins or ()]))


def wake_on_ext0(pin=None, level=False) -> None:
    _wake(_EXT0, [pin] if pin is not None else (), level)


def wake_on_ext1(pins=None, level=False) -> None:
    _wake(_EXT1, pins, level)


def wake_on_gpio(pins=None, level=False) -> None:
    _wake(_GPIO, pins, level)


def gpio_deep_sleep_hold(enable: bool) -> None:
    """Outputs of the virtual board keep their level through deep sleep anyway."""


def mcu_temperature() -> int:
    return call(op.TEMPERATURE)


def raw_temperature() -> int:
    """Degrees Fahrenheit, as on the first ESP32."""
    return call(op.TEMPERATURE) * 9 // 5 + 32


class NVS:
    """Key-value storage beside the file system."""

    def __init__(self, namespace: str):
        self._namespace = namespace

    def _data(self, key: str, value=b"") -> bytes:
        names = self._namespace.encode(), key.encode()
        return bytes((len(names[0]), len(names[1]))) + names[0] + names[1] + bytes(value)

    def set_i32(self, key: str, value: int) -> None:
        self.set_blob(key, struct.pack("<i", value))

    def get_i32(self, key: str) -> int:
        number = bytearray(4)
        self.get_blob(key, number)
        return struct.unpack("<i", number)[0]

    def set_blob(self, key: str, value) -> None:
        call(op.NVS_WRITE, 0, self._data(key, value))

    def get_blob(self, key: str, buffer) -> int:
        return call(op.NVS_READ, 0, self._data(key), buffer)

    def erase_key(self, key: str) -> None:
        call(op.NVS_ERASE, 0, self._data(key))

    def commit(self) -> None:
        """Every change is stored at once."""


class Partition:
    """The two application slots of an over-the-air layout; what was booted is kept in NVS."""

    TYPE_APP = 0
    TYPE_DATA = 1
    BOOT = 0
    RUNNING = 1

    def __init__(self, name, block_size=4096):
        if name in (Partition.BOOT, Partition.RUNNING):
            name = f"ota_{_boot_slot()}"
        if name not in ("ota_0", "ota_1"):
            raise OSError(_ENOENT)
        self._slot = int(name[-1])

    def info(self) -> tuple:
        """(type, subtype, address, size, label, encrypted)."""
        return 0, 16 + self._slot, 0x10000 + self._slot * 0x1F0000, 0x1F0000, f"ota_{self._slot}", False

    def get_next_update(self) -> "Partition":
        return Partition(f"ota_{1 - self._slot}")

    def set_boot(self) -> None:
        NVS("ota").set_i32("slot", self._slot)

    @classmethod
    def mark_app_valid_cancel_rollback(cls) -> None:
        NVS("ota").set_i32("valid", 1)


def _boot_slot() -> int:
    try:
        return NVS("ota").get_i32("slot")
    except OSError:
        return 0
