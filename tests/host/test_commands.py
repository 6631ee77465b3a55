"""The commands of an operator, each in a process of its own: collect, case, track, doctor."""

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from groundnet.cli.main import COMMANDS
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.provision import label, owner_token
from groundnet.provision.registry import Record, Registry, Secret
from groundwire import frame

from host.radio_senders import (
    NOW_MS,
    OTHER,
    STATION,
    ask,
    fix_item,
    hello,
    sighting,
    sightings,
    signed_report,
)

GROUNDNET = (sys.executable, "-m", "groundnet.cli.main")


@pytest.fixture
def files(tmp_path, tag):
    """Options that name a registry with the tag; the collector's database is still to be made."""
    registry = Registry(tmp_path / "registry.db")
    registry.reserve(
        Record(tag.device_id, "", "tag", "b", "vehicle", "云A12345", None, "", "", 1, Secret(tag.secret))
    )
    registry.close()
    return ["--database", str(tmp_path / "collector.db"), "--registry", str(tmp_path / "registry.db")]


@pytest.fixture
def heard(files, tag):
    """The same, and the collector has heard of the tag."""
    database = database_of(files)
    collector = Collector(database, [(tag.device_id, tag.secret)])
    ask(collector, signed_report(tag.device_id, tag.secret, 1, [fix_item(NOW_MS, 45.1, 13.1)]))
    database.close()
    return files


@pytest.fixture
def owner(files, tag, monkeypatch):
    """The owner stands at the desk with their token."""
    registry = Registry(Path(files[3]))
    record = registry.advance(tag.device_id, "handed_over", "op", 1)
    monkeypatch.setenv("GROUNDNET_OWNER_TOKEN", owner_token.issue(registry, [record], 1))
    registry.close()


def database_of(files):
    return Database(Path(files[1]))


def run(*arguments, code=0):
    done = subprocess.run([*GROUNDNET, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    return done


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_collect_answers_stations_and_ends_cleanly(files, tag, number):
    service = subprocess.Popen(
        [*GROUNDNET, "collect", "--listen", "127.0.0.1:0", "--open-stations", "--json", *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    port = int(json.loads(service.stdout.readline())["listening"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as station:
        decoder = frame.Decoder(5000, frame.REPLIES)
        station.sendall(hello() + sightings([sighting(tag.beacon(1), NOW_MS)]))
        replies = []
        while len(replies) < 2:
            decoder.feed(station.recv(4096))
            while (found := decoder.next()) is not frame.NEED_MORE:
                replies.append(found)
        assert [reply.kind for reply in replies] == [0xB3, 0xB1]
        service.send_signal(number)  # with the station still there
        _, complaint = service.communicate(timeout=60)
    assert (service.returncode, complaint) == (0, "")
    database = database_of(files)
    assert database.row("SELECT count(*) AS n FROM sightings")["n"] == 1
    database.close()


def test_a_case_opens_the_track_and_closes_it_again(heard):
    refused = run("track", "云A12345", *heard, code=1)
    assert "case open" in refused.stderr and refused.stdout == ""
    (case,) = json.loads(
        run(
            "case", "open", "云a·12345", "--reason", "stolen", "--document", "2026-118", *heard, "--json"
        ).stdout
    )
    assert (case["case_id"], case["closed"]) == (1, None)
    place = json.loads(run("track", "云A12345", *heard, "--json").stdout)
    assert (place["lat"], place["lon"], place["source"]) == (45.1, 13.1, "gnss")
    run("case", "close", "云A12345", "--reason", "found", *heard)
    run("track", "云A12345", *heard, code=1)
    (listed,) = json.loads(run("case", "list", *heard[:2], "--json").stdout)
    assert listed["outcome"] == "found" and listed["condition"]["faults"] == []


def test_the_track_says_what_it_left_out(heard, tag):
    """One beacon at two stations 111 km apart, and nobody to tell who is wrong."""
    database = database_of(heard)
    collector = Collector(database)
    for station_id, lat in ((STATION, 45.0), (OTHER, 46.0)):
        ask(collector, hello(station_id, lat))
        number = (station_id, 1, 0, tag.device_id, 3, NOW_MS + 3_600_000, -100, 5.0)
        database.run("INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *number)
    database.close()
    run("case", "open", "云A12345", "--reason", "stolen", "--document", "1", *heard)
    done = run("track", "云A12345", *heard, "--json")
    assert json.loads(done.stdout)["left_out"] == {STATION.hex(): 1, OTHER.hex(): 1}
    assert "left out: 2 sightings" in done.stderr and OTHER.hex() in done.stderr


def test_the_owners_token_opens_the_track_and_a_wrong_one_is_written_down(heard, tag, owner, monkeypatch):
    place = json.loads(run("track", "云A12345", *heard, "--owner", "--json").stdout)
    assert place["lat"] == 45.1
    made = run("provision", "token", "云A12345", *heard[2:])
    assert re.fullmatch(r"([0-9A-Z]{5}-){3}[0-9A-Z]{5}\n", made.stdout)
    assert "not the owner's token" in run("track", "云A12345", *heard, "--owner", code=1).stderr
    monkeypatch.setenv("GROUNDNET_OWNER_TOKEN", made.stdout.replace("-", " ").lower())
    run("track", "云A12345", *heard, "--owner")
    run("provision", "token", "云A12345", "--revoke", *heard[2:])
    run("order", "give", "云A12345", "arm", *heard, "--owner", code=1)
    rows = json.loads(run("case", "audit", *heard[:2], "--json").stdout)
    assert [(row["what"], row["granted"]) for row in rows] == [
        ("track", 1), ("track", 0), ("track", 1), ("order arm", 0)
    ]  # fmt: skip
    assert "云" not in json.dumps(rows, ensure_ascii=False)


def test_the_owners_token_is_written_on_a_slip_and_shown_nowhere(heard, owner, tmp_path):
    there_is_none = str(tmp_path / "no" / "slip.pdf")
    failed = run("provision", "token", "云A12345", "--paper", there_is_none, *heard[2:], code=1)
    assert "cannot be written" in failed.stderr
    run("track", "云A12345", *heard, "--owner")  # the one that the owner has is good still
    slip = tmp_path / "slip.pdf"
    done = run("provision", "token", "云A12345", "--paper", str(slip), *heard[2:], "--json")
    assert json.loads(done.stdout)["token"] is None
    assert not re.search(r"([0-9A-Z]{5}-){3}[0-9A-Z]{5}", done.stdout + done.stderr)
    assert slip.stat().st_mode & 0o777 == 0o600 and slip.read_bytes().startswith(b"%PDF")
    run("track", "云A12345", *heard, "--owner", code=1)  # void since


def test_the_audit_of_look_ups_tells_what_was_changed(heard):
    run("track", "云A12345", *heard, code=1)
    run("case", "open", "云A12345", "--reason", "stolen", "--document", "2026-118", *heard)
    run("track", "云A12345", *heard)
    head = json.loads(run("case", "audit", "--verify", *heard[:2], "--json").stdout)
    assert head["rows"] == 3
    run("case", "audit", "--noted", head["head"], *heard[:2])
    assert "no head" in run("case", "audit", "--noted", "3", *heard[:2], code=1).stderr
    database = database_of(heard)
    database.run("UPDATE lookups SET granted = 1 WHERE lookup_id = 1")
    database.close()
    assert "row 1: it was changed" in run("case", "audit", "--verify", *heard[:2], code=1).stderr


def test_what_fails_in_a_device_stands_beside_its_case_and_its_track(heard, tag):
    fault = {"type": "fault", "time_ms": NOW_MS, "part": "modem", "text": "[mute]\x1b"}
    start = {"type": "start", "time_ms": NOW_MS, "cause": "brownout"}
    lost = {"type": "dropped", "time_ms": NOW_MS, "count": 12}
    database = database_of(heard)
    collector = Collector(database, [(tag.device_id, tag.secret)])
    ask(collector, signed_report(tag.device_id, tag.secret, 2, [fault, start, lost]))
    database.close()
    run("case", "open", "云A12345", "--reason", "stolen", "--document", "2026-118", *heard)
    (listed,) = json.loads(run("case", "list", *heard[:2], "--json").stdout)
    told = {"part": "modem", "text": "[mute]?", "since": "2023-11-14T22:13:20.000Z"}
    assert listed["condition"]["faults"] == [told]
    assert (listed["condition"]["brownouts"], listed["condition"]["dropped"]) == (1, 12)
    assert "brownout" in listed["condition"]["start"]["cause"]
    assert "[mute]?" in run("case", "list", *heard[:2]).stdout.replace("\n", "")
    done = run("track", "云A12345", *heard, "--json")
    (condition,) = json.loads(done.stdout)["condition"].values()
    assert condition == listed["condition"]
    assert "modem fails since" in done.stderr or "故障" in done.stderr


def test_a_device_that_is_not_heard_any_more_is_listed(heard):
    (silent,) = json.loads(run("case", "silent", *heard, "--json").stdout)
    assert silent["tag_id"].startswith("GN-") and silent["heard"] < silent["silent_since"]
    patient = run("case", "silent", *heard, "--report-interval", "1e9", "--json")
    assert json.loads(patient.stdout) == []


def test_a_device_with_nothing_but_a_cell_is_told_by_it(files, tag, owner):
    database = database_of(files)
    cell = {"type": "cell", "time_ms": NOW_MS, "radio": "lte", "mcc": 460, "mnc": 0, "area": 10135}
    cell |= {"cell": 177001, "signal_dbm": -98, "serving": 1, "age_s": 0}
    ask(
        Collector(database, [(tag.device_id, tag.secret)]),
        signed_report(tag.device_id, tag.secret, 1, [cell]),
    )
    database.close()
    assert (
        "in the cell 460-00-10135-177001; name a cell table"
        in run("track", "云A12345", *files, "--owner", code=1).stderr
    )


def test_papers_are_printed_for_what_was_scanned(files, tag, tmp_path):
    registry, output = files[2:], tmp_path / "out"
    scanned = label.encode(label.Label(tag.device_id)).lower()
    zpl = run("provision", "print", scanned, "--as", "zpl", "--output", "-", *registry).stdout
    assert label.encode(label.Label(tag.device_id)) in zpl
    for paper in ("receipt", "card", "label", "sheet"):
        run("provision", "print", "云A12345", "--as", paper, "--output", str(output), *registry)
        assert output.read_bytes().startswith(b"%PDF")
    damaged = run("provision", "print", scanned[:-1] + "0", *registry, code=1)
    assert "damaged" in damaged.stderr


def test_orders_are_given_listed_and_withdrawn(heard, owner):
    (given,) = json.loads(run("order", "give", "云A12345", "arm", *heard, "--owner", "--json").stdout)
    assert (given["command"], given["state"]) == ("arm", "queued")
    database = heard[:2]
    assert json.loads(run("order", "list", *database, "--json").stdout) == [given]
    run("order", "withdraw", str(given["order_id"]), *database)
    assert "withdrawn" in run("order", "list", *database).stdout
    assert "choose one of" in run("order", "give", "云A12345", "fly", *heard, "--owner", code=1).stderr


def test_the_owner_gets_every_format_to_the_terminal_and_to_a_file(heard, tmp_path, owner):
    own = ["track", "云A12345", *heard, "--owner"]
    assert (
        ElementTree.fromstring(run(*own, "--format", "gpx").stdout.encode())[0][1][0].attrib["lat"]
        == "45.1000000"
    )
    assert json.loads(run(*own, "--format", "geojson").stdout)["type"] == "FeatureCollection"
    run(*own, "--format", "csv", "--output", str(tmp_path / "track.csv"))
    assert len((tmp_path / "track.csv").read_text(encoding="utf-8").splitlines()) == 2
    nothing = run(*own, "--since", "2030-01-01T00:00:00Z", code=1)
    assert "--since" in nothing.stderr


def test_the_doctor_answers_in_json_for_every_port():
    findings = json.loads(run("doctor", "/dev/no-such", "/dev/null", "--json").stdout)
    assert [finding["port"]["path"] for finding in findings] == ["/dev/no-such", "/dev/null"]
    assert all(finding["what"] and finding["action"] for finding in findings)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_of_its_own_only(command):
    done = subprocess.run(
        [*GROUNDNET, command, "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert f"groundnet {command}" in done.stdout
    assert "--install-completion" not in done.stdout
