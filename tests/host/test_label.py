"""The QR label of TR005 and what a scanner makes of it."""

import pytest
from groundnet.provision import label, tag_id
from groundnet.provision.label import Label, LabelError
from groundnet.provision.scan import Scan, ScanError, read
from hypothesis import given
from hypothesis import strategies as st

KNOWN = "LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122:OAABBCCDDEEFF:SYYWWNNNNNN:PFOOBAR:CAF2C"  # TR005's example
DEVICE = bytes.fromhex("0000a4cf12345678")


def test_the_example_of_tr005_is_read_and_made_again():
    found = label.decode(KNOWN)
    assert found.device_id == bytes.fromhex("AABBCCDDEEFF0011")
    assert (found.join_eui.hex(), found.profile_id.hex()) == ("1122334455667788", "aabb1122")
    assert (found.owner_token, found.serial, found.proprietary) == ("AABBCCDDEEFF", "YYWWNNNNNN", "FOOBAR")
    assert found.checked and not found.ours
    assert label.encode(found) == KNOWN


def test_fields_come_in_any_order_and_unknown_ones_are_skipped():
    turned = "LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122:PFOOBAR:XNEW:SYYWW"
    found = label.decode(turned)
    assert (found.serial, found.proprietary, found.checked) == ("YYWW", "FOOBAR", False)


@given(position=st.integers(0, len(KNOWN) - 1), character=st.sampled_from("0123456789ABCDEFGXYZ:-"))
def test_one_wrong_character_is_never_another_device(position, character):
    if KNOWN[position] == character:
        return
    wrong = KNOWN[:position] + character + KNOWN[position + 1 :]
    try:
        found = label.decode(wrong)
    except LabelError:
        return
    assert not found.checked, "only a label that lost its checksum's mark is taken, and says so"


@given(device_id=st.binary(min_size=8, max_size=8), serial=st.from_regex(r"[0-9A-Z\-]{0,12}", fullmatch=True))
def test_what_is_printed_is_read(device_id, serial):
    text = label.encode(Label(device_id, serial=serial))
    assert text == text.upper() and label.decode(text.lower()) == Label(device_id, serial=serial)


def test_a_plain_label_fits_the_small_code():
    assert len(label.encode(Label(DEVICE))) == 54 <= 61, "version 3-M holds 61 alphanumeric characters"


@pytest.mark.parametrize(
    "bad", ["LW:D0:11", KNOWN.replace("1122334455667788", "112233445566778"), KNOWN + ":CAF2C"]
)
def test_damaged_labels_are_refused(bad):
    with pytest.raises(LabelError, match="damaged"):
        label.decode(bad)


@pytest.mark.parametrize("value", ["a:b", "über", "low"])
def test_nothing_is_printed_that_would_not_be_read(value):
    with pytest.raises(LabelError):
        label.encode(Label(DEVICE, serial=value))


def full_width(text: str) -> str:
    """As a scanner types with a Chinese input method switched on."""
    return "".join(
        chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in text
    )


def test_a_scan_is_read_in_any_case_and_width():
    text = label.encode(Label(DEVICE))
    for typed in (text, text.lower(), full_width(text), f" {text}\r\n"):
        assert read(typed) == Scan(device_id=DEVICE)


def test_a_typed_code_and_a_plate_are_told_apart():
    code = tag_id.make(77)
    assert read(code.lower()) == read(code[3:]) == Scan(tag_id=code)
    assert read("云a·12345") == read(full_width("云A12345")) == Scan(plate="云A12345")
    assert read("kunming 12345") == Scan(plate="KUNMING12345")


@pytest.mark.parametrize(
    "foreign", ["https://example.com/LW:D0", "WIFI:S:shop;T:WPA;P:x;;", "", "   ", "12345678", "AB1"]
)
def test_what_is_nothing_of_ours_is_refused(foreign):
    with pytest.raises(ScanError):
        read(foreign)


def test_a_wrong_check_character_is_not_taken_for_a_plate():
    code = tag_id.make(77)
    with pytest.raises(tag_id.TagIdError):
        read(code[:-1] + ("0" if code[-1] != "0" else "1"))


def test_another_makers_label_is_named():
    with pytest.raises(LabelError, match="another maker"):
        read(KNOWN)
