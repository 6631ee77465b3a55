"""The page of the chip models is what they say of themselves, and every model that a board may carry is on it."""

import subprocess
import sys
from pathlib import Path

from groundnet.sim.wiring import MAKERS

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_what_the_models_say():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "chip_page.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_part_has_a_model_on_the_page():
    page = (ROOT / "host" / "chip_models.md").read_text()
    headings = {line[3:] for line in page.splitlines() if line.startswith("## ")}
    shared = {
        "buzzer": "siren",
        "vibration": "siren",
        "battery_adc": "battery",
        "supply_adc": "supply",
        "led": "indicator",
    }
    shared |= dict.fromkeys(("button", "strap", "case_switch", "pir"), "indicator")
    assert {shared.get(part, part) for part in MAKERS} <= headings
