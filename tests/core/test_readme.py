"""The README's diagrams are drawn from the tables, and its lists name every event and action."""

import re
from pathlib import Path

import pytest
from groundcore import (
    beacon_cycle,
    escalation,
    events,
    faults,
    fence,
    help_call,
    motion,
    sentry,
    settings,
    turn,
    update_fetch,
    uplink,
)
from groundnet.sim.groundcore_runtime import firmware_directory

README = (Path(firmware_directory()) / "groundcore" / "README.md").read_text()
OTHER_LISTS = ("BOOT_", "FAILED_", "LIGHT_", "INPUT_")
EVENT_NAMES = {
    number: name
    for name, number in vars(events).items()
    if name.isupper() and number < 32 and not name.startswith(OTHER_LISTS)
}
OUT_BITS = ("CHIRP", "SIREN", "REPORT", "LOCATE", "TEXT", "REARM")


def state(name: str) -> str:
    return name.replace(" ", "_")


def asked(out: int) -> str:
    return " + ".join(bit.lower() for bit in OUT_BITS if out & getattr(escalation, bit))


def diagram(rows) -> str:
    """A mermaid state diagram; rows that stay where they are without doing anything are left out."""
    lines = ["```mermaid", "stateDiagram-v2"]
    merged = {}
    for source, cause, target, does in rows:
        if source != target or does:
            merged.setdefault((source, target, does), []).append(cause)
    for (source, target, does), causes in merged.items():
        label = ", ".join(causes) + (f" / {does}" if does else "")
        lines.append(f"    {state(source)} --> {state(target)}: {label}")
    return "\n".join([*lines, "```"])


def motion_rows():
    for (source, kind), (target, verdict) in motion.TRANSITIONS.items():
        yield source, kind, target, motion.VERDICTS[verdict] or ""


def escalation_rows():
    for (source, what), (target, out) in escalation.TRANSITIONS.items():
        yield source, what, target, asked(out)


def method_rows(table):
    """Tables of (state, event) -> method: the method decides the next state, so the row shows the method."""
    for (source, kind), method in table.items():
        yield source, EVENT_NAMES[kind], source, method.strip("_").replace("_", " ")


def fetch_rows():
    """What comes is an answer of the app or of the collector, not an event."""
    for (source, what), method in update_fetch.TRANSITIONS.items():
        yield source, what, source, method.strip("_").replace("_", " ")


def turn_rows():
    for (source, what), target in turn.TRANSITIONS.items():
        yield source, what, target, ""


def watch_rows(module, names):
    """Tables of (state, what comes in) -> (next state, what comes out) with constants of their own."""
    for (source, what), (target, out) in module.TRANSITIONS.items():
        bits = [name.lower() for name in names if out & getattr(module, name)]
        yield source, what, target, " + ".join(bits)


DIAGRAMS = {
    "help_call": diagram(watch_rows(help_call, ("RAISE", "CONFIRM", "COMFORT", "END", "ASK"))),
    "fence": diagram(watch_rows(fence, ("LEFT", "BACK"))),
    "sentry": diagram(watch_rows(sentry, ("CHIRP", "SIREN", "REPORT", "TEXT"))),
    "faults": diagram(watch_rows(faults, ("TELL",))),
    "motion": diagram(motion_rows()),
    "escalation": diagram(escalation_rows()),
    "beacon_cycle": diagram(method_rows(beacon_cycle.TRANSITIONS)),
    "uplink": diagram(method_rows(uplink.TRANSITIONS)),
    "turn": diagram(turn_rows()),
    "update_fetch": diagram(fetch_rows()),
}


@pytest.mark.parametrize("name", DIAGRAMS)
def test_the_diagram_is_drawn_from_the_table(name):
    found = re.search(rf"### `{name}`\n.*?(```mermaid\n.*?```)", README, re.DOTALL)
    assert found is not None, f"the README has no diagram of {name}"
    assert found[1] == DIAGRAMS[name]


def test_the_table_of_profiles_is_what_the_settings_say():
    section = README.split("## Profiles\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip(" `") for cell in line.split("|")[1:-1]] for line in section.splitlines() if "|" in line
    ]
    names = rows[0][1:5]
    shown = {row[0]: row[1:5] for row in rows[2:]}
    assert set(names) == set(settings.PROFILES) | {"vehicle"}
    assert set(shown) >= {name for changed in settings.PROFILES.values() for name in changed}
    for name, values in shown.items():
        assert values == [str(settings.default(name, profile)) for profile in names]


def listed(heading: str) -> set[str]:
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
    return {name.strip() for row in rows for name in row.split("/")} - {"event", "action", "---"}


def test_every_event_and_action_is_listed():
    names = {name: number for name, number in vars(events).items() if name.isupper()}
    plain = {name for name in names if not name.startswith(OTHER_LISTS)}
    assert listed("Events") == {name for name in plain if names[name] < 32}
    assert listed("Actions") == {name for name in plain if names[name] >= 32}


def test_numbers_are_used_once():
    numbers = [
        number
        for name, number in vars(events).items()
        if name.isupper() and not name.startswith(("BOOT_", "FAILED_", "LIGHT_", "INPUT_"))
    ]
    assert len(numbers) == len(set(numbers))
