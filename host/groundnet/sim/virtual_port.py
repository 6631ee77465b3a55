"""The serial port of a virtual board for a program in this very process, whose waits are the world's time.

Has what such programs use of `serial.Serial`. Nothing depends on how fast the computer is.
"""

import serial

from groundnet.errors import GroundnetError
from groundnet.sim.board import VirtualBoard


class VirtualPort:
    """An open port. ``timeout`` in seconds of virtual time, None waits for ever."""

    def __init__(self, board: VirtualBoard, timeout: float | None = None) -> None:
        self.timeout = timeout
        self.port = board.name
        self.baudrate = 115_200
        self.rts = self.dtr = True
        self.board = board
        self._received = bytearray()
        self._in = True
        board.console.listeners.append(self._received.extend)

    @property
    def in_waiting(self) -> int:
        self._look()
        return len(self._received)

    def inWaiting(self) -> int:
        return self.in_waiting

    def read(self, size: int = 1) -> bytes:
        """At most ``size`` bytes; fewer when the timeout ends. Raises SerialException without a cable."""
        world = self.board.world
        end_us = None if self.timeout is None else world.now_us + round(self.timeout * 1e6)
        while len(self._received) < size:
            self._look()
            next_us = world.next_event_us()
            if end_us is not None and (next_us is None or next_us > end_us):
                world.run_until(end_us)
                break
            if not world.step():
                raise GroundnetError(f"nothing will ever come from {self.port}", "give the port a timeout")
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def write(self, data: bytes) -> int:
        self._look()
        if data:
            self.board.console.feed(bytes(data))
        return len(data)

    def reset_input_buffer(self) -> None:
        self._received.clear()

    def unplug(self) -> None:
        """The cable is pulled; the board keeps its power."""
        self._in = False
        self._received.clear()

    def open(self) -> None:
        self._in = True

    def isOpen(self) -> bool:
        return self._in

    def close(self) -> None:
        self._in = False
        if self._received.extend in self.board.console.listeners:
            self.board.console.listeners.remove(self._received.extend)

    # --- the clock of who uses it, as the module ``time``

    def monotonic(self) -> float:
        return self.board.world.now_us / 1e6

    def sleep(self, seconds: float) -> None:
        self.board.world.run_for(round(seconds * 1e6))

    def _look(self) -> None:
        self.board.world.run_for(0)
        if not self._in:
            raise serial.SerialException(5, f"{self.port} is gone")
