"""Records in flash: a power cut at any byte leaves the old record or the new one."""

import pytest


@pytest.fixture
def records(bench):
    return bench.driver("flash_records")


def test_empty_then_stored_then_read_by_a_new_boot(records, tmp_path):
    record = records.FlashRecord(str(tmp_path / "counter"))
    assert record.load() is None
    for value in (b"one", b"", b"three" * 100):
        record.store(value)
        assert records.FlashRecord(str(tmp_path / "counter")).load() == value


def test_cut_at_every_byte_of_a_write_leaves_old_or_new(records, tmp_path):
    path = str(tmp_path / "counter")
    record = records.FlashRecord(path)
    record.load()
    record.store(b"first")
    record.store(b"older")
    before = [(tmp_path / f"counter.{slot}").read_bytes() for slot in (0, 1)]
    record.store(b"newer")
    written = (tmp_path / "counter.0").read_bytes()
    for size in range(len(written) + 1):
        (tmp_path / "counter.0").write_bytes(written[:size])
        (tmp_path / "counter.1").write_bytes(before[1])
        expected = b"newer" if size == len(written) else b"older"
        assert records.FlashRecord(path).load() == expected


def test_any_flipped_byte_falls_back_to_the_other_slot(records, tmp_path):
    path = str(tmp_path / "settings")
    record = records.FlashRecord(path)
    record.load()
    record.store(b"older")
    record.store(b"newer")
    good = (tmp_path / "settings.1").read_bytes()
    for index in range(len(good)):
        bad = bytearray(good)
        bad[index] ^= 0x55
        (tmp_path / "settings.1").write_bytes(bad)
        assert records.FlashRecord(path).load() == b"older"


def test_storing_goes_on_after_a_fallback(records, tmp_path):
    path = str(tmp_path / "settings")
    record = records.FlashRecord(path)
    record.load()
    record.store(b"older")
    record.store(b"newer")
    (tmp_path / "settings.1").write_bytes(b"\xff" * 20)
    record = records.FlashRecord(path)
    assert record.load() == b"older"
    record.store(b"repaired")
    assert records.FlashRecord(path).load() == b"repaired"


def test_erase_and_missing_folder(records, tmp_path):
    record = records.FlashRecord(str(tmp_path / "x"))
    record.store(b"1")
    record.erase()
    assert record.load() is None
    with pytest.raises(records.FlashRecordError, match="cannot write"):
        records.FlashRecord(str(tmp_path / "none" / "x")).store(b"1")


def test_log_is_limited_to_two_files(records, tmp_path):
    path = str(tmp_path / "crash.log")
    for number in range(100):
        records.append_limited(path, f"crash {number}\n", 200)
    files = sorted(file.name for file in tmp_path.iterdir())
    assert files == ["crash.log", "crash.log.old"]
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 450
    assert "crash 99" in (tmp_path / "crash.log").read_text()
