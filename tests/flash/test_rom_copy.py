"""The device copies its application from the slot to where it runs, on real MicroPython."""

import hashlib
import random
import struct

import pytest
from groundnet.flash.rom_copy import CopyFailed, copy
from groundnet.image import romfs
from groundnet.link.errors import CodeFailed
from groundnet.sim.board import VirtualBoard
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.pacing import hold_while
from groundnet.sim.world import World

MANIFEST = b'{"format":1}'


def bundle(image):
    return struct.pack("<4sII", b"GNB1", len(MANIFEST), len(image)) + MANIFEST + image


def copied(files, sha256):
    with VirtualBoard(World(1), "board", files=files) as board:
        board.power_on()
        board.world.run_for(500_000)
        hold_while(board.world, [board], lambda: copy(board.pty_path, sha256))


@pytest.mark.parametrize("size", [1, 15, 4096, 4097, 40_000])
def test_the_rom_partition_holds_the_image_and_nothing_of_the_piece_before(size):
    image = random.Random(size).randbytes(size)
    files = BoardFs({"/slots/a.gnb": bundle(image)})
    copied(files, hashlib.sha256(image).hexdigest())
    assert files.rom[:size] == image
    assert set(files.rom[size : -(-size // 16) * 16]) <= {0xFF}


def test_what_was_copied_can_be_imported():
    image = romfs.image({"/fresh.py": b"WORD = 'here'\n"})
    files = BoardFs({"/slots/a.gnb": bundle(image), "/main.py": b"import fresh\nprint(fresh.WORD)\n"})
    with VirtualBoard(World(1), "board", files=files) as board:
        board.power_on()
        board.world.run_for(500_000)
        hold_while(board.world, [board], lambda: copy(board.pty_path, hashlib.sha256(image).hexdigest()))
        board.press_reset()
        board.world.run_until(board.world.now_us + 1_000_000)
        assert "here" in board.log


def boot_state(counter, least):
    """The blob after a copy, by firmware/apps/boot_state.py: form 1, slot a in force and in ROM, no trial."""
    with VirtualBoard(World(1), "board", files=BoardFs({"/slots/a.gnb": bundle(b"image")})) as board:
        board.power_on()
        board.world.run_for(500_000)
        sha256 = hashlib.sha256(b"image").hexdigest()
        hold_while(board.world, [board], lambda: copy(board.pty_path, sha256, counter, least))
        return board.memory.nvs[b"groundnet", b"boot"]


def test_the_boot_state_says_which_slot_is_in_rom_and_what_is_too_old():
    blob = boot_state(7, (0, 3, 258))
    assert struct.unpack("<BBBBBIHHHHHH", blob) == (1, 0, 255, 0, 0, 7, 0, 3, 258, 0, 0, 0)
    assert boot_state(0, (0, 0, 0))[5:] == bytes(16)


def test_a_copy_that_is_not_right_stays_marked_as_being_written():
    with VirtualBoard(World(1), "board", files=BoardFs({"/slots/a.gnb": bundle(b"image")})) as board:
        board.power_on()
        board.world.run_for(500_000)
        with pytest.raises(CopyFailed):
            hold_while(board.world, [board], lambda: copy(board.pty_path, "00" * 32))
        assert board.memory.nvs[b"groundnet", b"boot"][:5] == bytes((1, 0, 255, 0, 255))


def test_another_hash_and_a_missing_slot_are_told():
    with pytest.raises(CopyFailed):
        copied(BoardFs({"/slots/a.gnb": bundle(b"image")}), "00" * 32)
    with pytest.raises(CodeFailed, match="ENOENT"):
        copied(BoardFs({}), "00" * 32)


def test_an_image_larger_than_the_partition_is_told():
    with pytest.raises(CodeFailed, match="ROM partition"):
        copied(BoardFs({"/slots/a.gnb": bundle(bytes(300 * 1024))}), "00" * 32)
