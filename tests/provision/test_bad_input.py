"""Everything that can be wrong at a counter has its own sentence and its own next action, and writes nothing."""

import itertools

import pytest
from groundnet.link import errors as link_errors
from groundnet.link.device import Identity
from groundnet.provision.label import Label, encode
from groundnet.provision.refusal import REASONS, NotProven, Refusal, reason_of, support_code
from groundnet.provision.registry import Record, Secret
from groundnet.provision.self_test import judge
from groundnet.provision.subject import Draft, order_of, understand
from groundnet.provision.tag_check import judge_identity
from groundnet.provision.tag_id import make

DEVICE_ID = bytes.fromhex("0000AABBCCDDEE01")
LABEL = encode(Label(DEVICE_ID))
VEHICLE, ANIMAL = Draft("vehicle", province="云"), Draft("livestock")
EVERYTHING = ("accelerometer", "button", "strap", "pir")


def test_every_reason_has_words_of_its_own_in_both_languages():
    rows = list(REASONS.values())
    assert len({reason.number for reason in rows}) == len(rows)
    for texts in ([reason.cause for reason in rows], [reason.cause.zh for reason in rows]):
        assert len(set(texts)) == len(texts)
    for reason in rows:
        assert all("\u4e00" <= text.zh[0] <= "\u9fff" for text in (reason.cause, reason.action))
        assert all(text.isascii() and text[-1] not in ".;" for text in (reason.cause, reason.action))


@pytest.mark.parametrize(
    ("text", "draft", "reason"),
    [
        (LABEL[:-1] + ("0" if LABEL[-1] != "0" else "1"), VEHICLE, "label_damaged"),
        (LABEL[:30], VEHICLE, "label_damaged"),
        (LABEL.replace("AABB", "AABA"), VEHICLE, "label_damaged"),
        ("https://qr.example.com/?t=1", VEHICLE, "foreign_code"),
        ("WIFI:T:WPA;S:shop;P:secret;;", VEHICLE, "foreign_code"),
        ("BEGIN:VCARD", VEHICLE, "foreign_code"),
        ("LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122:OAABBCCDDEEFF:SYYWWNNNNNN:PFOOBAR:CAF2C", VEHICLE,
         "other_maker"),
        ("GN-0001" + ("0" if make(1)[-1] != "0" else "1"), VEHICLE, "mistyped"),
        ("云A12345", ANIMAL, "wrong_profile"),
        ("156000012345678", VEHICLE, "wrong_profile"),
        ("", VEHICLE, "nothing_read"),
        ("6901234567892", VEHICLE, "nothing_read"),  # EAN-13 of something from the shop
        ("HTTPS;//EXAMPLE", VEHICLE, "nothing_read"),
        ("{\"a\": 1}", VEHICLE, "nothing_read"),
    ],
)  # fmt: skip
def test_a_code_that_is_not_taken(text, draft, reason):
    with pytest.raises(Refusal) as caught:
        understand(text, draft)
    assert caught.value.reason.name == reason


@pytest.mark.parametrize(
    "spelling", [LABEL, LABEL.lower(), "".join(chr(ord(c) + 0xFEE0) for c in LABEL), f" {LABEL}\n"]
)
def test_a_card_in_every_spelling_of_a_scanner(spelling):
    assert understand(spelling, VEHICLE).device_id == DEVICE_ID


@pytest.mark.parametrize("typed", [make(7), make(7).lower(), make(7)[3:], make(7).replace("0", "o")])
def test_the_number_below_the_code(typed):
    assert understand(typed, VEHICLE).tag_id == make(7)


def test_plates_and_ear_tags_that_are_scanned_fill_the_form():
    assert understand("贵Ｂ·98765", VEHICLE).draft == Draft("vehicle", "B98765", "贵")
    assert understand("A12345", VEHICLE).draft == Draft("vehicle", "A12345", "云")
    assert understand("156 0000 1234 5678", ANIMAL).draft == Draft("livestock", "156000012345678")


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        (Draft("vehicle", "A12", "云"), "no_plate"),
        (Draft("vehicle", "", "云"), "no_plate"),
        (Draft("vehicle", "ABCDEF", "云"), "no_plate"),
        (Draft("vehicle", "A" * 20 + "1", "云"), "no_plate"),
        (Draft("livestock", "12345678901234"), "no_ear_tag"),
        (Draft("livestock", "12345678901234A"), "no_ear_tag"),
        (Draft("wearable", "王", consent="wearer"), "no_name"),
        (Draft("wearable", "王小明"), "no_consent"),
        (Draft("wearable", "王小明", consent="aunt"), "no_consent"),
        (Draft("sentry", "--"), "no_name"),
        (Draft("sentry", "x" * 17), "no_name"),
        (Draft("vehicle", "A12345", "云", phone="12345"), "bad_phone"),
        (Draft("vehicle", "A12345", "云", phone="call me"), "bad_phone"),
    ],
)
def test_an_order_that_is_not_complete(draft, reason):
    with pytest.raises(Refusal) as caught:
        order_of(draft, "dealer 12", EVERYTHING)
    assert caught.value.reason.name == reason


@pytest.mark.parametrize(
    ("draft", "subject", "phone"),
    [
        (Draft("vehicle", "a·123 45", "云", "138 0000 0000"), "云A12345", "+8613800000000"),
        (Draft("vehicle", "沪Ａ１２３４５", "云"), "沪A12345", None),
        (Draft("vehicle", "zg 123 ab", "", "+385 91 234 5678"), "ZG123AB", "+385912345678"),
        (Draft("livestock", " 156 0000 1234 5678 "), "156000012345678", None),
        (Draft("wearable", "王小明", consent="guardian"), "王小明", None),
        (Draft("sentry", "Li's shop 2"), "Li's shop 2", None),
    ],
)
def test_an_order_in_its_one_spelling(draft, subject, phone):
    order = order_of(draft, "dealer 12", EVERYTHING)
    assert (order.profile, order.plate, order.owner_phone) == (draft.profile, subject, phone)
    assert order.install_point == "dealer 12"


@pytest.mark.parametrize(("profile", "missing"), [("wearable", {"button", "strap"}), ("sentry", {"pir"})])
def test_a_tag_without_the_parts_for_the_use(profile, missing):
    draft = Draft(profile, "somebody", consent="wearer")
    with pytest.raises(Refusal) as caught:
        order_of(draft, "", tuple(set(EVERYTHING) - missing))
    assert caught.value.reason.name == "unfit"


STATES = ("blank", "provisioned", "locked")
KNOWN = (None, "reserved", "writing", "verified", "handed_over", "synced", "undone")
FREE, HELD = ("reserved", "writing", "verified", "undone"), ("handed_over", "synced")
JUDGED = {
    **{("blank", known): None for known in (None, *FREE)},
    **{("provisioned", known): None for known in FREE},
    ("locked", "verified"): None,  # locked in the very moment of a power cut: it goes on
    ("provisioned", None): "other_point", ("locked", None): "other_point",
    **{("locked", known): "already_bound" for known in HELD},
    **{(state, known): "history" for state in ("blank", "provisioned") for known in HELD},
    **{("locked", known): "history" for known in ("reserved", "writing", "undone")},
}  # fmt: skip


def identity(state, role="tag"):
    return Identity(DEVICE_ID, role, state, "xiao_c3_sx1262", "", "0.1.0", 1, 0, EVERYTHING)


@pytest.mark.parametrize(("state", "known"), list(itertools.product(STATES, KNOWN)))
def test_what_a_tag_says_against_what_the_registry_says(state, known):
    record = known and Record(
        *(DEVICE_ID, make(1), "tag", "b", "vehicle", "云A12345", None, known, "op", 1, Secret(bytes(32)))
    )
    reason = JUDGED[state, known]
    if reason is None:
        judge_identity(identity(state), record)
        return
    with pytest.raises(Refusal) as caught:
        judge_identity(identity(state), record)
    assert caught.value.reason.name == reason and "云A12345" not in caught.value.detail


def test_a_station_is_not_given_to_an_owner():
    with pytest.raises(Refusal) as caught:
        judge_identity(identity("blank", "base"), None)
    assert caught.value.reason.name == "not_a_tag"


def part(name, result="passed", measured=0):
    return {"part": name, "result": result, "measured": measured, "text": ""}


def test_an_empty_battery_is_named_before_any_part_that_fails_for_it():
    with pytest.raises(Refusal) as caught:
        judge([part("radio", "failed"), part("battery", measured=3299)])
    assert (caught.value.reason.name, caught.value.detail) == ("battery_dead", "3299 mV")
    with pytest.raises(Refusal) as caught:
        judge([part("battery", measured=3300), part("radio", "failed")])
    assert (caught.value.reason.name, caught.value.detail) == ("part_failed", "radio")


def test_a_counter_under_a_roof_has_no_sky_and_perhaps_no_network():
    judge([part("battery", measured=3600), part("gnss", "failed"), part("modem", "failed")])


def test_a_device_on_the_mains_has_no_battery_that_could_be_empty():
    judge([part("battery", "skipped"), part("radio")])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (link_errors.PortGone("p"), "cut_off"),
        (link_errors.NoAnswer("p"), "silent"),
        (link_errors.PortBusy("p", None), "port_held"),
        (link_errors.ReplAnswers("p"), "no_firmware"),
        (link_errors.ForeignDevice("p"), "foreign_device"),
        (link_errors.PortForbidden("p"), "not_allowed"),
        (link_errors.WrongSecret("x"), "other_point"),
        (link_errors.TriesExhausted("x"), "must_wait"),
        (link_errors.Refused("write", "storage", ""), "storage"),
        (link_errors.Refused("write", "malformed", ""), "unexpected"),
        (link_errors.CodeFailed("p", "x"), "unexpected"),
        (NotProven("x", "y"), "not_proven"),
    ],
)
def test_what_engineers_are_told_in_the_words_of_staff(error, reason):
    assert reason_of(error).name == reason


def test_a_support_code_is_short_and_has_no_letters_that_are_taken_for_digits():
    assert support_code(REASONS["battery_dead"], bytes((0, 31, 32, 255, 9))) == "45-0Z0Z"
