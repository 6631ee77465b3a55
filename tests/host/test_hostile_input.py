"""What nobody should type, and terminals that cannot show it: one line, and nothing of the user's is lost."""

import os
import subprocess
import sys

import pytest
from groundnet.cli import main, options
from groundnet.provision.registry import Record, Registry, Secret
from groundwire.errors import EncodeError

DEVICE_ID = bytes.fromhex("a0764e0000000042")


def groundnet(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "groundnet.cli.main", *arguments],
        capture_output=True,
        timeout=120,
        env=dict(os.environ, **environment),
    )


def registry_with_a_device(path):
    registry = Registry(path)
    registry.reserve(
        Record(DEVICE_ID, "", "tag", "b", "vehicle", "云A12345", None, "reserved", "op", 1, Secret(bytes(32)))
    )
    registry.close()


def assert_one_line(done, word):
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.decode(errors="replace").strip().splitlines()
    assert line.startswith("error: ") and word in line


def test_the_theft_never_overwrites_the_registry_of_an_install_point(tmp_path):
    registry_with_a_device(tmp_path / "registry.db")
    assert_one_line(groundnet("sim", "theft", "--out", str(tmp_path)), "--out")
    registry = Registry(tmp_path / "registry.db")
    assert [record.device_id for record in registry.devices()] == [DEVICE_ID]
    registry.close()


def test_the_theft_never_overwrites_a_collectors_database_that_stands_alone(tmp_path):
    (tmp_path / "collector.db").write_bytes(b"kept")
    assert_one_line(groundnet("sim", "theft", "--out", str(tmp_path)), "--out")
    assert (tmp_path / "collector.db").read_bytes() == b"kept"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk"])
def test_a_terminal_that_cannot_show_a_plate_gets_an_escape(tmp_path, encoding):
    registry_with_a_device(tmp_path / "registry.db")
    done = groundnet(
        "provision", "list", "--registry", str(tmp_path / "registry.db"), PYTHONIOENCODING=encoding
    )
    assert done.returncode == 0, done.stderr
    assert b"A12345" in done.stdout


def test_a_port_of_digits_that_are_no_decimal_ones():
    assert_one_line(groundnet("sim", "board", "--role", "tag", "--collector", "host:²"), "HOST:PORT")


def test_an_empty_role_is_no_role():
    assert groundnet("sim", "board", "--role", "").returncode == 2


def test_a_key_file_that_is_no_text(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(bytes(range(128, 160)))
    assert_one_line(groundnet("wire", "decode", "00", "--key", f"@{path}"), "hex")


def test_an_account_without_a_name_is_written_down_by_its_number(monkeypatch):
    def nameless():
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(options.getpass, "getuser", nameless)
    assert options.operator() == f"uid {os.getuid()}"


def test_a_value_that_the_wire_cannot_carry_is_named(monkeypatch, capsys):
    def too_long():
        raise EncodeError("size", "install_point is at most 32 bytes of UTF-8")

    monkeypatch.setattr(main, "app", too_long)
    with pytest.raises(SystemExit) as ended:
        main.run()
    assert ended.value.code == 1
    assert "install_point is at most 32 bytes" in capsys.readouterr().err
