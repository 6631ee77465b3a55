"""Everything that CI and a desk check: lint, format, types of host and firmware code, then the tests."""

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
sys.path.insert(0, str(ROOT / "host"))

PYRIGHT = ROOT / "tools" / "pyright" / "node_modules" / "pyright" / "index.js"


def step(name: str, command: list[str], **kwargs) -> bool:
    """Run one check; its output goes to the terminal, its verdict and duration to one line."""
    print(f"== {name}", flush=True)
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, check=False, **kwargs)
    print(
        f"== {name}: {'ok' if done.returncode == 0 else 'FAILED'} ({time.monotonic() - began:.0f} s)",
        flush=True,
    )
    return done.returncode == 0


def pyright(project: Path) -> list[str]:
    from groundnet.sim.node import find_node

    return [str(find_node()), str(PYRIGHT), "--project", str(project)]


# Modules that are on a board and in no folder: what a bundle is built with, and main.py by its name at run time.
BOARD_MODULES = {"trust": "ROOTS: tuple[bytes, ...]\n", "__main__": "trial: bool\n", "start": ""}


def firmware_project() -> Path:
    """Configuration for device code: MicroPython's standard library and the ESP32 stubs."""
    packages = sysconfig.get_paths()["purelib"]
    stubs = ROOT / "build" / "pyright" / "board"
    stubs.mkdir(parents=True, exist_ok=True)
    for name, text in BOARD_MODULES.items():
        (stubs / f"{name}.pyi").write_text(text)
    config = {
        "include": [
            "../../firmware",
            "../../host/groundnet/flash/agent.py",
        ],  # the latter runs on a board too
        "exclude": [
            "../../firmware/boards/*/manifest.py"
        ],  # freeze() and module() exist in MicroPython's build only
        "extraPaths": ["../../protocol", "../../firmware", "../../firmware/boards/heltec_v3", "board"],
        "typeshedPath": packages,
        "stubPath": packages,
        "pythonVersion": "3.11",
        "reportMissingModuleSource": "none",
    }
    path = ROOT / "build" / "pyright" / "pyrightconfig.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config, indent=2))
    return path


def lint() -> bool:
    ruff = str(BIN / "ruff")
    return all(
        [
            step("ruff check", [ruff, "check", "."]),
            step("ruff format", [ruff, "format", "--check", "."]),
            step("pyright host", pyright(ROOT / "pyrightconfig.json")),
            step("pyright firmware", pyright(firmware_project())),
        ]
    )


def tests(arguments: list[str]) -> bool:
    with tempfile.TemporaryDirectory() as home:
        # A test that writes to the user's home would pass here and fail elsewhere: give it an empty one.
        environment = dict(os.environ, HOME=home, PYTHONDONTWRITEBYTECODE="1")
        workers = ["-n", str(os.cpu_count() or 1), "--dist", "worksteal"]
        return step("pytest", [str(BIN / "python"), "-m", "pytest", *workers, *arguments], env=environment)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lint", action="store_true", help="lint and types only")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, for example a file")
    options = parser.parse_args()
    passed = lint()
    if not options.lint:
        passed = tests(options.pytest) and passed
    sys.exit(0 if passed else 1)
