"""What the parts of a virtual board have in common: they answer some of its calls."""

from collections.abc import Callable
from typing import Final

from groundnet.sim.process import Request

Answer = tuple[int, bytes]  # result (negative: error number), data


class Parked:
    """Marks a call whose answer comes later."""


PARKED: Final = Parked()

Result = int | Answer | Parked
Handler = Callable[[Request], Result]


class Service:
    """One group of calls. Handlers may raise OSError; its number goes to the board."""

    def handlers(self) -> dict[int, Handler]:
        """Handlers by operation number (groundnet.sim.shim.operations)."""
        raise NotImplementedError

    def reset(self) -> None:
        """RAM was lost: a reset, deep sleep or loss of power."""

    def soft_reset(self) -> None:
        """Only Python starts anew."""
        self.reset()
