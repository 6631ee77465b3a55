"""The diagram in the README of provisioning is drawn from the counter's table."""

import re
from pathlib import Path

import groundnet.provision
from groundnet.provision.counter import TABLE, State

README = Path(groundnet.provision.__file__).parent / "README.md"


def drawn():
    """A mermaid state diagram without the rows that stay where they are; an arrow has all events that lead its way."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for (begin, event), (then, _) in TABLE.items():
        if begin is not then:
            arrows.setdefault((begin, then), []).append(event.value)
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> waiting"]
    lines += [f"    {begin} --> {then}: {', '.join(events)}" for (begin, then), events in arrows.items()]
    return "\n".join([*lines, "```"])


def test_the_diagram_is_the_table():
    found = re.search(r"```mermaid\n.*?```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None and found[0] == drawn()
