"""`groundnet bench` as a user calls it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench.scpi_server import ScpiServer

ROOT = Path(__file__).resolve().parents[2]
RIG = ROOT / "hardware" / "rig" / "county_bench.toml"


def call(*words: str, text: str = "") -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "groundnet.cli.main", *words]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def short(tmp_path) -> Path:
    path = tmp_path / "short.toml"
    path.write_text(
        'name = "short"\nrole = "tag"\nboard = "xiao_c3_sx1262"\n'
        '[[steps]]\nname = "current"\nmeasure = "mean_current"\nsettle = "20 s"\nover = "2 s"\nhigh = 40.0\n'
    )
    return path


def test_run_scans_serial_numbers_and_leaves_a_report(short, tmp_path):
    done = call(
        "--lang", "en", "bench", "run", str(short), "--scan", "--out", str(tmp_path / "out"), text="A1\nA2\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("PASS") == 2 and "2 of 2 passed" in done.stdout
    assert (tmp_path / "out" / "report.html").exists()


def test_run_as_json_and_its_exit_code(short, tmp_path):
    short.write_text(short.read_text().replace("40.0", "1.0"))
    done = call("bench", "run", str(short), "--unit", "A1", "--out", str(tmp_path / "out"), "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["passed"] is False and told["units"][0]["verdict"] == "failed"


def test_check_without_instruments_and_with_one_that_is_away(tmp_path):
    done = call("--lang", "zh", "bench", "check", str(RIG), "--offline")
    assert done.returncode == 0 and "3 台设备" in done.stdout
    done = call("--lang", "en", "bench", "check", str(RIG.with_name("README.md")))
    assert done.returncode == 1 and "correct it; the format is TOML" in done.stderr


def test_check_asks_the_instruments(tmp_path):
    server = ScpiServer()
    path = tmp_path / "rig.toml"
    path.write_text(
        f'name = "one"\n[instruments.supply]\ndriver = "scpi-supply"\nport = "{server.url}"\n'
        '[devices.tag]\nrole = "tag"\nboard = "xiao_c3_sx1262"\nserial = "/dev/null"\n'
    )
    done = call("bench", "check", str(path), "--json")
    server.close()
    assert json.loads(done.stdout)["instruments"] == {"supply": "Example,SPD2,0001,1.0"}


def test_compare_and_wiring(tmp_path):
    line = {"who": "supply", "call": "switch", "arguments": [1, True], "result": None, "at_s": 0.1}
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    old.write_text(json.dumps(line) + "\n")
    new.write_text(json.dumps({**line, "arguments": [1, False]}) + "\n")
    assert (
        call("--lang", "en", "bench", "compare", str(old), str(old)).stdout == "the records tell the same\n"
    )
    done = call("bench", "compare", str(old), str(new))
    assert done.returncode == 1 and "supply.switch(1, True)" in done.stdout
    assert call("bench", "wiring", str(RIG)).stdout.startswith("<svg")
