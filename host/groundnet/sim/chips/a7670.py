"""SIMCom A7670 LTE Cat.1 modem on a UART ("A76XX Series AT Command Manual" V1.09 and its TCP/IP application note).

Modelled: what the Air780E model has, with SIMCom's connection (+NETOPEN, +CIPOPEN, +CIPSEND, received data
behind +IPD), the serving cell as +CPSI tells it, in any of the three units of its firmwares, and the key's times.
Not modelled: what the
Air780E model leaves out, and the second to tenth connection.
Only hardware can tell: when it sleeps with AT+CSCLK=2, and which of the manual's answers come in another order.
"""

from groundnet.sim.chips.air780e import Air780e
from groundnet.sim.chips.air780e_commands import CommandLine
from groundnet.sim.chips.air780e_dialect import OK, Handler, Prompt, Reply, integer
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

MODEL = "A7670E-FASE"
_OPEN_US = 800_000
_NOT_OPENED, _BUSY, _NO_CONNECTION = 2, 4, 4
_RSRP_OFFSET_DB = 141


class SimcomTcp(TcpClient):
    """Connection 0 of ten: AT+NETOPEN first, then AT+CIPOPEN."""

    def reset(self) -> None:
        super().reset()
        self._header, self._sender = False, True

    def commands(self) -> dict[str, Handler]:
        return {
            "+CIPRXGET": self._setting,
            "+CIPSRIP": self._sender_line,
            "+CIPHEAD": self._head,
            "+NETOPEN": self._open_network,
            "+NETCLOSE": self._close_network,
            "+CIPOPEN": self._open_connection,
            "+CIPSEND": self._send_data,
            "+CIPCLOSE": self._close,
        }

    def _setting(self, form: str, arguments: list[str]) -> Reply:
        """Only 0, received data comes by itself."""
        return self._only_zero(form, arguments)

    def _sender_line(self, form: str, arguments: list[str]) -> Reply:
        self._sender = bool(integer(arguments, 0, 0, 1))
        return OK

    def _open_network(self, form: str, arguments: list[str]) -> Reply:
        if self.state != INITIAL:
            return Reply(("+IP ERROR: Network is already opened",), final="ERROR")
        return Reply(then=lambda: self._after(_OPEN_US, self._network_opened))

    def _network_opened(self) -> None:
        reached = self._radio.reach()
        if reached and self.state == INITIAL:
            self._make_address(STATUS)
        self._announce(f"+NETOPEN: {0 if reached else 1}")

    def _close_network(self, form: str, arguments: list[str]) -> Reply:
        if self.state == INITIAL:
            return Reply(("+NETCLOSE: 2",), final="ERROR")
        self._drop()
        self.state = INITIAL
        return Reply(("OK", "+NETCLOSE: 0"), final=None)

    def _open_connection(self, form: str, arguments: list[str]) -> Reply:
        """AT+CIPOPEN=0,"TCP",host,port: OK at once, +CIPOPEN: 0,<error> later."""
        integer(arguments, 0, 0, 0)
        if self.state not in (STATUS, CLOSED):
            code = _BUSY if self.state in (CONNECTING, CONNECTED) else _NOT_OPENED
            return Reply((f"+CIPOPEN: 0,{code}",), final="ERROR")
        return self._dial(arguments[2], integer(arguments, 3, 1, 65535))

    def _send_data(self, form: str, arguments: list[str]) -> Reply:
        """AT+CIPSEND=0,<length>"""
        integer(arguments, 0, 0, 0)
        length = integer(arguments, 1, 1, SEND_MAX)
        if self.state != CONNECTED:
            return Reply(("+CIPERROR: 4",), final="ERROR")
        return Reply(final=None, prompt=Prompt(self._take, length))

    def _take(self, data: bytes | None) -> Reply:
        reply = super()._take(data)
        if data is None or reply.final == "SEND FAIL":
            return Reply(("+CIPERROR: 4",), final="ERROR")
        return Reply(("OK", f"+CIPSEND: 0,{len(data)},{len(data)}"), final=None)

    def _close(self, form: str, arguments: list[str]) -> Reply:
        if self.state not in (CONNECTING, CONNECTED):
            return Reply((f"+CIPCLOSE: 0,{_NO_CONNECTION}",), final="ERROR")
        super()._close(form, arguments)
        return Reply(("OK", "+CIPCLOSE: 0,0"), final=None)

    def _tell_opened(self) -> None:
        self._announce("+CIPOPEN: 0,0")

    def _tell_failed(self) -> None:
        self._announce("+CIPOPEN: 0,10")

    def _tell_closed(self) -> None:
        self._announce("+IPCLOSE: 0,1")

    def _tell_deactivated(self) -> None:
        self.state = INITIAL
        self._announce("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")

    def _hand_over(self, piece: bytes) -> None:
        sender = b"\r\nRECV FROM:10.0.0.1:4710" if self._sender else b""
        header = b"\r\n+IPD%d\r\n" % len(piece) if self._header else b""
        self._send(sender + header + piece)


class A7670(Air780e):
    """One modem. ``level_unit`` is how its firmware tells RSRP: "index", "dBm" or "tenths"."""

    KEY_ON_US = 50_000
    KEY_OFF_US = 2_500_000
    TCP = SimcomTcp
    level_unit = "tenths"

    def _change_commands(self, commands: CommandLine) -> None:
        commands.remove("+CCED", "+POWERMODE", "+CPOWD", "+WAKETIM", "+RESET")
        commands.add(
            {
                "I": lambda form, arguments: Reply(("Manufacturer: SIMCOM INCORPORATED", f"Model: {MODEL}")),
                "+CGMM": lambda form, arguments: Reply((MODEL,)),
                "+CPSI": self._system_information,
                "+CTZU": lambda form, arguments: OK,
                "+CPOF": lambda form, arguments: Reply(
                    then=lambda: self._after(US_PER_S, lambda: self._halt("off"))
                ),
            }
        )

    def _system_information(self, form: str, arguments: list[str]) -> Reply:
        heard = self.radio.heard() if self.radio.registered else []
        if not heard:
            return Reply(("+CPSI: NO SERVICE,Online",))
        cell = heard[0]
        level = {
            "index": cell.signal_dbm + _RSRP_OFFSET_DB,
            "dBm": cell.signal_dbm,
            "tenths": 10 * cell.signal_dbm,
        }[self.level_unit]
        identity = f"{cell.mcc}-{cell.mnc:02d},0x{cell.area:X},{cell.cell},{cell.cell % 504}"
        return Reply((f"+CPSI: LTE,Online,{identity},EUTRAN-BAND3,1650,5,5,-90,{level},-650,15",))
