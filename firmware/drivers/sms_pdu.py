"""Text message -> SMS-SUBMIT PDUs (3GPP TS 23.040 section 9.2.2.2, alphabet TS 23.038).

Seven-bit where the text allows it, else UCS-2 (Chinese); long texts are split with a concatenation header.
"""

from binascii import hexlify

from micropython import const

_SUBMIT_RELATIVE_VALIDITY = const(0x11)
_HAS_HEADER = const(0x40)
_VALIDITY_4_DAYS = const(0xAA)
_DCS_7_BIT = const(0x00)
_DCS_UCS2 = const(0x08)
_HEADER_BYTES = const(6)  # UDHL, IEI 0, length 3, reference, total, number
_PARTS_MAX = const(9)
# Printable ASCII that TS 23.038 codes differently or as two septets.
_NOT_SEVEN_BIT = "@$_[\\]^`{|}~"


class SmsError(Exception):
    """The number is not a phone number, or the text is too long."""


def encode(number: str, text: str, reference: int = 0) -> list:
    """PDUs for ``text`` to ``number``.

    Args:
        number: 3..20 digits, with a leading + for the international form.
        reference: 0..255, joins the parts of one long text.

    Returns:
        [(tpdu_octets, hex bytes with the default service centre), ...]: the argument of AT+CMGS and its data.
    """
    address = _address(number)
    if _is_seven_bit(text):
        coding, per_message, per_part, pack = _DCS_7_BIT, 160, 153, _pack_septets
    else:
        coding, per_message, per_part, pack = _DCS_UCS2, 70, 67, _pack_ucs2
    if len(text) <= per_message:
        return [_submit(address, coding, b"", pack(text, 0))]
    total = (len(text) + per_part - 1) // per_part
    if total > _PARTS_MAX:
        raise SmsError("text needs more than nine messages")
    pdus = []
    for part in range(total):
        header = bytes((5, 0, 3, reference & 0xFF, total, part + 1))
        data = pack(text[part * per_part : (part + 1) * per_part], len(header))
        pdus.append(_submit(address, coding, header, data))
    return pdus


def _submit(address: bytes, coding: int, header: bytes, data: tuple) -> tuple:
    units, body = data
    first = _SUBMIT_RELATIVE_VALIDITY | (_HAS_HEADER if header else 0)
    fixed = bytes((0, coding, _VALIDITY_4_DAYS, units))
    tpdu = bytes((first, 0)) + address + fixed + header + body
    return len(tpdu), b"00" + hexlify(tpdu).upper()


def _address(number: str) -> bytes:
    """Digit count, type of number, swapped BCD digits (9.1.2.5)."""
    digits = number[1:] if number.startswith("+") else number
    if not 3 <= len(digits) <= 20 or not all("0" <= digit <= "9" for digit in digits):
        raise SmsError("not a phone number")
    out = bytearray((len(digits), 0x91 if number.startswith("+") else 0x81))
    padded = digits + "F" * (len(digits) % 2)
    for index in range(0, len(padded), 2):
        out.append(int(padded[index + 1], 16) << 4 | int(padded[index], 16))
    return bytes(out)


def _is_seven_bit(text: str) -> bool:
    return all((" " <= char <= "~" and char not in _NOT_SEVEN_BIT) or char == "\n" for char in text)


def _pack_septets(text: str, header_octets: int) -> tuple:
    """(septets including the header's, packed bytes): the text starts on a septet boundary (9.2.3.24)."""
    header_septets = (header_octets * 8 + 6) // 7
    bits = header_septets * 7 - header_octets * 8  # fill bits
    value = 0
    out = bytearray()
    for char in text:
        value |= ord(char) << bits
        bits += 7
        while bits >= 8:
            out.append(value & 0xFF)
            value >>= 8
            bits -= 8
    if bits:
        out.append(value & 0xFF)
    return header_septets + len(text), bytes(out)


def _pack_ucs2(text: str, header_octets: int) -> tuple:
    """(octets including the header's, UTF-16 big endian)."""
    out = bytearray()
    for char in text:
        code = ord(char)
        if code > 0xFFFF:  # a pair may be cut between two parts: phones join before they decode
            code -= 0x10000
            high = 0xD800 | code >> 10
            out += bytes((high >> 8, high & 0xFF))
            code = 0xDC00 | code & 0x3FF
        out += bytes((code >> 8, code & 0xFF))
    return header_octets + len(out), bytes(out)
