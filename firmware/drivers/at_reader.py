"""The one reader of an AT modem's UART: lines, the prompt, and received data between them (ITU-T V.250 5.4)."""

import time

from micropython import const

_LINE_MAX = const(400)  # a PDU of 176 octets in hexadecimal, and room
_CHUNK_BYTES = const(256)
_CHUNKS_PER_POLL = const(8)  # a modem that babbles without end must not keep the loop from its watchdog
_DATA_MAX = const(1500)  # more in one piece is a misread length
_DATA_GAP_MS = const(1000)  # data that stops arriving was cut short: what follows are lines again

_LF = const(0x0A)
_SPACE = const(0x20)
_PROMPT = const(0x3E)


class AtReader:
    """Turns bytes into lines and data.

    Args:
        uart: machine.UART with a receive buffer of at least 1 KiB.
        take_line: called with each line, stripped, as bytes.
        data_bytes: how much received data may wait.

    Attributes:
        heard_ms: ticks of the last byte.
        garbage: lines that were too long or not text.
        overrun: data was lost because nobody fetched it.
    """

    def __init__(self, uart, take_line, data_bytes: int = 4096):
        self._uart = uart
        self._take_line = take_line
        self._chunk = bytearray(_CHUNK_BYTES)
        self._chunk_view = memoryview(self._chunk)
        self._line = bytearray(_LINE_MAX)
        self._data = bytearray(data_bytes)
        self._data_view = memoryview(self._data)
        self._payload = None
        self._prefix = None
        self._terminator = _LF
        self.garbage = 0
        self.heard_ms = time.ticks_ms()
        self.clear()

    def clear(self) -> None:
        """Forget everything half read."""
        self._length = 0  # of the line so far; beyond _LINE_MAX it is too long
        self._data_left = 0
        self._data_from = self._data_to = 0
        self._payload = None
        self.overrun = False

    def data_follows(self, prefix: bytes, terminator: int) -> None:
        """Received data is announced by ``prefix``, digits that count its bytes, and ``terminator``."""
        self._prefix = prefix
        self._terminator = terminator

    def answer_prompt(self, payload) -> None:
        """Write ``payload`` when the modem asks for data with ">"; None: a ">" means nothing."""
        self._payload = payload

    def read_into(self, into) -> int:
        """Move received data into ``into``; returns the count."""
        count = min(len(into), self._data_to - self._data_from)
        into[:count] = self._data_view[self._data_from : self._data_from + count]
        self._data_from += count
        if self._data_from == self._data_to:
            self._data_from = self._data_to = 0
        return count

    def poll(self) -> None:
        """Read what arrived, within bounds."""
        for _ in range(_CHUNKS_PER_POLL):
            if not self._uart.any():
                return
            count = self._uart.readinto(self._chunk)
            if not count:
                return
            now_ms = time.ticks_ms()
            if time.ticks_diff(now_ms, self.heard_ms) > _DATA_GAP_MS:
                self._data_left = 0
            self.heard_ms = now_ms
            position = 0
            while position < count:
                if self._data_left:
                    position += self._take_data(position, count)
                else:
                    self._take(self._chunk[position])
                    position += 1

    def _take_data(self, start: int, end: int) -> int:
        """Keep as many bytes of the chunk as belong to the data; returns the count."""
        count = min(end - start, self._data_left)
        self._data_left -= count
        if self._data_to + count > len(self._data):
            self.overrun = True
            return count
        self._data_view[self._data_to : self._data_to + count] = self._chunk_view[start : start + count]
        self._data_to += count
        return count

    def _take(self, byte: int) -> None:
        length = self._length
        if byte == self._terminator and self._announces_data():
            return
        if byte == _LF:
            self._length = 0
            self._end_line(length)
        elif byte == _PROMPT and not length and self._payload is not None:
            payload, self._payload = self._payload, None
            self._uart.write(payload)
        elif length < _LINE_MAX:
            if length or byte > _SPACE:
                self._line[length] = byte
                self._length = length + 1
        else:
            self._length = _LINE_MAX + 1

    def _end_line(self, length: int) -> None:
        if length > _LINE_MAX:
            self.garbage += 1
            return
        line = self._line
        while length and line[length - 1] <= _SPACE:
            length -= 1
        for index in range(length):
            if not _SPACE <= line[index] < 0x7F:
                self.garbage += 1
                return
        if length:
            self._take_line(bytes(line[:length]))

    def _announces_data(self) -> bool:
        """Whether the line so far is the announcement of data; its bytes are next."""
        prefix = self._prefix
        if prefix is None or self._length > _LINE_MAX or self._length <= len(prefix):
            return False
        line = bytes(self._line[: self._length])
        if not line.startswith(prefix):
            return False
        digits = line[len(prefix) :].strip()
        if not digits.isdigit() or int(digits) > _DATA_MAX:
            return False
        self._length = 0
        self._data_left = int(digits)
        return True
