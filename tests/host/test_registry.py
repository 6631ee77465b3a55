"""The registry and what people type: ids, plates, secrets that never show."""

import json
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from groundnet.cli.provision import app
from groundnet.database.store import StoreError
from groundnet.errors import GroundnetError
from groundnet.provision import outbox, plate, tag_id
from groundnet.provision.registry import Record, Registry, RegistryError, Secret
from groundnet.provision.schema import STEPS
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

SECRET = bytes(range(32))


def draft(number: int) -> Record:
    return Record(
        device_id=number.to_bytes(8, "big"),
        tag_id="",
        role="tag",
        board="xiao_c3_sx1262",
        profile="vehicle",
        plate=f"云A{number:05}",
        owner_phone="+8613800000000",
        state="reserved",
        operation="00",
        changed_ms=1,
        secret=Secret(SECRET),
    )


@pytest.fixture
def registry(store_at):
    opened = Registry(store_at("registry.db"))
    yield opened
    opened.close()


@given(st.integers(0, tag_id.LARGEST))
def test_tag_ids_survive_how_people_type_them(number):
    made = tag_id.make(number)
    assert tag_id.parse(made) == made
    assert tag_id.parse(made.lower().replace("gn-", "")) == made
    assert tag_id.parse(made.replace("0", "o").replace("1", "l")) == made


@given(st.integers(0, tag_id.LARGEST), st.integers(0, 4), st.sampled_from(tag_id.ALPHABET))
def test_one_wrong_character_is_never_another_tag(number, position, character):
    bare = tag_id.make(number).removeprefix("GN-")
    wrong = bare[:position] + character + bare[position + 1 :]
    if wrong != bare:
        with pytest.raises(tag_id.TagIdError):
            tag_id.parse(wrong)


@given(st.integers(0, tag_id.LARGEST), st.integers(0, 3))
def test_two_swapped_characters_are_never_another_tag(number, at):
    bare = tag_id.make(number).removeprefix("GN-")
    wrong = bare[:at] + bare[at + 1] + bare[at] + bare[at + 2 :]
    if wrong != bare:
        with pytest.raises(tag_id.TagIdError):
            tag_id.parse(wrong)


@pytest.mark.parametrize("typed", ["云A·12345", "云a12345", " 云Ａ 12345 ", "云A-12345"])
def test_plates_have_one_spelling(typed):
    assert plate.normalise(typed) == "云A12345"


@pytest.mark.parametrize("typed", ["", "·", "A" * 17])
def test_what_is_no_plate_is_refused(typed):
    with pytest.raises(GroundnetError):
        plate.normalise(typed)


def test_ids_count_up_and_a_device_is_found_by_all_its_names(registry):
    first, second = registry.reserve(draft(1)), registry.reserve(draft(2))
    assert (first.tag_id, second.tag_id) == (tag_id.make(1), tag_id.make(2))
    for name in (second.tag_id, second.tag_id.lower(), "云a·00002", second.device_id.hex()):
        assert [found.device_id for found in registry.find(name)] == [second.device_id]
    with pytest.raises(RegistryError):
        registry.find("GN-ZZZZZ")


def test_a_state_is_on_disk_for_every_reader_at_once(registry):
    registry.reserve(draft(1))
    other = Registry(registry.address)
    assert [record.state for record in other.added()] == ["reserved"]
    assert other.added() == []
    registry.advance(draft(1).device_id, "handed_over", "01", 2)
    assert other.added() == [], "it is no other device by that"
    assert [record.state for record in other.devices()] == ["handed_over"]
    registry.reserve(draft(2))
    assert [record.device_id for record in other.added()] == [draft(2).device_id]
    other.tell_again()
    assert [record.device_id for record in other.added()] == [draft(2).device_id], "a store failed meanwhile"
    assert other.added() == []
    other.close()


def test_a_device_that_is_not_there_cannot_advance(registry):
    with pytest.raises(RegistryError):
        registry.advance(bytes(8), "handed_over", "01", 2)


def test_secrets_do_not_show(registry):
    record = registry.reserve(draft(1))
    for text in (repr(record), str(record), f"{record.secret}"):
        assert SECRET.hex() not in text and repr(SECRET) not in text
    if isinstance(registry.address, Path):  # a server has its own permissions
        assert stat.S_IMODE(registry.address.stat().st_mode) == 0o600


def test_the_list_shows_neither_secret_nor_phone(registry):
    registry.reserve(draft(1))
    shown = CliRunner().invoke(app, ["list", "--registry", str(registry.address), "--json"])
    assert shown.exit_code == 0
    (record,) = json.loads(shown.stdout)
    assert record["plate"] == "云A00001"
    assert SECRET.hex() not in shown.stdout and "+86" not in shown.stdout


def test_a_registry_of_the_first_version_is_brought_up_to_date(tmp_path):
    path = tmp_path / "old.db"
    old = sqlite3.connect(path)
    old.execute(STEPS[0])
    old.execute("CREATE INDEX devices_plate ON devices (plate)")
    row = (
        draft(7).device_id,
        7,
        tag_id.make(7),
        "tag",
        "b",
        "vehicle",
        "云A1",
        None,
        SECRET,
        "written",
        "00",
        1,
    )
    old.execute(f"INSERT INTO devices VALUES ({','.join('?' * len(row))})", row)
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    path.chmod(0o644)
    registry = Registry(path)
    (record,) = registry.devices()
    assert (record.tag_id, record.state, record.secret.reveal()) == (tag_id.make(7), "writing", SECRET)
    assert registry.reserve(draft(8)).tag_id == tag_id.make(8)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    registry.close()


def test_many_programs_may_make_the_same_file_at_once(tmp_path):
    def open_and_reserve(number):
        registry = Registry(tmp_path / "registry.db")
        record = registry.reserve(draft(number))
        registry.close()
        return record.tag_id

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(open_and_reserve, range(1, 25)))
    assert sorted(given) == [tag_id.make(number) for number in range(1, 25)]


def test_the_last_tag_id_is_followed_by_an_answer_not_a_crash(registry, monkeypatch):
    monkeypatch.setattr(tag_id, "LARGEST", 1)
    registry.reserve(draft(1))
    with pytest.raises(RegistryError):
        registry.reserve(draft(2))
    assert len(list(registry.devices())) == 1


def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "registry.db"
    path.write_bytes(b"this is not a database, it only looks like a file" * 30)
    with pytest.raises(StoreError):
        Registry(path)


def test_a_device_that_was_locked_is_one_that_was_handed_over(tmp_path):
    path = tmp_path / "old.db"
    old = sqlite3.connect(path)
    before = next(number for number, step in enumerate(STEPS) if "handed_over" in step)
    for step in STEPS[:before]:
        old.execute(step)
    row = (
        draft(7).device_id,
        7,
        tag_id.make(7),
        "tag",
        "b",
        "vehicle",
        "云A1",
        None,
        SECRET,
        "locked",
        "00",
        1,
    )
    old.execute(f"INSERT INTO devices VALUES ({','.join('?' * len(row))})", row)
    old.execute(f"PRAGMA user_version = {before}")
    old.commit()
    old.close()
    registry = Registry(path)
    (record,) = registry.find("云a 1")
    assert (record.state, record.sealed, record.secret.reveal()) == ("handed_over", False, SECRET)
    (waits,) = outbox.waiting(registry)
    assert waits.document()["handed_over_ms"] == 1, "the central registry is told of it"
    registry.close()
