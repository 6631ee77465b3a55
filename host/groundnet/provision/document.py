"""What goes over the wire about one device: never its secret; what leads to a person only when that is asked for."""

import json
import re
import unicodedata
from dataclasses import dataclass

from groundnet.errors import Text
from groundnet.provision import tag_id as tag_ids
from groundnet.provision.record import BOUND, Record
from groundnet.provision.revisions import Revision

OWNER = ("subject", "owner_phone", "consent")
STATES = ("handed_over", "released")
_TEXT = {"tag_id": r"GN-[0-9A-Z]{5}", "device_id": r"[0-9a-f]{16}", "operation": r"[0-9a-f]{2,32}",
         "role": r"[a-z_]{1,16}", "board": r"[\w-]{1,40}", "profile": r"[a-z_]{1,16}"}  # fmt: skip
_OPTIONAL = {*OWNER, "revision", "state", "settings", "forgotten"}  # older points leave them out
_SETTING = re.compile(r"[a-z_]{1,24}", re.ASCII)
_LONGEST_VALUE = 40
_MOST_SETTINGS = 16
_LARGEST_MS = 1 << 48


# Why the centre refuses a record that has the right form.
CHANGED = Text("the same revision is known with other values", "同一修订号已有不同内容")
OLDER = Text(
    "a later state of this device is known: this registry is an older copy",
    "中心已有更新的状态：本登记簿是旧备份",
)
OTHERS_TAG = Text("this tag id is another device's", "该标签编号属于另一个设备")
OTHERS_BLOCK = Text(
    "this tag id was issued to another point than the one that the token names",
    "该编号发放给了别的安装点，与令牌不符",
)
CENTRES_OWN = Text("the central registry bound this device itself", "该设备由中心自己绑定")
_REASONS = {str(reason): reason for reason in (CHANGED, OLDER, OTHERS_TAG, OTHERS_BLOCK, CENTRES_OWN)}


def reason(told: str) -> Text:
    """A reason as it came over the wire, with its Chinese where that is known."""
    return _REASONS.get(told, Text(told))


class Malformed(ValueError):
    """A message or a record of another form."""


@dataclass(frozen=True)
class Document:
    """A device as a point tells of it.

    ``said`` is everything but the owner in one canonical text; ``owner`` is None where nothing was said of it.
    """

    device_id: bytes
    tag_id: str
    operation: str
    role: str
    board: str
    profile: str
    revision: int
    handed_over_ms: int
    bound: bool
    forgotten: bool
    settings: dict[str, str]
    owner: dict[str, str | None] | None
    said: str


def write(
    record: Record, revision: Revision, settings: dict[str, str], personal: bool = False
) -> dict[str, object]:
    """The record as it goes out; it stays the same for a revision, whenever it is sent."""
    bound = record.state in BOUND
    said: dict[str, object] = {
        "operation": record.operation,
        "tag_id": record.tag_id,
        "device_id": record.device_id.hex(),
        "role": record.role,
        "board": record.board,
        "profile": record.profile,
        "handed_over_ms": revision.bound_ms,
        "revision": revision.number,
        "state": "handed_over" if bound else "released",
        "settings": settings,
        "forgotten": revision.forgotten,
    }
    if personal and bound and not revision.forgotten:
        said |= {"subject": record.plate, "owner_phone": record.owner_phone, "consent": record.consent}
    return said


def read(record: object) -> Document:
    """A record that has the right form. Raises Malformed."""
    if not isinstance(record, dict) or set(record) - _OPTIONAL != {*_TEXT, "handed_over_ms"}:
        raise Malformed("a record has other fields")
    for name, form in _TEXT.items():
        if not isinstance(record[name], str) or not re.fullmatch(form, record[name], re.ASCII):
            raise Malformed(f"{name} has another form")
    if not _checks(record["tag_id"]):
        raise Malformed("tag_id has a wrong check character")
    bound_ms = _time(record, "handed_over_ms")
    state, forgotten = record.get("state", "handed_over"), record.get("forgotten", False)
    if state not in STATES or type(forgotten) is not bool:
        raise Malformed("state has another form")
    owner = _owner(record)
    said = {name: value for name, value in record.items() if name not in OWNER}
    return Document(
        bytes.fromhex(record["device_id"]),
        *(record[name] for name in ("tag_id", "operation", "role", "board", "profile")),
        revision=_time(record, "revision") if "revision" in record else bound_ms,
        handed_over_ms=bound_ms,
        bound=state == "handed_over",
        forgotten=forgotten,
        settings=_settings(record.get("settings", {})),
        owner=None if forgotten or state == "released" else owner,
        said=json.dumps(said, sort_keys=True, ensure_ascii=False),
    )


def _time(record: dict, name: str) -> int:
    value = record[name]
    if type(value) is not int or not 0 <= value < _LARGEST_MS:
        raise Malformed(f"{name} has another form")
    return value


def _owner(record: dict) -> dict[str, str | None] | None:
    for name in OWNER:
        value = record.get(name)
        if value is not None and not _is_plain(value):
            raise Malformed(f"{name} has another form")
    told = {name: record.get(name) for name in OWNER}
    return told if any(told.values()) else None


def _settings(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > _MOST_SETTINGS:
        raise Malformed("settings has another form")
    for name, text in value.items():
        if not _SETTING.fullmatch(name) or not _is_plain(text):
            raise Malformed("settings has another form")
    return value


def _is_plain(value: object) -> bool:
    """A short text without what no store takes: control characters and halves of characters."""
    return (
        isinstance(value, str)
        and len(value) <= _LONGEST_VALUE
        and not any(unicodedata.category(character) in ("Cc", "Cs") for character in value)
    )


def _checks(tag_id: str) -> bool:
    try:
        return tag_ids.parse(tag_id) == tag_id
    except tag_ids.TagIdError:
        return False
