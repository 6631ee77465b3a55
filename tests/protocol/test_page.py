"""protocol/README.md and the code say the same."""

import importlib.util
import re
from pathlib import Path

import pytest
from groundwire import errors, frame, link_table, messages, notes

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "protocol" / "README.md").read_text(encoding="utf-8")
KINDS = [kind for kind in range(256) if messages.name_of(kind)]


def load_tool():
    spec = importlib.util.spec_from_file_location("wire_page", ROOT / "tools" / "wire_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def all_fields() -> set[tuple[str, str]]:
    """(message or item, field) of everything in the tables."""
    found = set()

    def walk(owner, fields):
        for field in fields:
            found.add((owner, field[0]))
            if field[1] == "records":
                walk(owner, field[2])
            if field[1] == "items":
                for _, item, *inner in field[2]:
                    walk(item, sum(inner, ()))

    for kind in KINDS:
        walk(messages.name_of(kind), messages.layout_of(kind).fields)
    return found


def test_the_page_is_what_the_tables_say():
    assert load_tool().renewed(PAGE) == PAGE, "run tools/wire_page.py"


def test_a_difference_is_noticed():
    tool = load_tool()
    assert tool.renewed(PAGE.replace("| u48 |", "| u64 |").replace("0x9A", "0x9B")) == PAGE
    with pytest.raises(ValueError, match="0 places for the part kinds"):
        tool.renewed(PAGE.replace("<!-- begin kinds -->", ""))


def test_every_field_has_one_note_and_no_note_is_left_over():
    used = set()
    for owner, name in all_fields():
        key = f"{owner}.{name}" if f"{owner}.{name}" in notes.FIELDS else name
        assert key in notes.FIELDS, f"{owner}.{name}"
        used.add(key)
    assert set(notes.FIELDS) == used


def test_every_message_has_a_note_and_its_replies_exist():
    assert set(notes.MESSAGES) == {messages.name_of(kind) for kind in KINDS}
    for name, (_, replies) in notes.MESSAGES.items():
        assert bool(replies) == (messages.kind_of(name) < frame.REPLY), name
        assert all(messages.kind_of(reply) >= frame.REPLY for reply in replies)


def test_every_error_reason_and_drop_is_explained():
    assert tuple(notes.ERRORS) == link_table.ERRORS
    assert tuple(notes.DROPS) == frame.DROP_REASONS
    raised = set()
    for path in (ROOT / "protocol" / "groundwire").glob("*.py"):
        raised |= set(re.findall(r'Error\(\s*"(\w+)"', path.read_text()))
    assert set(notes.REASONS) == raised
    for kind in (errors.EncodeError, errors.DecodeError, errors.AuthenticationError):
        assert f"`{kind.__name__}`" in PAGE


def test_sizes_on_the_page_are_those_of_the_code():
    assert f"0 to {frame.MAX_PAYLOAD}" in PAGE
    assert "0xCBF43926" in PAGE  # what crcmod gives, too: see the vectors
