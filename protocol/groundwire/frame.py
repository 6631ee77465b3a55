"""Link frames: a byte stream cut into checked frames, over a serial line or TCP.

    0x00 COBS( head u8 | kind u8 | sequence u16 | payload | crc32 u32 ) 0x00

All numbers are big endian. 0x00 occurs only as the delimiter, so frames and console text can share a line.
The delimiter in front ends whatever was cut short or garbled before, so that never costs the next frame.
The CRC is CRC-32/ISO-HDLC over head..payload. `Decoder` finds the next good frame after any garbage.
"""

import struct
from binascii import crc32
from collections import namedtuple

from groundwire.constant import const
from groundwire.errors import EncodeError

_VERSION = const(1)
_SEALED = const(0x01)
_HEADER_SIZE = const(4)
_CRC_SIZE = const(4)
_COBS_BLOCK = const(254)  # longest run of non-zero bytes behind one COBS code

OVERHEAD = 11  # bytes of a frame beside its payload, up to 246 payload bytes
MAX_PAYLOAD = 4096  # bytes; a device may accept less and says so in its identity
REPLY = 0x80  # set in the kind of every reply

ANY = 0
REQUESTS = 1  # what a device or collector accepts: its own echoed replies are not for it
REPLIES = 2  # what a host or station accepts: its own echoed requests are not for it


class Answer:
    """One of the decoder's named answers that are not a frame."""

    def __init__(self, name: str):
        self.name = name

    def __repr__(self):
        return self.name


NEED_MORE = Answer("NEED_MORE")  # everything fed so far is used up: feed more
CORRUPT = Answer("CORRUPT")  # something ended here that was not a good frame; counted, ask again
NOT_FOR_ME = Answer("NOT_FOR_ME")  # a good frame of another version or direction; counted, ask again

Frame = namedtuple("Frame", ("kind", "sequence", "payload", "sealed"))

DROP_REASONS = ("too_long", "cobs", "short", "crc", "version", "direction")


def encoded_size(payload_size: int) -> int:
    """Largest number of bytes that a frame with so many payload bytes takes on the line."""
    raw_size = _HEADER_SIZE + payload_size + _CRC_SIZE
    return raw_size + raw_size // _COBS_BLOCK + 3


def encode(kind: int, payload: bytes = b"", sequence: int = 0, sealed: bool = False) -> bytes:
    """Make the bytes of one frame, both delimiters included.

    Raises EncodeError when `kind` (0..255), `sequence` (0..65535) or the payload size is out of range.
    """
    if type(kind) is not int or not 0 <= kind <= 0xFF:
        raise EncodeError("range", "kind is 0..255")
    if type(sequence) is not int or not 0 <= sequence <= 0xFFFF:
        raise EncodeError("range", "sequence is 0..65535")
    if len(payload) > MAX_PAYLOAD:
        raise EncodeError("size", "payload is at most 4096 bytes")
    head = (_VERSION << 4) | (_SEALED if sealed else 0)
    raw = struct.pack(">BBH", head, kind, sequence) + payload
    return b"\x00" + cobs_encode(raw + struct.pack(">I", crc32(raw))) + b"\x00"


def cobs_encode(raw: bytes) -> bytes:
    """Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999), without the delimiter."""
    out = bytearray(b"\x00" + raw)
    at = 0
    while True:
        zero = out.find(b"\x00", at + 1)
        end = zero if zero >= 0 else len(out)
        while end - at > _COBS_BLOCK and (zero >= 0 or end - at > _COBS_BLOCK + 1):
            out[at] = 0xFF  # 254 bytes and no zero: one more code goes in behind them
            at += _COBS_BLOCK + 1
            out[at:at] = b"\x00"
            end += 1
        out[at] = end - at
        if zero < 0:
            return bytes(out)
        at = end


def cobs_decode(data: bytes) -> bytes | None:
    """Undo `cobs_encode`; None when a code points past the end or a zero byte is inside."""
    if data.find(b"\x00") >= 0:
        return None
    out = bytearray(data)
    size = len(data)
    at = 0
    if size <= _COBS_BLOCK:  # no room for a full block
        while at < size:
            out[at] = 0  # what a code stands for: the zero that ended the block before it
            at += data[at]
    else:
        at = _decode_long(data, out)
    return bytes(out[1:]) if at <= size else None


def _decode_long(data, out):
    """The same where codes may stand behind a full block, and so for no zero; give where the last one points."""
    size = len(data)
    joints = []
    at = 0
    while at < size:
        code = data[at]
        out[at] = 0
        at += code
        if code == 0xFF:
            joints.append(at)
    for joint in reversed(joints):
        out[joint : joint + 1] = b""
    return at


class Decoder:
    """A stream of bytes in, frames and named answers out, with one buffer of fixed size.

    Call `feed` with what arrived, then `next` until it answers NEED_MORE. `drops` counts, by reason,
    what was thrown away: `too_long` (more than `capacity` bytes without a delimiter), `cobs`, `short`, `crc`,
    `version` and `direction`. Answers depend only on the bytes, never on how they were cut into pieces.
    """

    def __init__(self, capacity: int = 512, accept: int = ANY):
        self.capacity = capacity
        self.accept = accept
        self.frames = 0
        self.drops = dict.fromkeys(DROP_REASONS, 0)
        self._held = bytearray(capacity)
        self._held_size = 0  # more than capacity: the running frame is already too long
        self._chunk = b""
        self._position = 0

    def feed(self, data: bytes) -> None:
        """Hand over the next bytes. Raises EncodeError("undrained") before `next` answered NEED_MORE."""
        if self._position < len(self._chunk):
            raise EncodeError("undrained", "call next() until NEED_MORE before feeding more")
        self._chunk = data if type(data) is bytes else bytes(data)
        self._position = 0

    def next(self) -> "Frame | Answer":
        """Give the next Frame, or CORRUPT or NOT_FOR_ME for something dropped, or NEED_MORE."""
        chunk = self._chunk
        while True:
            start = self._position
            end = chunk.find(b"\x00", start)
            if end < 0:
                if start < len(chunk):
                    self._hold(chunk[start:])
                self._chunk = b""
                self._position = 0
                return NEED_MORE
            piece = chunk[start:end]
            self._position = end + 1
            if self._held_size:
                self._hold(piece)
                piece = bytes(self._held[: self._held_size])
                size = self._held_size
                self._held_size = 0
            else:
                size = len(piece)
            if size > self.capacity:
                return self._drop("too_long", CORRUPT)
            if size:  # delimiters in a row are idle line
                return self._parse(piece)

    def reset(self) -> None:
        """Forget the running frame, as after a reconnect. The counters stay."""
        self._held_size = 0
        self._chunk = b""
        self._position = 0

    def _hold(self, piece):
        size = self._held_size + len(piece)
        if size <= self.capacity:
            self._held[self._held_size : size] = piece
            self._held_size = size
        else:
            self._held_size = self.capacity + 1

    def _parse(self, piece):
        raw = cobs_decode(piece)
        if raw is None:
            return self._drop("cobs", CORRUPT)
        body_size = len(raw) - _CRC_SIZE
        if body_size < _HEADER_SIZE:
            return self._drop("short", CORRUPT)
        body = raw[:body_size]
        if crc32(body) != struct.unpack_from(">I", raw, body_size)[0]:
            return self._drop("crc", CORRUPT)
        head, kind, sequence = struct.unpack_from(">BBH", body)
        if head & ~_SEALED != _VERSION << 4:
            return self._drop("version", NOT_FOR_ME)
        if self.accept and (self.accept == REPLIES) != (kind >= REPLY):
            return self._drop("direction", NOT_FOR_ME)
        self.frames += 1
        return Frame(kind, sequence, body[_HEADER_SIZE:], bool(head & _SEALED))

    def _drop(self, reason, answer):
        self.drops[reason] += 1
        return answer
