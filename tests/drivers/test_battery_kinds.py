"""What a device says of its battery fits the cell that its board has."""

import pytest
from drivers.test_boards import BOARDS, ROOT
from groundnet.image.boards import read_board
from groundnet.sim.chips.battery import CHEMISTRIES
from groundnet.sim.groundcore_runtime import load

beaconing, settings = load("beaconing"), load("settings")
LOW_LEVEL = 1  # of 14: beacon_cycle says LOW_BATTERY
PARTS = {name: read_board(ROOT / "firmware" / "boards" / name / "board.py") for name in BOARDS}
CELLS = {name: board["parts"]["battery"]["kind"] for name, board in PARTS.items()}


def levels(monkeypatch, board, profile):
    """Level of 0..14 for each percent that is left."""
    for name, value in PARTS[board].get("settings", {}).items():
        monkeypatch.setitem(settings.BOARD, name, value)
    own, cell = settings.Settings(None, profile), CHEMISTRIES[CELLS[board]]
    left = {percent: cell.volts(cell.capacity_mah * (1 - percent / 100)) for percent in range(101)}
    return {percent: beaconing.battery_level(round(1000 * volts), own) for percent, volts in left.items()}


@pytest.mark.parametrize("profile", ["vehicle", "wearable"])
@pytest.mark.parametrize("board", [name for name, kind in CELLS.items() if kind.startswith("lipo")])
def test_a_lithium_polymer_cell_is_low_with_a_tenth_left_and_full_when_it_is_charged(
    monkeypatch, board, profile
):
    found = levels(monkeypatch, board, profile)
    assert found[100] == 14 and list(found.values()) == sorted(found.values())
    low = [percent for percent, level in found.items() if level <= LOW_LEVEL]
    assert 7 <= max(low) <= 15 and low[0] == 0
    assert 3 <= found[50] <= 9


def test_the_tags_thionyl_chloride_cell_is_told_as_flat_as_it_is(monkeypatch):
    found = levels(monkeypatch, "xiao_c3_sx1262", "vehicle")
    assert found[20] >= 11 and found[0] == 0


def test_the_voltages_of_a_thionyl_chloride_cell_never_call_a_polymer_cell_low(monkeypatch):
    """What every board said before the literals had voltages of their own."""
    monkeypatch.setitem(PARTS["wsl3_wearable"], "settings", {})
    assert min(levels(monkeypatch, "wsl3_wearable", "wearable").values()) > LOW_LEVEL


@pytest.mark.parametrize("board", BOARDS)
def test_the_defaults_of_a_board_are_settings_that_the_firmware_takes(board):
    for name, value in PARTS[board].get("settings", {}).items():
        assert settings.parse(name, str(value)) == value


def test_what_was_written_and_what_a_bundle_brings_stand_before_the_board(monkeypatch):
    monkeypatch.setitem(settings.BOARD, "battery_empty_mv", 3500)
    assert settings.Settings(None, "vehicle")["battery_empty_mv"] == 3500
    assert settings.Settings(b"battery_empty_mv=3300", "vehicle")["battery_empty_mv"] == 3300
    monkeypatch.setitem(settings.BUNDLED, "battery_empty_mv", 3400)
    assert settings.Settings(None, "vehicle")["battery_empty_mv"] == 3400
