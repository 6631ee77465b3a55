"""The commands of an install point, from an empty folder to an audit that is vouched for."""

import json
from pathlib import Path

import pytest
from groundnet.cli.provision import app
from groundnet.cli.registry_door import NotTold
from groundnet.errors import GroundnetError
from groundnet.provision import people, vault
from groundnet.provision.audit import AuditBroken
from groundnet.provision.people import NotAllowed, WrongPin
from groundnet.provision.record import Record, RegistryError, Secret
from groundnet.provision.registry import Registry
from groundnet.provision.signing import TrustError
from groundnet.provision.uplink import CentralError
from groundnet.provision.vault import VaultDamaged, WrongPassphrase
from typer.testing import CliRunner

PASSPHRASE = "seven tired horses"


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Runs `groundnet provision ...` with secrets in the environment; what it said, its error raised."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(people._SCRYPT, "n", 16)
    monkeypatch.setattr(vault, "USUAL", vault.Cost(8, 1, 1))

    def run(*words, registry="point.db", **secrets):
        environment = {f"GROUNDNET_{name.upper()}": value for name, value in secrets.items()}
        done = CliRunner().invoke(app, [*words, "--registry", registry], env=environment)
        if isinstance(done.exception, GroundnetError):
            raise done.exception
        assert done.exit_code == 0, done.output
        assert not any(secret in done.output for secret in secrets.values())
        return done.output

    return run


@pytest.fixture
def point(call):
    """A point with a supervisor, and a device that is bound."""
    call("init", "--point", "county", "--central", passphrase=PASSPHRASE, registry="central.db")
    call("init", "--point", "dealer 12", "--trust", "central.pub", passphrase=PASSPHRASE)
    words = ("issue", "--to", "point.pub", "--count", "5", "-o", "block.json")
    call(*words, passphrase=PASSPHRASE, registry="central.db")
    assert "5" in call("load", "block.json", passphrase=PASSPHRASE)
    call("people", "add", "Wang", "--role", "supervisor", passphrase=PASSPHRASE, new_pin="4711")
    registry = Registry(Path("point.db"))
    registry.unlock(PASSPHRASE)
    draft = Record(
        bytes(8), "", "tag", "b", "vehicle", "云A12345", None, "reserved", "0a", 1, Secret(bytes(32))
    )
    registry.advance(registry.reserve(draft).device_id, "handed_over", "0a", 2)
    registry.close()
    return call


def test_a_points_first_day(point):
    (device,) = json.loads(point("list", "--json", passphrase=PASSPHRASE))
    assert (device["state"], device["plate"]) == ("handed_over", "云A12345")
    (device,) = json.loads(point("list", "--json"))
    assert device["plate"] is None, "sealed while nobody says the passphrase"
    rows = json.loads(point("audit", "--json"))
    assert [row["action"] for row in rows] == [
        "init", "trust centre", "load block", "add person", "reserve", "handed_over",
    ]  # fmt: skip
    assert {row["point"] for row in rows} == {"dealer 12"}
    assert "云A12345" not in json.dumps(rows, ensure_ascii=False)
    assert [row["action"] for row in json.loads(point("audit", device["tag_id"], "--json"))] == [
        "reserve",
        "handed_over",
    ]
    verdict = json.loads(point("audit", "--verify", "--json", passphrase=PASSPHRASE))
    assert verdict == {"whole": True, "rows": 6, "vouched_rows": 6}
    assert json.loads(point("resume", "--json")) == []


def test_an_owner_is_forgotten_by_plate(point):
    told = json.loads(point("forget", "云a·12345", "--json", passphrase=PASSPHRASE, staff="Wang", pin="4711"))
    assert len(told["forgotten"]) == 1
    (device,) = json.loads(point("list", "--json", passphrase=PASSPHRASE))
    assert device["plate"] is None
    assert json.loads(point("audit", "--verify", "--json", passphrase=PASSPHRASE))["rows"] == 8


def test_people_come_and_go_by_a_supervisors_pin(point):
    words = ("people", "add", "Li Na")
    with pytest.raises(NotAllowed):
        point(*words, passphrase=PASSPHRASE, new_pin="1234")
    with pytest.raises(WrongPin):
        point(*words, "--by", "Wang", passphrase=PASSPHRASE, pin="0000", new_pin="1234")
    point(*words, "--by", "Wang", passphrase=PASSPHRASE, pin="4711", new_pin="1234")
    listed = json.loads(point("people", "list", "--json"))
    assert [(one["name"], one["role"]) for one in listed] == [("Li Na", "staff"), ("Wang", "supervisor")]
    point("people", "remove", "Li Na", "--by", "Wang", passphrase=PASSPHRASE, pin="4711")
    assert len(json.loads(point("people", "list", "--json"))) == 1


def test_the_passphrase_comes_from_a_file_too_and_can_be_changed(point):
    Path("old.txt").write_text(PASSPHRASE + "\r\n")
    Path("new.txt").write_text("eight fresh horses\n")
    point("passphrase", "--passphrase-file", "old.txt", "--new-file", "new.txt")
    with pytest.raises(WrongPassphrase):
        point("forget", "GN-00000", "--passphrase-file", "old.txt")
    assert "云A12345" in point("list", "--passphrase-file", "new.txt", "--json")


def test_what_goes_wrong_is_named(point):
    with pytest.raises(NotTold, match="GROUNDNET_PASSPHRASE"):
        point("forget", "云A12345")
    with pytest.raises(WrongPassphrase):
        point("load", "block.json", passphrase="seven tired mules")
    registry = Registry(Path("point.db"))
    registry.database.execute("DROP TRIGGER audit_keeps_rows")
    registry.database.execute("DELETE FROM audit WHERE sequence = 6")
    with pytest.raises(AuditBroken, match="row 6: rows were cut off"):
        point("audit", "--verify")
    registry.database.execute("UPDATE point SET vault = substr(vault, 2)")
    registry.close()
    with pytest.raises(VaultDamaged):
        point("forget", "云A12345", passphrase=PASSPHRASE)


def test_a_point_shows_whom_it_trusts_and_changes_that_only_when_it_is_told_to(point):
    known = json.loads(point("trust", "--json", passphrase=PASSPHRASE))
    assert known["name"] == "county" and known["centre"] in Path("central.pub").read_text()
    point("init", "--point", "other county", "--central", passphrase=PASSPHRASE, registry="other.db")
    with pytest.raises(TrustError, match="another central registry"):
        point("trust", "other.pub", passphrase=PASSPHRASE)
    told = json.loads(point("trust", "other.pub", "--replace", "--json", passphrase=PASSPHRASE))
    assert told["name"] == "other county" and told["centre"] != known["centre"]


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x02\xd0\x00", b"[]", b'{"format": 1}'])
def test_files_that_are_something_else_are_named(point, content):
    Path("thing").write_bytes(content)
    for words, said in (
        (("load", "thing"), "is no block"),
        (("trust", "thing"), "not the public key of a central registry"),
        (("init", "--point", "new", "--trust", "thing"), "not the public key of a central registry"),
        (
            ("issue", "--to", "thing", "--count", "5", "-o", "b.json"),
            "not the public key of an install point",
        ),
    ):
        with pytest.raises(GroundnetError, match=said):
            point(*words, passphrase=PASSPHRASE)


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x02\xd0\x00", b"two words"])
def test_a_file_without_a_token_is_named_before_anybody_is_asked(point, content):
    Path("token").write_bytes(content)
    with pytest.raises(CentralError, match="holds no token"):
        point("sync", "--to", "https://127.0.0.1:1", "--token-file", "token", passphrase=PASSPHRASE)


@pytest.mark.parametrize("words", [("points",), ("list",), ("show", "x"), ("key",)])
def test_what_is_asked_of_a_centre_is_not_asked_of_a_point(point, words):
    with pytest.raises(RegistryError, match="not to a centre"):
        point("central", *words, passphrase=PASSPHRASE)


def test_a_block_is_never_written_over_another_file(point):
    words = ("issue", "--to", "point.pub", "--count", "5", "-o", "block.json")
    before = Path("block.json").read_bytes()
    done = CliRunner().invoke(
        app, [*words, "--registry", "central.db"], env={"GROUNDNET_PASSPHRASE": PASSPHRASE}
    )
    assert isinstance(done.exception, FileExistsError) and Path("block.json").read_bytes() == before
    with pytest.raises(GroundnetError):
        point(
            "issue",
            "--to",
            "point.pub",
            "--count",
            "0",
            "-o",
            "empty.json",
            passphrase=PASSPHRASE,
            registry="central.db",
        )
    assert not Path("empty.json").exists()
