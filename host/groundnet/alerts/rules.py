"""When an owner is told something. Pure: what is known of a device and the time in, yes or no out.

A rule holds or it does not; the owner is told when it begins to hold, once, and again only after it held no more.
Each kind has a band between the two, so that a value on the edge does not tell the owner the same thing all day.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from groundnet.errors import GroundnetError, Text
from groundnet.geodesy import distance_m

QUIET_MS = 15 * 60_000  # a thing that stood still for so long has stopped; the next movement is news
RECHARGED_PERCENT = 10  # above the threshold: the battery is another one, or was charged
HOUR_MS = 3_600_000

KINDS = ("moved", "left", "battery", "silent")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class RuleError(GroundnetError):
    """A rule that says nothing, or something else than it can."""


@dataclass(frozen=True)
class Rule:
    """What one owner wants to hear of one device.

    ``parameters``: moved: ``between`` "HH:MM-HH:MM" local time, may be missing; left: ``lat``, ``lon`` WGS-84 degrees,
    ``radius_m``; battery: ``percent``; silent: ``hours``. ``contact``: https://, mailto: or tel: address.
    """

    rule_id: int
    device_id: bytes
    tag_id: str
    kind: str
    parameters: Mapping[str, float | str]
    contact: str
    language: str = "zh"


@dataclass(frozen=True)
class Seen:
    """What is known of a device; None where nothing is. Unix milliseconds; WGS-84 degrees and metres; percent."""

    heard_ms: int | None = None
    moved_ms: int | None = None
    battery_percent: float | None = None
    battery_low: bool | None = None
    place: tuple[float, float, float] | None = None


def checked(kind: str, parameters: Mapping[str, float | str | None]) -> dict[str, float | str]:
    """The parameters of a rule, the missing ones left out. Raises RuleError."""
    given = {name: value for name, value in parameters.items() if value is not None}
    wanted = {"moved": (), "left": ("lat", "lon", "radius_m"), "battery": ("percent",), "silent": ("hours",)}
    if kind not in wanted:
        raise _refused(f"there is no alert '{kind}'", f"没有“{kind}”这种提醒", "--when " + "|".join(KINDS))
    allowed = {*wanted[kind], *(("between",) if kind == "moved" else ())}
    for name in wanted[kind]:
        if name not in given:
            raise _refused(f"{kind} needs {name}", f"{kind} 缺少 {name}", "see `groundnet alert add --help`")
    for name in given.keys() - allowed:
        raise _refused(f"{kind} takes no {name}", f"{kind} 不需要 {name}", "leave it out")
    for name, low, high in (
        ("percent", 1, 90),
        ("hours", 0.1, 8760),
        ("radius_m", 50, 1e6),
        ("lat", -90, 90),
        ("lon", -180, 180),
    ):
        if name in given and not low <= float(given[name]) <= high:
            raise _refused(
                f"{name} {given[name]} is out of range", f"{name} 超出范围", f"{low:g} .. {high:g}"
            )
    if "between" in given and not _HOURS.fullmatch(str(given["between"])):
        raise _refused(f"'{given['between']}' is no span of hours", "时间段格式不对", "22:00-06:00")
    return given


def holds(rule: Rule, seen: Seen, held: bool, now_ms: int, local_minute: int) -> bool:
    """Whether a rule holds now.

    Args:
        held: whether it did at the last look; within a band it stays so.
        local_minute: minutes since midnight where the owner lives, 0..1439.
    """
    return _KINDS[rule.kind](rule.parameters, seen, held, now_ms, local_minute)


def _moved(parameters: Mapping, seen: Seen, held: bool, now_ms: int, local_minute: int) -> bool:
    if seen.moved_ms is None or now_ms - seen.moved_ms > QUIET_MS:
        return False
    return held or _within(str(parameters.get("between", "")), local_minute)


def _left(parameters: Mapping, seen: Seen, held: bool, now_ms: int, local_minute: int) -> bool:
    if seen.place is None:
        return held
    lat, lon, radius_m = seen.place
    away_m = distance_m(lat, lon, parameters["lat"], parameters["lon"]) - parameters["radius_m"]
    return away_m > radius_m if not held else away_m > -radius_m


def _battery(parameters: Mapping, seen: Seen, held: bool, now_ms: int, local_minute: int) -> bool:
    percent = seen.battery_percent
    if percent is None:
        return held if seen.battery_low is None else seen.battery_low
    limit = parameters["percent"] + (RECHARGED_PERCENT if held else 0)
    return bool(seen.battery_low) or percent <= limit


def _silent(parameters: Mapping, seen: Seen, held: bool, now_ms: int, local_minute: int) -> bool:
    return seen.heard_ms is not None and now_ms - seen.heard_ms > parameters["hours"] * HOUR_MS


_KINDS = {"moved": _moved, "left": _left, "battery": _battery, "silent": _silent}


def _within(span: str, minute: int) -> bool:
    """Whether a minute of the day lies in a span, which may go over midnight; an empty one is the whole day."""
    found = _HOURS.fullmatch(span)
    if found is None:
        return True
    hours = [int(part) for part in found.groups()]
    begin, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    return begin <= minute < end if begin < end else minute >= begin or minute < end


def _refused(cause: str, cause_zh: str, action: str) -> RuleError:
    return RuleError(Text(cause, cause_zh), Text(f"give {action}", f"请给出 {action}"))
