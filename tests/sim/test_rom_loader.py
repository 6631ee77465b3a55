"""Stock esptool, as a program of its own, on a virtual board in download mode."""

import hashlib
import struct
import subprocess
import sys

import pytest
from groundnet.image import app_image, partition_table
from groundnet.image.partition_table import TABLE_OFFSET, pack
from groundnet.sim import partitions
from groundnet.sim.boardfs import PowerCut
from groundnet.sim.pacing import hold_while
from groundnet.sim.world import World
from sim.boards import board
from sim.test_mpremote import Served

TABLE = partition_table.parse_csv(partitions.DEFAULT_TABLE)
MAC = bytes.fromhex("a0b1c2d3e4f5")


def merged_image(version, chip="esp32c3"):
    """Boot loader, table and application as one file for address 0, as `esptool merge-bin` makes it."""
    image = bytearray(b"\xff" * TABLE[3].offset) + app_image.make(version, chip)
    loader, table = app_image.make_boot_loader(chip), pack(TABLE)
    image[: len(loader)] = loader
    image[TABLE_OFFSET : TABLE_OFFSET + len(table)] = table
    return bytes(image)


def esptool(device, *arguments, before="no-reset", code=0):
    """Run it against the board; what it printed."""
    command = [sys.executable, "-m", "esptool", "--port", device.pty_path, "--before", before, *arguments]
    done = hold_while(
        device.world,
        [device],
        lambda: subprocess.run(command, capture_output=True, text=True, timeout=60, check=False),
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def waiting():
    with board("print('hello')", unique_id=MAC) as device:
        device.start_download()
        yield device


def test_the_rom_says_that_it_waits(waiting):
    assert waiting.log.splitlines()[-1] == "waiting for download" and waiting.state == "download"


@pytest.mark.parametrize(("chip", "name"), [("esp32c3", "ESP32-C3"), ("esp32s3", "ESP32-S3")])
def test_chip_mac_and_flash_are_told(chip, name):
    with board(chip=chip, unique_id=MAC) as device:
        device.start_download()
        said = esptool(device, "--no-stub", "--after", "no-reset", "flash-id")
        assert f"Connected to {name}" in said and "a0:b1:c2:d3:e4:f5" in said and "8MB" in said
        assert device.state == "download"


@pytest.mark.parametrize("stub", [["--no-stub"], []])
def test_a_merged_image_changes_what_boots(waiting, stub, tmp_path):
    waiting.memory.nvs[b"groundnet", b"boot"] = b"x"
    (tmp_path / "base.bin").write_bytes(merged_image("2.0"))
    said = esptool(
        waiting, *stub, "--after", "watchdog-reset", "write-flash", "0", str(tmp_path / "base.bin")
    )
    assert "Hash of data verified" in said
    waiting.world.run_for(1_000_000)
    assert (waiting.state, waiting.base.slot, waiting.base.version) == ("running", "ota_0", "2.0")
    assert "hello" in waiting.log
    assert not waiting.memory.nvs  # a merged image fills the gap before the application


def test_a_closed_port_stands_for_the_reset_line(waiting, tmp_path):
    (tmp_path / "app.bin").write_bytes(app_image.make("3.0", "esp32c3"))
    arguments = ["--no-stub", "write-flash", "--no-compress", "0x10000", str(tmp_path / "app.bin")]
    assert "RTS" in esptool(waiting, *arguments)
    waiting.world.run_for(2_000_000)
    assert waiting.state == "running" and waiting.base.version == "3.0"


def test_an_image_of_another_chip_is_written_and_not_started(waiting, tmp_path):
    (tmp_path / "app.bin").write_bytes(app_image.make("3.0", "esp32s3"))
    said = esptool(
        waiting, "--no-stub", "--after", "no-reset", "write-flash", "0x10000", str(tmp_path / "app.bin")
    )
    assert "not an ESP32-C3 image" in said
    waiting.press_reset()
    waiting.world.run_for(1_000_000)
    assert waiting.state == "boot" and waiting.base.slot == ""


def test_a_board_of_the_command_line_waits_for_esptool_and_then_runs(tmp_path):
    (tmp_path / "app.bin").write_bytes(app_image.make("3.0", "esp32c3"))
    served = Served("--blank", "--download")
    try:
        port = ["--port", served.pty, "--before", "no-reset", "--after", "watchdog-reset"]
        command = [
            sys.executable,
            "-m",
            "esptool",
            *port,
            "write-flash",
            "0x10000",
            str(tmp_path / "app.bin"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        # The description of an application lies 32 bytes into its image, the version 16 bytes into that.
        ask = "import esp32; p = esp32.Partition(1); b = bytearray(3); p.readblocks(0, b, 48); print(b.decode())"
        assert served.mpremote("exec", ask) == "3.0\n"
    finally:
        assert served.stop() == 0


# --- frames, without esptool


def request(command, data=b"", checksum=0):
    packet = struct.pack("<BBHI", 0, command, len(data), checksum) + data
    return b"\xc0" + packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def ask(device, *packets):
    """Status bytes and value of each answer."""
    heard = bytearray()
    device.console.listeners.append(heard.extend)
    for packet in packets:
        device.console.feed(packet)
        device.world.run_for(1_000_000)
    device.console.listeners.clear()
    frames = [
        frame.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
        for frame in bytes(heard).split(b"\xc0")
        if frame
    ]
    return [(frame[8:10].hex(), int.from_bytes(frame[4:8], "little")) for frame in frames]


def checksum(data):
    value = 0xEF
    for byte in data:
        value ^= byte
    return value


def test_sync_is_answered_eight_times_and_noise_not_at_all(waiting):
    sync = request(8, b"\x07\x07\x12\x20" + b"\x55" * 32)
    assert ask(waiting, b"\x00\xffnoise", sync) == [("0000", 0x20120707)] * 8
    assert ask(waiting, sync[:7], sync[7:]) == [("0000", 0x20120707)] * 8


def test_damaged_and_unknown_commands_have_the_rom_s_reasons(waiting):
    begin = request(2, struct.pack("<IIIII", 4096, 1, 1024, 0x10000, 0))
    block = struct.pack("<IIII", 4, 0, 0, 0) + b"\xe9\xc0\xdb\x00"
    assert ask(waiting, begin, request(3, block, checksum(block[16:]) ^ 1)) == [("0000", 0), ("0107", 0)]
    assert ask(waiting, request(3, block, checksum(block[16:]))) == [("0000", 0)]
    assert waiting.base.flash.read(0x10000, 5) == b"\xe9\xc0\xdb\x00\xff"
    assert ask(waiting, request(0x77), request(0xD0), request(2, b"")) == [("0105", 0)] * 3
    assert ask(waiting, request(2, struct.pack("<IIIII", 4096, 1, 1024, 8 << 20, 0))) == [("0106", 0)]
    deflated = struct.pack("<IIII", 4, 0, 0, 0) + b"none"
    assert ask(waiting, request(0x11, deflated, checksum(b"none"))) == [("010b", 0)]


def test_a_cut_while_the_running_slot_is_written_leaves_the_loader_reachable():
    """What only a cable can mend: with its one image half written, the chip starts nothing and waits in its ROM."""
    with board(world=World()) as device:
        device.start_download()
        image = app_image.make("2.0", "esp32c3")
        block = struct.pack("<IIII", 1024, 0, 0, 0) + image[:1024]
        ask(device, request(2, struct.pack("<IIIII", len(image), 9, 1024, 0x10000, 0)))

        def cut(step):
            raise PowerCut

        device.files.on_step = cut
        assert ask(device, request(3, block, checksum(image[:1024]))) == [] and device.state == "off"
        device.files.on_step = lambda step: None
        device.power_on()
        device.world.run_for(1_000_000)
        assert device.state == "boot" and device.base.slot == ""
        device.start_download()
        assert (
            ask(device, request(0x13, struct.pack("<IIII", 0x10000, 512, 0, 0)))[0][0]
            == hashlib.md5(image[:512]).hexdigest()[:2].encode().hex()
        )
