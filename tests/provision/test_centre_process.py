"""A county's first day with the real programs: keys, blocks, the centre's door over HTTPS, killed in the middle."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from groundnet.cli.provision import app
from groundnet.errors import GroundnetError
from groundnet.provision import point
from groundnet.provision.record import Record, Secret
from groundnet.provision.registry import Registry
from typer.testing import CliRunner

from provision.central_rig import write_certificate
from provision.county import CHEAP, PASSPHRASE

GROUNDNET = str(Path(sys.executable).with_name("groundnet"))
PLATE = "云A12345"
TOKEN = "token-of-dealer-12"


@pytest.fixture
def shell(tmp_path):
    """Runs `groundnet provision ...` in a folder; its exit code and what it said."""
    environment = {
        **os.environ,
        "GROUNDNET_PASSPHRASE": PASSPHRASE,
        "NO_PROXY": "127.0.0.1",
        "LANG": "C.UTF-8",
    }

    def run(*words):
        done = subprocess.run(
            [GROUNDNET, "provision", *words], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert PASSPHRASE not in done.stdout + done.stderr
        return done

    run.environment = environment
    return run


@contextlib.contextmanager
def door(folder, shell):
    """The centre's door in a process of its own; ends by kill -9."""
    files = ["--cert", "central.pem", "--key", "central.key", "--tokens", "tokens"]
    command = [GROUNDNET, "provision", "central", "serve", "--listen", "127.0.0.1:0", "--json"]
    command += [*files, "--registry", "county.db"]
    process = subprocess.Popen(command, cwd=folder, env=shell.environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


def bind(path, number, plate):
    registry = Registry(path)
    registry.unlock(PASSPHRASE)
    draft = Record(number.to_bytes(8, "big"), "", "tag", "xiao_c3_sx1262", "vehicle", plate, None, "reserved",
                   f"{number:016x}", 1, Secret(bytes(32)))  # fmt: skip
    record = registry.advance(registry.reserve(draft).device_id, "handed_over", draft.operation, 2)
    registry.close()
    return record


def test_a_county_from_its_first_key_to_a_plate_that_is_found_at_the_centre(tmp_path, shell):
    write_certificate(tmp_path)
    (tmp_path / "tokens").write_text(f"dealer 12 {TOKEN}\n")
    (tmp_path / "token").write_text(TOKEN)
    for words in (
        ("init", "--point", "county", "--central", "--registry", "county.db"),
        ("init", "--point", "dealer 12", "--trust", "county.pub", "--registry", "dealer.db"),
        ("issue", "--to", "dealer.pub", "--count", "9", "-o", "block.json", "--registry", "county.db"),
        ("load", "block.json", "--registry", "dealer.db"),
    ):
        done = shell(*words)
        assert done.returncode == 0, done.stderr
    bound = bind(tmp_path / "dealer.db", 1, PLATE)
    telling = (
        "sync",
        "--token-file",
        "token",
        "--ca",
        "central.pem",
        "--personal",
        "--registry",
        "dealer.db",
    )
    with door(tmp_path, shell) as url:
        done = shell(*telling, "--to", url, "--json")
        assert json.loads(done.stdout) == {"sent": 1, "known": 0, "left": 0, "refused": {}, "free": 8}
        assert "8 identities are left here" in done.stderr
    bind(tmp_path / "dealer.db", 2, "云A54321")
    done = shell(*telling, "--to", url, "--tries", "1")
    assert done.returncode == 1 and "not reached" in done.stderr and "nothing is lost" in done.stderr
    with door(tmp_path, shell) as url:
        assert json.loads(shell(*telling, "--to", url, "--json").stdout)["sent"] == 1
        (tmp_path / "tokens").write_text(f"dealer 13 {TOKEN}-of-another\n")
        done = shell(*telling, "--to", url)
        assert done.returncode == 1 and "does not know this token" in done.stderr
    (shown,) = json.loads(shell("central", "show", PLATE, "--registry", "county.db", "--json").stdout)
    assert (shown["tag_id"], shown["point"]) == (bound.tag_id, "dealer 12")
    centre = Registry(tmp_path / "county.db")
    centre.unlock(PASSPHRASE)
    (found,) = centre.find(PLATE)
    assert found.secret.reveal() == bound_secret(tmp_path / "dealer.db", bound.tag_id)
    centre.close()


def bound_secret(path, tag_id):
    registry = Registry(path)
    registry.unlock(PASSPHRASE)
    (record,) = registry.find(tag_id)
    secret = record.secret.reveal()
    registry.close()
    return secret


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--registry": "dealer.db"}, "belongs to an install point, not to a centre"),
        ({"--tokens": "empty"}, "has no tokens"),
        ({"--cert": "central.key"}, "cannot be used"),
        ({"--cert": "dealer.pub"}, "cannot be used"),
    ],
)
def test_a_door_that_cannot_be_opened_says_why(tmp_path, monkeypatch, change, said):
    monkeypatch.chdir(tmp_path)
    write_certificate(tmp_path)
    Path("tokens").write_text(f"dealer 12 {TOKEN}\n")
    Path("empty").write_text("\n")
    registry = Registry(Path("dealer.db"))
    Path("dealer.pub").write_text(point.init(registry, "dealer 12", PASSPHRASE, 1, cost=CHEAP).text())
    registry.close()
    options = {
        "--cert": "central.pem",
        "--key": "central.key",
        "--tokens": "tokens",
        "--registry": "county.db",
    }
    words = [word for pair in (options | change).items() for word in pair]
    done = CliRunner().invoke(
        app, ["central", "serve", "--listen", "127.0.0.1:0", *words], env={"GROUNDNET_PASSPHRASE": PASSPHRASE}
    )
    assert isinstance(done.exception, GroundnetError) and said in done.exception.cause
