"""SX1262: the SPI port (DS_SX1261-2_V2.1 8.3, 10): one command at a time, and none while BUSY is high."""

import time

from micropython import const

_WRITE_REGISTER = const(0x0D)  # 13.2.1: address[2], data
_READ_REGISTER = const(0x1D)  # 13.2.2: address[2], nop

_BUSY_TIMEOUT_MS = const(100)  # longest legal BUSY: calibration of everything 3.5 ms, TCXO start 10 ms


class Sx1262Error(Exception):
    """The chip is missing or answers nonsense, or a parameter is outside its range."""


class Sx1262Busy(Sx1262Error):
    """BUSY did not fall: only ``Sx1262.begin``, which resets the chip, can help."""


class Port:
    """Commands, answers and registers of one chip.

    Args:
        spi: machine.SPI, mode 0, at most 16 MHz.
        cs: machine.Pin, output, 1.
        busy: machine.Pin, input.
    """

    def __init__(self, spi, cs, busy):
        self.spi = spi
        self.cs = cs
        self._busy = busy
        command = memoryview(bytearray(10))
        self.answer = command
        self._views = tuple(command[:size] for size in range(11))  # slicing allocates: do it once
        self._answers = tuple(command[1 : size + 2] for size in range(4))
        self.asleep = False  # or may be: the next command has to wake it

    def command(self, opcode: int, *args) -> None:
        """One command without an answer."""
        self.open(opcode, *args)
        self.cs(1)

    def ask(self, opcode: int, count: int, *args) -> int:
        """One command with an answer of ``count`` bytes: status in answer[1], what was asked from answer[2] on.

        Returns:
            The first byte asked for. Raises Sx1262Error when the status names no mode that exists (13.5.1):
            nobody drives the line.
        """
        self.open(opcode, *args)
        self.spi.readinto(self._answers[count])
        self.cs(1)
        if not 0x20 <= self.answer[1] & 0x7F < 0x70:
            raise Sx1262Error("no answer on SPI")
        return self.answer[2]

    def open(self, opcode: int, *args) -> None:
        """Wait until the chip listens, select it, send opcode and arguments; chip select stays low."""
        command = self.answer
        command[0] = opcode
        for index in range(len(args)):
            command[index + 1] = args[index]
        self.wait_idle()
        self.cs(0)
        self.spi.write(self._views[len(args) + 1])

    def write_register(self, register: int, data: bytes) -> None:
        """``data`` into this register and those behind it."""
        self.open(_WRITE_REGISTER, register >> 8, register & 0xFF)
        self.spi.write(data)
        self.cs(1)

    def read_register(self, register: int) -> int:
        return self.ask(_READ_REGISTER, 1, register >> 8, register & 0xFF)

    def set_bits(self, register: int, mask: int, value: int) -> None:
        """Only the bits in ``mask``: the others of a register in section 15 are Semtech's."""
        self.write_register(register, bytes((self.read_register(register) & ~mask & 0xFF | value,)))

    def wake(self) -> None:
        """A falling chip select wakes the chip (9.3); BUSY is high until it is ready."""
        self.cs(0)
        time.sleep_us(100)
        self.cs(1)
        self.asleep = False
        self.wait_idle()

    def wait_idle(self) -> None:
        if not self._busy():
            return
        deadline_ms = time.ticks_add(time.ticks_ms(), _BUSY_TIMEOUT_MS)
        while self._busy():
            if time.ticks_diff(deadline_ms, time.ticks_ms()) <= 0:
                raise Sx1262Busy("stuck busy")
            time.sleep_us(50)  # a mode change takes 30 us, a wake-up 340 us, a calibration milliseconds
