"""What leaves the registry as a table: no secret, nothing personal unasked, nothing that a spreadsheet runs."""

import csv
import io
import json
import stat

import pytest
from groundnet.cli import provision
from groundnet.provision import batch_file, export
from groundnet.provision.audit import Audit
from groundnet.provision.record import Record
from groundnet.provision.registry import Registry, Secret
from typer.testing import CliRunner

SECRET = bytes(range(200, 232))
OWNERS = [
    ("vehicle", "云A12345", "+8613800000000"),
    ("livestock", "012345678901234", None),
    ("wearable", "=HYPERLINK(1)", None),
]


@pytest.fixture
def registry_path(tmp_path):
    path = tmp_path / "registry.db"
    store = Registry(path)
    for number, (profile, plate, phone) in enumerate(OWNERS):
        device_id = bytes([0, 0, 2, 0, 0, 0, 0, number])
        draft = Record(
            device_id, "", "tag", "xiao", profile, plate, phone, "reserved", "0a" * 8, 5, Secret(SECRET)
        )
        store.reserve(draft)
        store.advance(device_id, "handed_over", "0a" * 8, 1_700_000_000_000)
    store.close()
    return path


def run(registry_path, *arguments):
    result = CliRunner().invoke(provision.app, ["export", "--registry", str(registry_path), *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_without_being_asked_nothing_personal_leaves(registry_path, tmp_path):
    texts = [run(registry_path), run(registry_path, "--json")]
    for text in texts:
        assert "handed_over" in text and "2023-11-14T22:13:20+00:00" in text
        for private in ("A12345", "012345678901234", "HYPERLINK", "13800000000", SECRET.hex()):
            assert private not in text
    assert len(json.loads(texts[1])) == 3


def test_personal_tables_are_asked_for_audited_and_readable_by_their_owner_alone(registry_path, tmp_path):
    out = tmp_path / "out.csv"
    run(registry_path, "--personal", "--output", str(out))
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8-sig"))))
    assert [row["subject"] for row in rows] == ["云A12345", "'012345678901234", "'=HYPERLINK(1)"]
    assert rows[0]["owner_phone"] == "'+8613800000000"
    assert rows[0]["device_id"] == "'0000020000000000"
    assert SECRET.hex() not in out.read_text()
    store = Registry(registry_path)
    assert [entry.action for entry in Audit(store).entries()][-1] == "export"
    store.close()


@pytest.mark.parametrize("chinese", [False, True])
def test_what_was_exported_can_be_given_as_a_batch_again(chinese):
    rows = [
        {"profile": profile, "subject": subject, "owner_phone": phone, "device_id": f"{number:016d}"}
        for number, (profile, subject, phone) in enumerate(OWNERS[:2])
    ]
    found = batch_file.check(("\ufeff" + export.as_csv(rows, chinese)).encode())
    assert found.problems == []
    assert [(row.draft.profile, row.subject) for row in found.wanted] == [one[:2] for one in OWNERS[:2]]
    assert found.wanted[0].draft.phone == "+8613800000000"
    assert found.wanted[1].device_id == bytes.fromhex("0000000000000001")
