"""Writes the power budget of every board into hardware/<board>/README.md, from the chip models' own currents.

    python tools/power_budget.py [--check] [BOARD...]

The models take their currents from the datasheets; the page and the energy of a simulated day cannot disagree.
``--check`` writes nothing and fails when a page says something else.
"""

import argparse
import ast
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "host"))

from groundnet.sim.chip import CHIPS  # noqa: E402 - the clone's own package, found by the line above
from groundnet.sim.chips import air780e_currents as modem  # noqa: E402
from groundnet.sim.chips import indicator, l76k, lis2dw12, max17048, siren, ssd1306  # noqa: E402
from groundnet.sim.chips import sx1262_tables as sx1262  # noqa: E402
from groundnet.sim.chips.battery import CHEMISTRIES  # noqa: E402

BEGIN, END = "<!-- power budget: begin -->", "<!-- power budget: end -->"
DIVIDER_OHMS = {2.0: 9_400_000, 4.9: None}  # by ratio; None: switched off but for two milliseconds
SUPPLY_VOLTS = 3.3
HOURS_PER_YEAR = 8766
LIT_PIXELS = ssd1306.WIDTH * ssd1306.HEIGHT // 5  # a page of text


@dataclass(frozen=True)
class State:
    """What a part does, what that draws, where the number stands."""

    name: str
    current_ua: float
    source: str


def states(board: dict) -> dict[str, list[State]]:
    """Every part's states; the microcontroller is "mcu"."""
    found = {"mcu": _mcu(board["chip"])}
    for name, entry in board["parts"].items():
        found[name] = _part_states(entry)
    return found


def _mcu(chip: str) -> list[State]:
    values, sheet = CHIPS[chip], f"{chip.upper().replace('ESP32', 'ESP32-')} datasheet, current consumption"
    return [
        State("deep sleep", values.deep_sleep_ua, sheet),
        State("light sleep", values.light_sleep_ua, sheet),
        State("idle", values.idle_ua, sheet),
        State("running", values.active_ua, sheet),
        State("running, Wi-Fi connected", values.active_ua + values.wifi_ua, sheet),
    ]


def _part_states(entry: dict) -> list[State]:
    part = entry["part"]
    if part in ("button", "strap", "case_switch"):
        resting_ua = float(entry.get("resting_ua", 0.0))
        return [State("resting", resting_ua, "3.3 V over its pull resistor"), State("active", 0.0, "")]
    if part == "battery_adc":
        ohms = DIVIDER_OHMS[entry["divider"]]
        return [
            State(
                "divider", SUPPLY_VOLTS / ohms * 1e6 if ohms else 0.0, "its resistors; 0 when it is switched"
            )
        ]
    if part == "supply_adc":
        return [State("divider", 0.0, "drawn from the external supply")]
    return _STATES[part]()


def _accelerometer() -> list[State]:
    low = lis2dw12.LOW_POWER_UA
    return [
        State("power down", lis2dw12.POWER_DOWN_UA, "DS12096 table 4"),
        State("low power 12.5 Hz", low[2], "DS12096 table 4"),
        State("low power 25 Hz", low[3], "DS12096 table 4"),
        State("self-test", lis2dw12.HIGH_PERFORMANCE_UA, "DS12096 table 4, high performance"),
    ]


def _radio() -> list[State]:
    sheet = "SX1262 datasheet tables 3-4, 3-5"
    receive_ua = sx1262.CURRENT_UA[sx1262.RX][0]
    return [
        State("warm sleep", sx1262.SLEEP_WARM_UA, sheet),
        State("receive", receive_ua, sheet),
        State("receive, boosted", receive_ua + sx1262.BOOSTED_GAIN_UA, sheet),
        State("transmit +14 dBm", sx1262.tx_current_ua(14), sheet),
        State("transmit +22 dBm", sx1262.tx_current_ua(22), sheet),
    ]


def _gnss() -> list[State]:
    sheet = "L76K hardware design, power consumption"
    return [
        State("standby", l76k.STANDBY_UA, sheet),
        State("tracking", l76k.TRACKING_UA, sheet),
        State("acquiring", l76k.ACQUIRING_UA, sheet),
    ]


def _modem() -> list[State]:
    names = (modem.PSM, modem.SLEEP, modem.IDLE, modem.SEARCHING, "connected", "transmitting")
    return [State(name, modem.CURRENT_UA[name], "Air780E class, typical") for name in names]


def _sounder(current_ua: float, source: str):
    return lambda: [State("silent", 0.0, ""), State("sounding", current_ua, source)]


def _display() -> list[State]:
    lit_ua = ssd1306.DARK_UA + ssd1306.PIXEL_UA * LIT_PIXELS * (0xCF + 1) / 256
    return [
        State("without supply", 0.0, "switched off by Vext"),
        State("a page of text", lit_ua, "SSD1306 table 12-1; a fifth of the pixels lit"),
    ]


_STATES = {
    "lis2dw12": _accelerometer,
    "sx1262": _radio,
    "l76k": _gnss,
    "air780e": _modem,
    "siren": _sounder(siren.SIREN_UA, "small 12 V siren, seen from the battery"),
    "buzzer": _sounder(siren.BUZZER_UA, "piezo buzzer"),
    "vibration": _sounder(siren.MOTOR_UA, "Precision Microdrives 310-103, typical"),
    "ssd1306": _display,
    "max17048": lambda: [
        State("hibernating", max17048.HIBERNATE_UA, "MAX17048 electrical characteristics"),
        State("active", max17048.ACTIVE_UA, "MAX17048 electrical characteristics"),
    ],
    "pir": lambda: [State("watching", indicator.PIR_UA, "AM312")],
    "led": lambda: [State("off", 0.0, ""), State("on", indicator.LED_UA, "1 kOhm")],
}

# What the parts do at the same time, by role. A part that is not named is in its first state.
SITUATIONS = {
    "tag": {
        "asleep, armed": {"mcu": "deep sleep", "accelerometer": "low power 12.5 Hz"},
        "receive window": {"mcu": "light sleep", "accelerometer": "low power 12.5 Hz", "radio": "receive"},
        "beacon": {"mcu": "light sleep", "accelerometer": "low power 12.5 Hz", "radio": "transmit +14 dBm"},
    },
    "tracker": {
        "parked": {"mcu": "light sleep", "accelerometer": "low power 25 Hz", "modem": "sleep"},
        "followed": {
            "mcu": "idle",
            "accelerometer": "low power 25 Hz",
            "gnss": "tracking",
            "modem": "connected",
            "led": "on",
        },
        "alarm": {
            "mcu": "running",
            "accelerometer": "low power 25 Hz",
            "gnss": "acquiring",
            "modem": "connected",
            "siren": "sounding",
            "radio": "transmit +14 dBm",
        },
    },
    "base": {"listening": {"mcu": "running, Wi-Fi connected", "radio": "receive, boosted", "led": "on"}},
    "finder": {
        "searching": {"mcu": "idle", "radio": "receive, boosted", "display": "a page of text"},
        "dark": {"mcu": "light sleep", "radio": "receive, boosted"},
    },
}


def total_ua(board: dict, situation: dict[str, str]) -> float:
    """Current of the whole board while its parts are in the states of a situation."""
    total = 0.0
    for part, known in states(board).items():
        wanted = situation.get(part, known[0].name)
        total += next(state.current_ua for state in known if state.name == wanted)
    return total


def amount(current_ua: float) -> str:
    if current_ua >= 1000:
        return f"{current_ua / 1000:.3g} mA"
    return f"{current_ua:.3g} uA"


def lasts(board: dict, current_ua: float) -> str:
    """How long the battery feeds that and its own loss."""
    chemistry = CHEMISTRIES[board["parts"]["battery"]["kind"]]
    loss_ua = chemistry.capacity_mah * 1000 * chemistry.self_discharge_percent_year / 100 / HOURS_PER_YEAR
    hours = chemistry.capacity_mah * 1000 / (current_ua + loss_ua)
    return (
        f"{hours / 8766:.1f} years"
        if hours > 17532
        else f"{hours / 24:.0f} days"
        if hours > 72
        else f"{hours:.1f} h"
    )


def page(board: dict) -> str:
    """The block between the marks."""
    lines = ["| part | state | current | from |", "|---|---|---|---|"]
    for part, known in states(board).items():
        for index, state in enumerate(known):
            name = part if index == 0 else ""
            lines.append(f"| {name} | {state.name} | {amount(state.current_ua)} | {state.source} |")
    kind = board["parts"]["battery"]["kind"]
    capacity = f"{CHEMISTRIES[kind].capacity_mah:.0f} mAh"
    lines += [
        "",
        f"| situation | whole board | {kind} of {capacity} lasts, if it stayed so |",
        "|---|---|---|",
    ]
    for name, situation in SITUATIONS[board["roles"][0]].items():
        current_ua = total_ua(board, situation)
        lines.append(f"| {name} | {amount(current_ua)} | {lasts(board, current_ua)} |")
    lines += ["", "Written by `tools/power_budget.py` from the currents that the chip models draw."]
    return "\n".join(lines)


def literal(board: str) -> dict:
    tree = ast.parse((ROOT / "firmware/boards" / board / "board.py").read_text(encoding="utf-8"))
    assignment = tree.body[0]
    assert isinstance(assignment, ast.Assign)
    return ast.literal_eval(assignment.value)


def renew(text: str, block: str) -> str:
    """The page with its block replaced. Raises ValueError without the marks."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("boards", nargs="*")
    options = parser.parse_args()
    boards = options.boards or sorted(path.parent.name for path in ROOT.glob("firmware/boards/*/board.py"))
    stale = []
    for board in boards:
        path = ROOT / "hardware" / board / "README.md"
        text = path.read_text(encoding="utf-8")
        renewed = renew(text, page(literal(board)))
        if not options.check:
            path.write_text(renewed, encoding="utf-8")
        elif text != renewed:
            stale.append(board)
    if stale:
        print(f"error: the power budget of {', '.join(stale)} is out of date; run tools/power_budget.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
