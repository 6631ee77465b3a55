"""What a tag is fixed to, as staff fill it in: a vehicle, an animal, a wearer or a shop, each with its own fields."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from groundnet.errors import GroundnetError
from groundnet.provision import label, phone, plate, scan, tag_id
from groundnet.provision.operation import Order
from groundnet.provision.record import Record
from groundnet.provision.refusal import Refusal

PROFILES = ("vehicle", "livestock", "wearable", "sentry")
CONSENTS = ("wearer", "guardian")
LONGEST_NAME = plate.LONGEST
_SHORTEST_PLATE = 5
# Ministry of Agriculture, order 67 (2006), article 6: species, six digits of the county, eight of the animal;
# an electronic ear tag (ISO 11784) has as many: three of the country, twelve of the animal.
_EAR_TAG = re.compile(r"\d{15}")
_LIKE_A_PLATE = re.compile(r"[^\W\d_]?[A-Z0-9·. -]{4,12}[^\W\d_]?", re.IGNORECASE)  # 使 and 学 may end one
_CHINESE_MOBILE = re.compile(r"1\d{10}")

# What a device must have for a profile: one of each row (names of the wire's capabilities).
NEEDS = {
    "vehicle": (("accelerometer",),),
    "livestock": (("accelerometer",),),
    "wearable": (("button", "strap"),),
    "sentry": (("pir",),),
}


@dataclass(frozen=True)
class Draft:
    """What was said so far, as it was said. ``subject`` is the plate without its province, ear tag or name."""

    profile: str = "vehicle"
    subject: str = ""
    province: str = ""
    phone: str = ""
    consent: str = ""  # of whom: one of CONSENTS

    @property
    def empty(self) -> bool:
        return not (self.subject or self.phone or self.consent)


@dataclass(frozen=True)
class Scanned:
    """What a scan means while this draft is on the screen: a card (one of the first two), or a fuller draft."""

    device_id: bytes | None = None
    tag_id: str | None = None
    draft: Draft | None = None


def understand(text: str, draft: Draft) -> Scanned:
    """What was scanned or typed into the one field for everything. Raises Refusal."""
    plain = unicodedata.normalize("NFKC", text).strip()
    digits = re.sub(r"[\s-]", "", plain)
    if _EAR_TAG.fullmatch(digits):
        if draft.profile != "livestock":
            raise Refusal("wrong_profile")
        return Scanned(draft=replace(draft, subject=digits))
    try:
        found = scan.read(plain)
    except scan.ForeignCode:
        raise Refusal("foreign_code") from None
    except label.ForeignLabel:
        raise Refusal("other_maker") from None
    except label.LabelError:
        raise Refusal("label_damaged") from None
    except tag_id.TagIdError:
        raise Refusal("mistyped") from None
    except GroundnetError:
        raise Refusal("nothing_read") from None
    if found.plate is None:
        return Scanned(found.device_id, found.tag_id)
    if not _LIKE_A_PLATE.fullmatch(plain):
        raise Refusal("nothing_read")
    if draft.profile != "vehicle":
        raise Refusal("wrong_profile")
    return Scanned(draft=with_plate(draft, found.plate))


def with_plate(draft: Draft, text: str) -> Draft:
    """The draft with a plate whose province, if it has one, is in the pick list."""
    province = text[:1] if text[:1] in scan.PROVINCES else ""
    return replace(draft, province=province or draft.province, subject=text[len(province) :])


def draft_of(record: Record) -> Draft:
    """What was said when an attempt began that was cut off."""
    said = Draft(record.profile, record.plate or "", "", record.owner_phone or "", record.consent or "")
    return with_plate(said, said.subject) if record.profile == "vehicle" else said


def fits(profile: str, capabilities: Sequence[str]) -> None:
    """Whether a device with these capabilities can do this. Raises Refusal."""
    if any(not set(any_of) & set(capabilities) for any_of in NEEDS.get(profile, ())):
        raise Refusal("unfit")


def order_of(draft: Draft, install_point: str, capabilities: tuple[str, ...]) -> Order:
    """What the device is to be given. Raises Refusal for what is missing, or a device that cannot do it."""
    fits(draft.profile, capabilities)
    consent = draft.consent if draft.profile == "wearable" else None
    return Order(draft.profile, subject_of(draft), _phone(draft.phone), install_point, consent=consent)


def subject_of(draft: Draft) -> str:
    """Plate, ear tag or name in its one spelling. Raises Refusal."""
    plain = unicodedata.normalize("NFKC", draft.subject).strip()
    if draft.profile == "vehicle":
        return _plate(draft.province, plain)
    if draft.profile == "livestock":
        digits = re.sub(r"[\s-]", "", plain)
        if not _EAR_TAG.fullmatch(digits):
            raise Refusal("no_ear_tag")
        return digits
    if not 2 <= len(plain) <= LONGEST_NAME or not any(character.isalnum() for character in plain):
        raise Refusal("no_name")
    if draft.profile == "wearable" and draft.consent not in CONSENTS:
        raise Refusal("no_consent")
    return plain


def _plate(province: str, text: str) -> str:
    try:
        whole = plate.normalise(text if text[:1] in scan.PROVINCES else province + text)
    except GroundnetError:
        raise Refusal("no_plate") from None
    if len(whole) < _SHORTEST_PLATE or not any(character.isdecimal() for character in whole):
        raise Refusal("no_plate")
    return whole


def _phone(text: str) -> str | None:
    plain = re.sub(r"[\s().-]", "", unicodedata.normalize("NFKC", text))
    if not plain:
        return None
    try:
        return phone.normalise("+86" + plain if _CHINESE_MOBILE.fullmatch(plain) else plain)
    except GroundnetError:
        raise Refusal("bad_phone") from None
