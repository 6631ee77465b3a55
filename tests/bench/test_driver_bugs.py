"""The list of deliberate bugs is true: each line is there once, every driver is on it, and its tests exist."""

import ast
from pathlib import Path

import pytest
from bench.driver_bugs import BUGS, TESTS

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = ROOT / "firmware" / "drivers"
# Tables of commands and glue without a decision of their own; the modem's tests go through at_port and at_reader.
WITHOUT = {
    "__init__",
    "at_modem",
    "modem_life",
    "modem_network",
    "modem_dialects",
    "modem_luatos",
    "modem_quectel",
    "modem_simcom",
    "wifi",
}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.driver}: {bug.what}")
def test_the_line_is_there_once_and_the_bug_compiles(bug):
    text = (DRIVERS / f"{bug.driver}.py").read_text()
    assert text.count(bug.before) == 1
    ast.parse(text.replace(bug.before, bug.after))


def test_every_driver_has_tests_that_exist():
    drivers = {path.stem for path in DRIVERS.glob("*.py")} - WITHOUT
    assert drivers == set(TESTS)
    assert {bug.driver for bug in BUGS} <= set(TESTS)
    for files in TESTS.values():
        assert all((ROOT / file).exists() for file in files)
