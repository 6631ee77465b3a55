"""Alerts by SMS through a modem on a serial port: text mode with UCS-2, which carries Chinese (3GPP TS 27.005, 3.5.1).

AT+CSCS="UCS2" has numbers and texts in hex of UTF-16; +CSMP 17,167,0,8 asks for the 16-bit alphabet (TS 23.038, 4).
"""

import time
from collections.abc import Callable

import serial

from groundnet.alerts.post import DeliveryError, Message

LONGEST = 70  # characters of one message in UCS-2
ANSWER_S, SENT_S = 5.0, 60.0  # TS 27.005 leaves the time open; networks take seconds
_SETUP = ("ATE0", "AT+CMGF=1", 'AT+CSCS="UCS2"', "AT+CSMP=17,167,0,8")
_END = b"\x1a"


class SmsModem:
    """Sends to ``tel:`` contacts; opens the port for each message, so that a modem may be pulled and put back.

    Args:
        port: of the modem, as pyserial names it.
        baudrate: in bit/s.
        now_s: a monotonic clock.
    """

    def __init__(
        self, port: str, baudrate: int = 115200, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._port, self._baudrate, self._now_s = port, baudrate, now_s

    def __call__(self, message: Message) -> None:
        """Raises DeliveryError."""
        try:
            with serial.Serial(self._port, self._baudrate, timeout=0.1, exclusive=True) as line:
                self._send(line, message.contact.removeprefix("tel:"), message.text[:LONGEST])
        except (OSError, serial.SerialException) as error:
            raise DeliveryError(f"the modem at {self._port} is not there", "it is tried again") from error

    def _send(self, line: serial.Serial, number: str, text: str) -> None:
        line.reset_input_buffer()
        line.write(b"\x1b")  # out of a message that was begun and never ended
        for command in _SETUP:
            self._ask(line, command.encode() + b"\r", (b"OK\r",), ANSWER_S, command)
        self._ask(line, f'AT+CMGS="{_ucs2(number)}"\r'.encode(), (b">",), ANSWER_S, "AT+CMGS")
        self._ask(line, _ucs2(text).encode() + _END, (b"+CMGS:",), SENT_S, "the text")

    def _ask(self, line: serial.Serial, data: bytes, good: tuple, within_s: float, what: str) -> None:
        line.write(data)
        until_s = self._now_s() + within_s
        heard = b""
        while self._now_s() < until_s:
            heard += line.read(64)
            if any(mark in heard for mark in good):
                return
            if b"ERROR" in heard:
                why = heard[heard.index(b"ERROR") - 5 :].split(b"\r")[0].decode("ascii", "replace").strip()
                raise DeliveryError(f"the modem refused {what} ({why})", "look at its SIM card and signal")
        raise DeliveryError(f"the modem did not answer to {what}", "look at its supply and port")


def _ucs2(text: str) -> str:
    return text.encode("utf-16-be").hex().upper()
