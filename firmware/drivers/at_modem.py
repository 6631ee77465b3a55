"""An LTE modem on a UART, whatever its family: one TCP connection, texts and cells.

Texts: 3GPP TS 27.005 sections 3.5.1 (+CMGS), 4.1 (+CMGR), 3.4.1 (+CMTI). The rest is the dialect's.
"""

from drivers import cell_lines, modem_life, modem_network, sms_deliver, sms_pdu, sms_text
from drivers.at_port import OK, TIMEOUT
from drivers.modem_life import READY_STATE, WISH
from drivers.modem_network import ModemNetwork
from micropython import const

# Events: poll() answers (kind, value).
READY = modem_network.READY
LOST = modem_life.LOST
CONNECTED = 3
CLOSED = 4  # connection refused, closed or lost
SENT = 5  # the modem took the data
SMS_SENT = 6
SMS_FAILED = 7  # value: the modem's answer
CELLS = 8  # value: list of (mcc, mnc, area, cell, dBm, radio), the serving one first; empty when unknown
FAULT = modem_life.FAULT
TIME = modem_network.TIME
NO_NETWORK = modem_network.NO_NETWORK  # the fault that is not the modem's
SMS_RECEIVED = 11  # value: (number, text); anybody may have sent it

# A cell: (mcc, mnc, area, cell_id, level_dbm); the level is None when unknown. Neighbours without an identity
# say nothing of a place and are left out.

_CONNECT = modem_network.KIND_NEXT
_SEND = modem_network.KIND_NEXT + 1
_CLOSE = modem_network.KIND_NEXT + 2
_DETACH = modem_network.KIND_NEXT + 3
_SMS_PART = modem_network.KIND_NEXT + 4
_SMS = modem_network.KIND_NEXT + 5
_CELLS_PART = modem_network.KIND_NEXT + 6
_CELLS = modem_network.KIND_NEXT + 7
_SMS_READ = modem_network.KIND_NEXT + 8
_HIBERNATE = modem_network.KIND_NEXT + 9

_CTRL_Z = b"\x1a"
_SUBMIT = (b"AT+CMGS=%s", OK, (), 60_000)
_READ = (b"AT+CMGR=%d", OK, (), 5000)
_DELETE = (b"AT+CMGD=%d", OK, (), 5000)
_MUTE_CONNECTS_MAX = const(3)
_UNREAD_MAX = const(4)  # more texts at once than this are not worth the battery


class AtModemError(Exception):
    """The request does not fit the modem's state or limits."""


class AtModem(ModemNetwork):
    """One modem.

    Args:
        uart: machine.UART, 115200 baud, receive buffer of at least 1 KiB.
        power_key: machine.Pin, open drain, released (1); low switches the modem on or off.
        model: what is fitted, as the board names it; None: it is asked (AT+CGMM).

    ``connected``: the TCP connection is open.
    """

    def __init__(self, uart, power_key, model: bytes | None = None):
        super().__init__(uart, power_key, model)
        self.connected = False
        self._mute_connects = 0  # in a row: neither opened nor refused
        self._cells = []
        self._sms_reference = 0
        self._reading_sms = False  # the next line is a PDU
        self._endings.extend(
            [
                self._connect_ended,
                self._send_ended,
                self._close_ended,
                self._wish_ended,
                self._sms_part_ended,
                self._sms_ended,
                self._wish_ended,
                self._cells_ended,
                self._sms_read_ended,
                self._hibernate_ended,
            ]
        )
        self._listeners.extend(
            [
                (b"+CMTI:", self._sms_came),
                (b"+CMGR:", self._sms_begins),
            ]
        )

    # --- requests

    def connect(self, host: str, port: int) -> None:
        """Open the one TCP connection; CONNECTED or CLOSED follows."""
        dialect = self._ready_dialect()
        for command in dialect["attach"]:
            self.port.push(WISH, command)  # attached already is an error too; AT+...OPEN tells in the end
        self._push_formatted(_CONNECT, dialect["connect"], (host.encode(), port))

    def send(self, data: bytes) -> None:
        """Send ``data`` in pieces that the modem takes; SENT for each piece, or CLOSED, follows."""
        if not self.connected:
            raise AtModemError("not connected")
        dialect = self._ready_dialect()
        for start in range(0, len(data), dialect["send_max"]):
            piece = bytes(data[start : start + dialect["send_max"]])
            self._push_formatted(_SEND, dialect["send"], len(piece), piece)

    def close(self) -> None:
        """Close the connection; CLOSED follows."""
        self.port.drop((_SEND,))
        if self.dialect is not None:
            self.port.push(_CLOSE, self.dialect["close"])

    def send_sms(self, number: str, text: str) -> None:
        """Send a text in as many messages as it needs; SMS_SENT or SMS_FAILED follows.

        Raises SmsError when the number is none or the text too long.
        """
        self._ready_dialect()
        self._sms_reference = self._sms_reference + 1 & 0xFF
        if self.text_mode:
            messages = sms_text.encode(number, text)
            for command in sms_text.SETTINGS:
                self.port.push(WISH, command)
        else:
            messages = [
                (b"%d" % octets, pdu) for octets, pdu in sms_pdu.encode(number, text, self._sms_reference)
            ]
        for index, (argument, body) in enumerate(messages):
            kind = _SMS if index == len(messages) - 1 else _SMS_PART
            self._push_formatted(kind, _SUBMIT, argument, body + _CTRL_Z)

    def request_cells(self) -> None:
        """Observe serving and neighbour cells; CELLS follows."""
        commands = self._ready_dialect()["cells"]
        self._cells = []
        for command in commands[:-1]:
            self.port.push(_CELLS_PART, command)
        self.port.push(_CELLS, commands[-1])

    def hibernate(self) -> None:
        """Sleep as deep as this family can without being switched off; ``start`` wakes it.

        Raises AtModemError when it cannot; then ``stop`` is the way to save power.
        """
        command = self._ready_dialect()["hibernate"]
        if command is None:
            raise AtModemError("no hibernation")
        self.port.push(_HIBERNATE, command)

    def read_into(self, into) -> int:
        """Move received TCP bytes into ``into``; returns the count."""
        return self.port.reader.read_into(into)

    def poll(self) -> tuple | None:
        """Read what arrived, go one step on; returns the oldest event or None."""
        event = super().poll()
        if self.port.reader.overrun and self.connected:
            self.port.reader.overrun = False
            self.close()  # a stream with a hole is none
        return event

    # --- inside

    def _ready_dialect(self) -> dict:
        if self.state != READY_STATE or self.dialect is None:
            raise AtModemError("not registered")
        return self.dialect

    def _push_formatted(self, kind: int, command: tuple, values, payload=None) -> None:
        text, well, ill, timeout_ms = command
        self.port.push(kind, (text % values, well, ill, timeout_ms), payload)

    def _fall(self) -> None:
        self._disconnected()
        self._reading_sms = False
        self._mute_connects = 0
        super()._fall()

    def _heard(self, line: bytes) -> bool:
        if self._reading_sms:
            self._reading_sms = False
            self._sms_body(line)
            return True
        if super()._heard(line):
            return True
        if self.connected and self.dialect is not None:
            for beginning in self.dialect["closed"]:
                if line.startswith(beginning):
                    self._disconnected()
                    self._detach()
                    return True
        cell = cell_lines.read(line)
        if cell is None:
            return False
        if cell[4] is not None and cell[5] is not None:
            self._cells.insert(0 if cell[0] else len(self._cells), cell[2:] + cell[1:2])
        return True

    # --- connection

    def _connect_ended(self, well: bool, answer: bytes) -> None:
        if well:
            self.connected = True
            self._mute_connects = 0
            self._emit(CONNECTED)
            return
        self._emit(CLOSED, answer)
        self._mute_connects = self._mute_connects + 1 if answer is TIMEOUT else 0
        if self._mute_connects >= _MUTE_CONNECTS_MAX:
            self.restart(b"no connection")
        else:
            self._detach()

    def _send_ended(self, well: bool, answer: bytes) -> None:
        if well:
            self._emit(SENT)
        elif self.connected:
            self.close()

    def _close_ended(self, well: bool, answer: bytes) -> None:
        self._disconnected()
        if not well:
            self._detach()

    def _detach(self) -> None:
        """Whatever is left of a connection is in the way of the next one."""
        if self.dialect is not None:
            for command in self.dialect["detach"]:
                self.port.push(_DETACH, command)

    def _disconnected(self) -> None:
        self.port.drop((_SEND, _CLOSE))
        if self.connected:
            self.connected = False
            self._emit(CLOSED)

    # --- cells

    def _cells_ended(self, well: bool, answer: bytes) -> None:
        cells, self._cells = self._cells, []
        self._emit(CELLS, cells)

    # --- texts

    def _sms_part_ended(self, well: bool, answer: bytes) -> None:
        if not well:
            self.port.drop((_SMS_PART, _SMS))
            self._emit(SMS_FAILED, answer)

    def _sms_ended(self, well: bool, answer: bytes) -> None:
        self._emit(SMS_SENT if well else SMS_FAILED, answer)

    def _sms_came(self, line: bytes) -> None:
        """+CMTI: "SM",<index>: fetch it and delete it."""
        index = line.split(b",")[-1].strip()
        if index.isdigit() and len(index) < 4 and self.port.waiting(_SMS_READ) < _UNREAD_MAX:
            self._push_formatted(_SMS_READ, _READ, int(index))
            self._push_formatted(WISH, _DELETE, int(index))

    def _sms_begins(self, line: bytes) -> None:
        self._reading_sms = not self.text_mode

    def _sms_body(self, line: bytes) -> None:
        try:
            self._emit(SMS_RECEIVED, sms_deliver.decode(line))
        except sms_pdu.SmsError:
            self.port.reader.garbage += 1

    def _sms_read_ended(self, well: bool, answer: bytes) -> None:
        self._reading_sms = False

    # --- power save

    def _hibernate_ended(self, well: bool, answer: bytes) -> None:
        if well:
            self._fall()
            self._enter(modem_life.OFF, 0)
        else:
            self.restart(b"no hibernation")
