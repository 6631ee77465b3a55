"""What a scanner or a hand typed at the counter: a tag's label, its short code, or a number plate.

A scanner is a keyboard that types fast. With a Chinese input method switched on it types full-width forms, with Caps
Lock the wrong case; both are put right here. What fails its checksum is refused, never guessed.
"""

import unicodedata
from dataclasses import dataclass

from groundnet.errors import GroundnetError
from groundnet.provision import label, plate, tag_id

# GA 36-2018, 5.9.1: the character of a plate's province; then those of other Chinese plates.
PROVINCES = tuple("京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新港澳使领警学")


class ScanError(GroundnetError):
    """A text that is nothing that the counter knows."""


class ForeignCode(ScanError):
    """A code that is meant for something else: a web address, a Wi-Fi key, a visiting card."""


@dataclass(frozen=True)
class Scan:
    """One of: the device id of a label, a tag id, a plate in its one spelling."""

    device_id: bytes | None = None
    tag_id: str | None = None
    plate: str | None = None


def read(text: str) -> Scan:
    """What was scanned or typed.

    Raises LabelError (damaged, or another maker's), TagIdError (wrong check character), ScanError (a web address,
    key material, nothing at all).
    """
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    if not plain:
        raise ScanError("nothing was scanned", "scan the code again")
    if plain.startswith("LW:"):
        return _of_label(plain)
    if "://" in plain or plain.startswith(("WIFI:", "BEGIN:", "MATMSG:")):
        raise ForeignCode(
            "this code belongs to something else", "scan the square code on the tag or its card"
        )
    if plain.startswith(tag_id.PREFIX[:2]) and len(plain) > tag_id.DIGITS:
        return Scan(tag_id=tag_id.parse(plain))
    if any(character in PROVINCES for character in plain):
        return Scan(plate=plate.normalise(plain))
    try:
        return Scan(tag_id=tag_id.parse(plain))
    except tag_id.TagIdError:
        return Scan(plate=_typed_plate(plain))


def _of_label(text: str) -> Scan:
    found = label.decode(text)
    if not found.ours:
        raise label.ForeignLabel("this is the label of another maker's device", "scan the label of the tag")
    return Scan(device_id=found.device_id)


def _typed_plate(text: str) -> str:
    spelled = plate.normalise(text)
    if spelled.isdecimal() or len(spelled) < 5:
        raise ScanError(f"'{text}' is neither a label nor a plate", "scan the label, or type the whole plate")
    return spelled
