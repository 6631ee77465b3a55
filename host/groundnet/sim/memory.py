"""What a virtual board keeps: flash, NVS, the memory and the clock of the RTC, its own number."""

import struct
from typing import TYPE_CHECKING

from groundnet.sim.boardfs import BLOCK_BYTES, ROM_BYTES
from groundnet.sim.process import Request
from groundnet.sim.services import Handler, Result, Service
from groundnet.sim.shim import operations as op

if TYPE_CHECKING:
    from groundnet.sim.board import VirtualBoard

_EPOCH_2000_US = 946_684_800_000_000  # what the RTC shows when power comes on
_COMMIT_US = 3_000  # metadata of littlefs
_PROGRAM_US = 60_000  # erase and program one block of 4 KiB, about 67 kB/s
_ENOENT, _ENOSPC = 2, 28
_RTC_MEMORY_BYTES = 2048
_TEMPERATURE_C = 25


class Memory(Service):
    """Flash and RTC of one board."""

    def __init__(self, board: "VirtualBoard", unique_id: bytes) -> None:
        self._board = board
        self.unique_id = unique_id
        self.rtc_memory = b""
        self.clock_us = 0.0  # what the RTC showed at virtual time zero, Unix microseconds
        self.nvs: dict[tuple[bytes, bytes], bytes] = {}

    def handlers(self) -> dict[int, Handler]:
        return {
            op.FLASH_PROGRAM: self._program,
            op.FLASH_COMMIT: self._commit,
            op.FLASH_REMOVE: self._remove,
            op.FLASH_RENAME: self._rename,
            op.FLASH_MAKE_FOLDER: self._make_folder,
            op.FLASH_SPACE: self._space,
            op.ROM_READ: self._read_rom,
            op.ROM_ERASE: self._erase_rom,
            op.ROM_WRITE: self._write_rom,
            op.RTC_SET: self._set_clock,
            op.RTC_MEMORY_READ: lambda request: (len(self.rtc_memory), self.rtc_memory),
            op.RTC_MEMORY_WRITE: self._write_rtc_memory,
            op.RESET_CAUSE: lambda request: self._board.reset_cause,
            op.UNIQUE_ID: lambda request: (len(self.unique_id), self.unique_id),
            op.TEMPERATURE: lambda request: _TEMPERATURE_C,
            op.NVS_READ: self._read_nvs,
            op.NVS_WRITE: self._write_nvs,
            op.NVS_ERASE: self._erase_nvs,
        }

    def lose_power(self) -> None:
        """The RTC starts at 2000-01-01 with empty memory."""
        self.rtc_memory = b""
        self.clock_us = float(_EPOCH_2000_US - self._board.world.now_us)

    def rtc_us(self) -> float:
        """What the RTC shows now, Unix microseconds."""
        return self.clock_us + self._board.world.now_us

    # --- flash

    def _program(self, request: Request) -> Result:
        self._board.files.program(_split(request.data)[0], request.argument)
        self._board.spend(_PROGRAM_US)
        return 0

    def _commit(self, request: Request) -> Result:
        path, data = _split(request.data)
        self._board.files.commit(path, data, self._modified())
        return self._changed()

    def _remove(self, request: Request) -> Result:
        self._board.files.remove(_split(request.data)[0])
        return self._changed()

    def _rename(self, request: Request) -> Result:
        path, target = _split(request.data)
        self._board.files.rename(path, target.decode())
        return self._changed()

    def _make_folder(self, request: Request) -> Result:
        self._board.files.make_folder(_split(request.data)[0], self._modified())
        return self._changed()

    def _space(self, request: Request) -> Result:
        return 0, struct.pack("<III", *self._board.files.space())

    def _changed(self) -> int:
        self._board.spend(_COMMIT_US)
        return self._modified()

    def _modified(self) -> int:
        return int(self.rtc_us() // 1_000_000) & 0x7FFFFFFF

    # --- ROM partition

    def _read_rom(self, request: Request) -> Result:
        files = self._board.files
        return files.rom_version, b"" if request.argument == files.rom_version else files.rom

    def _erase_rom(self, request: Request) -> Result:
        if not 0 <= request.argument <= ROM_BYTES:
            return -_ENOSPC
        self._board.files.erase_rom(request.argument)
        self._board.spend(-(-request.argument // BLOCK_BYTES) * _PROGRAM_US)
        return 0

    def _write_rom(self, request: Request) -> Result:
        if not 0 <= request.argument <= ROM_BYTES - len(request.data):
            return -_ENOSPC
        self._board.files.write_rom(request.argument, request.data)
        return 0

    # --- RTC

    def _set_clock(self, request: Request) -> Result:
        seconds, microseconds = struct.unpack("<II", request.data)
        self.clock_us = float(seconds * 1_000_000 + microseconds - self._board.world.now_us)
        return 0, struct.pack("<d", self.clock_us)

    def _write_rtc_memory(self, request: Request) -> Result:
        if len(request.data) > _RTC_MEMORY_BYTES:
            return -_ENOSPC
        self.rtc_memory = request.data
        return 0

    # --- NVS

    def _read_nvs(self, request: Request) -> Result:
        key, _ = _split_nvs(request.data)
        if key not in self.nvs:
            return -_ENOENT
        return len(self.nvs[key]), self.nvs[key]

    def _write_nvs(self, request: Request) -> Result:
        key, value = _split_nvs(request.data)
        self._step(key)
        self.nvs[key] = value
        self._board.spend(_COMMIT_US)
        return 0

    def _erase_nvs(self, request: Request) -> Result:
        key, _ = _split_nvs(request.data)
        if key not in self.nvs:
            return -_ENOENT
        self._step(key)
        del self.nvs[key]
        return 0

    def _step(self, key: tuple[bytes, bytes]) -> None:
        """Power may be cut before an entry changes, never within."""
        self._board.files.step("nvs", "/".join(part.decode() for part in key))


def _split(data: bytes) -> tuple[str, bytes]:
    (size,) = struct.unpack_from("<H", data)
    return data[2 : 2 + size].decode(), data[2 + size :]


def _split_nvs(data: bytes) -> tuple[tuple[bytes, bytes], bytes]:
    namespace_end = 2 + data[0]
    key_end = namespace_end + data[1]
    return (data[2:namespace_end], data[namespace_end:key_end]), data[key_end:]
