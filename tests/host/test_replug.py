"""A board that comes back is known again: by its number, by its socket, by its path."""

import pytest
from groundnet.link.ports import SerialPort
from groundnet.link.replug import Gone, await_return

BOARD = SerialPort("/dev/ttyACM0", "USB JTAG", "34:85:18:AB:CD:EF", 0x303A, 0x1001, "1-1")
OTHER = SerialPort("/dev/ttyACM1", "USB JTAG", "34:85:18:00:00:01", 0x303A, 0x1001, "1-2")
MOVED = SerialPort("/dev/ttyACM7", "USB JTAG", "34:85:18:AB:CD:EF", 0x303A, 0x1001, "2-4")


def test_the_same_number_under_another_path_is_the_same_board():
    assert await_return(BOARD, 1.0, lambda: [OTHER, MOVED]) == MOVED


def test_another_board_in_the_same_place_is_not_it():
    in_its_place = SerialPort("/dev/ttyACM0", "USB JTAG", "34:85:18:00:00:02", 0x303A, 0x1001, "1-1")
    with pytest.raises(Gone) as caught:
        await_return(BOARD, 0.0, lambda: [OTHER, in_its_place])
    assert "/dev/ttyACM0" in caught.value.cause


def test_a_board_without_a_number_is_known_by_its_socket():
    bridge = SerialPort("/dev/ttyUSB0", "CP2102", "0001", 0x10C4, 0xEA60, "1-3")
    twin = SerialPort("/dev/ttyUSB1", "CP2102", "0001", 0x10C4, 0xEA60, "1-4")
    again = SerialPort("/dev/ttyUSB4", "CP2102", "0001", 0x10C4, 0xEA60, "1-3")
    assert await_return(bridge, 0.0, lambda: [twin, again]) == again


def test_a_port_that_usb_does_not_know_comes_back_as_its_path(tmp_path):
    path = tmp_path / "board"
    with pytest.raises(Gone):
        await_return(SerialPort(str(path)), 0.0)
    path.touch()
    assert await_return(SerialPort(str(path)), 0.0).path == str(path)
