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
    """A partition of the flash chip as a block device; two of them hold base images."""

    TYPE_APP = 0
    TYPE_DATA = 1
    BOOT = 0
    RUNNING = 1

    def __init__(self, id, block_size=4096):
        if isinstance(id, str):
            self._at = _find(0, 255, id) or _find(1, 255, id)
            if not self._at:
                raise OSError(_ENOENT)
            self._at = self._at[0]
        elif isinstance(id, tuple):  # from here alone: a number in the table
            self._at = id[0]
        elif id in (0, 1):
            self._at = call(op.PARTITION_CHOOSE, id)
        else:
            raise ValueError
        self._info = _table()[self._at]
        self._size = block_size

    @staticmethod
    def find(type=0, subtype=255, label=None, block_size=4096) -> list:
        return [Partition((at,), block_size) for at in _find(type, subtype, label)]

    def info(self) -> tuple:
        """(type, subtype, address, size, label, encrypted)."""
        return self._info

    def readblocks(self, block, buffer, offset=0) -> None:
        call(op.PARTITION_READ, self._address(block, offset, len(buffer)), b"", buffer)

    def writeblocks(self, block, buffer, offset=None) -> None:
        """Whole blocks are erased first; with an offset they are not."""
        address = self._address(block, offset or 0, len(buffer))
        if offset is None:
            _ask(op.PARTITION_ERASE, address, struct.pack("<I", len(buffer)))
        _ask(op.PARTITION_WRITE, address, buffer)

    def ioctl(self, cmd, arg):
        if cmd == 4:
            return self._info[3] // self._size
        if cmd == 5:
            return self._size
        if cmd == 6:
            _ask(op.PARTITION_ERASE, self._address(arg, 0, self._size), struct.pack("<I", self._size))
        return 0 if cmd in (1, 2, 3, 6) else None

    def set_boot(self) -> None:
        _ask(op.PARTITION_SELECT, self._at)

    def get_next_update(self) -> "Partition":
        return Partition((call(op.PARTITION_CHOOSE, 2 + self._at),))

    @classmethod
    def mark_app_valid_cancel_rollback(cls) -> None:
        _ask(op.PARTITION_WORKS, 0)

    def _address(self, block, offset, count) -> int:
        offset += block * self._size
        if offset + count > self._info[3]:
            _fail(0x102 if offset > self._info[3] else 0x104)
        return self._info[2] + offset


def _table() -> list:
    data = bytearray(26 * 32)
    entries = []
    for at in range(call(op.PARTITION_TABLE, 0, b"", data)):
        entry = struct.unpack_from("<BBII16s", data, at * 26)
        # RUF005: MicroPython has no star in a tuple.
        entries.append(entry[:4] + (entry[4].rstrip(b"\0").decode(), False))  # noqa: RUF005
    return entries


def _find(type, subtype, label) -> list:
    """Numbers in the table."""
    return [
        at
        for at, entry in enumerate(_table())
        if entry[0] == type and subtype in (255, entry[1]) and label in (None, entry[4])
    ]


def _ask(operation, argument, data=b"") -> None:
    """ESP-IDF's own error numbers are negative, with their name."""
    try:
        call(operation, argument, data)
    except OSError as error:
        _fail(error.errno)


def _fail(number):
    names = {
        0x102: "INVALID_ARG",
        0x104: "INVALID_SIZE",
        0x105: "NOT_FOUND",
        0x1503: "OTA_VALIDATE_FAILED",
    }
    raise OSError(-number, "ESP_ERR_" + names.get(number, "FAIL"))
