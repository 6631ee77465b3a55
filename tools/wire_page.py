"""Writes the generated parts of protocol/README.md from the codec's own tables: `python tools/wire_page.py`.

Each part stands between `<!-- begin NAME -->` and `<!-- end NAME -->`; the prose around is written by hand.
"""

import re
import sys
from pathlib import Path

from groundnet.sim.groundcore_runtime import load
from groundwire import beacon, downlink, frame, keys, messages, notes, session
from groundwire.scalars import fixed_size, is_scalar, scalar_range

PAGE = Path(__file__).resolve().parent.parent / "protocol" / "README.md"
NAMES = {kind: name for kind in range(256) if (name := messages.name_of(kind))}
SCALAR_NAMES = {"B": "u8", "H": "u16", "I": "u32", "Q": "u64", "b": "i8", "h": "i16", "i": "i32", "q": "i64"}
ROOMS = (
    ("Between a device and its host", lambda kind: kind & 0x7F < 0x30 or kind >= 0xF0),
    ("Between a base station and the collector", lambda kind: 0x30 <= kind & 0x7F < 0x40),
    ("Between a tracker and the collector", lambda kind: 0x40 <= kind & 0x7F < 0x50),
    ("Between a device with an uplink and the collector", lambda kind: 0x50 <= kind & 0x7F < 0x60),
    ("Between a finder and its host", lambda kind: 0x60 <= kind & 0x7F < 0x70),
)


def table(head: tuple, rows: list[tuple]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    cells = [[str(cell).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def power(number: int) -> str:
    """A number as people read it: large limits as powers of two."""
    for bits in (31, 32, 36, 53, 63, 64):
        for offset in (0, -1):
            if abs(number) == 2**bits + offset and number:
                return ("-" if number < 0 else "") + f"2^{bits}" + (" - 1" if offset else "")
    return str(number)


def type_of(field: tuple) -> str:
    """Width and form of a field on the wire."""
    code = field[1]
    if code in SCALAR_NAMES:
        return SCALAR_NAMES[code]
    if code == "enum":
        return "enum u8"
    if code == "flags":
        return "flags u32"
    if code == "blob":
        return f"blob {field[2]}-{field[3]}"
    if code == "text":
        return f"text 0-{field[2]}"
    if code == "fixeds":
        return f"list of bytes {field[2]}, 0-{field[3]}"
    if code == "records":
        return f"records, 0-{field[3]}"
    if code == "items":
        return f"items, 0-{field[3]}"
    return f"bytes {fixed_size(field)}"


def range_of(field: tuple) -> tuple[str, str]:
    """(range, unknown value) of a field for people."""
    code = field[1]
    if is_scalar(field):
        low, high, unknown = scalar_range(field)
        return f"{power(low)} .. {power(high)}", "" if unknown is None else power(unknown)
    if code in ("enum", "flags"):
        return ", ".join(f"{number} {name}" for number, name in enumerate(field[2])), ""
    return "", ""


def note_for(owner: str, name: str) -> str:
    """The meaning of a field: its own note in this message, else the one that the name has everywhere."""
    return notes.FIELDS.get(f"{owner}.{name}") or notes.FIELDS[name]


def field_rows(owner: str, fields: tuple, required: int | None = None, indent: str = "") -> list[tuple]:
    """Rows (offset, field, type, range, unknown, meaning); inner records follow their list, indented."""
    rows, at = [], 0
    for number, field in enumerate(fields):
        values, unknown = range_of(field)
        meaning = note_for(owner, field[0])
        if required is not None and number >= required:
            meaning += " (later field: absent in older payloads)"
        offset = "behind" if at is None else str(at)
        rows.append((offset, f"{indent}`{field[0]}`", type_of(field), values, unknown, meaning))
        size = fixed_size(field)
        at = None if at is None or size is None else at + size
        if field[1] == "records":
            rows += field_rows(owner, field[2], indent=indent + "· ")
    return rows


FIELD_HEAD = ("offset", "field", "type", "range or names", "unknown", "meaning")


def kinds_part() -> str:
    rows = []
    for kind, name in NAMES.items():
        _, replies = notes.MESSAGES[name]
        answers = ", ".join(f"`{reply}`" for reply in replies) if kind < frame.REPLY else "a reply"
        rows.append((f"0x{kind:02X}", f"`{name}`", messages.access_of(kind), answers))
    return table(("kind", "message", "who may", "answered by"), rows)


def messages_part() -> str:
    parts = []
    for title, belongs in ROOMS:
        parts.append(f"### {title}")
        for kind in sorted((kind for kind in NAMES if belongs(kind)), key=lambda kind: (kind & 0x7F, kind)):
            parts.append(message_part(kind))
    return "\n\n".join(parts)


def message_part(kind: int) -> str:
    name, layout = NAMES[kind], messages.layout_of(kind)
    assert layout is not None
    head = f"**0x{kind:02X} `{name}`**: {notes.MESSAGES[name][0]}."
    if not layout.fields:
        return f"{head} No fields."
    text = head + "\n\n" + table(FIELD_HEAD, field_rows(name, layout.fields, layout.required))
    for field in layout.fields:
        if field[1] == "items":
            for number, item, fields, *later in field[2]:
                rows = field_rows(item, sum(later, fields), len(fields))
                text += f"\n\nItem {number} `{item}`: {notes.ITEMS[item]}.\n\n" + table(FIELD_HEAD, rows)
    return text


def labels_part() -> str:
    uses = ("EIDs", "MAC of beacons", "hiding positions", "MAC of downlinks, challenges", "sessions, proofs",
            "MAC of reports and their answers", "check value", "sessions of a station at the collector")  # fmt: skip
    rows = [(f"`{label.decode()}`", use) for label, use in zip(keys.LABELS, uses, strict=True)]
    return table(("label (ASCII)", "used for"), rows)


def beacons_part() -> str:
    bodies = ("none", "position (9 bytes, hidden)", "SOS: cause u8, seconds since u8", "challenge (8 bytes)")
    types = [
        (number, name, body, 15 + size)
        for number, (name, body, size) in enumerate(zip(beacon.TYPES, bodies, beacon.BODY_SIZES, strict=True))
    ]
    flags = [(f"0x{1 << bit:02X}", name) for bit, name in enumerate(beacon.FLAGS)]
    steps = [
        (number, metres, seconds)
        for number, (metres, seconds) in enumerate(zip(beacon.STEPS_M, beacon.STEPS_S, strict=True))
    ]
    last = (15, "unknown or more", "unknown or more")
    return "\n\n".join(
        (
            table(("type", "name", "body", "bytes on air"), types),
            table(("flag", "meaning"), flags),
            "Profiles: " + ", ".join(f"{n} {name}" for n, name in enumerate(beacon.PROFILES)) + ".",
            "SOS causes: " + ", ".join(f"{n} {name}" for n, name in enumerate(beacon.SOS_CAUSES)) + ".",
            table(
                ("step", "accuracy, m, at most", "age, s, at most"),
                [*steps, last],
            ),
        )
    )


def commands_part() -> str:
    arguments = (
        "", "beacon interval while lost, s; 0: the device's setting", "0", "seconds; 0: the device's setting", "0",
        "beacon interval at rest, s; 0: back to the setting", "0: get a fix now and report",
        "unix time in seconds when the command was made",
        "0: watch, whatever the setting says", "0: do not watch, whatever the setting says",
    )  # fmt: skip
    rows = [
        (number, name, argument, "yes" if number in downlink.CHALLENGED else "no")
        for number, (name, argument) in enumerate(zip(downlink.COMMANDS, arguments, strict=True))
        if name
    ]
    return table(("command", "name", "argument", "answers a challenge"), rows)


def diagram(transitions: dict) -> str:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {session.IDLE}"]
    for (state, event), (action, target) in transitions.items():
        lines.append(f"    {state} --> {target}: {event} / {action.replace(':', ',')}")
    return "\n".join([*lines, "```"])


def errors_part() -> str:
    rows = [(number, f"`{name}`", meaning) for number, (name, meaning) in enumerate(notes.ERRORS.items())]
    return table(("code", "name", "said when"), rows)


def reasons_part() -> str:
    return table(("reason", "meaning"), [(f"`{name}`", meaning) for name, meaning in notes.REASONS.items()])


def drops_part() -> str:
    return table(
        ("counted as", "what happened"), [(f"`{name}`", notes.DROPS[name]) for name in frame.DROP_REASONS]
    )


def settings_part() -> str:
    """The names that this project's firmware knows, with the profiles' own defaults."""
    settings = load("settings")
    rows = []
    for name, (_kind, default, *limits) in settings.TABLE.items():
        own = [f"{profile} {values[name]}" for profile, values in settings.PROFILES.items() if name in values]
        if isinstance(default, str):
            secret = ", never told" if limits[1] else ""
            form = f"text, at most {limits[0]} bytes{secret}"
        else:
            form = f"{power(limits[0])} .. {power(limits[1])}"
        rows.append((f"`{name}`", form, "; ".join([power_or_text(default), *own])))
    return table(("name", "value", "default; of a profile"), rows)


def power_or_text(value: "int | str") -> str:
    """A default for people."""
    return (value or "empty") if isinstance(value, str) else power(value)


def regions_part() -> str:
    region = load("region")
    rows = []
    for name, plan in region.PLANS.items():
        for use, channel in zip(plan._fields[:2], plan[:2], strict=True):
            facts = ", ".join(f"{field} {value}" for field, value in channel._asdict().items())
            rows.append((f"`{name}`", use, facts.replace("_", " ")))
    return table(("region", "for", "channel"), rows)


PARTS = {
    "kinds": kinds_part,
    "messages": messages_part,
    "labels": labels_part,
    "beacons": beacons_part,
    "commands": commands_part,
    "initiator": lambda: diagram(session.INITIATOR),
    "responder": lambda: diagram(session.RESPONDER),
    "errors": errors_part,
    "reasons": reasons_part,
    "drops": drops_part,
    "settings": settings_part,
    "regions": regions_part,
}


def renewed(page: str) -> str:
    """The page with every generated part made anew. Raises ValueError when a part has no place."""
    for name, make in PARTS.items():
        pattern = re.compile(f"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        text = make()
        page, count = pattern.subn(lambda match, text=text: f"{match[1]}\n{text}\n\n{match[2]}", page)
        if count != 1:
            raise ValueError(f"{PAGE} has {count} places for the part {name}")
    return page


if __name__ == "__main__":
    before = PAGE.read_text(encoding="utf-8")
    after = renewed(before)
    PAGE.write_text(after, encoding="utf-8")
    print("renewed" if after != before else "unchanged", file=sys.stderr)
