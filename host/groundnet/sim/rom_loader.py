"""The serial boot loader in an ESP32-C3's or S3's ROM: what stock esptool talks to before a chip has a program.

Modelled from Espressif's "Serial Protocol" page of the esptool manual and the chips' eFuse and SPI register maps:
commands 0x02-0x14 that esptool 5 sends. esptool's own program for the chip's RAM (the "stub") is not
executed; once it was uploaded, its commands and shorter answers are modelled instead. A PTY has no RTS line, by
which esptool resets a board at the end: here a board that was written to resets when its port is closed.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from groundnet.image.app_image import CHIP_NUMBERS
from groundnet.sim.boardfs import ROM_BYTES, PowerCut
from groundnet.sim.flash_chip import SECTOR_BYTES

if TYPE_CHECKING:
    from groundnet.sim.board import VirtualBoard

_END, _ESCAPE = b"\xc0", b"\xdb"
_REQUEST = struct.Struct("<BBHI")  # 0 request or 1 answer, command, bytes, checksum or value
_CHECKSUM_SEED = 0xEF
_INVALID_MESSAGE, _FAILED, _INVALID_CHECKSUM, _DEFLATE_ERROR = 5, 6, 7, 0x0B
_SYNC_VALUE = 0x20120707  # what ROMs answer; the stub answers 0
_SYNC_ANSWERS = 8
_ANSWER_US = 200
_ERASE_US = 45_000  # of one sector
_WRITE_US_PER_KIB = 1_600
_LOOK_US = 500_000  # between two looks whether the port is still open
_FLASH_ID = 0x1740EF  # W25Q64: 8 MiB
_READ_ID = 0x9F
_SPI_BASE = 0x60002000
_SPI_USR2, _SPI_W0 = _SPI_BASE + 0x20, _SPI_BASE + 0x58
_SPI_USR = 1 << 18  # in the command register: start, cleared when done
_WATCHDOG_ENABLE = 1 << 31
_WATCHDOG_US = 15_000  # 2000 ticks of the slow clock, what esptool sets


@dataclass(frozen=True)
class _Rom:
    """What differs between chips: words at power-up, registers of the MAC (eFuse block 1) and of the watchdog."""

    banner: str
    mac: int
    watchdog: int


_ROMS = {
    "esp32c3": _Rom(
        "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n"
        "rst:0x1 (POWERON),boot:0x4 (DOWNLOAD(USB/UART0/1))\r\nwaiting for download\r\n",
        0x60008844,
        0x60008090,
    ),
    "esp32s3": _Rom(
        "ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\n"
        "rst:0x1 (POWERON),boot:0x0 (DOWNLOAD(USB/UART0))\r\nwaiting for download\r\n",
        0x60007044,
        0x60008098,
    ),
}


class _Refused(Exception):
    """A command that failed, with the ROM's reason."""


class RomLoader:
    """One stay in download mode.

    Args:
        board: has just come out of reset with its strapping pin low.
        leave: starts the board's program.
    """

    def __init__(self, board: "VirtualBoard", chip: str, mac: bytes, leave: Callable[[], None]) -> None:
        self._board = board
        self._flash = board.base.flash
        self._chip = chip
        self._rom = _ROMS[chip]
        self._leave = leave
        self._received = bytearray()
        self._stub = False
        self._written: set[int] = set()  # sectors
        self._holders: frozenset[tuple[int, int]] = frozenset()  # who had the port open when writing began
        self._at = 0
        self._inflate = zlib.decompressobj()
        self._cost_us = 0
        self.busy = 0  # answers that are not out yet
        mac = mac[-6:].rjust(6, b"\0")
        low, high = int.from_bytes(mac[2:]), int.from_bytes(mac[:2])
        self._registers = {self._rom.mac: low, self._rom.mac + 4: high}
        board.console.show(self._rom.banner.encode())

    def receive(self, data: bytes) -> None:
        """Bytes from the host; every whole frame is answered."""
        self._received += data
        while self._received.count(_END) >= 2:
            _noise, _, rest = self._received.partition(_END)
            frame, _, rest = rest.partition(_END)
            if frame:
                self._received = rest
                self._serve(bytes(frame))
            else:  # the end of one frame and the beginning of the next
                self._received = bytearray(_END) + rest

    def _serve(self, frame: bytes) -> None:
        frame = frame.replace(b"\xdb\xdc", _END).replace(b"\xdb\xdd", _ESCAPE)
        if len(frame) < _REQUEST.size or frame[0] != 0:
            return
        _, command, size, checksum = _REQUEST.unpack_from(frame)
        data = frame[_REQUEST.size :]
        value, result, status = 0, b"", b"\0\0"
        self._cost_us = _ANSWER_US
        try:
            if len(data) != size or command not in self._HANDLERS:
                raise _Refused(_INVALID_MESSAGE)
            answer = self._HANDLERS[command](self, data, checksum)
            value, result = (answer, b"") if isinstance(answer, int) else (0, answer)
        except (_Refused, struct.error) as refused:
            reason = refused.args[0] if isinstance(refused, _Refused) else _INVALID_MESSAGE
            status = bytes([1, reason])
        except PowerCut:
            self._board.power_off()
            return
        if not self._stub:
            status += b"\0\0"
        packet = _slip(_REQUEST.pack(1, command, len(result) + len(status), value) + result + status)
        count = _SYNC_ANSWERS if command == 0x08 else 1
        self.busy += 1
        self._board.world.after(self._cost_us, lambda: self._answer(packet * count))

    def _answer(self, packet: bytes) -> None:
        self.busy -= 1
        if self._board.loader is self:
            self._board.console.show(packet)
            self._board.streams.waits += 1

    def _end(self, delay_us: int = 1) -> None:
        """Out of download mode, so long after the answer is on its way."""
        self._board.world.after(self._cost_us + delay_us, self._start_program)

    def _start_program(self) -> None:
        if self._board.loader is self:
            self._hand_over()
            self._leave()

    # --- registers

    def _sync(self, data: bytes, checksum: int) -> int:
        return 0 if self._stub else _SYNC_VALUE

    def _read_register(self, data: bytes, checksum: int) -> int:
        return self._registers.get(struct.unpack_from("<I", data)[0], 0)

    def _write_register(self, data: bytes, checksum: int) -> int:
        for at in range(0, len(data) - 15, 16):
            address, value, mask, _ = struct.unpack_from("<IIII", data, at)
            self._registers[address] = self._registers.get(address, 0) & ~mask | value & mask
            if address == _SPI_BASE and value & _SPI_USR:
                opcode = self._registers.get(_SPI_USR2, 0) & 0xFF
                self._registers[_SPI_W0] = _FLASH_ID if opcode == _READ_ID else 0
                self._registers[_SPI_BASE] = 0
            elif address == self._rom.watchdog and value & _WATCHDOG_ENABLE:
                self._end(_WATCHDOG_US)
        return 0

    def _security_info(self, data: bytes, checksum: int) -> bytes:
        """Nothing is locked."""
        return struct.pack("<IB7sII", 0, 0, bytes(7), CHIP_NUMBERS[self._chip], 0)

    def _nothing(self, data: bytes, checksum: int) -> int:
        """Pins, parameters of the flash chip, baud rate, RAM: accepted."""
        return 0

    def _run_from_ram(self, data: bytes, checksum: int) -> int:
        stay, entry = struct.unpack_from("<II", data)
        if entry and not stay:
            self.busy += 1
            self._board.world.after(_ANSWER_US + 1, self._greet)
        return 0

    def _greet(self) -> None:
        self._stub = True
        self._answer(_slip(b"OHAI"))

    # --- flash

    def _begin(self, data: bytes, checksum: int) -> int:
        size, _, _, self._at = struct.unpack_from("<IIII", data)
        if self._at + size > self._flash.size:
            raise _Refused(_FAILED)
        if size:
            self._erase(self._at, size)
        return 0

    def _begin_deflated(self, data: bytes, checksum: int) -> int:
        self._inflate = zlib.decompressobj()
        return self._begin(data, checksum)

    def _write(self, data: bytes, checksum: int) -> int:
        piece = self._payload(data, checksum)
        self._program(piece)
        return 0

    def _write_deflated(self, data: bytes, checksum: int) -> int:
        try:
            piece = self._inflate.decompress(self._payload(data, checksum))
        except zlib.error:
            raise _Refused(_DEFLATE_ERROR) from None
        self._program(piece)
        return 0

    def _payload(self, data: bytes, checksum: int) -> bytes:
        (size,) = struct.unpack_from("<I", data)
        piece, found = data[16:], _CHECKSUM_SEED
        for byte in piece:
            found ^= byte
        if len(piece) != size:
            raise _Refused(_INVALID_MESSAGE)
        if found != checksum & 0xFF:
            raise _Refused(_INVALID_CHECKSUM)
        return piece

    def _program(self, piece: bytes) -> None:
        self._flash.program(self._at, piece)
        self._at += len(piece)
        self._cost_us += len(piece) * _WRITE_US_PER_KIB // 1024

    def _erase(self, address: int, size: int) -> None:
        if not self._written:
            self._holders = self._board.console.holders()
            self._board.world.after(_LOOK_US, self._look)
        sectors = range(address // SECTOR_BYTES, -(-(address + size) // SECTOR_BYTES))
        self._written.update(sectors)
        self._flash.erase(address, size)
        self._cost_us += len(sectors) * _ERASE_US

    def _finish(self, data: bytes, checksum: int) -> int:
        """The ROM starts the program whatever the argument; the stub resets at 0 and stays at 1."""
        (stay,) = struct.unpack_from("<I", data)
        if not (self._stub and stay):
            self._end()
        return 0

    def _hash(self, data: bytes, checksum: int) -> bytes:
        address, size = struct.unpack_from("<II", data)
        digest = hashlib.md5(self._flash.read(address, size), usedforsecurity=False)
        return digest.digest() if self._stub else digest.hexdigest().encode()

    def _erase_all(self, data: bytes, checksum: int) -> int:
        self._require_stub()
        self._erase(0, self._flash.size)
        return 0

    def _erase_region(self, data: bytes, checksum: int) -> int:
        self._require_stub()
        self._erase(*struct.unpack_from("<II", data))
        return 0

    def _require_stub(self) -> None:
        if not self._stub:
            raise _Refused(_INVALID_MESSAGE)

    _HANDLERS: ClassVar[dict[int, Callable[["RomLoader", bytes, int], int | bytes]]] = {
        0x02: _begin, 0x03: _write, 0x04: _finish,
        0x05: _nothing, 0x06: _run_from_ram, 0x07: _nothing,
        0x08: _sync, 0x09: _write_register, 0x0A: _read_register,
        0x0B: _nothing, 0x0D: _nothing, 0x0F: _nothing,
        0x10: _begin_deflated, 0x11: _write_deflated, 0x12: _finish,
        0x13: _hash, 0x14: _security_info, 0xD0: _erase_all, 0xD1: _erase_region,
    }  # fmt: skip

    # --- the end of the stay

    def _look(self) -> None:
        """Who wrote has closed the port: RTS would have reset the board."""
        if self._board.loader is not self or not self._holders:
            return
        if self._holders & self._board.console.holders():
            self._board.world.after(_LOOK_US, self._look)
        else:
            self._start_program()

    def _hand_over(self) -> None:
        """What was written over where the file system, its ROM image or the NVS are kept elsewhere."""
        board = self._board
        for one in board.base.layout().table:
            sectors = range(one.offset // SECTOR_BYTES, (one.offset + one.size) // SECTOR_BYTES)
            if self._written.isdisjoint(sectors):
                continue
            if one.label == "nvs":
                board.memory.nvs.clear()
            elif one.label == "romfs":
                board.files.rom = self._flash.read(one.offset, min(one.size, ROM_BYTES))
                board.files.rom_version += 1
            elif one.label == "vfs":
                for path in board.files.paths():
                    del board.files[path]


def _slip(packet: bytes) -> bytes:
    return _END + packet.replace(_ESCAPE, b"\xdb\xdd").replace(_END, b"\xdb\xdc") + _END
