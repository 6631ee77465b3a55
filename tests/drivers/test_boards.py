"""Board literals against the chips' pads and against hardware/; and that the checks see what they are for."""

import ast
import copy
import csv
from collections import Counter
from pathlib import Path

import pytest
from groundnet.image import firmware_image

ROOT = Path(__file__).resolve().parents[2]
BOARDS = sorted(path.parent.name for path in ROOT.glob("firmware/boards/*/board.py"))

# What each pad is taken for (ESP32-C3 datasheet tables 2-1 and 3-1, ESP32-S3 tables 2-1, 2-4 and 3-1). Neither
# chip has pads that are only inputs.
TAKEN_PADS = {
    "esp32c3": {
        "flash": {*range(11, 18)},
        "USB": {18, 19},
        "strap": {2, 8, 9},
        "no such pad": {*range(22, 64)},
    },
    "esp32s3": {
        "flash": {*range(26, 33)},
        "USB": {19, 20},
        "strap": {0, 3, 45, 46},
        "console": {43, 44},
        "no such pad": {22, 23, 24, 25, *range(49, 64)},
    },
}
OCTAL_PSRAM_PADS = {*range(33, 38)}  # ESP32-S3 with R8 in its name
DEEP_SLEEP_WAKE_PADS = {"esp32c3": set(range(6)), "esp32s3": set(range(22))}
ADC1_PADS = {"esp32c3": set(range(5)), "esp32s3": set(range(1, 11))}
BUS_PINS = {"i2c": ("sda", "scl"), "spi": ("sck", "miso", "mosi"), "uart": ("tx", "rx")}
SHARED = {"i2c": {"SDA", "SCL"}, "spi": {"SCK", "MISO", "MOSI"}}
PART_PINS = {"int1", "cs", "busy", "dio1", "reset", "wakeup", "power_key", "pin", "enable", "lost"}
ANALOG = {"battery_adc", "supply_adc"}
# Signal names in pinout.csv, where they differ from the key in capitals.
SIGNALS = {
    ("siren", "pin"): "GATE",
    ("buzzer", "pin"): "GATE",
    ("vibration", "pin"): "GATE",
    ("battery", "pin"): "BATTERY",
    ("battery", "enable"): "BATTERY_ENABLE",
    ("supply", "pin"): "SENSE",
    ("led", "pin"): "LED",
    ("pir", "pin"): "OUT",
    ("strap", "pin"): "LOOP",
    ("button", "pin"): "SWITCH",
    ("case", "pin"): "SWITCH",
}


def literal(board: str) -> dict:
    tree = ast.parse((ROOT / "firmware/boards" / board / "board.py").read_text())
    return ast.literal_eval(tree.body[0].value)


def table(path: Path) -> list[dict]:
    with path.open() as file:
        return list(csv.DictReader(file))


def pads(board: str) -> dict[str, int]:
    """Pads of the product that carry a GPIO: what is printed beside them -> number."""
    module = table(ROOT / "hardware" / board / "bom.csv")[0]["part_number"].replace(" ", "_")
    rows = table(ROOT / "hardware/modules" / f"{module}.csv")
    return {row["pad"]: int(row["gpio"]) for row in rows if row["gpio"]}


def wires(board: dict) -> list[tuple[int, str, str]]:
    """(gpio, part, signal) of everything that is wired; a bus belongs to each part that uses it."""
    wired = []
    for part, entry in board["parts"].items():
        for key in PART_PINS & set(entry):
            wired.append((entry[key], part, SIGNALS.get((part, key), key.upper())))
        for bus, signals in BUS_PINS.items():
            if bus in entry:
                wires = board[bus][entry[bus]]
                wired += [(wires[signal], part, signal.upper()) for signal in signals]
    return sorted(wired)


def faults(board: dict, rows: list[dict], named_pads: dict[str, int]) -> list[str]:
    """Everything that is wrong with a board's literal, and between it and its pinout."""
    return _wrong_pins(board, rows) + _wrong_uses(board) + _differences(board, rows, named_pads)


def _wrong_pins(board: dict, rows: list[dict]) -> list[str]:
    found = []
    nets: dict[int, set] = {}
    for gpio, part, signal in wires(board):
        bus = next((bus for bus, signals in SHARED.items() if signal in signals), None)
        nets.setdefault(gpio, set()).add((bus, signal) if bus else (part, signal))
    found += [f"GPIO {gpio} is used twice: {sorted(net)}" for gpio, net in nets.items() if len(net) > 1]
    explained = {int(row["gpio"]) for row in rows if "strapping pin" in row["note"]}
    for gpio in nets:
        for why, taken in TAKEN_PADS[board["chip"]].items():
            if gpio in taken and not (why == "strap" and gpio in explained):
                found.append(f"GPIO {gpio} is not free: {why}")
        if board.get("psram") == "octal" and gpio in OCTAL_PSRAM_PADS:
            found.append(f"GPIO {gpio} is not free: PSRAM")
    return found


def _wrong_uses(board: dict) -> list[str]:
    found = []
    chip, parts = board["chip"], board["parts"]
    for name, entry in parts.items():
        if entry["part"] in ANALOG and entry["pin"] not in ADC1_PADS[chip]:
            found.append(f"{name}: GPIO {entry['pin']} does not reach ADC1")
    for what, users in (
        ("I2C address", [(entry["i2c"], entry["address"]) for entry in parts.values() if "i2c" in entry]),
        ("UART", [entry["uart"] for entry in parts.values() if "uart" in entry]),
    ):
        found += [f"{what} {user} is used twice" for user, count in Counter(users).items() if count > 1]
    waking = {parts["accelerometer"]["int1"], parts["radio"]["dio1"]} if "accelerometer" in parts else set()
    if "tag" in board["roles"]:
        waking |= {parts[name]["pin"] for name in ("button", "strap") if name in parts}
    if board["wake_pins"] and set(board["wake_pins"]) != waking:
        found.append(f"wake_pins are not {sorted(waking)}")
    found += [
        f"GPIO {gpio} does not end a deep sleep"
        for gpio in board["wake_pins"]
        if gpio not in DEEP_SLEEP_WAKE_PADS[chip]
    ]
    for name, entry in parts.items():
        if entry.get("active_level") == 0 and entry["pin"] in board["wake_pins"]:
            found.append(f"{name}: only a high level wakes")
    return found


def _differences(board: dict, rows: list[dict], named_pads: dict[str, int]) -> list[str]:
    found = []
    wired = Counter(wires(board))
    listed = Counter((int(row["gpio"]), row["part"], row["signal"]) for row in rows)
    found += [f"not in pinout.csv: {wire}" for wire in (wired - listed).elements()]
    found += [f"not in board.py: {wire}" for wire in (listed - wired).elements()]
    for row in rows:
        if row["pad"] and named_pads.get(row["pad"]) != int(row["gpio"]):
            found.append(f"pad {row['pad']} is not GPIO {row['gpio']}")
        if not row["pad"] and not row["note"].startswith("on board"):
            found.append(f"GPIO {row['gpio']} has no pad")
    return found


def of(name: str) -> tuple[dict, list[dict], dict[str, int]]:
    return literal(name), table(ROOT / "hardware" / name / "pinout.csv"), pads(name)


@pytest.mark.parametrize("name", BOARDS)
def test_board_and_hardware_agree_and_every_pin_may_be_used_so(name):
    assert faults(*of(name)) == []


def movable(board: dict) -> list[tuple[str, str]]:
    return [(part, key) for part, entry in board["parts"].items() for key in sorted(PART_PINS & set(entry))]


@pytest.mark.parametrize("name", BOARDS)
def test_every_pin_moved_to_another_ones_place_is_found(name):
    board, rows, named_pads = of(name)
    for part, key in movable(board):
        others = {gpio for gpio, _, _ in wires(board)} - {board["parts"][part][key]}
        for gpio in others:
            changed = copy.deepcopy(board)
            changed["parts"][part][key] = gpio
            found = faults(changed, rows, named_pads)
            assert any(f"GPIO {gpio} is used twice" in fault for fault in found), (part, key, gpio)
            assert any("not in pinout.csv" in fault for fault in found)


@pytest.mark.parametrize("name", BOARDS)
def test_every_pad_that_is_not_free_is_found_even_when_the_pinout_says_the_same(name):
    board, rows, named_pads = of(name)
    part, key = movable(board)[0]
    old = board["parts"][part][key]
    signal = SIGNALS.get((part, key), key.upper())
    for why, taken in TAKEN_PADS[board["chip"]].items():
        for gpio in taken - {gpio for gpio, _, _ in wires(board)}:
            changed, listed = copy.deepcopy(board), copy.deepcopy(rows)
            changed["parts"][part][key] = gpio
            for row in listed:
                if (int(row["gpio"]), row["part"], row["signal"]) == (old, part, signal):
                    row["gpio"] = str(gpio)
                    row["note"] = "moved"
            assert f"GPIO {gpio} is not free: {why}" in faults(changed, listed, named_pads)


@pytest.mark.parametrize("name", BOARDS)
def test_every_line_of_the_pinout_that_is_missing_or_changed_is_found(name):
    board, rows, named_pads = of(name)
    for index, row in enumerate(rows):
        assert faults(board, rows[:index] + rows[index + 1 :], named_pads), f"without line {index}"
        for key, value in (("gpio", "48"), ("part", "other"), ("signal", "OTHER"), ("pad", "nowhere")):
            changed = copy.deepcopy(rows)
            changed[index][key] = value if row[key] != value else "47"
            assert faults(board, changed, named_pads), (index, key)


def test_wrong_uses_are_found():
    board, rows, named_pads = of("wsl3_wearable")

    def broken(change) -> str:
        changed = copy.deepcopy(board)
        change(changed)
        return "; ".join(faults(changed, rows, named_pads))

    assert "PSRAM" not in broken(lambda board: None)
    assert "button: only a high level wakes" in broken(
        lambda board: board["parts"]["button"].update(active_level=0)
    )
    assert "wake_pins are not [4, 5, 6, 14]" in broken(lambda board: board["wake_pins"].remove(6))
    assert "I2C address (0, 25) is used twice" in broken(
        lambda board: board["parts"]["battery"].update(address=25)
    )
    far = broken(
        lambda board: (board["parts"]["strap"].update(pin=40), board.update(wake_pins=[4, 5, 14, 40]))
    )
    assert "GPIO 40 does not end a deep sleep" in far
    gauge = {"part": "battery_adc", "pin": 15, "divider": 2.0, "kind": "lipo"}
    assert "does not reach ADC1" in broken(lambda board: board["parts"].update(battery=gauge))
    board, rows, named_pads = of("s3_tracker")
    board["psram"] = "octal"
    assert {"GPIO 33 is not free: PSRAM", "GPIO 37 is not free: PSRAM"} <= set(
        faults(board, rows, named_pads)
    )
    board["parts"]["gnss"]["uart"] = 2
    assert "UART 2 is used twice" in faults(board, rows, named_pads)


@pytest.mark.parametrize("name", BOARDS)
def test_a_manifest_leaves_out_what_the_board_has_no_part_for_and_nothing_else(name):
    board = literal(name)
    manifest = ROOT / "firmware/boards" / name / "manifest.py"
    entries = ast.literal_eval(ast.parse(manifest.read_text()).body[-1].value)
    assert set(entries) == set(board["roles"])
    parts = {entry["part"] for entry in board["parts"].values()}
    modules = {part: f"drivers.{part}" for part in ("max17048", "pir", "battery_adc", "l76k")}
    modules |= {"supply_adc": "apps.supply", "air780e": "apps.modem", "vibration": "apps.vibration"}
    for entry in entries.values():
        wrong = {part for part in parts if modules.get(part) in entry["without"]}
        assert wrong == set(), "a part's module is left out"
        if board["roles"][0] in firmware_image.ROLES:
            files = firmware_image.build(board["roles"][0], name)
            unused = {
                module
                for part, module in modules.items()
                if part not in parts and f"/{module.replace('.', '/')}.mpy" in files
            }
            assert unused == set(), "a module without its part is in the image"


@pytest.mark.parametrize("name", BOARDS)
def test_hardware_is_described_and_can_be_ordered(name):
    folder = ROOT / "hardware" / name
    assert (folder / "README.md").read_text().startswith(f"# {name}")
    rows = table(folder / "bom.csv")
    assert all(row["reference"] and int(row["quantity"]) > 0 and row["description"] for row in rows)
    assert any(row["part_number"] for row in rows)
