"""Quectel EC800 LTE Cat.1 modem on a UART (AT commands manual and TCP/IP application note of the EC200 series).

Modelled: what the Air780E model has, with Quectel's connection (+QIACT, +QIOPEN in direct push mode, +QISEND,
+QIURC), cells as +QENG tells them (with the misspelt CONECT while connected, neighbours without identity), UTC
by +QLTS, and the key's times. Not modelled: what the Air780E model leaves out, and
further connections. Only hardware can tell: whether its firmware knows AT+QSCLK=2.
"""

from groundnet.sim.chips.air780e import Air780e
from groundnet.sim.chips.air780e_commands import CommandLine
from groundnet.sim.chips.air780e_dialect import NOT_ALLOWED, OK, Handler, Prompt, Refused, Reply, integer
from groundnet.sim.chips.air780e_tcp import (
    CLOSED,
    CONNECTED,
    CONNECTING,
    INITIAL,
    SEND_MAX,
    STATUS,
    TcpClient,
)
from groundnet.sim.world import US_PER_S

MODEL = "EC800M"
_ACTIVATE_US = 600_000
_SOCKET_USED, _CONNECT_FAILED = 563, 566
_NEIGHBOURS_MAX = 6


class QuectelTcp(TcpClient):
    """Connection 0 of twelve in context 1, received data pushed."""

    def commands(self) -> dict[str, Handler]:
        return {
            "+QICSGP": lambda form, arguments: OK,
            "+QIACT": self._activate,
            "+QIDEACT": self._deactivate,
            "+QIOPEN": self._open,
            "+QISEND": self._send_data,
            "+QICLOSE": self._close,
        }

    def _activate(self, form: str, arguments: list[str]) -> Reply:
        if self.state != INITIAL or not self._radio.reach():
            return Reply(final="ERROR", after_us=_ACTIVATE_US)
        self._make_address(STATUS)
        return Reply(after_us=_ACTIVATE_US)

    def _deactivate(self, form: str, arguments: list[str]) -> Reply:
        self._drop()
        self.state = INITIAL
        return Reply(after_us=_ACTIVATE_US)

    def _open(self, form: str, arguments: list[str]) -> Reply:
        """AT+QIOPEN=1,0,"TCP",host,port,0,1: OK at once, +QIOPEN: 0,<error> later."""
        if integer(arguments, 6, 0, 2) != 1:
            raise Refused(NOT_ALLOWED)
        if self.state in (CONNECTING, CONNECTED):
            return Reply(("OK", f"+QIOPEN: 0,{_SOCKET_USED}"), final=None)
        self._require(STATUS, CLOSED)
        return self._dial(arguments[3], integer(arguments, 4, 1, 65535))

    def _send_data(self, form: str, arguments: list[str]) -> Reply:
        """AT+QISEND=0,<length>"""
        integer(arguments, 0, 0, 0)
        length = integer(arguments, 1, 1, SEND_MAX)
        if self.state != CONNECTED:
            return Reply(final="ERROR")
        return Reply(final=None, prompt=Prompt(self._take, length))

    def _take(self, data: bytes | None) -> Reply:
        reply = super()._take(data)
        return (
            reply if reply.final in ("OK", "SEND FAIL") else Reply(final="SEND OK", after_us=reply.after_us)
        )

    def _close(self, form: str, arguments: list[str]) -> Reply:
        """OK whether or not there was a connection."""
        if self.state in (CONNECTING, CONNECTED):
            return Reply(after_us=super()._close(form, arguments).after_us)
        return OK

    def _tell_opened(self) -> None:
        self._announce("+QIOPEN: 0,0")

    def _tell_failed(self) -> None:
        self._announce(f"+QIOPEN: 0,{_CONNECT_FAILED}")

    def _tell_closed(self) -> None:
        self._announce('+QIURC: "closed",0')

    def _tell_deactivated(self) -> None:
        self.state = INITIAL
        self._announce('+QIURC: "pdpdeact",1')

    def _hand_over(self, piece: bytes) -> None:
        self._send(b'\r\n+QIURC: "recv",0,%d\r\n%b' % (len(piece), piece))


class Ec800(Air780e):
    """One modem."""

    KEY_ON_US = 700_000
    KEY_OFF_US = 650_000
    TCP = QuectelTcp

    def _change_commands(self, commands: CommandLine) -> None:
        commands.remove("+CCED", "+POWERMODE", "+CPOWD", "+WAKETIM", "+CSCLK", "+RESET")
        commands.add(
            {
                "I": lambda form, arguments: Reply(("Quectel", MODEL, "Revision: EC800MCNLCR06A01M04")),
                "+CGMM": lambda form, arguments: Reply((MODEL,)),
                "+QENG": self._engineering,
                "+QLTS": self._latest_time,
                "+CTZU": lambda form, arguments: OK,
                "+QSCLK": self._sleep.commands()["+CSCLK"],
                "+QPOWD": lambda form, arguments: Reply(
                    ("OK", "POWERED DOWN"),
                    final=None,
                    then=lambda: self._after(US_PER_S, lambda: self._halt("off")),
                ),
            }
        )

    def _engineering(self, form: str, arguments: list[str]) -> Reply:
        heard = self.radio.heard() if self.radio.registered else []
        if arguments == ["servingcell"]:
            if not heard:
                return Reply(('+QENG: "servingcell","SEARCH"',))
            cell = heard[0]
            state = "CONECT" if self._tcp.state == CONNECTED else "NOCONN"
            identity = f"{cell.mcc},{cell.mnc:02d},{cell.cell:X},{cell.cell % 504},1650,3,5,5,{cell.area:X}"
            line = f'+QENG: "servingcell","{state}","LTE","FDD",{identity},{cell.signal_dbm},-9,-55,20,35'
            return Reply((line,))
        if arguments != ["neighbourcell"]:
            raise Refused(NOT_ALLOWED)
        neighbours = heard[1 : 1 + _NEIGHBOURS_MAX]
        return Reply(
            tuple(
                f'+QENG: "neighbourcell intra","LTE",1650,{cell.cell % 504},-12,{cell.signal_dbm},-70,-,-,-,-,-,-'
                for cell in neighbours
            )
        )

    def _latest_time(self, form: str, arguments: list[str]) -> Reply:
        """1: UTC with the zone; empty before the first network."""
        if not self.radio.registered:
            return Reply(('+QLTS: ""',))
        return Reply((f'+QLTS: "20{self.radio.network_time()}"',))
