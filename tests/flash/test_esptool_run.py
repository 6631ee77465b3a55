"""esptool's command line, and what its own messages become. The program that fails here is the real esptool."""

import os
import pty
import tty
from pathlib import Path

import pytest
import serial
from groundnet.errors import Text
from groundnet.flash import esptool_run
from groundnet.flash.esptool_run import BaseImageError, explain, run, write_command


class SilentBoard:
    """A PTY on which nothing answers."""

    def __enter__(self):
        self._ends = pty.openpty()
        tty.setraw(self._ends[1])
        self.path = os.ttyname(self._ends[1])
        return self

    def __exit__(self, *_):
        for end in self._ends:
            os.close(end)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "base.bin"
    path.write_bytes(bytes(4096))
    return path


def failure(port, image, monkeypatch):
    monkeypatch.setattr(esptool_run, "_CONNECT_ATTEMPTS", 1)
    with pytest.raises(BaseImageError) as caught:
        run(port, write_command(port, "esp32c3", [(0, image)], in_bootloader=False))
    return caught.value


def test_the_command_names_port_chip_and_offsets():
    command = write_command("/dev/ttyACM0", "esp32c3", [(0, Path("a.bin"))], in_bootloader=True)
    line = " ".join(command)
    assert "-m esptool --port /dev/ttyACM0 --chip esp32c3" in line
    assert "--before no-reset --after hard-reset" in line and line.endswith(
        "write-flash --flash-size detect 0x0 a.bin"
    )
    asleep = write_command("p", "esp32", [(0x1000, Path("a.bin"))], in_bootloader=False)
    assert "default-reset" in asleep and asleep[-2:] == ["0x1000", "a.bin"]


def test_a_port_that_is_gone(image, monkeypatch):
    error = failure("/dev/no-such", image, monkeypatch)
    assert error.cause == "/dev/no-such is not there any more" and error.transient


def test_a_port_that_another_program_holds(image, monkeypatch):
    with SilentBoard() as board, serial.Serial(board.path, exclusive=True):
        error = failure(board.path, image, monkeypatch)
    assert "held by another program" in error.cause and not error.transient


def test_a_board_that_is_silent(image, monkeypatch):
    with SilentBoard() as board:
        error = failure(board.path, image, monkeypatch)
    assert error.cause == f"no bootloader answers on {board.path}" and "BOOT" in error.action


SAID = {  # as esptool 5.6 words them
    "A fatal error occurred: Failed to connect to ESP32-C3: Wrong boot mode detected (0x8)! The chip needs to be in "
    "download mode.\nFor troubleshooting steps visit: https://docs.espressif.com/": "(boot mode 0x8)",
    "A fatal error occurred: This chip is ESP32-S3, not ESP32-C3. Wrong chip argument?": "is an ESP32-S3, not an",
    "A fatal error occurred: Download mode successfully detected, but getting no sync reply: The serial TX path\n"
    "seems to be down.": "does not hear",
    "A fatal error occurred: Could not open /dev/ttyACM0, the port is busy or doesn't exist.\n([Errno 13] could not "
    "open port /dev/ttyACM0: [Errno 13] Permission denied: '/dev/ttyACM0')": "may not open",
    "A fatal error occurred: MD5 of file does not match data in flash!": "broke off",
    "A fatal error occurred: Serial data stream stopped: Possible serial noise or corruption.": "broke off",
    "A fatal error occurred: File 'x.bin' (length 5000000) at offset 0x00000000 will not fit in 4194304 bytes of "
    "flash. Change the flash_size argument or flashing address.": "larger than the flash",
    "A fatal error occurred: The 'x' command is not available in Secure Download Mode.": "closed to plain downloads",
    "A fatal error occurred: Something new.": "esptool failed on p: Something new.",
    "": "no message",
}


@pytest.mark.parametrize(("said", "cause"), SAID.items())
def test_each_message_has_its_own_meaning_in_both_languages(said, cause):
    error = explain("p", said)
    assert cause in error.cause
    assert isinstance(error.cause, Text) and isinstance(error.action, Text)
    assert error.cause.zh != error.cause and error.action.zh != error.action
