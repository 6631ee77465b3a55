"""One board with real MicroPython on a line in virtual time, and lines that lose, flip or end."""

import random

import serial
from groundnet.flash.deploy import deploy
from groundnet.flash.orders import PART
from groundnet.sim.board import OFF, VirtualBoard
from groundnet.sim.boardfs import BoardFs, PowerCut
from groundnet.sim.line_rate import USB
from groundnet.sim.virtual_port import VirtualPort
from groundnet.sim.world import World

KEYS = bytes(range(6)) * 40 + b"\r\n\x03\x04\x00"  # what a prompt and a link take for theirs


class Desk:
    """A board that stays the same through power cuts; `deploy` powers it if it is off.

    Args:
        files: what is on it.
        rate: of its line.
    """

    def __init__(self, files=None, rate=USB, **options):
        self.files = BoardFs(files or {}, **options)
        self.board = VirtualBoard(World(1), "board", files=self.files)
        self.board.console.limit(self.board.world, rate)
        self.cut_at = 0
        self.files.on_step = self._step

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.board.close()

    def restart(self, files):
        """Another board, as good as new, in the same process."""
        self.cut_at = 0
        self.board.power_off()
        self.files.erase()
        for path, data in files.items():
            self.files[path] = data
        self.files.steps = 0

    def port(self):
        """A line to the board, which has power."""
        if self.board.state == OFF:
            self.board.power_on()
            self.board.world.run_for(200_000)
        return VirtualPort(self.board)

    def deploy(self, files, port=None, **options):
        port = port or self.port()
        try:
            return deploy(port, files, clock=port.monotonic, **options)
        finally:
            port.close()

    def content(self):
        return {path: self.files[path] for path in self.files.paths()}

    def assert_old_or_new(self, old, new):
        """Each file is one of the two; what else there is are parts."""
        there = self.content()
        for path in old.keys() | new.keys():
            assert there.pop(path, None) in (old.get(path), new.get(path)), path
        assert all(path.endswith(PART) for path in there), there

    def _step(self, step):
        if step.number == self.cut_at:
            raise PowerCut


class NoisyPort(VirtualPort):
    """A line on which bits flip and bytes vanish, both ways.

    Args:
        flip, drop: probability per byte.
        after: bytes to the board that pass unharmed first.
    """

    def __init__(self, board, seed, flip, drop, after=0):
        super().__init__(board)
        board.console.listeners.remove(self._received.extend)
        board.console.listeners.append(self._hear)
        self._random = random.Random(seed)
        self._flip, self._drop, self._left = flip, drop, after
        self.harmed = 0  # bytes

    def write(self, data):
        calm, rest = data[: self._left], data[self._left :]
        self._left -= len(calm)
        super().write(calm + (self._harm(rest) if rest else b""))
        return len(data)

    def _hear(self, data):
        self._received += data if self._left else self._harm(data)

    def _harm(self, data):
        out = bytearray()
        for byte in data:
            chance = self._random.random()
            self.harmed += chance < self._flip + self._drop
            if chance < self._flip:
                byte ^= 1 << self._random.randrange(8)
            if not self._flip <= chance < self._flip + self._drop:
                out.append(byte)
        return bytes(out)


class EndingPort(VirtualPort):
    """A line that ends with its ``last`` write, of which ``share`` still goes out.

    ``end`` is what happens then; by default the cable is pulled.
    """

    def __init__(self, board, last=None, share=0.0, end=None):
        super().__init__(board)
        self.writes = 0
        self._last, self._share, self._end = last, share, end

    def write(self, data):
        self.writes += 1
        if self.writes == self._last:
            super().write(data[: int(len(data) * self._share)])
            self.board.world.run_for(20_000)  # that arrives
            if self._end:
                self._end()
                return len(data)
            raise serial.SerialException(5, "the cable is out")
        return super().write(data)
