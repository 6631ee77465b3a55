"""The SX1262's SPI port (datasheet 8.3, 10): chip select, BUSY, opcode and argument bytes, answers."""

from typing import Protocol

from groundnet.sim.signals import Line
from groundnet.sim.world import Event, World


class CommandSet(Protocol):
    """What the port hands on to."""

    def on_select(self) -> str: ...  # why the chip does not listen, or ""
    def execute(self, command: bytes) -> None: ...
    def answer(self, command: bytes) -> bytes | None: ...  # None: not complete, or nothing to read
    def status_byte(self) -> int: ...
    def refuse(self, reason: str) -> None: ...


class CommandPort:
    """Collects one transaction from falling to rising chip select, then executes it and holds BUSY.

    Args:
        world: clock.
        busy: the BUSY pin.
        commands: the chip behind the port.
    """

    def __init__(self, world: World, busy: Line, commands: CommandSet) -> None:
        self._world = world
        self._busy = busy
        self._commands = commands
        self._command = bytearray()
        self._answer: bytes | None = None
        self._answer_from = 0
        self._deaf = True
        self._release: Event | None = None

    def select(self) -> None:
        self._command.clear()
        self._answer = None
        reason = self._commands.on_select()
        if not reason and self._busy.level:
            reason = "command while busy"
            self._commands.refuse(reason)
        self._deaf = bool(reason)

    def spi_transfer(self, data: bytes) -> bytes:
        """Clock bytes in; what comes out is the status byte until the command has an answer."""
        if self._deaf:
            return bytes(len(data))
        out = bytearray()
        for byte in data:
            if self._answer is None:
                self._answer = self._commands.answer(bytes(self._command))
                self._answer_from = len(self._command) + 1  # the status byte comes first
            index = len(self._command) - self._answer_from
            if self._answer is None or index < 0:
                out.append(self._commands.status_byte())
            else:
                out.append(self._answer[index] if index < len(self._answer) else 0)
            self._command.append(byte)
        return bytes(out)

    def deselect(self) -> None:
        if not self._deaf and self._command:
            self._commands.execute(bytes(self._command))
        self._deaf = True

    def hold_busy(self, duration_us: int) -> None:
        """BUSY is high for this long from now on."""
        self.hold_busy_until_woken()
        self._release = self._world.after(duration_us, lambda: self._busy.drive(0))

    def hold_busy_until_woken(self) -> None:
        """BUSY is high: the chip sleeps."""
        if self._release is not None:
            self._release.cancel()
        self._busy.drive(1)
