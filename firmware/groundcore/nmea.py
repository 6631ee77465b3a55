"""NMEA 0183 sentences out of a byte stream that may be cut, glued, garbled or mixed with binary.

`NmeaReader.feed` takes any piece of the stream and calls `on_sentence(sentence)` for every sentence whose
checksum holds. The sentence object is reused: read it inside the callback. Feeding allocates nothing.
"""

from groundwire.constant import const

_DOLLAR = const(0x24)
_STAR = const(0x2A)
_COMMA = const(0x2C)
_FIRST_PRINTABLE = const(0x20)
_LAST_PRINTABLE = const(0x7E)

# NMEA 0183 says 82 characters; survey receivers send 100 and more in one GGA.
_CAPACITY = const(128)
_MAX_FIELDS = const(24)

_OUTSIDE = const(0)
_BODY = const(1)
_CHECKSUM_HIGH = const(2)
_CHECKSUM_LOW = const(3)


def _hex_value(byte: int) -> int:
    """Value of one hexadecimal digit, or -1. Some receivers send lower-case checksums."""
    if 0x30 <= byte <= 0x39:
        return byte - 0x30
    byte &= 0xDF
    if 0x41 <= byte <= 0x46:
        return byte - 0x37
    return -1


class Sentence:
    """The text between `$` and `*`, with the place of each comma-separated field.

    `buffer[start(i):end(i)]` is field i; field 0 is talker and type (`GNRMC`). Fields past the last are
    empty.
    """

    def __init__(self):
        self.buffer = bytearray(_CAPACITY)
        self.length = 0
        self.fields = 0
        self._ends = bytearray(_MAX_FIELDS)

    def clear(self):
        self.length = 0
        self.fields = 0

    def add(self, byte: int) -> bool:
        """Append one character; False when it does not fit."""
        length = self.length
        if length == _CAPACITY or (byte == _COMMA and not self.close_field()):
            return False
        self.buffer[length] = byte
        self.length = length + 1
        return True

    def close_field(self) -> bool:
        """End the current field at the current length; False when there are too many."""
        if self.fields == _MAX_FIELDS:
            return False
        self._ends[self.fields] = self.length
        self.fields += 1
        return True

    def start(self, field: int) -> int:
        if field >= self.fields:
            return self.length
        return self._ends[field - 1] + 1 if field else 0

    def end(self, field: int) -> int:
        return self._ends[field] if field < self.fields else self.length

    def letter(self, field: int) -> int:
        """First character of a field as a byte value, 0 when the field is empty."""
        start = self.start(field)
        return self.buffer[start] if start < self.end(field) else 0

    def type_is(self, name: bytes) -> bool:
        """Whether the three letters after a two-letter talker are `name`; proprietary ones never match."""
        buffer = self.buffer
        return (
            self.end(0) == 5
            and buffer[0] != 0x50  # P: proprietary; its third letter may begin a standard name by chance
            and buffer[2] == name[0]
            and buffer[3] == name[1]
            and buffer[4] == name[2]
        )


class NmeaReader:
    """Finds sentences in a stream. `accepted` and `rejected` count sentences since the start.

    A sentence is complete at its second checksum digit, so a missing line end or a `$` glued to it does no
    harm. A `$` always starts afresh: it cannot occur inside a sentence. Sentences without a checksum are
    refused, because on a serial line that lost bytes they cannot be told from damaged ones.
    """

    def __init__(self, on_sentence):
        self._on_sentence = on_sentence
        self._sentence = Sentence()
        self._state = _OUTSIDE
        self._sum = 0
        self._stated = 0
        self.accepted = 0
        self.rejected = 0

    def feed(self, data):
        """Take the next bytes of the stream (any bytes-like object)."""
        for byte in data:
            if byte == _DOLLAR:
                self._begin()
            elif self._state == _BODY:
                self._body(byte)
            elif self._state != _OUTSIDE:
                self._checksum(byte)

    def _begin(self):
        if self._state != _OUTSIDE:
            self.rejected += 1
        self._sentence.clear()
        self._sum = 0
        self._state = _BODY

    def _reject(self):
        self.rejected += 1
        self._state = _OUTSIDE

    def _body(self, byte: int):
        if byte == _STAR:
            self._state = _CHECKSUM_HIGH
        elif _FIRST_PRINTABLE <= byte <= _LAST_PRINTABLE and self._sentence.add(byte):
            self._sum ^= byte
        else:
            self._reject()

    def _checksum(self, byte: int):
        digit = _hex_value(byte)
        if digit < 0:
            self._reject()
        elif self._state == _CHECKSUM_HIGH:
            self._stated = digit << 4
            self._state = _CHECKSUM_LOW
        elif self._stated | digit != self._sum or not self._sentence.close_field():
            self._reject()
        else:
            self._state = _OUTSIDE
            self.accepted += 1
            self._on_sentence(self._sentence)
