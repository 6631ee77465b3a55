"""The modem's single-connection TCP client: AT+CIP..., the state machine of the manual's TCPIP chapter."""

from collections.abc import Callable
from random import Random

from groundnet.sim.chips.air780e_currents import Currents
from groundnet.sim.chips.air780e_dialect import (
    NOT_ALLOWED,
    OK,
    QUICK_US,
    Handler,
    Prompt,
    Refused,
    Reply,
    integer,
)
from groundnet.sim.chips.air780e_radio import Radio
from groundnet.sim.network import Connection, Network
from groundnet.sim.world import US_PER_S

INITIAL, START, GPRSACT, STATUS = "IP INITIAL", "IP START", "IP GPRSACT", "IP STATUS"
CONNECTING, CONNECTED, CLOSED, DEACT = "TCP CONNECTING", "CONNECT OK", "TCP CLOSED", "PDP DEACT"
SEND_MAX = 1460
_ACTIVATE_US = 400_000
_PAGE_US = 120_000  # from idle to the first byte on the air
_UPLINK_US = 60_000
_ACKNOWLEDGED_US = 250_000  # slow sending: the server's TCP has the bytes
_UNREACHABLE_US = 5 * US_PER_S  # it gives up activating a context
_CONNECT_LIMIT_US = 75 * US_PER_S
_SHUT_US = 150_000
_BURST_US = 4_000  # transmitter on, per request and per 1460 bytes
_Schedule = Callable[[int, Callable[[], None]], None]


class TcpClient:
    """One connection.

    Args:
        network: routes to servers.
        radio: nothing gets through without it.
        currents: told about every transmission.
        after: schedules an action that a power-off forgets.
        send: bytes towards the board.
        random: the local address.
    """

    def __init__(
        self,
        network: Network,
        radio: Radio,
        currents: Currents,
        after: _Schedule,
        send: Callable[[bytes], None],
        random: Random,
    ) -> None:
        self._network, self._radio, self._currents = network, radio, currents
        self._after, self._send, self._random = after, send, random
        self._connection: Connection | None = None
        self._attempt = 0  # tells a delayed step of an abandoned connection from the present one
        self.reset()

    def reset(self) -> None:
        """The modem restarts: the connection is gone without a word, settings are as from new."""
        self._drop()
        self.state = INITIAL
        self._quick, self._header = False, False
        self._address = ""

    def deactivate(self) -> None:
        """The network took the context away."""
        if self.state not in (INITIAL, START, DEACT):
            self._drop()
            self.state = DEACT
            self._tell_deactivated()

    def commands(self) -> dict[str, Handler]:
        return {
            "+CIPMUX": self._mux,
            "+CIPMODE": self._only_zero,
            "+CIPQSEND": self._quick_send,
            "+CIPHEAD": self._head,
            "+CSTT": self._access_point,
            "+CIICR": self._activate,
            "+CIFSR": self._local_address,
            "+CIPSTART": self._open,
            "+CIPSEND": self._send_data,
            "+CIPCLOSE": self._close,
            "+CIPSHUT": self._shut,
            "+CIPSTATUS": self._status,
        }

    # --- settings

    def _mux(self, form: str, arguments: list[str]) -> Reply:
        """Only one connection is modelled; the setting is allowed in IP INITIAL alone."""
        if form == "=" and self.state != INITIAL:
            raise Refused(NOT_ALLOWED)
        return Reply(("+CIPMUX: 0",)) if form == "?" else self._only_zero(form, arguments)

    def _only_zero(self, form: str, arguments: list[str]) -> Reply:
        integer(arguments, 0, 0, 0)
        return OK

    def _quick_send(self, form: str, arguments: list[str]) -> Reply:
        if form == "?":
            return Reply((f"+CIPQSEND: {int(self._quick)}",))
        self._quick = bool(integer(arguments, 0, 0, 1))
        return OK

    def _head(self, form: str, arguments: list[str]) -> Reply:
        if form == "?":
            return Reply((f"+CIPHEAD: {int(self._header)}",))
        self._header = bool(integer(arguments, 0, 0, 1))
        return OK

    # --- context

    def _access_point(self, form: str, arguments: list[str]) -> Reply:
        """Without arguments the SIM's own access point."""
        self._require(INITIAL)
        self.state = START
        return OK

    def _activate(self, form: str, arguments: list[str]) -> Reply:
        self._require(START)
        if not self._radio.reach():
            return Reply(final="ERROR", after_us=5 * US_PER_S)
        self._currents.transmit(_BURST_US)
        self._make_address(GPRSACT)
        return Reply(after_us=_ACTIVATE_US)

    def _make_address(self, state: str) -> None:
        self.state = state
        self._address = ".".join(["10", *(str(self._random.randint(1, 254)) for _ in range(3))])

    def _local_address(self, form: str, arguments: list[str]) -> Reply:
        """The bare address, and no OK after it."""
        if self.state in (INITIAL, START, DEACT):
            return Reply(final="ERROR")
        if self.state == GPRSACT:
            self.state = STATUS
        return Reply((self._address,), final=None)

    def _shut(self, form: str, arguments: list[str]) -> Reply:
        """From any state back to IP INITIAL."""
        self._drop()
        self.state = INITIAL
        return Reply(final="SHUT OK", after_us=_SHUT_US)

    def _status(self, form: str, arguments: list[str]) -> Reply:
        """OK comes first here."""
        return Reply(("OK", f"STATE: {self.state}"), final=None)

    # --- connection

    def _open(self, form: str, arguments: list[str]) -> Reply:
        """AT+CIPSTART="TCP",host,port: OK at once, CONNECT OK or CONNECT FAIL later."""
        if form != "=" or len(arguments) != 3 or arguments[0].upper() != "TCP":
            raise Refused(NOT_ALLOWED)
        host, port = arguments[1], integer(arguments, 2, 1, 65535)
        if self.state in (CONNECTING, CONNECTED):
            return Reply(final="ALREADY CONNECT")
        self._require(INITIAL, STATUS, CLOSED)
        return self._dial(host, port)

    def _dial(self, host: str, port: int) -> Reply:
        delay_us = _PAGE_US + (_ACTIVATE_US if self.state == INITIAL else 0)
        if self.state == INITIAL:
            self._make_address(CONNECTING)
        self.state = CONNECTING
        attempt = self._attempt
        return Reply(then=lambda: self._after(delay_us, lambda: self._begin(attempt, host, port)))

    def _begin(self, attempt: int, host: str, port: int) -> None:
        if attempt != self._attempt:
            return
        if not self._radio.reach():
            self._after(_UNREACHABLE_US, lambda: self._timed_out(attempt))
            return
        self._currents.transmit(_BURST_US)
        self._connection = self._network.connect(host, port, self._opened, self._received, self._lost)
        self._after(_CONNECT_LIMIT_US, lambda: self._timed_out(attempt))

    def _opened(self) -> None:
        if self.state == CONNECTING:
            self.state = CONNECTED
            self._tell_opened()

    def _timed_out(self, attempt: int) -> None:
        if attempt == self._attempt:
            self._failed()

    def _failed(self) -> None:
        if self.state == CONNECTING:
            self._drop()
            self.state = CLOSED
            self._tell_failed()

    def _lost(self, reason: str) -> None:
        """Refused, or closed by the far end."""
        if self.state == CONNECTING:
            self._failed()
        elif self.state == CONNECTED:
            self._drop()
            self.state = CLOSED
            self._tell_closed()

    def _received(self, data: bytes) -> None:
        """Data is for the board as it is, or each piece behind +IPD,<length>: (AT+CIPHEAD=1)."""
        if self.state != CONNECTED or not self._radio.reach():
            return
        self._currents.listen()
        for start in range(0, len(data), SEND_MAX):
            piece = data[start : start + SEND_MAX]
            self._hand_over(piece)

    def _close(self, form: str, arguments: list[str]) -> Reply:
        if self.state not in (CONNECTING, CONNECTED):
            return Reply(final="ERROR")
        self._drop()
        self.state = CLOSED
        self._currents.transmit(_BURST_US)
        return Reply(final="CLOSE OK", after_us=_PAGE_US)

    # --- sending

    def _send_data(self, form: str, arguments: list[str]) -> Reply:
        """AT+CIPSEND=<length>, or without length up to Ctrl-Z."""
        if form == "?":
            return Reply((f"+CIPSEND: {SEND_MAX}",))
        self._require(CONNECTED)
        length = integer(arguments, 0, 1, SEND_MAX) if form == "=" else None
        return Reply(final=None, prompt=Prompt(self._take, length))

    def _take(self, data: bytes | None) -> Reply:
        if data is None:
            return OK
        if self.state != CONNECTED or len(data) > SEND_MAX:
            return Reply(final="SEND FAIL")
        connection = self._connection
        self._after(_UPLINK_US, lambda: self._transmit(connection, data))
        if self._quick:
            return Reply(final=f"DATA ACCEPT:{len(data)}", after_us=QUICK_US)
        return Reply(final="SEND OK", after_us=_ACKNOWLEDGED_US)

    def _transmit(self, connection: Connection | None, data: bytes) -> None:
        if connection is not None and connection is self._connection and self._radio.reach():
            self._currents.transmit(_BURST_US)
            connection.send(data)

    # --- how this family says it

    def _tell_opened(self) -> None:
        self._announce("CONNECT OK")

    def _tell_failed(self) -> None:
        self._announce(f"STATE: {self.state}")
        self._announce("CONNECT FAIL")

    def _tell_closed(self) -> None:
        self._announce("CLOSED")

    def _tell_deactivated(self) -> None:
        self._announce("+PDP DEACT")

    def _hand_over(self, piece: bytes) -> None:
        self._send(b"\r\n+IPD,%d:%b" % (len(piece), piece) if self._header else piece)

    # --- inside

    def _require(self, *states: str) -> None:
        if self.state not in states:
            raise Refused(NOT_ALLOWED)

    def _drop(self) -> None:
        self._attempt += 1
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _announce(self, line: str) -> None:
        self._send(f"\r\n{line}\r\n".encode())
