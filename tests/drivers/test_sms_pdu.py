"""SMS PDUs against known answers and an independent decoder of TS 23.040."""

import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

sms_pdu = importlib.import_module("drivers.sms_pdu")


def decode(pdu: bytes) -> tuple[str, str, bytes]:
    """(number, text of this part, user data header), bit by bit as the standard draws it."""
    raw = bytes.fromhex(pdu.decode())
    assert raw[0] == 0
    first, digits, kind = raw[1], raw[3], raw[4]
    octets = (digits + 1) // 2
    number = "".join(f"{byte & 15:X}{byte >> 4:X}" for byte in raw[5 : 5 + octets])[:digits]
    number = ("+" if kind == 0x91 else "") + number
    coding, units, body = raw[6 + octets], raw[8 + octets], raw[9 + octets :]
    header = body[: body[0] + 1] if first & 0x40 else b""
    if coding == 8:
        assert units == len(body)
        return number, body[len(header) :].decode("utf-16-be", "surrogatepass"), header
    bits = "".join(f"{byte:08b}" for byte in reversed(body))
    septets = [int(bits[len(bits) - 7 * (index + 1) : len(bits) - 7 * index], 2) for index in range(units)]
    skip = -(-len(header) * 8 // 7)
    return number, "".join(map(chr, septets[skip:])), header


def user_data(pdu: bytes) -> tuple[int, int]:
    """(length as the message says it, octets) of the user data of a submit with a validity of one octet."""
    raw = bytes.fromhex(pdu.decode())[1:]
    at = 4 + (raw[2] + 1) // 2 + 3
    return raw[at], len(raw) - at - 1


def test_known_answer():
    # "hellohello" packs to E8329BFD4697D9EC37: the worked example of many SMS PDU guides.
    ((octets, pdu),) = sms_pdu.encode("+27838890001", "hellohello")
    assert pdu == b"0011000B917238880900F10000AA0AE8329BFD4697D9EC37"
    assert octets == len(pdu) // 2 - 1


def test_chinese_goes_as_ucs2():
    ((_, pdu),) = sms_pdu.encode("13800138000", "平安卡")
    assert pdu.endswith(b"5E735B895361")
    assert decode(pdu)[:2] == ("13800138000", "平安卡")


@given(
    text=st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1, max_size=700)
)
def test_ascii_of_any_length_comes_back(text):
    check_round_trip(text)


@pytest.mark.parametrize(
    "text", ["a" * 160, "a" * 161, "a" * 306, "a" * 307, "平" * 70, "平" * 71, "平" * 134, "平" * 135]
)
def test_a_text_at_the_edge_of_a_part(text):
    check_round_trip(text)


@given(text=st.text(st.sampled_from("平安ab1,.😀"), min_size=1, max_size=300))
def test_chinese_of_any_length_comes_back(text):
    check_round_trip(text)


def check_round_trip(text):
    joined, headers = "", []
    for octets, pdu in sms_pdu.encode("+8613800138000", text, 77):
        assert octets <= 164 and octets == len(pdu) // 2 - 1
        number, part, header = decode(pdu)
        units, body = user_data(pdu)
        assert body <= 140 and units <= 160, "3GPP TS 23.040, 9.2.3.24: user data has at most 140 octets"
        assert number == "+8613800138000"
        joined += part
        headers.append(header)
    assert joined.encode("utf-16-be", "surrogatepass").decode("utf-16-be") == text
    if len(headers) > 1:
        assert headers == [bytes((5, 0, 3, 77, len(headers), number + 1)) for number in range(len(headers))]


@pytest.mark.parametrize("number", ["", "12", "+", "12a45", "1" * 21])
def test_bad_numbers_are_refused(number):
    with pytest.raises(sms_pdu.SmsError):
        sms_pdu.encode(number, "x")


def test_endless_text_is_refused():
    with pytest.raises(sms_pdu.SmsError):
        sms_pdu.encode("10086", "平" * 700)
