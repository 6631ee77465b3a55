"""SMS-DELIVER PDU -> sender and text (3GPP TS 23.040 section 9.2.2.1, alphabet TS 23.038).

What comes in is anybody's: whatever is wrong with it ends in SmsError, and nothing here obeys it.
"""

from binascii import unhexlify

from drivers.sms_pdu import SmsError
from micropython import const

_TYPE_MASK = const(0x03)
_DELIVER = const(0x00)
_HAS_HEADER = const(0x40)
_INTERNATIONAL = const(0x10)  # in the type-of-number bits 6..4
_ALPHANUMERIC = const(0x50)
_TON_MASK = const(0x70)
_TIMESTAMP_OCTETS = const(7)
_ESCAPE = const(0x1B)

# TS 23.038 6.2.1. Letters a Chinese or English text does not have become "?".
_LOW = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ?ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
_HIGH = "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
_EXTENDED = {
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}


def decode(line: bytes) -> tuple:
    """(sender, text) of the hexadecimal line below +CMGR; a part of a longer text counts as a text.

    Raises SmsError.
    """
    try:
        pdu = unhexlify(line)
        return _decode(pdu[1 + pdu[0] :])
    except (ValueError, IndexError):
        raise SmsError("not a text message") from None


def _decode(tpdu) -> tuple:
    first = tpdu[0]
    if first & _TYPE_MASK != _DELIVER:
        raise SmsError("not an incoming message")
    sender, position = _address(tpdu, 1)
    coding = tpdu[position + 1]
    position += 2 + _TIMESTAMP_OCTETS
    units = tpdu[position]
    body = tpdu[position + 1 :]
    header_octets = 1 + body[0] if first & _HAS_HEADER else 0
    if coding & 0x0C == 0x08:  # 4: UCS-2
        if len(body) < units or header_octets > units:
            raise SmsError("text ends early")
        return sender, _ucs2(body[header_octets:units])
    if coding & 0x0C == 0x04:  # eight-bit data
        return sender, ""
    if len(body) * 8 < units * 7:
        raise SmsError("text ends early")
    return sender, _septets(body, (header_octets * 8 + 6) // 7, units)


def _address(tpdu, position: int) -> tuple:
    """(number, where it ends) (9.1.2.5)."""
    digits, kind = tpdu[position], tpdu[position + 1]
    octets = tpdu[position + 2 : position + 2 + (digits + 1) // 2]
    end = position + 2 + len(octets)
    if len(octets) * 2 < digits or digits > 20:
        raise SmsError("sender ends early")
    if kind & _TON_MASK == _ALPHANUMERIC:
        return _septets(octets, 0, digits * 4 // 7), end
    number = "+" if kind & _TON_MASK == _INTERNATIONAL else ""
    for index in range(digits):
        nibble = octets[index // 2] >> 4 * (index & 1) & 0x0F
        number += "0123456789*#abc"[nibble]
    return number, end


def _septets(octets, start: int, end: int) -> str:
    text = ""
    escaped = False
    for index in range(start, end):
        bit = index * 7
        place = bit >> 3
        pair = octets[place] | (octets[place + 1] << 8 if place + 1 < len(octets) else 0)
        septet = pair >> (bit & 7) & 0x7F
        if escaped:
            text += _EXTENDED.get(septet, " ")
            escaped = False
        elif septet == _ESCAPE:
            escaped = True
        else:
            text += _LOW[septet] if septet < 65 else _HIGH[septet - 65]
    return text


def _ucs2(octets) -> str:
    """UTF-16 big endian; half a pair becomes a question mark."""
    text = ""
    high = 0
    for index in range(0, len(octets) - 1, 2):
        code = octets[index] << 8 | octets[index + 1]
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            code = (high - 0xD800 << 10) + (code - 0xDC00) + 0x10000 if high else 0x3F
        high = 0
        text += chr(code)
    return text
