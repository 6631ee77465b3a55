"""Board literals against the chips' pads and against hardware/."""

import ast
import csv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOARDS = sorted(path.parent.name for path in ROOT.glob("firmware/boards/*/board.py"))

# Pads that a design may use: ESP32-C3FH4 without flash (12-17) and USB (18, 19); ESP32-S3FN8 without flash
# (26-32), straps 0, 3, 45, 46, USB 19, 20 and the serial console 43, 44.
FREE_PADS = {
    "esp32c3": {*range(11), 20, 21},
    "esp32s3": {1, 2, *range(4, 19), 21, *range(33, 43), 47, 48},
}
DEEP_SLEEP_WAKE_PADS = {"esp32c3": set(range(6)), "esp32s3": set(range(22))}
ADC1_PADS = {"esp32c3": set(range(5)), "esp32s3": set(range(1, 11))}
BUS_PINS = {"i2c": ("sda", "scl"), "spi": ("sck", "miso", "mosi"), "uart": ("tx", "rx")}
PART_PINS = {"int1", "cs", "busy", "dio1", "reset", "wakeup", "power_key", "pin", "enable", "lost"}
# Signal names in pinout.csv, where they differ from the key in capitals.
SIGNALS = {("siren", "pin"): "GATE", ("battery", "pin"): "BATTERY", ("led", "pin"): "LED"} | {
    ("battery", "enable"): "BATTERY_ENABLE",
    ("supply", "pin"): "SENSE",
    ("case", "pin"): "SWITCH",
}


def literal(board: str) -> dict:
    tree = ast.parse((ROOT / "firmware/boards" / board / "board.py").read_text())
    return ast.literal_eval(tree.body[0].value)


def pins(board: dict) -> list[tuple[int, str, str]]:
    """(gpio, part, signal) of everything that is wired; a bus belongs to the part that uses it."""
    wired = []
    for part, entry in board["parts"].items():
        for key in PART_PINS & set(entry):
            wired.append((entry[key], part, SIGNALS.get((part, key), key.upper())))
        for bus, signals in BUS_PINS.items():
            if bus in entry:
                wires = board[bus][entry[bus]]
                wired += [(wires[signal], part, signal.upper()) for signal in signals]
    return sorted(wired)


@pytest.mark.parametrize("name", BOARDS)
def test_no_pin_is_used_twice_and_all_are_free_on_the_chip(name):
    board = literal(name)
    used = [gpio for gpio, _, _ in pins(board)]
    assert len(used) == len(set(used))
    assert set(used) <= FREE_PADS[board["chip"]]


@pytest.mark.parametrize("name", BOARDS)
def test_pins_do_what_the_chip_allows_there(name):
    board = literal(name)
    chip, parts = board["chip"], board["parts"]
    interrupts = [parts["accelerometer"]["int1"]] if "accelerometer" in parts else []
    if board["wake_pins"]:
        assert {*interrupts, parts["radio"]["dio1"]} == set(board["wake_pins"])
    assert set(board["wake_pins"]) <= DEEP_SLEEP_WAKE_PADS[chip]
    assert parts["battery"]["pin"] in ADC1_PADS[chip]


@pytest.mark.parametrize("name", BOARDS)
def test_hardware_lists_the_same_pins(name):
    with (ROOT / "hardware" / name / "pinout.csv").open() as file:
        listed = sorted((int(row["gpio"]), row["part"], row["signal"]) for row in csv.DictReader(file))
    assert listed == pins(literal(name))


@pytest.mark.parametrize("name", BOARDS)
def test_hardware_is_described_and_can_be_ordered(name):
    folder = ROOT / "hardware" / name
    assert (folder / "README.md").read_text().startswith(f"# {name}")
    with (folder / "bom.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert all(row["reference"] and int(row["quantity"]) > 0 and row["description"] for row in rows)
    assert any(row["part_number"] for row in rows)
