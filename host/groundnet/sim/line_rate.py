"""How fast bytes pass between a board's console and its host, in virtual time."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from groundnet.sim.world import Event, World

_BITS_PER_BYTE = 10  # start, 8 data, stop
_PIECE_BYTES = 16  # delivered at once, when the last of them has arrived
_USB_BYTES_PER_S = (
    800_000  # of a full-speed CDC port; 1,216,000 is the most that bulk packets carry (USB 2.0, 5.8.4)
)
_UART_BUFFER_BYTES = 260  # stdin_ringbuf of MicroPython's ESP32 port


@dataclass(frozen=True)
class LineRate:
    """``buffer_bytes``: what the board holds before it reads; more is lost. None: the host is made to wait."""

    bytes_per_s: int
    buffer_bytes: int | None = None


USB = LineRate(_USB_BYTES_PER_S)


def uart(baudrate: int) -> LineRate:
    """A UART with 8 data bits, no parity, no flow control."""
    return LineRate(baudrate // _BITS_PER_BYTE, _UART_BUFFER_BYTES)


class Pipe:
    """One direction: what goes in comes out later, in its order, at ``deliver``."""

    def __init__(self, world: World, rate: LineRate, deliver: Callable[[bytes], None]) -> None:
        self._world = world
        self._rate = rate
        self._deliver = deliver
        self._free_us = 0.0  # when the last byte has passed
        self._coming: deque[tuple[Event, bytes]] = deque()
        self.busy_us = 0.0  # so long it has been in use

    @property
    def under_way(self) -> bool:
        return bool(self._coming)

    def put(self, data: bytes) -> None:
        self._free_us = max(self._free_us, float(self._world.now_us))
        for at in range(0, len(data), _PIECE_BYTES):
            piece = data[at : at + _PIECE_BYTES]
            duration_us = len(piece) * 1e6 / self._rate.bytes_per_s
            self._free_us += duration_us
            self.busy_us += duration_us
            self._coming.append((self._world.at(round(self._free_us), self._arrive), piece))

    def stop(self) -> None:
        """Whoever speaks falls silent; what has not arrived never does."""
        for event, _ in self._coming:
            event.cancel()
        self._coming.clear()
        self._free_us = 0.0

    def _arrive(self) -> None:
        self._deliver(self._coming.popleft()[1])
