"""What goes wrong at a counter or in CI: one line, what to do next, exit code 1, no traceback."""

import os
import pty
import socket
import subprocess
import sys

import pytest
from groundnet.collector.database import Database
from groundnet.errors import GroundnetError
from groundnet.sim import node


def groundnet(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "groundnet.cli.main", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=dict(os.environ, **environment),
    )


def assert_one_line(done, *words):
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ") and "; " in line
    for word in words:
        assert word in line


def test_an_unknown_port(tmp_path):
    registry = str(tmp_path / "registry.db")
    assert_one_line(groundnet("provision", "one", "/dev/pts/99999", "--registry", registry), "/dev/pts/99999")


def test_a_port_that_another_program_holds(tmp_path):
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    os.close(slave)
    keeper = "import serial, sys; port = serial.Serial(sys.argv[1], exclusive=True); print('held', flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", keeper, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    try:
        done = groundnet("provision", "one", name, "--registry", str(tmp_path / "registry.db"))
        assert_one_line(done, name, f"process {holder.pid}")
    finally:
        holder.communicate("\n")
        os.close(master)


def test_a_missing_log(tmp_path):
    assert_one_line(groundnet("gnss", str(tmp_path / "no.log")), "no.log")


def test_a_missing_database(tmp_path):
    done = groundnet("case", "list", "--database", str(tmp_path / "no.db"))
    assert_one_line(done, "no.db")


@pytest.mark.parametrize("arguments", [("track", "GN-00012"), ("provision", "list")])
def test_a_missing_registry_is_named_and_not_made(tmp_path, arguments):
    registry = tmp_path / "registry.db"
    assert_one_line(groundnet(*arguments, "--registry", str(registry)), "registry.db", "--registry")
    assert not registry.exists()


def test_a_taken_port(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        files = ["--database", str(tmp_path / "c.db"), "--registry", str(tmp_path / "r.db")]
        assert_one_line(groundnet("collect", "--listen", address, *files), address, "--listen")


def test_a_registry_that_is_no_database(tmp_path):
    path = tmp_path / "registry.db"
    path.write_text("not a database " * 100)
    assert_one_line(groundnet("provision", "list", "--registry", str(path)), "registry.db")


def test_an_unknown_board():
    assert_one_line(groundnet("sim", "board", "--role", "tag", "--board", "nothing"), "nothing")


def test_no_node(monkeypatch):
    """Neither the machine nor the environment has Node.js."""
    node.find_node.cache_clear()
    monkeypatch.setattr(node.shutil, "which", lambda name: None)
    monkeypatch.setattr(node.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(GroundnetError, match="make setup"):
        node.find_node()


@pytest.mark.parametrize(
    "arguments",
    [
        ["track"],
        ["track", "--nonsense", "x"],
        ["track", "x", "--since", "yesterday"],
        ["track", "x", "--format", "pdf"],
        ["collect", "--listen", "nowhere"],
        ["sim", "board"],
        ["sim", "theft", "--seed", "x"],
        ["provision", "one"],
        ["--lang", "fr", "doctor"],
        ["nonsense"],
        ["case", "nonsense"],
    ],
)
def test_wrong_usage_is_two(arguments):
    done = groundnet(*arguments)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ") and "; see `groundnet" in line and line.endswith("--help`")


def test_the_language_follows_the_wish(tmp_path):
    done = groundnet("--lang", "zh", "case", "list", "--database", str(tmp_path / "no.db"))
    assert done.returncode == 1 and done.stderr.startswith("错误：")


@pytest.mark.parametrize("port", ["", " "])
def test_a_port_without_a_name(tmp_path, port):
    done = groundnet("provision", "one", port, "--registry", str(tmp_path / "registry.db"))
    assert_one_line(done, "no serial port was named", "groundnet doctor")


@pytest.mark.parametrize("number", ["13800000000", "+86"])
def test_a_phone_without_its_country_code(tmp_path, number):
    registry = tmp_path / "registry.db"
    done = groundnet("provision", "one", "/dev/null", "--owner-phone", number, "--registry", str(registry))
    assert_one_line(done, number, "country code")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["track", "--help"], ["--version"], ["case", "list"], ["case", "list", "--json"]],
)
def test_a_reader_that_went_away_is_no_failure(tmp_path, arguments):
    database = tmp_path / "collector.db"
    Database(database).close()
    files = ["--database", str(database)] if arguments[:2] == ["case", "list"] else []
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "groundnet.cli.main", *arguments, *files]
    done = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, text=True, timeout=120)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, "")
