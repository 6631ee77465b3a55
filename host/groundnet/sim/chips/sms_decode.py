"""SMS-SUBMIT as the network reads it (3GPP TS 23.040 section 9.2.2.2, alphabets TS 23.038)."""

from dataclasses import dataclass

# TS 23.038 6.2.1: the default alphabet; 0x1B leads to the extension table.
_DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
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
_ESCAPE = 0x1B
_SUBMIT, _HAS_HEADER = 0x01, 0x40
_VALIDITY_OCTETS = (0, 7, 1, 7)  # by the two bits of TP-VPF
_INTERNATIONAL = 0x91
_DCS_7_BIT, _DCS_UCS2 = 0x00, 0x08


class PduError(ValueError):
    """Not an SMS-SUBMIT that a network would take."""


@dataclass(frozen=True)
class Submit:
    """One message: ``part`` of ``total`` texts with the same ``reference``; 1 of 1 when it stands alone.

    A UCS-2 text may end in half a character that the next part completes; ``join`` puts them together.
    """

    number: str
    text: str
    reference: int = 0
    total: int = 1
    part: int = 1


def join(texts: list[str]) -> str:
    """The whole text; pairs of surrogates that two parts share become one character."""
    return "".join(texts).encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def decode_submit(pdu: bytes) -> tuple[int, Submit]:
    """(octets of the TPDU, message) of a service centre address and a TPDU, as AT+CMGS takes them.

    Raises PduError.
    """
    try:
        tpdu = pdu[1 + pdu[0] :]
        return len(tpdu), _decode_tpdu(tpdu)
    except IndexError:
        raise PduError("the PDU ends too early") from None


def _decode_tpdu(tpdu: bytes) -> Submit:
    first = tpdu[0]
    if first & 0x03 != _SUBMIT:
        raise PduError("not an SMS-SUBMIT")
    number, position = _address(tpdu, 2)
    coding = tpdu[position + 1]
    position += 2 + _VALIDITY_OCTETS[first >> 3 & 0x03]
    units, data = tpdu[position], tpdu[position + 1 :]
    header = data[1 : 1 + data[0]] if first & _HAS_HEADER else None
    header_octets = 0 if header is None else 1 + len(header)
    if coding == _DCS_UCS2:
        if len(data) != units:
            raise PduError("the user data is not as long as it says")
        text = data[header_octets:].decode("utf-16-be", "surrogatepass")
    elif coding == _DCS_7_BIT:
        if len(data) != (units * 7 + 7) // 8:
            raise PduError("the user data is not as long as it says")
        text = _septets(data, (header_octets * 8 + 6) // 7, units)
    else:
        raise PduError(f"data coding {coding:#04x} is not modelled")
    return Submit(number, text, *_concatenation(header or b""))


def _address(tpdu: bytes, position: int) -> tuple[str, int]:
    """Number and where it ends (9.1.2.5): digit count, type of number, swapped digits."""
    count, kind = tpdu[position], tpdu[position + 1]
    octets = tpdu[position + 2 : position + 2 + (count + 1) // 2]
    digits = "".join(f"{octet & 0x0F:X}{octet >> 4:X}" for octet in octets)[:count]
    if len(digits) < count or not digits.isdigit():
        raise PduError("the number is not a number")
    return ("+" if kind == _INTERNATIONAL else "") + digits, position + 2 + len(octets)


def _septets(data: bytes, start: int, end: int) -> str:
    value = int.from_bytes(data, "little")
    text, escaped = "", False
    for index in range(start, end):
        septet = value >> 7 * index & 0x7F
        if escaped:
            text += _EXTENSION.get(septet, " ")
            escaped = False
        elif septet == _ESCAPE:
            escaped = True
        else:
            text += _DEFAULT[septet]
    return text


def _concatenation(header: bytes) -> tuple[int, int, int]:
    """Reference, total and number of the part from the elements 0 and 8 (9.2.3.24.1, 9.2.3.24.8)."""
    position = 0
    while position + 1 < len(header):
        kind, length = header[position], header[position + 1]
        element = header[position + 2 : position + 2 + length]
        if (kind, length) in ((0, 3), (8, 4)):
            *reference, total, part = element
            if not 1 <= part <= total:
                raise PduError("the part is not one of the parts")
            return int.from_bytes(reference, "big"), total, part
        position += 2 + length
    return 0, 1, 1
