"""USB relay boards with a CH340 that take four bytes a switch: A0, channel, state, sum (sold as LCUS-1 to LCUS-8)."""

from groundnet.bench.instruments.line import Line

_START = 0xA0


class Relay:
    """They answer nothing: what was switched is known from what was sent."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.name = line.name

    def identity(self) -> str:
        return "LCUS relay board"

    def switch(self, channel: int, on: bool) -> None:
        """Channel 1 is the first. Raises InstrumentError when the board is gone."""
        head = bytes((_START, channel, int(on)))
        self._line.write(head + bytes((sum(head) & 0xFF,)))

    def close(self) -> None:
        self._line.close()
