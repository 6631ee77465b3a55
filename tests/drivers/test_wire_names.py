"""The names that boards and apps give to parts, and the wire's: none is missing there."""

import ast
import re

import pytest
from drivers.test_battery_kinds import PARTS as LITERALS
from drivers.test_boards import ROOT
from groundwire.link_table import CAPABILITIES, PARTS

APPS = ROOT / "firmware" / "apps"
FLAG_BITS = 32


def names_of_parts() -> dict[str, tuple[str, ...]]:
    """What apps/service.py tells of parts that the wire names otherwise."""
    for node in ast.parse((APPS / "service.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_CAPABILITIES_OF":
            return ast.literal_eval(node.value)
    raise AssertionError("apps/service.py has no _CAPABILITIES_OF")


def fitted() -> set[str]:
    return {name for literal in LITERALS.values() for name in literal["parts"]}


def test_every_part_that_a_board_can_have_is_told_by_a_capability():
    renamed = names_of_parts()
    assert set(renamed) <= fitted(), "no name for a part that no board has"
    told = {capability for name in fitted() for capability in renamed.get(name, (name,))}
    assert told <= set(CAPABILITIES)


def test_every_part_that_a_board_can_have_can_be_tested():
    assert fitted() <= set(PARTS)


@pytest.mark.parametrize("path", sorted(APPS.glob("*.py")), ids=lambda path: path.stem)
def test_every_part_of_a_run_loop_has_a_name_in_the_results_of_a_test(path):
    added = re.findall(r"\.add\(\s*\"(\w+)\"", path.read_text(encoding="utf-8"))
    assert set(added) <= set(PARTS)


def test_flags_fit_their_field():
    assert len(CAPABILITIES) <= FLAG_BITS and len(PARTS) <= FLAG_BITS
    assert len(set(CAPABILITIES)) == len(CAPABILITIES) and len(set(PARTS)) == len(PARTS)
