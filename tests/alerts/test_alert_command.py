"""The commands of an owner's alerts, and a collector that sends one."""

import json
import signal
import subprocess
import sys

import pytest
from groundnet.provision import owner_token

from alerts.conftest import DEVICE_ID

GROUNDNET = (sys.executable, "-m", "groundnet.cli.main")


def run(*arguments, code=0):
    done = subprocess.run([*GROUNDNET, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def owner(registry, monkeypatch):
    token = owner_token.issue(registry, [registry.by_device(DEVICE_ID)], 1)
    monkeypatch.setenv("GROUNDNET_OWNER_TOKEN", token)


@pytest.fixture
def files(tmp_path, database, registry):
    return ["--registry", str(tmp_path / "registry.db"), "--database", str(tmp_path / "collector.db")]


def test_an_owner_adds_tests_and_ends_an_alert(files, owner, web):
    hook = f"http://127.0.0.1:{web.server_port}/secret-path"
    added = run(
        "alert", "add", "云A12345", "--when", "battery", "--percent", "20", "--to", hook, *files, "--json"
    )
    (rule,) = json.loads(added.stdout)
    assert rule["when"] == "battery" and "secret-path" not in added.stdout
    assert "127.0.0.1" in run("alert", "list", *files[:2]).stdout
    run("alert", "test", str(rule["alert"]), *files[:2])
    assert json.loads(web.taken[0][2])["kind"] == "test"
    run("alert", "remove", str(rule["alert"]), *files[:2])
    assert json.loads(run("alert", "list", *files[:2], "--json").stdout) == []
    assert "no alert 1" in run("alert", "remove", "1", *files[:2], code=1).stderr


def test_nobody_but_the_owner_adds_one(files, owner, monkeypatch):
    monkeypatch.setenv("GROUNDNET_OWNER_TOKEN", "00000-00000-00000-00000")
    refused = run("alert", "add", "云A12345", "--when", "moved", "--to", "+8613800000000", *files, code=1)
    assert "owner's token" in refused.stderr
    rows = json.loads(run("case", "audit", *files[2:], "--json").stdout)
    assert [(row["what"], row["granted"]) for row in rows] == [("alert add", 0)]


def test_a_running_collector_sends_what_begins_to_hold(files, owner, database, web):
    hook = f"http://127.0.0.1:{web.server_port}/hook"
    run("alert", "add", "云A12345", "--when", "silent", "--hours", "1", "--to", hook, *files)
    database.run(
        "INSERT INTO beacons (device_id, counter, time_ms, flags, battery, received_ms) VALUES (?, 1, 1, 0, 9, 1)",
        DEVICE_ID,
    )
    service = subprocess.Popen(
        [*GROUNDNET, "collect", "--listen", "127.0.0.1:0", "--json", *files],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        service.stdout.readline()
        assert web.arrived.wait(60)
    finally:
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=60)
    assert service.returncode == 0
    assert json.loads(web.taken[0][2])["kind"] == "silent"
    (row,) = json.loads(run("alert", "sent", *files[2:], "--json").stdout)
    assert (row["state"], row["kind"]) == ("sent", "silent")
