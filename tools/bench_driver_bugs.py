"""Deliberate bugs in the drivers: `make bench` puts each into a copy of the sources and tells which share is caught.

python tools/bench_driver_bugs.py [DRIVER ...]      only those drivers
"""

import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
LIST = runpy.run_path(
    str(ROOT / "tests" / "bench" / "driver_bugs.py")
)  # `bench` is also a script's name here
BUGS, TESTS = LIST["BUGS"], LIST["TESTS"]

ROOMS = ("firmware", "host", "protocol", "tests", "hardware", "tools")
TIMEOUT_S = 600
MODULES = "host/groundnet/sim/interpreter/node_modules"


def caught(bug) -> bool | None:
    """Whether a test fails with the bug in; None when the tests could not be run at all."""
    return _fails(bug.driver, lambda text: text.replace(bug.before, bug.after))


def _fails(driver: str, change) -> bool | None:
    with tempfile.TemporaryDirectory(prefix="groundnet-bug-") as folder:
        copy = Path(folder)
        for room in ROOMS:
            shutil.copytree(
                ROOT / room,
                copy / room,
                ignore=shutil.ignore_patterns("node_modules", "__pycache__"),
                symlinks=True,
            )
        shutil.copy(ROOT / "pyproject.toml", copy)
        (copy / MODULES).symlink_to(ROOT / MODULES)
        path = copy / "firmware" / "drivers" / f"{driver}.py"
        path.write_text(change(path.read_text()))
        paths = os.pathsep.join(str(copy / room) for room in ("host", "protocol"))
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-n0",
            "-p",
            "no:cacheprovider",
            *TESTS[driver],
        ]
        try:
            done = subprocess.run(
                command,
                cwd=copy,
                env=os.environ | {"PYTHONPATH": paths},
                capture_output=True,
                check=False,
                timeout=TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            return True  # a test that never ends is one that fails
        return {0: False, 1: True}.get(done.returncode)


def main(drivers: list[str]) -> None:
    bugs = [bug for bug in BUGS if not drivers or bug.driver in drivers]
    began_s = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        named = sorted({bug.driver for bug in bugs})
        failing = [
            driver
            for driver, fails in zip(named, pool.map(lambda one: _fails(one, str), named), strict=True)
            if fails is not False
        ]
        if failing:
            sys.exit(f"error: the tests of {', '.join(failing)} fail without any bug; mend them first")
        found = list(pool.map(caught, bugs))
    OUT.mkdir(parents=True, exist_ok=True)
    rows = [
        {"driver": bug.driver, "what": bug.what, "caught": result}
        for bug, result in zip(bugs, found, strict=True)
    ]
    (OUT / "driver_bugs.json").write_text(json.dumps(rows, indent=1) + "\n")
    for row in rows:
        if row["caught"] is not True:
            print(
                f"NOT CAUGHT {row['driver']}: {row['what']}"
                + (" (tests did not run)" if row["caught"] is None else "")
            )
    share = sum(result is True for result in found) / len(found)
    print(f"deliberate bugs caught: {share:.0%} of {len(bugs)} in {time.perf_counter() - began_s:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
