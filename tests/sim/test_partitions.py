"""Partitions, boot selection and rollback of a virtual ESP32, alone and under MicroPython."""

import struct
import zlib

import pytest
from groundnet.errors import GroundnetError
from groundnet.image import app_image, partition_table
from groundnet.image.app_image import BadImage
from groundnet.sim import partitions
from groundnet.sim.base_flash import BASE_VERSION
from groundnet.sim.boardfs import BoardFs, PowerCut
from groundnet.sim.partitions import ABORTED, NEW, PENDING_VERIFY, UNDEFINED, VALID, Layout, OtaEntry
from hypothesis import given, settings
from hypothesis import strategies as st
from sim.boards import board, run

CHIP = "esp32c3"
TABLE = partition_table.parse_csv(partitions.DEFAULT_TABLE)
OLD, FRESH = app_image.make("1.0", CHIP), app_image.make("2.0", CHIP)


def fresh_flash(*images):
    """A chip whose slots hold the images, and the addresses of the slots."""
    flash = partitions.blank_flash(TABLE, 4 << 20)
    for slot, image in zip(Layout(flash).slots, images, strict=False):
        flash.program(slot.offset, image)
    return flash


def booted(flash):
    """Label of the slot and version that start, or None."""
    found = partitions.boot(flash, CHIP)
    return found and (found[0].label, found[1].version)


def select(flash, label):
    layout = Layout(flash)
    partitions.select(layout, next(one for one in layout.slots if one.label == label))


def states(flash):
    return [entry.state for entry in Layout(flash).entries()]


# --- table


def test_the_csv_of_esp_idf_is_read():
    text = """
    # Name, Type, SubType, Offset, Size, Flags
    nvs,data,nvs,0x9000,24K
    otadata, data, ota, , 0x2000,
    ota_0, app, ota_0, , 1M
    ota_1, app, ota_1, , 1M,
    romfs, data, 0x8f, , 256K
    """
    table = partition_table.parse_csv(text)
    assert [(one.label, one.kind, one.subtype, one.offset, one.size) for one in table] == [
        ("nvs", 1, 2, 0x9000, 0x6000),
        ("otadata", 1, 0, 0xF000, 0x2000),
        ("ota_0", 0, 0x10, 0x20000, 0x100000),  # applications begin at a multiple of 64 KiB
        ("ota_1", 0, 0x11, 0x120000, 0x100000),
        ("romfs", 1, 0x8F, 0x220000, 0x40000),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "ota_0, app, ota_0, 0x11000, 1M",
        "x, data, nvs",
        "x, data, unheard, 0x9000, 4K",
        "nvs2, data, nvs, 0x9000, 8K",
    ],
)
def test_a_table_that_the_chip_could_not_use_is_refused(line):
    with pytest.raises(GroundnetError):
        partition_table.parse_csv(f"nvs, data, nvs, 0x9000, 16K\n{line}\n")


def test_an_entry_has_the_bytes_of_esp_idf():
    """CRC of sequence 1 as every tool writes it, 0x4743989a."""
    packed = OtaEntry.of(1, VALID).pack()
    assert packed == b"\x01\0\0\0" + b"\xff" * 20 + b"\x02\0\0\0" + b"\x9a\x98\x43\x47"
    assert OtaEntry.unpack(packed).selectable and not OtaEntry.unpack(b"\xff" * 32).whole


# --- images


def test_an_image_is_judged_as_a_boot_loader_does():
    def judge(image, chip=CHIP, thoroughly=True):
        return app_image.judge(
            lambda at, count: image[at : at + count].ljust(count, b"\xff"),
            1 << 20,
            chip,
            thoroughly=thoroughly,
        )

    assert judge(OLD) == app_image.AppDescription("1.0", "micropython", len(OLD))
    wrong_byte = OLD[:3000] + bytes([OLD[3000] ^ 4]) + OLD[3001:]
    wrong_hash = OLD[:-1] + bytes([OLD[-1] ^ 1])
    for bad, words in [
        (wrong_byte, "checksum"),
        (wrong_hash, "hash"),
        (b"\xff" * 64, "magic"),
        (OLD[:-40], "checksum"),
    ]:
        with pytest.raises(BadImage, match=words):
            judge(bad)
    with pytest.raises(BadImage, match="chip 5"):
        judge(OLD, "esp32s3")
    assert judge(wrong_byte, thoroughly=False).version == "1.0"  # the wake from deep sleep does not look


# --- selection and rollback


def test_a_blank_chip_starts_slot_0_and_writes_that_down():
    flash = fresh_flash(OLD, FRESH)
    assert booted(flash) == ("ota_0", "1.0")
    assert Layout(flash).entries()[0] == OtaEntry.of(1, VALID)
    assert booted(fresh_flash()) is None


def test_a_new_image_is_a_trial_and_stays_when_it_says_so():
    flash = fresh_flash(OLD, FRESH)
    booted(flash)
    select(flash, "ota_1")
    assert states(flash) == [VALID, NEW]
    assert booted(flash) == ("ota_1", "2.0") and states(flash) == [VALID, PENDING_VERIFY]
    layout = Layout(flash)
    layout.write_entry(1, OtaEntry.of(layout.entries()[1].sequence, VALID))
    assert booted(flash) == ("ota_1", "2.0")


def test_a_trial_that_says_nothing_is_given_up_for_good():
    flash = fresh_flash(OLD, FRESH)
    booted(flash)
    select(flash, "ota_1")
    booted(flash)
    assert booted(flash) == ("ota_0", "1.0") and states(flash) == [VALID, ABORTED]
    assert booted(flash) == ("ota_0", "1.0")
    select(flash, "ota_1")  # another attempt is a trial again
    assert booted(flash) == ("ota_1", "2.0")


def test_an_image_that_cannot_start_is_passed_over_and_its_trial_ends():
    flash = fresh_flash(OLD, FRESH[:-1] + b"?")
    booted(flash)
    select(flash, "ota_1")
    assert booted(flash) == ("ota_0", "1.0")
    assert booted(flash) == ("ota_0", "1.0") and states(flash)[1] == ABORTED


def test_a_factory_image_is_the_last_resort():
    table = partition_table.parse_csv(
        "otadata,data,ota,,8K\nfactory,app,factory,,1M\nota_0,app,ota_0,,1M\nota_1,app,ota_1,,1M"
    )
    flash = partitions.blank_flash(table, 8 << 20)
    flash.program(table[1].offset, OLD)
    flash.program(table[2].offset, FRESH)
    assert booted(flash) == ("factory", "1.0")
    select(flash, "ota_0")
    assert booted(flash) == ("ota_0", "2.0")
    assert booted(flash) == ("factory", "1.0")
    partitions.select(Layout(flash), Layout(flash).factory)
    assert states(flash) == [UNDEFINED] * 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["try 0", "try 1", "boot", "confirm"]), max_size=12))
def test_whatever_happens_something_starts_and_the_newest_selection_is_tried_once(actions):
    flash = fresh_flash(OLD, FRESH)
    running = booted(flash)[0]
    for action in actions:
        layout = Layout(flash)
        if action == "boot":
            pending = PENDING_VERIFY in states(flash)
            selected = layout.selected()
            running = booted(flash)[0]
            assert pending or running == selected.label
        elif action == "confirm":
            number = layout.active()
            layout.write_entry(number, OtaEntry.of(layout.entries()[number].sequence, VALID))
            assert booted(flash)[0] == layout.selected().label
        else:
            select(flash, f"ota_{action[-1]}")
            assert Layout(flash).selected().label == f"ota_{action[-1]}"
    assert running in ("ota_0", "ota_1")
    assert all(
        zlib.crc32(struct.pack("<I", entry.sequence), 0xFFFFFFFF) == entry.crc
        for entry in Layout(flash).entries()
        if entry.whole
    )


# --- esp32.Partition on a board

SHOW = "from esp32 import Partition as P; running = P(P.RUNNING)\n"


def lines_of(source, seconds=2.0, files=None, prepare=lambda device: None):
    with board(SHOW + source, files=files) as device:
        prepare(device)
        return run(device, seconds)


def test_partitions_are_found_and_told():
    assert lines_of("""
print([p.info()[4] for p in P.find()], [p.info()[4] for p in P.find(P.TYPE_DATA, label='romfs')])
print(running.info(), P(P.BOOT).info()[4], running.get_next_update().info()[4])
print(running.ioctl(4, 0), running.ioctl(5, 0), P('vfs').info()[:2])
""") == [
        "['ota_0', 'ota_1'] ['romfs']",
        "(0, 16, 65536, 1572864, 'ota_0', False) ota_0 ota_1",
        "384 4096 (1, 129)",
    ]


def test_errors_are_those_of_the_chip():
    assert lines_of("""
def attempt(what, *arguments):
    try:
        print(what(*arguments))
    except (OSError, ValueError) as error:
        print(repr(error))
attempt(P, 'nothing')
attempt(P, 2)
other = running.get_next_update()
attempt(other.set_boot)
attempt(other.readblocks, 384, bytearray(1))
attempt(other.readblocks, 385, bytearray(1))
attempt(other.writeblocks, 0, bytes(100))
attempt(P('vfs').set_boot)
""") == [
        "OSError(2,)",
        "ValueError()",
        "OSError(-5379, 'ESP_ERR_OTA_VALIDATE_FAILED')",
        "OSError(-260, 'ESP_ERR_INVALID_SIZE')",
        "OSError(-258, 'ESP_ERR_INVALID_ARG')",
        "OSError(-258, 'ESP_ERR_INVALID_ARG')",
        "OSError(-258, 'ESP_ERR_INVALID_ARG')",
    ]


def test_blocks_are_erased_and_programmed_as_nor_flash_is():
    assert lines_of("""
other, block = running.get_next_update(), bytearray(4)
other.writeblocks(1, b'\\x0f' * 4096); other.readblocks(1, block); print(block)
other.writeblocks(1, b'\\xf8' * 2, 1); other.readblocks(1, block); print(block)
other.ioctl(6, 1); other.readblocks(1, block); print(block)
""") == [
        r"bytearray(b'\x0f\x0f\x0f\x0f')",
        r"bytearray(b'\x0f\x08\x08\x0f')",
        r"bytearray(b'\xff\xff\xff\xff')",
    ]


def test_writing_to_what_runs_ends_in_a_panic():
    source = """
import machine
if machine.reset_cause() == machine.PWRON_RESET:
    running.writeblocks(0, bytes(4096))
print(machine.reset_cause(), running.info()[4])
"""
    assert lines_of(source) == ["2 ota_0"]


# The old image installs the new one, which confirms; each run of main.py prints what it saw.
UPDATE = (
    SHOW
    + """
import machine
name = running.info()[4]
print(name)
if name == 'ota_1':
    P.mark_app_valid_cancel_rollback()
    print('confirmed')
elif P(P.BOOT).info()[4] == 'ota_0':
    with open('/new', 'rb') as file:
        other, at, block = running.get_next_update(), 0, bytearray(b'\\xff' * 4096)
        while file.readinto(block):
            other.writeblocks(at, block)
            at += 1
    other.set_boot()
    machine.reset()
"""
)


def test_a_cut_at_every_step_of_an_update_starts_the_old_or_the_new_image():
    image = app_image.make("2.0", CHIP)
    seen, cut_at = set(), 0
    with board(UPDATE, files=BoardFs({"/new": image})) as device:
        while True:
            cut_at += 1
            start = device.files.steps

            def cut(step, at=start + cut_at):
                if step.number == at:
                    raise PowerCut

            device.base.make_new()
            device.files.on_step = cut
            run(device, 1.0)
            uncut = device.state != "off"
            device.power_off()
            device.files.on_step = lambda step: None
            begin = len(device.log)
            device.power_on()
            while device.state == "boot":
                device.world.step()
            assert (device.base.slot, device.base.version) in (("ota_0", BASE_VERSION), ("ota_1", "2.0"))
            seen.add(device.base.version)
            device.world.run_for(1_000_000)  # and the update is carried to its end from there
            assert "confirmed" in device.log[begin:]
            assert device.base.version == "2.0" and VALID in [e.state for e in device.base.layout().entries()]
            device.power_off()
            if uncut:
                break
    assert seen == {BASE_VERSION, "2.0"} and cut_at > 3 * 2 + 2 + 2 + 2


@pytest.mark.parametrize(
    "failing", ["machine.reset()", "1 / 0; ", "import time; machine.WDT(timeout=1000); time.sleep(9)"]
)
def test_a_trial_that_fails_is_rolled_back_by_the_boot_loader(failing):
    source = f"""
import machine
print(running.info()[4], machine.reset_cause())
if running.info()[4] == 'ota_1':
    {failing}
"""
    with board(SHOW + source) as device:
        device.base.put("ota_1", FRESH)
        run(device)
        select_on(device, "ota_1")
        device.press_reset()
        device.world.run_for(3_000_000)
        if (
            device.base.slot == "ota_1"
        ):  # an exception leaves it at the prompt: the next reset of any kind decides
            device.press_reset()
            device.world.run_for(1_000_000)
        assert device.base.slot == "ota_0"
        assert device.base.layout().entries()[1].state == ABORTED


def select_on(device, label):
    layout = device.base.layout()
    partitions.select(layout, next(one for one in layout.slots if one.label == label))


def test_deep_sleep_between_set_boot_and_reset_wakes_in_the_old_image():
    """The known trap: the boot loader goes back to what slept and looks at nothing."""
    source = """
import machine
print(running.info()[4], P(P.BOOT).info()[4])
if machine.reset_cause() == machine.PWRON_RESET:
    running.get_next_update().set_boot()
    machine.deepsleep(1000)
"""
    with board(SHOW + source) as device:
        device.base.put("ota_1", FRESH)
        assert run(device, 3.0) == ["ota_0 ota_0", "ota_0 ota_1"]
        device.press_reset()
        device.world.run_for(1_000_000)
        assert device.base.slot == "ota_1"


def test_a_trial_may_sleep_deeply_without_losing_its_chance():
    source = """
import machine
if running.info()[4] == 'ota_1':
    if machine.reset_cause() == machine.DEEPSLEEP_RESET:
        P.mark_app_valid_cancel_rollback()
    else:
        machine.deepsleep(1000)
"""
    with board(SHOW + source) as device:
        device.base.put("ota_1", FRESH)
        run(device)
        select_on(device, "ota_1")
        device.press_reset()
        device.world.run_for(3_000_000)
        assert device.base.slot == "ota_1" and states_on(device)[1] == VALID


def states_on(device):
    return [entry.state for entry in device.base.layout().entries()]


def test_a_board_without_an_image_starts_nothing():
    with board("print('hello')") as device:
        for one in device.base.layout().slots:
            device.base.put(one.label, b"\xff" * 4096)
        assert run(device) == [] and device.state == "boot" and device.base.slot == ""
