"""Runs on the board while files are laid down: says what is there, takes blocks, replaces files whole.

The host (deploy.py) sends this text to the prompt, without comments and long names, and calls `serve`. They say:

    to the host     listing: for each folder u8 length | path "/" | u8 1: holds exactly what it should; otherwise 0, and
                    for each file in it u8 length | name | SHA-256; after the last folder u8 0 | u8 window bits of
                    deflate, 0 without | u32 CRC-32 of all before it
                    answers: u8 TAKEN or AGAIN | u8 number of the next block | that number's complement
    to the board    blocks: u8 number | u8 size | payload | u32 CRC-32 of all before it; an empty one ends the talk
                    their payloads in a row are pieces: u16 packed bytes | u16 plain bytes | part of a deflate stream
                    what comes out of it are orders: u8 order | u16 size | data

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

import machine
import micropython

# The stubs know no method of BytesIO, and orders come in an order that no checker sees.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false

_TAKEN = 6  # ACK
_AGAIN = 21  # NAK
_MAKE_FOLDER = 1
_BEGIN = 2  # a file, by its path
_WRITE = 3
_FINISH = 4  # with the file's SHA-256
_REMOVE = 5
_REMOVE_FOLDER = 6
_SILENCE_S = 8  # then the host is gone
_PAUSE_MS = 20  # then a host that has no credit left has said all: USB has gaps of a few milliseconds
_IS_FOLDER = 0x4000
_ETIMEDOUT = 110
_EEXIST = 17


class Board:
    def __init__(self):
        self.input = sys.stdin.buffer
        self.output = sys.stdout.buffer
        self.poller = select.poll()
        self.poller.register(sys.stdin, select.POLLIN)
        self.room = memoryview(bytearray(261))  # the longest block
        self.page = memoryview(bytearray(4096))  # the longest piece
        self.expected = 0  # number of the next block
        self.taken = self.plain = b""  # what blocks brought, what was in it
        self.crc = 0
        self.part = self.file = None  # what is being written
        self.quiet_s = 0
        self.timer = self.start_timer()

    # --- what is there

    def say(self, data):
        self.crc = crc32(data, self.crc)
        self.output.write(data)

    def say_name(self, text):
        data = text.encode()
        self.say(bytes((len(data),)) + data)

    def look(self, known, tree):
        folders = list(known)
        for path in folders:  # it grows
            try:
                entries = sorted(os.ilistdir(path or "/"))
            except OSError:
                continue  # not there
            path += "/"
            files = [(entry[0], self.hash(path + entry[0])) for entry in entries if entry[1] != _IS_FOLDER]
            summary = sha256()
            for name, digest in files:
                summary.update(name.encode() + b"/" + digest)
            same = summary.digest()[:8] == known.get(path[:-1])
            self.say_name(path)
            self.say(bytes((same,)))
            for name, digest in files:
                if not same:
                    self.say_name(name)
                    self.say(digest)
            for entry in entries:
                inside = tree is not None and entry[1] == _IS_FOLDER and path.startswith(tree + "/")
                if inside and path + entry[0] not in known:
                    folders.append(path + entry[0])

    def hash(self, path):
        digest = sha256()
        with open(path, "rb") as file:
            while True:
                count = file.readinto(self.page)
                if not count:
                    return digest.digest()
                digest.update(self.page[:count])

    def inflate(self):
        """The largest window that there is memory for; 0 where there is no deflate."""
        bits = 15
        self.packed = io.BytesIO()
        self.packed_bytes = 0
        try:
            from deflate import RAW, DeflateIO
        except ImportError:
            self.stream = self.packed
            return 0
        while True:
            try:
                bytearray(3 << bits)  # as much again is left for others
                self.stream = DeflateIO(self.packed, RAW, bits)
                return bits
            except MemoryError:
                bits -= 1

    # --- what comes

    def start_timer(self):
        """Counts seconds of silence; ESP32 has numbered timers only, others have none."""
        for number in (0, -1):
            try:
                return machine.Timer(number, period=1000, callback=self.tick)
            except ValueError:
                pass

    def tick(self, _timer):
        self.quiet_s += 1
        if self.quiet_s > _SILENCE_S:
            micropython.kbd_intr(3)  # the way out of a block whose end never comes

    def block(self):
        """The payload of the next good block."""
        room = self.room
        while True:
            if not self.poller.poll(_SILENCE_S * 1000):
                raise OSError(_ETIMEDOUT)
            self.quiet_s = 0
            self.input.readinto(room[:2])
            size = 2 + room[1]
            self.input.readinto(room[2 : size + 4])
            good = crc32(room[:size]) == struct.unpack("<I", room[size : size + 4])[0]
            fresh = good and room[0] == self.expected
            if fresh:
                self.expected = self.expected + 1 & 255
            elif not good:
                self.drain()
            self.output.write(bytes((_TAKEN if good else _AGAIN, self.expected, self.expected ^ 255)))
            if fresh:
                return room[2:size]

    def drain(self):
        while self.poller.poll(_PAUSE_MS):
            self.input.readinto(self.room[:1])

    def take(self, count):
        """So many bytes of what the blocks bring."""
        while len(self.taken) < count:
            payload = self.block()
            if not payload:
                raise OSError(_ETIMEDOUT)
            self.taken += payload
        data, self.taken = self.taken[:count], self.taken[count:]
        return data

    def read(self, count):
        """So many bytes of what is packed in it."""
        while len(self.plain) < count:
            packed_bytes, size = struct.unpack("<HH", self.take(4))
            # The last bits of the piece before may belong to what comes out of this one.
            packed = self.packed.read(self.packed_bytes - self.packed.tell()) + self.take(packed_bytes)
            self.packed.seek(0)
            self.packed_bytes = self.packed.write(packed)
            self.packed.seek(0)
            self.stream.readinto(self.page[:size])
            self.plain += self.page[:size]
        data, self.plain = self.plain[:count], self.plain[count:]
        return data

    def obey(self):
        while True:
            order, size = struct.unpack("<BH", self.read(3))
            data = self.read(size)
            if not order:
                return
            if order == _WRITE:
                self.file.write(data)
            elif order == _FINISH:
                self.file.close()
                if self.hash(self.part) != data:
                    raise OSError("the flash did not keep " + self.path)
                self.replace()
            else:
                path = data.decode()
                if order == _BEGIN:
                    self.path = path
                    self.part = path + ".part"
                    self.file = open(self.part, "wb")  # noqa: SIM115 - closed by a later order
                else:
                    {_MAKE_FOLDER: os.mkdir, _REMOVE: os.remove, _REMOVE_FOLDER: os.rmdir}[order](path)

    def replace(self):
        try:
            os.rename(self.part, self.path)
        except OSError as error:
            if error.errno != _EEXIST:
                raise
            os.remove(self.path)  # FAT renames onto nothing
            os.rename(self.part, self.path)
        self.part = None

    def clear(self):
        if self.timer:
            self.timer.deinit()
        self.drain()  # nothing that was meant for us shall reach the prompt
        if self.part:
            self.file.close()
            os.remove(self.part)


def serve(known, tree):
    """Say what is there, then do what is ordered.

    Args:
        known: folder -> the beginning of the hash of all that should be in it.
        tree: folder that is listed with all below it, or None.
    """
    micropython.kbd_intr(-1)
    board = Board()
    try:
        board.look(known, tree)
        board.say(bytes((0, board.inflate())))
        board.output.write(struct.pack("<I", board.crc))
        board.obey()
    finally:
        try:
            board.clear()
        finally:
            micropython.kbd_intr(3)
