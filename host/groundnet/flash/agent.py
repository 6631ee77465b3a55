"""Runs on the board while files are laid down: says what is there, takes blocks, replaces files whole.

The host (deploy.py) sends this text to the prompt, without comments, and calls `serve`. Both sides of the talk:

    to the host     listing: per folder and file: u8 length | name | SHA-256 for a file; a folder's name ends in "/";
                    u8 0 | u8 window bits of deflate, 0 without | u32 CRC-32 of all before it
                    answers: u8 TAKEN or AGAIN | u8 number of the next block | that number's complement
    to the board    blocks: u8 number | u8 size | payload | u32 CRC-32 of all before it; an empty one ends the talk
                    their payloads make one stream of orders: u8 order | u16 a | u16 b | a bytes

Nothing of a file can be seen under its own name before its SHA-256, read back from the flash, is right. All is
little-endian.
"""

import io
import os
import select
import struct
import sys
from binascii import crc32
from hashlib import sha256

import micropython

# The stubs know no method of BytesIO, and orders come in an order that no checker sees.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false

_TAKEN = 6  # ACK
_AGAIN = 21  # NAK
_FOLDER, _FILE, _PIECE, _WHOLE, _REMOVE = 1, 2, 3, 4, 5
_SILENCE_MS = 8000  # then the host is gone
_PAUSE_MS = 50  # then a host that has no credit left has said all
_IS_FOLDER = 0x4000
_ETIMEDOUT = 110
_EEXIST = 17


class Board:
    def __init__(self):
        self.into = sys.stdin.buffer
        self.out = sys.stdout.buffer
        self.poller = select.poll()
        self.poller.register(sys.stdin, select.POLLIN)
        self.room = memoryview(bytearray(261))
        self.piece = memoryview(bytearray(4096))
        self.next = 0  # number of the block that is expected
        self.rest = b""  # of the stream
        self.crc = 0
        self.part = self.file = None  # what is being written

    # --- what is there

    def say(self, data):
        self.crc = crc32(data, self.crc)
        self.out.write(data)

    def name(self, text):
        data = text.encode()
        self.say(bytes((len(data),)) + data)

    def list(self, path, deep):
        try:
            entries = list(os.ilistdir(path or "/"))
        except OSError:
            return  # not there
        self.name(path + "/")
        for entry in entries:
            if not entry[1] & _IS_FOLDER:
                self.name(entry[0])
                self.say(self.hash(path + "/" + entry[0]))
        for entry in entries:
            if deep and entry[1] & _IS_FOLDER:
                self.list(path + "/" + entry[0], deep)

    def hash(self, path):
        found = sha256()
        with open(path, "rb") as file:
            while True:
                count = file.readinto(self.piece)
                if not count:
                    return found.digest()
                found.update(self.piece[:count])

    def inflate(self):
        """The largest window that there is memory for."""
        bits = 15
        self.packed = io.BytesIO()
        self.packed_bytes = 0
        try:
            import deflate
        except ImportError:
            self.stream = self.packed
            return 0
        while True:
            try:
                bytearray(3 << bits)  # as much again is left for others
                self.stream = deflate.DeflateIO(self.packed, deflate.RAW, bits)
                return bits
            except MemoryError:
                bits -= 1

    # --- what comes

    def block(self):
        """The payload of the next good block."""
        room = self.room
        while True:
            if not self.poller.poll(_SILENCE_MS):
                raise OSError(_ETIMEDOUT)
            self.into.readinto(room[:2])
            size = 2 + room[1]
            self.into.readinto(room[2 : size + 4])
            good = crc32(room[:size]) == struct.unpack("<I", room[size : size + 4])[0]
            fresh = good and room[0] == self.next
            if fresh:
                self.next = self.next + 1 & 255
            elif not good:
                self.drain()
            self.out.write(bytes((_TAKEN if good else _AGAIN, self.next, self.next ^ 255)))
            if fresh:
                return room[2:size]

    def drain(self):
        while self.poller.poll(_PAUSE_MS):
            self.into.readinto(self.room[:1])

    def take(self, count):
        while len(self.rest) < count:
            payload = self.block()
            if not payload:
                raise OSError(_ETIMEDOUT)
            self.rest += payload
        data, self.rest = self.rest[:count], self.rest[count:]
        return data

    def unpack(self, packed, count):
        """The next piece of a file; the end of what was packed belongs to the piece behind it."""
        left = self.packed.read(self.packed_bytes - self.packed.tell())
        self.packed.seek(0)
        self.packed_bytes = self.packed.write(left + packed)
        self.packed.seek(0)
        self.stream.readinto(self.piece[:count])
        return self.piece[:count]

    def obey(self):
        while True:
            order, size, count = struct.unpack("<BHH", self.take(5))
            if not order:
                return
            data = self.take(size)
            if order == _PIECE:
                self.file.write(self.unpack(data, count))
            elif order == _FILE:
                self.path = data.decode()
                self.part = self.path + ".part"
                self.file = open(self.part, "wb")  # noqa: SIM115 - closed by a later order
            elif order == _WHOLE:
                self.file.close()
                if self.hash(self.part) != data:
                    raise OSError("the flash did not keep " + self.path)
                self.replace()
                self.part = None
            elif order == _FOLDER:
                os.mkdir(data.decode())
            elif order == _REMOVE:
                (os.rmdir if count else os.remove)(data.decode())

    def replace(self):
        try:
            os.rename(self.part, self.path)
        except OSError as error:
            if error.errno != _EEXIST:
                raise
            os.remove(self.path)  # FAT renames onto nothing
            os.rename(self.part, self.path)

    def clear(self):
        self.drain()  # nothing that was meant for us shall reach the prompt
        if self.part:
            self.file.close()
            os.remove(self.part)


def serve(folders, tree):
    """List ``folders`` one by one and ``tree``, if any, with all that is below it; then do what is ordered."""
    micropython.kbd_intr(-1)
    board = Board()
    try:
        for path in folders:
            board.list(path, False)
        if tree is not None:
            board.list(tree, True)
        board.say(bytes((0, board.inflate())))
        board.out.write(struct.pack("<I", board.crc))
        board.obey()
    finally:
        try:
            board.clear()
        finally:
            micropython.kbd_intr(3)
