"""Luat Air780E LTE Cat.1 modem on a UART (openLuat "AT Command Manual": TCPIP, Network_service, SMS).

One reader for everything that arrives: answers, unsolicited results, received data. One command is in
flight at a time; the rest waits in a queue. Nothing blocks: call ``poll`` until it answers None, and again
within ``due_ms``.
"""

import time

from drivers import sms_pdu
from micropython import const

# Events: poll() answers (kind, value).
READY = 1  # registered in a network
LOST = 2  # no longer registered, or the modem restarts
CONNECTED = 3
CLOSED = 4  # connection refused, closed or lost
SENT = 5  # the modem took the data
SMS_SENT = 6
SMS_FAILED = 7  # value: the modem's answer
CELLS = 8  # value: list of cells, the serving one first; empty when unknown
FAULT = 9  # value: what the modem did not answer; it is being restarted

# A cell: (mcc, mnc, tac, cell_id, rsrp_dbm).

_OFF = const(0)
_PROBING = const(1)  # perhaps it runs already (only the microcontroller was reset)
_KEY_DOWN = const(2)
_BOOTING = const(3)
_SETTING_UP = const(4)
_REGISTERING = const(5)
_READY = const(6)
_BACKOFF = const(7)

_KEY_MS = const(1200)  # hardware manual: PWRKEY low for more than 1 s
_BOOT_MS = const(15_000)
_PROBE_MS = const(500)
_PROBES = const(3)
_REGISTER_POLL_MS = const(2000)
_REGISTER_LIMIT_MS = const(180_000)
_BACKOFF_FIRST_MS = const(10_000)
_BACKOFF_LAST_MS = const(640_000)
_TIMEOUTS_MAX = const(3)
_LINE_MAX = const(200)
_SEND_MAX = const(1460)
_RECEIVED_MAX = const(4096)
_AWAKE_MS = const(4000)  # after a byte it surely listens for so long
_WAKE_MS = const(100)
_WAKE_BYTES = b"AT\r\n"
_CTRL_Z = b"\x1a"
_TIMEOUT = b"timeout"

# Commands: text, the line that ends them well, timeout in milliseconds.
_PROBE = (b"AT", b"OK", 500)
_SETUP = (
    (b"ATE0", b"OK", 1000),
    (b"AT+CMEE=1", b"OK", 1000),
    (b"AT+CPIN?", b"OK", 5000),
    (b"AT+CIPSHUT", b"SHUT OK", 5000),
    (b"AT+CIPMUX=0", b"OK", 1000),
    (b"AT+CIPQSEND=1", b"OK", 1000),  # answer when the modem has the data, not when the server has it
    (b"AT+CIPHEAD=1", b"OK", 1000),  # received data starts with +IPD,<length>:
    (b"AT+CMGF=0", b"OK", 1000),
    (b"AT+CEREG=1", b"OK", 1000),  # say when the network is lost or found
    (b"AT+WAKETIM=5", b"OK", 1000),  # sleep after so many seconds without a byte on the UART ...
    (b"AT+CSCLK=2", b"OK", 1000),  # ... of itself; the bytes that wake it are lost
)
_REGISTRATION = (b"AT+CEREG?", b"OK", 1000)
_CONNECT = (b'AT+CIPSTART="TCP","%s",%d', b"CONNECT OK", 75_000)
_SEND = (b"AT+CIPSEND=%d", b"DATA ACCEPT", 30_000)
_CLOSE = (b"AT+CIPCLOSE", b"CLOSE OK", 10_000)
_SHUT = (b"AT+CIPSHUT", b"SHUT OK", 10_000)
_SMS = (b"AT+CMGS=%d", b"OK", 60_000)
_SERVING_CELL = (b"AT+CCED=0,1", b"OK", 5000)
_NEIGHBOUR_CELLS = (b"AT+CCED=0,2", b"OK", 5000)
_POWER_DOWN = (b"AT+CPOWD=1", b"NORMAL POWER DOWN", 10_000)

_REGISTRATION_LINES = (b"+CEREG:", b"+CGREG:")  # the Air780EP answers AT+CEREG? with +CGREG:
_ALSO_WELL = (b"ALREADY CONNECT", b"SEND OK")
_FAILURES = (b"ERROR", b"+CME ERROR", b"+CMS ERROR", b"CONNECT FAIL", b"SEND FAIL")
# Where mcc, mnc, tac, cell id and RSRP index stand in a +CCED line.
_CELL_LAYOUTS = {b"LTE current cell": (0, 1, 10, 7, 8), b"LTE neighbor cell": (0, 1, 6, 3, 4)}
_RSRP_OFFSET_DBM = const(141)  # index -> dBm, 3GPP TS 36.133 section 9.1.4

# Why a command was queued.
_FOR_SETUP = const(0)
_FOR_REGISTRATION = const(1)
_FOR_CONNECT = const(2)
_FOR_SEND = const(3)
_FOR_CLOSE = const(4)
_FOR_SMS_PART = const(5)
_FOR_SMS = const(6)
_FOR_SERVING_CELL = const(7)
_FOR_CELLS = const(8)
_FOR_POWER_DOWN = const(9)


class Air780eError(Exception):
    """The request does not fit the modem's state or limits."""


class Air780e:
    """One Air780E.

    Args:
        uart: machine.UART, 115200 baud, receive buffer of at least 1 KiB.
        power_key: machine.Pin, open drain, released (1); low for 1.2 s switches the modem on or off.
    """

    def __init__(self, uart, power_key):
        self._uart = uart
        self._power_key = power_key
        power_key(1)
        self.connected = False
        self.garbage_lines = 0
        self._state = _OFF
        self._state_until_ms = 0
        self._backoff_ms = _BACKOFF_FIRST_MS
        self._queue = []
        self._current = None  # (purpose, command, well, deadline_ms, payload)
        self._prompt_payload = None
        self._active_ms = time.ticks_ms()  # the last byte either way
        self._hold_until_ms = time.ticks_ms()  # it is waking up
        self._timeouts = 0
        self._probes = 0
        self._register_since_ms = 0
        self._events = []
        self._cells = []
        self._received = bytearray()
        self._raw_left = 0
        self._line = bytearray()
        self._chunk = bytearray(256)
        self._sms_reference = 0

    # --- requests

    @property
    def ready(self) -> bool:
        return self._state == _READY

    @property
    def idle(self) -> bool:
        """Nothing in flight: the microcontroller may sleep."""
        return self._state == _OFF or (self._state == _READY and self._current is None and not self._queue)

    def start(self) -> None:
        """Switch on (or find it on), set up and register; READY follows."""
        if self._state == _OFF:
            self._probes = 0
            self._enter(_PROBING, 0)

    def stop(self) -> None:
        """Leave the network and switch off."""
        if self._state in (_OFF, _BACKOFF):
            self._enter(_OFF, 0)
        else:
            self._forget_work()
            self._push(_FOR_POWER_DOWN, _POWER_DOWN)

    def connect(self, host: str, port: int) -> None:
        """Open the one TCP connection; CONNECTED or CLOSED follows."""
        self._require_ready()
        command, well, timeout_ms = _CONNECT
        self._push(_FOR_CONNECT, (command % (host.encode(), port), well, timeout_ms))

    def send(self, data: bytes) -> None:
        """Send ``data`` in pieces of at most 1460 bytes; SENT for each piece, or CLOSED, follows."""
        if not self.connected:
            raise Air780eError("not connected")
        command, well, timeout_ms = _SEND
        for start in range(0, len(data), _SEND_MAX):
            piece = bytes(data[start : start + _SEND_MAX])
            self._push(_FOR_SEND, (command % len(piece), well, timeout_ms), piece)

    def close(self) -> None:
        """Close the connection; CLOSED follows."""
        self._push(_FOR_CLOSE, _CLOSE if self.connected else _SHUT)

    def send_sms(self, number: str, text: str) -> None:
        """Send a text in as many messages as it needs; SMS_SENT or SMS_FAILED follows."""
        self._require_ready()
        self._sms_reference = self._sms_reference + 1 & 0xFF
        pdus = sms_pdu.encode(number, text, self._sms_reference)
        command, well, timeout_ms = _SMS
        for index in range(len(pdus)):
            octets, pdu = pdus[index]
            purpose = _FOR_SMS if index == len(pdus) - 1 else _FOR_SMS_PART
            self._push(purpose, (command % octets, well, timeout_ms), pdu + _CTRL_Z)

    def request_cells(self) -> None:
        """Observe serving and neighbour cells; CELLS follows."""
        self._require_ready()
        self._push(_FOR_SERVING_CELL, _SERVING_CELL)
        self._push(_FOR_CELLS, _NEIGHBOUR_CELLS)

    def read_into(self, into) -> int:
        """Move received TCP bytes into ``into``; returns the count."""
        count = min(len(into), len(self._received))
        into[:count] = self._received[:count]
        self._received = self._received[count:]
        return count

    def poll(self) -> tuple | None:
        """Read what arrived, go one step on; returns the oldest event or None."""
        self._read()
        self._advance(time.ticks_ms())
        return self._events.pop(0) if self._events else None

    def due_ms(self) -> int | None:
        """Milliseconds until ``poll`` must run even if nothing arrives; None when it need not."""
        if self._events:
            return 0
        if self._current is not None:
            deadline_ms = self._current[3]
        elif self._queue:
            deadline_ms = self._hold_until_ms
        elif self._state in (_OFF, _READY):
            return None
        else:
            deadline_ms = self._state_until_ms
        return max(0, time.ticks_diff(deadline_ms, time.ticks_ms()))

    # --- the life of the modem

    def _enter(self, state: int, duration_ms: int) -> None:
        self._state = state
        self._state_until_ms = time.ticks_add(time.ticks_ms(), duration_ms)

    def _advance(self, now_ms) -> None:
        if self._current is not None:
            if time.ticks_diff(self._current[3], now_ms) <= 0:
                self._timed_out()
            return
        if self._queue:
            if self._wakes(now_ms):
                self._issue(self._queue.pop(0), now_ms)
            return
        if time.ticks_diff(self._state_until_ms, now_ms) > 0:
            return
        if self._state == _PROBING:
            self._probe_or(_PROBES, self._press_key)
        elif self._state == _KEY_DOWN:
            self._power_key(1)
            self._probes = 0
            self._enter(_BOOTING, _PROBE_MS)
        elif self._state == _BOOTING:
            self._probe_or(_BOOT_MS // _PROBE_MS, self._restart)
        elif self._state == _REGISTERING:
            self._push(_FOR_REGISTRATION, _REGISTRATION)
        elif self._state == _BACKOFF:
            self._probes = 0
            self._enter(_PROBING, 0)

    def _probe_or(self, limit: int, give_up) -> None:
        if self._probes >= limit:
            give_up()
        else:
            self._probes += 1
            self._push(_FOR_SETUP, _PROBE)

    def _press_key(self) -> None:
        self._power_key(0)
        self._enter(_KEY_DOWN, _KEY_MS)

    def _restart(self) -> None:
        """Give up this run of the modem: tell, rest, then look for it again."""
        what = self._current[1] if self._current else b"power on"
        self._forget_work()
        self._emit(FAULT, what)
        if self.connected:
            self._disconnected()
        if self._state == _READY:
            self._emit(LOST)
        self._enter(_BACKOFF, self._backoff_ms)
        self._backoff_ms = min(self._backoff_ms * 2, _BACKOFF_LAST_MS)

    def _forget_work(self) -> None:
        self._queue = []
        self._current = None
        self._prompt_payload = None
        self._timeouts = 0
        self._raw_left = 0
        self._line = bytearray()

    # --- one command

    def _push(self, purpose: int, command: tuple, payload=None) -> None:
        self._queue.append((purpose, command, payload))

    def _wakes(self, now_ms) -> bool:
        """Whether it listens now; if it may sleep, wake it with bytes that nobody will miss."""
        if time.ticks_diff(now_ms, self._active_ms) > _AWAKE_MS and self._state != _BOOTING:
            self._active_ms = now_ms
            self._hold_until_ms = time.ticks_add(now_ms, _WAKE_MS)
            self._uart.write(_WAKE_BYTES)
        return time.ticks_diff(self._hold_until_ms, now_ms) <= 0

    def _issue(self, job: tuple, now_ms) -> None:
        purpose, (command, well, timeout_ms), payload = job
        self._current = (purpose, command, well, time.ticks_add(now_ms, timeout_ms), payload)
        self._prompt_payload = payload
        if purpose == _FOR_SERVING_CELL:
            self._cells = []
        self._active_ms = now_ms
        self._uart.write(command + b"\r\n")

    def _timed_out(self) -> None:
        if self._current is None or self._state in (_PROBING, _BOOTING):
            self._current = None
            return
        self._timeouts += 1
        if self._timeouts >= _TIMEOUTS_MAX or self._state == _SETTING_UP:
            self._restart()
        else:
            self._finish(self._current[0], False, _TIMEOUT)

    def _finish(self, purpose: int, well: bool, answer: bytes) -> None:
        """The command in flight ended."""
        self._current = None
        self._prompt_payload = None
        if answer is not _TIMEOUT:
            self._timeouts = 0
        if purpose == _FOR_SETUP:
            self._setup_answered(well)
        elif purpose == _FOR_REGISTRATION:
            self._registration_answered()
        elif purpose == _FOR_CONNECT:
            self.connected = well
            self._emit(CONNECTED if well else CLOSED, answer)
        elif purpose == _FOR_SEND:
            if well:
                self._emit(SENT)
            else:
                self._queue = [job for job in self._queue if job[0] != _FOR_SEND]
                self._push(_FOR_CLOSE, _SHUT)
        elif purpose == _FOR_CLOSE:
            self._disconnected()
        elif purpose == _FOR_SMS or (purpose == _FOR_SMS_PART and not well):
            self._emit(SMS_SENT if well else SMS_FAILED, answer)
            if purpose == _FOR_SMS_PART:
                self._drop_sms_parts()
        elif purpose == _FOR_CELLS:
            self._emit(CELLS, self._cells)
        elif purpose == _FOR_POWER_DOWN:
            self.connected = False
            self._enter(_OFF, 0)

    def _setup_answered(self, well: bool) -> None:
        if self._state in (_PROBING, _BOOTING):
            self._enter(_SETTING_UP, 0)
            for command in _SETUP:
                self._push(_FOR_SETUP, command)
        elif not well:
            self._restart()
        elif not self._queue:
            self._register_since_ms = time.ticks_ms()
            self._enter(_REGISTERING, 0)

    def _registration_answered(self) -> None:
        """Still not registered: ask again later, restart after three minutes."""
        if self._state != _REGISTERING:
            return
        if time.ticks_diff(time.ticks_ms(), self._register_since_ms) > _REGISTER_LIMIT_MS:
            self._restart()
        else:
            self._enter(_REGISTERING, _REGISTER_POLL_MS)

    def _registered(self, status: bytes) -> None:
        """+CEREG status (TS 27.007 10.1.22): 1 home, 5 roaming."""
        if status in (b"1", b"5"):
            if self._state == _REGISTERING:
                self._backoff_ms = _BACKOFF_FIRST_MS
                self._enter(_READY, 0)
                self._emit(READY)
        elif self._state == _READY:
            self._register_since_ms = time.ticks_ms()
            self._enter(_REGISTERING, _REGISTER_POLL_MS)
            self._emit(LOST)

    def _drop_sms_parts(self) -> None:
        while self._queue and self._queue[0][0] in (_FOR_SMS_PART, _FOR_SMS):
            self._queue.pop(0)

    def _disconnected(self) -> None:
        self.connected = False
        self._emit(CLOSED)

    def _require_ready(self) -> None:
        if self._state != _READY:
            raise Air780eError("not registered")

    def _emit(self, kind: int, value=None) -> None:
        self._events.append((kind, value))

    # --- the one reader

    def _read(self) -> None:
        while self._uart.any():
            count = self._uart.readinto(self._chunk)
            if not count:
                return
            self._active_ms = time.ticks_ms()
            for index in range(count):
                self._take(self._chunk[index])

    def _take(self, byte: int) -> None:
        if self._raw_left:
            self._raw_left -= 1
            if len(self._received) < _RECEIVED_MAX:
                self._received.append(byte)
            return
        line = self._line
        if byte == 0x0A:
            self._line = bytearray()
            self._handle_line(bytes(line).strip())
        elif byte == 0x3E and not line and self._prompt_payload is not None:  # ">"
            self._uart.write(self._prompt_payload)
            self._prompt_payload = None
        elif byte == 0x3A and line.startswith(b"+IPD,"):  # ":"
            self._line = bytearray()
            self._raw_left = max(0, _to_int(bytes(line[5:])))
        elif len(line) < _LINE_MAX and (byte != 0x20 or line):
            line.append(byte)

    def _handle_line(self, line: bytes) -> None:
        if not line or self._handle_unsolicited(line) or self._current is None:
            return
        purpose, _, well, _, _ = self._current
        if line.startswith(well) or line in _ALSO_WELL:
            self._finish(purpose, True, line)
        elif any(line.startswith(failure) for failure in _FAILURES):
            self._finish(purpose, False, line)

    def _handle_unsolicited(self, line: bytes) -> bool:
        """Lines that mean the same whether asked for or not."""
        if line.startswith(_REGISTRATION_LINES):
            fields = line[7:].strip().split(b",")  # asked: mode, status; unasked: status alone
            self._registered(fields[1] if len(fields) > 1 and len(fields[1]) == 1 else fields[0])
        elif line.startswith(b"+CCED:"):
            self._add_cell(line[6:])
        elif line == b"CLOSED" or line.startswith(b"+PDP"):
            if self.connected:
                self._disconnected()
        else:
            return False
        return True

    def _add_cell(self, line: bytes) -> None:
        colon = line.find(b":")
        layout = _CELL_LAYOUTS.get(line[:colon].strip())
        fields = line[colon + 1 :].split(b",")
        if layout is None or len(fields) <= max(layout):
            self.garbage_lines += 1
            return
        mcc, mnc, tac, cell_id, rsrp = (_to_int(fields[position]) for position in layout)
        if min(mcc, mnc, tac, cell_id, rsrp) < 0 or mcc == 0:
            self.garbage_lines += 1
            return
        self._cells.append((mcc, mnc, tac, cell_id, rsrp - _RSRP_OFFSET_DBM))


def _to_int(text: bytes) -> int:
    """A decimal number, or -1."""
    try:
        return int(text)
    except ValueError:
        return -1
