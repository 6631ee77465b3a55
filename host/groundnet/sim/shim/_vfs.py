"""``vfs`` with the ROM partition of an ESP32 (docs/reference/romfs.rst): mapped into memory, written by mpremote."""

import sys

import _board
import _host
import operations as op
import vfs as _plain
from uctypes import addressof, bytearray_at
from vfs import VfsPosix, VfsRom, mount, umount  # noqa: F401

_SEGMENTS, _SEGMENT, _PREPARE, _WRITE, _COMPLETE, _BLOCK_SIZE = 1, 2, 3, 4, 5, 6
_BLOCK_BYTES = 4096
_LEAST_WRITE_BYTES = 16
_EINVAL = 22
_MAGIC = b"\xd2\xcd\x31"

_segment = _plain.rom_ioctl(_SEGMENT, 0)
_host.rom_at(addressof(_segment))
_mapped = bytearray_at(addressof(_segment), len(_segment))  # what is written shows there at once
_ERASED = b"\xff" * _BLOCK_BYTES


def rom_ioctl(request: int, *arguments):
    """What ``mpremote romfs`` asks for; a negative number is an error."""
    if request == _SEGMENTS:
        return 1
    if not arguments or arguments[0] != 0:
        return -_EINVAL
    try:
        return _answer(request, *arguments[1:])
    except OSError as error:
        return -error.errno


def _answer(request, *arguments):
    if request == _SEGMENT:
        return _segment
    if request == _PREPARE:
        _board.call(op.ROM_ERASE, arguments[0])
        for at in range(0, arguments[0], _BLOCK_BYTES):
            _mapped[at : at + _BLOCK_BYTES] = _ERASED
        return _LEAST_WRITE_BYTES
    if request == _WRITE:
        _board.call(op.ROM_WRITE, arguments[0], arguments[1])
        _mapped[arguments[0] : arguments[0] + len(arguments[1])] = arguments[1]
        return 0
    if request == _COMPLETE:
        return 0
    return _BLOCK_BYTES if request == _BLOCK_SIZE else -_EINVAL


def mount_rom() -> None:
    """At every start: the image, if there is a good one, at /rom, and on the path behind the other places."""
    if bytes(_segment[:3]) == _MAGIC:
        mount(VfsRom(_segment), "/rom")
        sys.path += ["/rom", "/rom/lib"]
