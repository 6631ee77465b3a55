"""Section 14 of the wire's page is enough to read a bundle: the tables there, JSON and pyhsslms, none of our code."""

import hashlib
import json
import re
from pathlib import Path

import pyhsslms
import pytest
from bundle import quick_keys
from groundnet.bundle import build, certificate, manifest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "protocol" / "README.md").read_text(encoding="utf-8").partition("## 14 Bundles")[2]
ROW = re.compile(
    r"^\| (?P<offset>[\dMN +]+) \| (?P<size>[\dMN]+) \| (?P<field>[\w' ]+) \| (?P<meaning>.*) \|$", re.M
)


def parts(data: bytes, fields: dict, **sizes: int) -> dict[str, bytes]:
    """The bytes of each field, as the table's rows place it."""

    def number(text: str) -> int:
        return sum(sizes[one] if one in sizes else int(one) for one in text.split(" + "))

    return {name: data[number(at) : number(at) + number(size)] for name, (at, size) in fields.items()}


@pytest.fixture(scope="module")
def tables():
    """Fields of the file, then of the signature block."""
    rows = [match.groupdict() for match in ROW.finditer(PAGE)]
    second = [index for index, row in enumerate(rows) if row["offset"] == "0"][1]
    return [
        {row["field"]: (row["offset"], row["size"]) for row in some}
        for some in (rows[:second], rows[second:])
    ]


def test_a_bundle_is_read_by_the_page_alone(tables, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root_path, root = quick_keys.root(tmp_path)
    release_path, release = quick_keys.release(tmp_path)
    unsigned = build.build("tag", version="1.2.3", settings=["region=cn470"])
    data = unsigned + certificate.signature_block(
        certificate.issue(root_path, release, 20_800), release_path, unsigned
    )

    head = parts(data[:12], dict(list(tables[0].items())[:3]))
    sizes = {
        "M": int.from_bytes(head["manifest bytes"], "little"),
        "N": int.from_bytes(head["image bytes"], "little"),
    }
    file = parts(data, tables[0], **sizes)
    assert b"".join(file.values()) == data and head["magic"] == b"GNB1"
    about = json.loads(file["manifest"])
    assert about["image_sha256"] == hashlib.sha256(file["image"]).hexdigest()
    assert about["settings"] == {"region": "cn470"}

    block = parts(file["signature block"], tables[1])
    assert b"".join(block.values()) == file["signature block"]
    assert block["magic"] == b"GNC1" and int.from_bytes(block["last day"], "little") == 20_800
    signed_by_root = file["signature block"][: int(tables[1]["root's signature"][0])]
    assert pyhsslms.LmsPublicKey.deserialize(root).verify(signed_by_root, block["root's signature"])
    key = pyhsslms.LmsPublicKey.deserialize(block["release key"])
    assert key.verify(data[: -len(file["signature block"])], block["release signature"])


def test_the_page_names_every_entry_of_a_manifest():
    entries = PAGE.partition("| entry | value |")[2].partition("\n\n")[0]
    named = [name for line in entries.splitlines() for name in re.findall(r"`(\w+)`", line.split(" | ")[0])]
    assert sorted(named) == sorted(manifest.ENTRIES)
