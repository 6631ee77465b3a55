"""hardware/<board>/: drawings and budgets are what the data gives, and the bring-up guides work."""

import csv
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from groundnet.image.boards import board_literal
from groundnet.sim.board import VirtualBoard
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.desk import quiet_place
from groundnet.sim.network import Network
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import BoardIo
from groundnet.sim.wiring import Site, attach
from groundnet.sim.world import World

ROOT = Path(__file__).resolve().parents[2]
BOARDS = sorted(path.parent.name for path in ROOT.glob("firmware/boards/*/board.py"))
COMMAND = re.compile(r'^mpremote exec "(?P<code>.*)"  # prints (?P<printed>.*?)(   .*)?$', re.MULTILINE)


def run_tool(root: Path, tool: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(root / "tools" / tool), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path) -> Path:
    """The tools with the data they read."""
    for name in ("tools/wiring_diagram", "hardware", "firmware/boards"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tools/power_budget.py", tmp_path / "tools")
    (tmp_path / "host").symlink_to(ROOT / "host")
    return tmp_path


@pytest.mark.parametrize("tool", ["wiring_diagram", "power_budget.py"])
def test_drawings_and_budgets_are_what_the_data_gives(tool):
    done = run_tool(ROOT, tool, "--check")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("tool", "file", "old", "new"),
    [
        ("wiring_diagram", "hardware/s3_tracker/pinout.csv", "48,48,RX,gnss", "36,36,RX,gnss"),
        ("wiring_diagram", "hardware/s3_tracker/bom.csv", "L76K GPS Module", "L76X"),
        ("wiring_diagram", "hardware/s3_tracker/power.csv", "modem,VBAT,BAT", "modem,VBAT,5V"),
        ("wiring_diagram", "hardware/s3_tracker/wiring.svg", "#059669", "#000000"),
        ("power_budget.py", "hardware/s3_tracker/README.md", "| parked |", "| parked, nearly |"),
        ("power_budget.py", "firmware/boards/s3_tracker/board.py", '"resting_ua": 0.7', '"resting_ua": 7'),
    ],
)
def test_a_change_of_one_side_alone_is_found(copy, tool, file, old, new):
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new))
    done = run_tool(copy, tool, "--check")
    assert done.returncode == 1 and "s3_tracker" in done.stdout, done.stderr
    if not file.endswith("board.py"):
        assert run_tool(copy, tool, "s3_tracker").returncode == 0
        assert run_tool(copy, tool, "--check").returncode == 0


@pytest.mark.parametrize("name", BOARDS)
def test_every_wire_and_every_part_is_in_the_drawing(name):
    with (ROOT / "hardware" / name / "pinout.csv").open() as file:
        rows = list(csv.DictReader(file))
    picture = ElementTree.parse(ROOT / "hardware" / name / "wiring.svg")
    space = "{http://www.w3.org/2000/svg}"
    lines = [path for path in picture.iter(f"{space}path") if path.get("stroke-width") == "2.4"]
    assert len(lines) == sum(not row["note"].startswith("on board") for row in rows)
    texts = {text.text for text in picture.iter(f"{space}text")}
    assert {row["part"] for row in rows} <= texts
    box = [float(value) for value in picture.getroot().get("viewBox").split()]
    for rect in picture.iter(f"{space}rect"):
        assert float(rect.get("x", 0)) >= 0 and float(rect.get("x", 0)) + float(rect.get("width")) <= box[2]
        assert float(rect.get("y", 0)) + float(rect.get("height")) <= box[3]


@pytest.mark.parametrize("name", BOARDS)
def test_every_line_of_the_bring_up_guide_prints_what_it_says(name):
    page = (ROOT / "hardware" / name / "README.md").read_text()
    commands = [match.group("code", "printed") for match in COMMAND.finditer(page)]
    assert len(commands) == page.count("mpremote exec") >= 2
    board = board_literal(name)
    for code, expected in commands:
        world = World(1)
        io_, power = BoardIo(name), PowerAccount(world)
        attach(Site(world, name, io_, power, quiet_place(world, Network(world))), board)
        world.run_for(10_000)
        files = BoardFs({"/main.py": code.encode()})
        with VirtualBoard(world, name, io=io_, files=files, power=power, chip=board["chip"]) as device:
            device.power_on()
            world.run_for(300_000)
            assert io.StringIO(device.log).readline().strip() == expected, code
