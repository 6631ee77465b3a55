"""Records in flash: a power cut at any byte leaves the old record or the new one."""

import contextlib

import pytest
from drivers.flaky_flash import FAT, LITTLEFS, FlakyFlash, PowerCut
from groundcore import settings, store
from groundcore.beaconing import Beacons


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


# --- the power goes, or the flash is full, at every step in turn

VALUES = [b"first", b"second" * 9, b"", b"fourth", b"fifth"]


def write_all(record, written):
    for value in VALUES:
        record.store(value)
        written.append(value)


@pytest.mark.parametrize("kind", [LITTLEFS, FAT])
def test_two_power_cuts_anywhere_leave_old_or_new(records, monkeypatch, kind):
    for steps in range(1000):
        for again in (0, 1, 5, 9, 17, 60):
            flash = FlakyFlash(kind, steps).mount(monkeypatch, records)
            written = []
            with contextlib.suppress(PowerCut):
                write_all(records.FlashRecord("/state/x"), written)
            old = written[-1] if written else None
            coming = VALUES[len(written) : len(written) + 1]
            flash.restart(again)
            record = records.FlashRecord("/state/x")
            held = record.load()
            assert held in [old, *coming]
            finished = False
            with contextlib.suppress(PowerCut):
                record.store(b"after")
                finished = True
            flash.restart()
            at_last = records.FlashRecord("/state/x").load()
            assert at_last == b"after" or (at_last == held and not finished)
        if len(written) == len(VALUES):
            break
    assert steps > 80


@pytest.mark.parametrize("kind", [LITTLEFS, FAT])
def test_a_full_flash_is_told_and_the_old_record_stays(records, monkeypatch, kind):
    for full_after in range(1000):
        flash = FlakyFlash(kind, full_after=full_after).mount(monkeypatch, records)
        record = records.FlashRecord("/state/x")
        written = []
        try:
            write_all(record, written)
        except records.FlashRecordError:
            assert records.FlashRecord("/state/x").load() == (written[-1] if written else None)
            flash.full_after = None
            record.store(b"later")
            assert records.FlashRecord("/state/x").load() == b"later"
            continue
        break
    assert full_after > 80


@pytest.mark.parametrize("kind", [LITTLEFS, FAT])
def test_no_beacon_counter_is_used_twice_whenever_the_power_goes(records, monkeypatch, kind):
    """The real reservation on the real record: over seven lives, each cut at every step."""
    for steps in range(1000):
        flash = FlakyFlash(kind).mount(monkeypatch, records)
        used, boots = [], []
        cut = False
        for _ in range(7):
            flash.restart(steps)
            try:
                record = records.FlashRecord("/state/state")
                state = store.State(record.load())
                beacons = Beacons(bytes(32), "vehicle", state)
                state.boot_count += 1
                beacons.reserve()
                record.store(state.encode())
                boots.append(state.boot_count)
                for _ in range(2 * store.COUNTER_STRIDE // 3):
                    if beacons.reserve():
                        record.store(state.encode())
                    used.append(beacons.counter)
                    beacons.counter += 1
            except PowerCut:
                cut = True
        assert len(set(used)) == len(used)
        assert boots == sorted(set(boots))
        if not cut:
            break
    assert steps > 30


@pytest.mark.parametrize("kind", [LITTLEFS, FAT])
def test_settings_are_all_old_or_all_new(records, monkeypatch, kind):
    old, new = {"siren_s": 3, "owner_phone": "+385 1"}, {"siren_s": 9, "owner_phone": "+86 2", "armed": 0}
    for steps in range(1000):
        flash = FlakyFlash(kind).mount(monkeypatch, records)
        records.FlashRecord("/state/settings").store(settings.encode(old))
        flash.restart(steps)
        with contextlib.suppress(PowerCut):
            records.FlashRecord("/state/settings").store(settings.encode(new))
        flash.restart()
        held = settings.decode(records.FlashRecord("/state/settings").load())
        assert held in (old, new)
        if held == new:
            break
    assert steps > 40
