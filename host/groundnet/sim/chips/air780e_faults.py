"""What goes wrong on the wire and in a modem: noise, lost bytes, lines within lines, silence, restarts."""

from collections.abc import Callable
from random import Random

from groundnet.sim.world import US_PER_S, World

KINDS = ("noise", "loss", "interruption", "silence", "restart")
_WEIGHTS = (4, 4, 4, 1, 1)
_NOISE_MAX, _LOSS_MAX = 8, 4
_SILENCE_S = (1.0, 30.0)
_RESTART_US = 10_000
_NEWS = b"\r\n+CGEV: ME PDN ACT 1\r\n", b"\r\n+CEREG: 1\r\n", b"\r\nRING\r\n", b'\r\n+CMTI: "SM",7\r\n'


class Faults:
    """Spoils one modem's UART. ``rate`` is the chance that a piece of it goes wrong, 0 for a healthy modem.

    Args:
        world: clock.
        random: which fault, where, how long.
        restart: makes the modem start again without a word.
    """

    def __init__(self, world: World, random: Random, restart: Callable[[], None]) -> None:
        self._world, self._random, self.restart = world, random, restart
        self._silent_until_us = 0
        self.rate = 0.0
        self.counts = dict.fromkeys(KINDS, 0)

    def heal(self) -> None:
        """From now on nothing goes wrong."""
        self.rate = 0.0
        self._silent_until_us = 0

    def to_board(self, data: bytes) -> bytes:
        """What of ``data`` reaches the board."""
        if self._strikes():
            (kind,) = self._random.choices(KINDS, _WEIGHTS)
            self.counts[kind] += 1
            if kind == "silence":
                self._silent_until_us = self._world.now_us + int(self._random.uniform(*_SILENCE_S) * US_PER_S)
            elif kind == "restart":
                self._world.after(_RESTART_US, self.restart)
            else:
                data = self._spoil(kind, data)
        return b"" if self._world.now_us < self._silent_until_us else data

    def from_board(self, data: bytes) -> bytes:
        """What of ``data`` the modem hears."""
        if self._world.now_us < self._silent_until_us:
            return b""
        return self._spoil("loss", data) if self._strikes() else data

    def _strikes(self) -> bool:
        return bool(self.rate) and self._random.random() < self.rate

    def _spoil(self, kind: str, data: bytes) -> bytes:
        place = self._random.randrange(len(data) + 1)
        if kind == "noise":
            return data[:place] + self._random.randbytes(self._random.randint(1, _NOISE_MAX)) + data[place:]
        if kind == "loss":
            return data[:place] + data[place + self._random.randint(1, _LOSS_MAX) :]
        return data[:place] + self._random.choice(_NEWS) + data[place:]
