"""Texts that come in: SMS-DELIVER PDUs (3GPP TS 23.040 section 9.2.2.1) in the modem's store (TS 27.005)."""

from collections.abc import Callable
from datetime import UTC, datetime

from groundnet.sim.chips.air780e_dialect import OK, Handler, Refused, Reply, integer

_STORE_MAX = 20
_INVALID_INDEX = 321  # TS 27.005 3.2.5
_SERVICE_CENTRE = bytes.fromhex("0891683108703754F1")
_DELIVER, _INTERNATIONAL, _NATIONAL, _UCS2 = 0x04, 0x91, 0xA1, 0x08


def deliver_pdu(number: str, text: str, unix_ms: int) -> bytes:
    """Service centre and TPDU of a text in UCS-2, as AT+CMGR shows them."""
    digits = number.removeprefix("+")
    kind = _INTERNATIONAL if number.startswith("+") else _NATIONAL
    sender = bytes((len(digits), kind)) + _swapped(digits)
    stamp = _swapped(f"{datetime.fromtimestamp(unix_ms / 1000, UTC):%y%m%d%H%M%S}00")
    body = text.encode("utf-16-be")
    return (
        _SERVICE_CENTRE + bytes((_DELIVER,)) + sender + bytes((0, _UCS2)) + stamp + bytes((len(body),)) + body
    )


def _swapped(digits: str) -> bytes:
    padded = digits + "F" * (len(digits) % 2)
    return bytes(int(padded[place + 1] + padded[place], 16) for place in range(0, len(padded), 2))


class Inbox:
    """The store.

    Args:
        announce: sends an unsolicited line.
    """

    def __init__(self, announce: Callable[[str], None]) -> None:
        self._announce = announce
        self.stored: dict[int, bytes] = {}
        self.lost = 0  # the store was full
        self.reset()

    def reset(self) -> None:
        """Settings as from new; the texts are on the SIM and stay."""
        self._tells = False

    def put(self, pdu: bytes) -> None:
        """A text arrives."""
        free = [index for index in range(1, _STORE_MAX + 1) if index not in self.stored]
        if not free:
            self.lost += 1
            return
        self.stored[free[0]] = pdu
        if self._tells:
            self._announce(f'+CMTI: "SM",{free[0]}')

    def commands(self) -> dict[str, Handler]:
        return {"+CNMI": self._indications, "+CMGR": self._read, "+CMGD": self._delete}

    def _indications(self, form: str, arguments: list[str]) -> Reply:
        """Mode 2 with indications (mt 1): +CMTI when a text was stored."""
        if form == "=":
            self._tells = integer(arguments, 0, 0, 3) == 2 and integer(arguments, 1, 0, 3) == 1
        return OK

    def _read(self, form: str, arguments: list[str]) -> Reply:
        pdu = self.stored.get(integer(arguments, 0, 0, 255))
        if pdu is None:
            raise Refused(_INVALID_INDEX, "CMS")
        return Reply((f"+CMGR: 0,,{len(pdu) - 1 - pdu[0]}\r\n{pdu.hex().upper()}",))

    def _delete(self, form: str, arguments: list[str]) -> Reply:
        """AT+CMGD=<index>[,<flag>]; flag 4: every text."""
        if len(arguments) > 1 and integer(arguments, 1, 0, 4) == 4:
            self.stored.clear()
        else:
            self.stored.pop(integer(arguments, 0, 0, 255), None)
        return OK
