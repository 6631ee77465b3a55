"""Boards of one design are not all alike: what differs from one to the next, drawn from a seed.

Spreads are the typical ones of the data sheets, or of soldered boards where those are silent: LIS2DW12 table 3
(zero-g level +-20 mg), SX1262 table 3-6 and a hand-tuned matching network (1 dB), supply currents 5 % of a part's.
"""

from dataclasses import dataclass
from random import Random

from groundnet.sim.chips.lis2dw12 import Lis2dw12
from groundnet.sim.chips.sx1262 import Sx1262
from groundnet.sim.roles import Device

CURRENT_SIGMA, ANTENNA_SIGMA_DB, ZERO_G_SIGMA = 0.05, 1.0, 0.010
_SIGMAS = 3.0  # a board further out is left in the tray by the assembler's own test


@dataclass(frozen=True)
class Individual:
    """One board: share of the usual current, dB on its antenna both ways, g at rest on each axis."""

    current_share: float = 1.0
    antenna_db: float = 0.0
    zero_g: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @classmethod
    def drawn(cls, random: Random) -> "Individual":
        """The board that a seed makes."""

        def spread(sigma: float) -> float:
            return max(-_SIGMAS, min(_SIGMAS, random.gauss(0.0, 1.0))) * sigma

        return cls(
            1.0 + spread(CURRENT_SIGMA),
            spread(ANTENNA_SIGMA_DB),
            (spread(ZERO_G_SIGMA), spread(ZERO_G_SIGMA), spread(ZERO_G_SIGMA)),
        )

    def becomes(self, device: Device) -> None:
        """Make a device this board, before it is switched on."""
        device.power.share = self.current_share
        for part in device.parts.values():
            if isinstance(part, Sx1262):
                part.matching_db = self.antenna_db
            if isinstance(part, Lis2dw12):
                part.zero_g = self.zero_g
