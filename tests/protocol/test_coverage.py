"""Every line and branch of the codec is reached by vectors, fixed cases and the seeded fuzz, without luck."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
LEFT_OUT = "not coverage and not on_both and not allocates and not lossy and not round_trip and not any_bytes"


def test_every_line_and_branch_is_reached(tmp_path):
    environment = {**os.environ, "COVERAGE_FILE": str(tmp_path / "data")}
    coverage = [sys.executable, "-m", "coverage"]
    run = [
        *coverage,
        "run",
        "--branch",
        "--source=groundwire",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*run, "-p", "no:xdist", "-k", LEFT_OUT, str(HERE)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    report = tmp_path / "report.json"
    subprocess.run([*coverage, "json", "-q", "-o", str(report)], env=environment, check=True)
    files = json.loads(report.read_text())["files"]
    missed = {
        Path(name).name: (found["missing_lines"], found["missing_branches"])
        for name, found in files.items()
        if found["missing_lines"] or found["missing_branches"]
    }
    assert missed == {}
    assert len(files) > 12
