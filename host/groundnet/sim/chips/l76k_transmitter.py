"""The serial output of a receiver: sentences one after the other at the pace of the baud rate."""

from collections import deque
from collections.abc import Iterable

from groundnet.sim.signals import Uart
from groundnet.sim.world import US_PER_S, Event, World

_BITS_PER_CHARACTER = 10  # 8N1


class Transmitter:
    """Sends what it is given; each sentence reaches the board when its last character has left.

    ``baud_rate`` is the receiver's; at another one than the board's, what arrives is garbage.
    """

    def __init__(self, world: World, uart: Uart) -> None:
        self._world = world
        self._uart = uart
        self._waiting: deque[bytes] = deque()
        self._event: Event | None = None
        self.baud_rate = 9600

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    @property
    def matches_board(self) -> bool:
        return self._uart.baudrate == self.baud_rate

    def send(self, sentences: Iterable[bytes], delay_us: int = 0) -> None:
        """Queue sentences; on a quiet line the first one begins after ``delay_us``."""
        idle = not self._waiting
        self._waiting.extend(sentences)
        if idle and self._waiting:
            self._schedule(delay_us)

    def stop(self) -> None:
        """What has not arrived yet never will."""
        self._waiting.clear()
        if self._event is not None:
            self._event.cancel()

    def _schedule(self, delay_us: int = 0) -> None:
        duration_us = len(self._waiting[0]) * _BITS_PER_CHARACTER * US_PER_S // self.baud_rate
        self._event = self._world.after(delay_us + duration_us, self._deliver)

    def _deliver(self) -> None:
        text = self._waiting.popleft()
        if self._waiting:
            self._schedule()
        self._uart.send(text if self.matches_board else _misread(text))


def _misread(text: bytes) -> bytes:
    """Framing errors: fewer characters, and other ones."""
    return bytes((byte * 37 + 11) & 0xFF for byte in text[::2])
