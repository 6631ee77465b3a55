"""Bundles of MicroPython itself: what is taken out of a build, what is refused, and that a board starts it."""

import struct

import pytest
from bundle.base_builds import BOARD, TABLE, firmware_bin, micropython
from groundnet.bundle import build, container
from groundnet.bundle.base_payload import BadBaseImage
from groundnet.errors import GroundnetError
from groundnet.sim import partitions


def flipped(image, at):
    broken = bytearray(image)
    broken[at] ^= 1
    return bytes(broken)


@pytest.mark.parametrize("put_together", [firmware_bin, bytes, lambda image: image + bytes(5000)])
def test_the_application_is_taken_out_of_a_build(put_together):
    image = micropython()
    found = container.parse(build.build_base(put_together(image), "tag", BOARD, security_counter=3))
    assert found.image == image
    assert {name: found.manifest[name] for name in ("kind", "version", "board", "files", "settings")} == {
        "kind": "base",
        "version": "1.29.1",
        "board": BOARD,
        "files": {},
        "settings": {},
    }


def test_the_boot_loader_of_a_board_starts_it():
    image = container.parse(build.build_base(firmware_bin(micropython()), "tag", BOARD)).image
    flash = partitions.blank_flash(TABLE, 4 << 20)
    layout = partitions.Layout(flash)
    flash.program(layout.slots[1].offset, image)
    partitions.select(layout, layout.slots[1])
    started, description = partitions.boot(flash, "esp32c3")
    assert (started.label, description.version) == ("ota_1", "v1.29.1")


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (b"", "cut off"),
        (micropython()[:1000], "does not fit"),
        (micropython()[:-1], "cut off"),
        (micropython(chip="esp32s3"), "chip 9"),
        (micropython(rom=False), "without ROMFS"),
        (micropython("latest"), "its version"),
        (flipped(micropython(), 3000), "checksum"),
        (flipped(micropython(), -1), "hash"),
        (micropython(code_bytes=0x180000), "a slot of"),
        (struct.pack("<4sII", b"GNB1", 0, 0).ljust(64), "magic"),
    ],
)
def test_what_the_board_would_not_start_is_refused(image, words):
    with pytest.raises(BadBaseImage, match=words) as caught:
        build.build_base(image, "tag", BOARD)
    assert caught.value.cause.zh and "hardware/micropython" in caught.value.action


def test_the_terms_are_checked_as_for_an_application():
    with pytest.raises(GroundnetError, match="no version"):
        build.build_base(micropython(), "tag", version="1")
    with pytest.raises(GroundnetError, match="counter is out of range"):
        build.build_base(micropython(), "tag", security_counter=-1)


def test_an_application_of_that_size_is_none():
    """262,144 bytes is the ROM partition; only a base image may be larger."""
    found = container.parse(build.build_base(micropython(code_bytes=300_000), "tag", BOARD))
    manifest = {name: value for name, value in found.manifest.items() if name != "kind"}
    with pytest.raises(container.NotABundle, match="too large"):
        container.parse(container.pack(manifest, found.image))
