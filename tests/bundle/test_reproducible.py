"""The same sources give the same bytes, wherever they lie: another clone, or an installed wheel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from groundnet.bundle import build

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = {"version": "1.2.3", "security_counter": 5, "settings": ["region=cn470"]}
SCRIPT = f"""
import sys, groundnet
from groundnet.bundle import build
assert groundnet.__file__.startswith(sys.argv[1])
sys.stdout.buffer.write(build.build("tag", **{OPTIONS!r}))
"""


def lay_out_clone(folder: Path) -> list[Path]:
    for name in ("host/groundnet", "protocol/groundwire", "firmware"):
        copy(ROOT / name, folder / name)
    return [folder / "host", folder / "protocol"]


def lay_out_wheel(folder: Path) -> list[Path]:
    """As pyproject.toml maps the rooms into the wheel."""
    copy(ROOT / "host/groundnet", folder / "groundnet")
    copy(ROOT / "protocol/groundwire", folder / "groundwire")
    copy(ROOT / "firmware", folder / "groundnet" / "_firmware")
    return [folder]


def copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules", "__pycache__", "sim"))


@pytest.mark.parametrize("lay_out", [lay_out_clone, lay_out_wheel])
def test_another_folder_gives_the_same_bytes(tmp_path, lay_out):
    folders = lay_out(tmp_path)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
        "PYTHONHASHSEED": "7",
        "TZ": "Pacific/Kiritimati",
    }
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    made = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=False)
    assert made.returncode == 0, made.stderr.decode()
    assert made.stdout == build.build("tag", **OPTIONS)
