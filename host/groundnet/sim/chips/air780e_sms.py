"""Sending text messages: AT+CMGF, +CSCS, +CSCA, +CMGS (3GPP TS 27.005)."""

import binascii
from collections.abc import Callable
from random import Random

from groundnet.sim.chips.air780e_currents import Currents
from groundnet.sim.chips.air780e_dialect import (
    NOT_ALLOWED,
    NOT_SUPPORTED,
    OK,
    Handler,
    Prompt,
    Refused,
    Reply,
    integer,
)
from groundnet.sim.chips.air780e_radio import Radio
from groundnet.sim.chips.sms_decode import PduError, decode_submit, join
from groundnet.sim.world import US_PER_S

INVALID_PDU, INVALID_TEXT, NO_SERVICE = 304, 305, 331  # TS 27.005 3.2.5
_DELIVERY_S = (1.5, 4.0)  # over LTE's signalling channel, until the service centre has it
_BURST_US = 8_000
_CHARACTER_SETS = ("IRA", "GSM", "UCS2")
_TEXT_MAX = 160


class SmsSender:
    """The service as the network sees it.

    Args:
        radio: no message without it.
        currents: told about every transmission.
        deliver: gets (number, text) when the last part of a text is with the service centre.
        random: delivery times.
    """

    def __init__(
        self, radio: Radio, currents: Currents, deliver: Callable[[str, str], None], random: Random
    ) -> None:
        self._radio, self._currents, self._deliver, self._random = radio, currents, deliver, random
        self._reference = 0
        self.refuses_pdus = False  # some firmwares know text mode only
        self._parts: dict[tuple[str, int, int], dict[int, str]] = {}
        self.reset()

    def reset(self) -> None:
        """Settings as from new."""
        self._text_mode, self._characters = False, "IRA"

    def commands(self) -> dict[str, Handler]:
        return {
            "+CMGF": self._format,
            "+CSCS": self._character_set,
            "+CSCA": lambda form, arguments: Reply(('+CSCA: "+8613800874500",145',)) if form == "?" else OK,
            "+CSMP": lambda form, arguments: OK,
            "+CMGS": self._send,
        }

    def _format(self, form: str, arguments: list[str]) -> Reply:
        if form == "?":
            return Reply((f"+CMGF: {int(self._text_mode)}",))
        text_mode = bool(integer(arguments, 0, 0, 1))
        if self.refuses_pdus and not text_mode:
            raise Refused(NOT_SUPPORTED, "CMS")
        self._text_mode = text_mode
        return OK

    def _character_set(self, form: str, arguments: list[str]) -> Reply:
        if form == "?":
            return Reply((f'+CSCS: "{self._characters}"',))
        if form != "=" or arguments[:1] not in ([name] for name in _CHARACTER_SETS):
            raise Refused(NOT_ALLOWED)
        self._characters = arguments[0]
        return OK

    def _send(self, form: str, arguments: list[str]) -> Reply:
        """AT+CMGS=<octets of the TPDU> or, in text mode, ="<number>"; then the message and Ctrl-Z."""
        if form != "=" or not arguments:
            raise Refused(NOT_ALLOWED)
        if self._text_mode:
            to = self._decode(arguments[0].encode())
            return Reply(final=None, prompt=Prompt(lambda data: self._submit_text(to, data)))
        octets = integer(arguments, 0, 7, 164)
        return Reply(final=None, prompt=Prompt(lambda data: self._submit_pdu(octets, data)))

    def _decode(self, text: bytes) -> str:
        try:
            if self._characters == "UCS2":
                return binascii.unhexlify(text).decode("utf-16-be")
            return text.decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            raise Refused(INVALID_TEXT, "CMS") from None

    def _submit_text(self, to: str, data: bytes | None) -> Reply:
        if data is None:
            return OK
        text = self._decode(data.strip(b"\r\n"))
        if len(text) > (_TEXT_MAX if text.isascii() else 70):
            raise Refused(INVALID_TEXT, "CMS")
        return self._accept(lambda: self._deliver(to, text))

    def _submit_pdu(self, octets: int, data: bytes | None) -> Reply:
        if data is None:
            return OK
        try:
            actual, message = decode_submit(binascii.unhexlify(data.strip()))
        except (binascii.Error, PduError, UnicodeDecodeError):
            raise Refused(INVALID_PDU, "CMS") from None
        if actual != octets:
            raise Refused(INVALID_PDU, "CMS")

        def arrive() -> None:
            parts = self._parts.setdefault((message.number, message.reference, message.total), {})
            parts[message.part] = message.text
            if len(parts) == message.total:
                del self._parts[message.number, message.reference, message.total]
                self._deliver(message.number, join([parts[part] for part in sorted(parts)]))

        return self._accept(arrive)

    def _accept(self, arrive: Callable[[], None]) -> Reply:
        """The network takes it, or there is none."""
        if not self._radio.reach():
            raise Refused(NO_SERVICE, "CMS")
        self._currents.transmit(_BURST_US)
        self._reference = (self._reference + 1) & 0xFF
        delay_us = int(self._random.uniform(*_DELIVERY_S) * US_PER_S)
        return Reply((f"+CMGS: {self._reference}",), after_us=delay_us, then=arrive)
