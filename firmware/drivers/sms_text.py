"""Texts through a modem that refuses PDUs: text mode with everything in UCS-2 (3GPP TS 27.005 section 3, +CSCS).

Text mode cannot mark parts as belonging together, so a long text arrives as several messages, each numbered.
"""

from binascii import hexlify

from drivers.at_port import OK
from drivers.sms_pdu import SmsError
from micropython import const

SETTINGS = (
    (b"AT+CMGF=1", OK, (), 1000),
    (b'AT+CSCS="UCS2"', OK, (), 1000),
    (b"AT+CSMP=17,167,0,8", OK, (), 1000),  # submit with validity 24 h, no protocol, data coding UCS-2
)

_PER_MESSAGE = const(70)
_PER_PART = const(65)  # and "1/9 "
_PARTS_MAX = const(9)


def encode(number: str, text: str) -> list:
    """[(argument of AT+CMGS, hexadecimal text), ...]. Raises SmsError."""
    digits = number[1:] if number.startswith("+") else number
    if not 3 <= len(digits) <= 20 or not all("0" <= digit <= "9" for digit in digits):
        raise SmsError("not a phone number")
    units = _ucs2(text)
    address = b'"' + hexlify(_ucs2(number)).upper() + b'"'
    if len(units) <= 2 * _PER_MESSAGE:
        return [(address, hexlify(units).upper())]
    total = (len(units) // 2 + _PER_PART - 1) // _PER_PART
    if total > _PARTS_MAX:
        raise SmsError("text needs more than nine messages")
    parts = []
    for part in range(total):
        piece = units[2 * _PER_PART * part : 2 * _PER_PART * (part + 1)]
        parts.append((address, hexlify(_ucs2("%d/%d " % (part + 1, total)) + piece).upper()))
    return parts


def _ucs2(text: str) -> bytes:
    """UTF-16 big endian; characters beyond the plane become a question mark: a pair may not be cut."""
    out = bytearray()
    for char in text:
        code = ord(char)
        if code > 0xFFFF:
            code = 0x3F
        out.append(code >> 8)
        out.append(code & 0xFF)
    return bytes(out)
