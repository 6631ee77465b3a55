"""What modems said of their cells: lines from manuals, logs and other projects, each with its origin."""

import importlib
import json
from pathlib import Path

import pytest
from groundwire.report_table import RADIOS
from hypothesis import given
from hypothesis import strategies as st

cell_lines = importlib.import_module("drivers.cell_lines")

GOLDEN = [
    json.loads(line) for line in (Path(__file__).parent / "data/cell_lines.jsonl").read_text().splitlines()
]
KNOWN = [entry["line"].encode() for entry in GOLDEN]


@pytest.mark.parametrize("entry", GOLDEN, ids=lambda entry: entry["line"][:60])
def test_line_of_outside_origin(entry):
    expected = entry["cell"]
    assert cell_lines.read(entry["line"].encode()) == (None if expected is None else tuple(expected))


@pytest.mark.parametrize(
    "level, dbm",
    [
        *(("67", -74), ("0", -141), ("97", -44)),
        *(("-116", -116), ("-1143", -114), ("-1145", -115), ("-444", -44)),
        *(("255", None), ("99", None), ("-", None), ("-32768", None)),
    ],
)
def test_level_is_an_index_or_dbm_or_tenths(level, dbm):
    line = f"+CPSI: LTE,Online,460-01,0x230A,1,3,EUTRAN-BAND3,1650,5,0,21,{level},255,19"
    assert cell_lines.read(line.encode())[6] == dbm


def check(cell):
    if cell is None:
        return
    serving, radio, mcc, mnc, area, identity, level_dbm = cell
    assert serving in (0, 1) and radio in RADIOS
    assert mcc is None or (0 < mcc < 1000 and 0 <= mnc < 1000)
    assert identity is None or (0 <= identity < 1 << 36 and 0 <= area < 1 << 24)
    assert level_dbm is None or -160 <= level_dbm <= -13


@given(st.sampled_from(KNOWN), st.data())
def test_broken_line_gives_a_plausible_cell_or_none(line, data):
    broken = bytearray(line)
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(broken) - 1))
        if data.draw(st.booleans()):
            broken[position] = data.draw(st.integers(0, 255))
        elif len(broken) > 8:
            del broken[position : position + data.draw(st.integers(1, 8))]
    check(cell_lines.read(bytes(broken)))


@given(st.sampled_from([b"+CENG", b"+CPSI", b"+QENG", b"+CCED"]), st.binary(max_size=80))
def test_rubbish_behind_a_known_name(name, rubbish):
    check(cell_lines.read(name + b":" + rubbish))
