"""The ring in flash: order, room, and a power cut or a full flash at every single step."""

import pytest
from drivers.flaky_flash import FAT, LITTLEFS, FlakyFlash, PowerCut
from hypothesis import given, settings
from hypothesis import strategies as st

SEGMENT = 64


class Rig:
    """One flash with a ring on it; `restart` looks at what is there anew."""

    def __init__(self, bench, monkeypatch, kind=LITTLEFS, steps=None, full_after=None):
        self.modules = bench.driver("flash_ring"), bench.driver("flash_records")
        self.flash = FlakyFlash(kind, steps, full_after).mount(monkeypatch, *self.modules)

    def ring(self, segments=3, segment_bytes=SEGMENT):
        return self.modules[0].FlashRing("/ring", segments, segment_bytes)


@pytest.fixture
def rig(bench, monkeypatch):
    return lambda **how: Rig(bench, monkeypatch, **how)


def numbered(count, start=0):
    return [b"record %03d" % number for number in range(start, start + count)]


def test_what_was_appended_comes_back_in_order_and_after_a_restart(rig):
    device = rig()
    ring = device.ring(segments=8)
    assert list(ring.records()) == []
    ring.append(numbered(3))
    ring.append(numbered(5, 3))
    ring.append([])
    for looked in (ring, device.ring(segments=8)):
        assert list(looked.records()) == numbered(8)


def test_a_full_ring_gives_up_its_oldest_segment_only(rig):
    device = rig()
    ring = device.ring()
    for number in range(100):
        ring.append(numbered(1, number))
    kept = list(device.ring().records())
    assert kept == numbered(100)[-len(kept) :]
    record_bytes = len(kept[0]) + device.modules[0].RECORD_OVERHEAD
    assert len(kept) >= ring.capacity_bytes // record_bytes
    assert len(device.flash.files) == 3 and all(len(data) <= SEGMENT for data in device.flash.files.values())


def test_the_oldest_segment_is_taken_whole_and_nothing_is_added_to_it(rig):
    ring = rig().ring(segments=8)
    ring.append(numbered(2))
    number, taken = ring.oldest()
    assert taken == numbered(2)
    ring.append(numbered(1, 2))
    assert ring.oldest() == (number, taken)
    ring.drop(number)
    ring.drop(number)
    assert ring.oldest()[1] == numbered(1, 2) and ring.segments == 1
    ring.drop(ring.oldest()[0])
    assert ring.oldest() == (None, []) and ring.segments == 0
    ring.append(numbered(1, 3))
    assert list(ring.records()) == numbered(1, 3)


def test_segments_are_in_order_however_the_folder_is_listed(rig, monkeypatch):
    device = rig()
    ring = device.ring(segments=8)
    ring.append(numbered(20))
    names = device.modules[0].os.listdir
    monkeypatch.setattr(device.modules[0].os, "listdir", lambda folder: names(folder)[::-1])
    assert list(device.ring(segments=8).records()) == numbered(20)


def test_what_is_given_up_for_want_of_room_is_counted(rig):
    ring = rig().ring()
    for start in range(30):
        ring.append(numbered(1, start))
    assert ring.lost + len(list(ring.records())) == 30


def test_twenty_thousand_sightings_fit_one_ring(rig):
    """What a base station wants of it."""
    device = rig()
    ring = device.ring(segments=70, segment_bytes=16384)
    for start in range(0, 24_000, 100):
        ring.append([b"%05d" % number + bytes(38) for number in range(start, start + 100)])
    kept = list(device.ring(segments=70, segment_bytes=16384).records())
    assert len(kept) >= 20_000 and kept[-1][:5] == b"23999"


def test_wear_one_removal_and_one_new_file_for_each_segment_of_data(rig):
    device = rig()
    ring = device.ring()
    for number in range(100):
        ring.append(numbered(1, number))
    per_segment = SEGMENT // (len(numbered(1)[0]) + device.modules[0].RECORD_OVERHEAD)
    assert device.flash.removed <= 100 // per_segment


def test_erase_leaves_nothing_and_goes_on(rig):
    device = rig()
    ring = device.ring()
    ring.append(numbered(9))
    ring.erase()
    assert list(ring.records()) == list(device.ring().records()) == [] and device.flash.files == {}
    ring.append(numbered(1))
    assert list(device.ring().records()) == numbered(1)


def test_a_record_larger_than_a_segment_is_refused(rig):
    device = rig()
    with pytest.raises(device.modules[1].FlashRecordError, match="larger"):
        device.ring().append([bytes(SEGMENT)])


@pytest.mark.parametrize("kind", [LITTLEFS, FAT])
def test_power_cut_at_every_step(rig, kind):
    """What was appended before the cut is there, nothing else is, in order; and the ring goes on."""
    appends = [numbered(count, 10 * index) for index, count in enumerate((1, 2, 5, 1, 3, 4, 1, 6))]
    for steps in range(100_000):
        device = rig(kind=kind, steps=steps)
        finished, cut = [], False
        try:
            ring = device.ring()
            for records in appends:
                ring.append(records)
                finished += records
        except PowerCut:
            cut = True
        device.flash.restart()
        kept = list(device.ring().records())
        everything = [record for records in appends for record in records]
        assert kept == [] or kept == everything[everything.index(kept[0]) :][: len(kept)]
        at_least = finished[-(device.ring().capacity_bytes // (len(finished[0]) + 6)) :] if finished else []
        assert set(at_least) <= set(kept)
        device.ring().append([b"after"])
        *before, last = device.ring().records()
        assert last == b"after" and before == kept[len(kept) - len(before) :]
        if not cut:
            break
    assert steps > 300


@pytest.mark.parametrize("kind", [LITTLEFS, FAT])
def test_flash_that_is_full_at_any_step_is_told_and_costs_nothing_that_was_there(rig, kind):
    for full_after in range(100_000):
        device = rig(kind=kind, full_after=full_after)
        ring = device.ring(segments=9)
        finished = []
        try:
            for number in range(12):
                ring.append(numbered(1, number))
                finished += numbered(1, number)
        except device.modules[1].FlashRecordError:
            device.flash.full_after = None
            ring.append([b"later"])
            assert list(device.ring(segments=9).records()) == [*finished, b"later"]
            continue
        break
    assert len(finished) == 12 and full_after > 100


def test_any_flipped_bit_ends_its_segment_and_nothing_else(rig):
    device = rig()
    ring = device.ring()
    ring.append(numbered(9))
    for path, data in list(device.flash.files.items()):
        for index in range(len(data)):
            device.flash.files[path] = data[:index] + bytes((data[index] ^ 0x10,)) + data[index + 1 :]
            kept = list(device.ring().records())
            assert kept == [record for record in numbered(9) if record in kept]
            assert len(kept) >= 9 - SEGMENT // 16
        device.flash.files[path] = data


@settings(max_examples=60)
@given(st.lists(st.lists(st.binary(max_size=40), max_size=4), max_size=12), st.data())
def test_any_appends_and_restarts_keep_the_newest(appends, data):
    with pytest.MonkeyPatch.context() as patch:
        from drivers import flash_records, flash_ring

        flash = FlakyFlash(LITTLEFS).mount(patch, flash_ring, flash_records)
        ring = flash_ring.FlashRing("/ring", 4, SEGMENT)
        expected = []
        for records in appends:
            ring.append(records)
            expected += records
            if data.draw(st.booleans()):
                ring = flash_ring.FlashRing("/ring", 4, SEGMENT)
            kept = list(ring.records())
            assert kept == expected[len(expected) - len(kept) :]
        assert all(len(held) <= SEGMENT for held in flash.files.values())
