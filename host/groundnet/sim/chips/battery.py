"""Batteries: rest voltage from the charge that was drawn, as the converter sees it behind its divider.

Modelled: discharge curve at rest, exact charge of the power account. Not modelled: internal resistance, cold,
self-discharge (a figure for budgets only), the passivation of lithium thionyl chloride. Only hardware can tell: how
far the voltage falls under the radio's load after months at rest, and in frost.
"""

from bisect import bisect_right
from dataclasses import dataclass

from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import AnalogLine, Line


@dataclass(frozen=True)
class Chemistry:
    """Capacity, rest voltage over the drawn share of it as rising (share, volts) pairs, and what a year takes."""

    capacity_mah: float
    curve: tuple[tuple[float, float], ...]
    self_discharge_percent_year: float

    def volts(self, drawn_mah: float) -> float:
        """Rest voltage after ``drawn_mah``; linear between the points of the curve."""
        share = min(max(drawn_mah / self.capacity_mah, 0.0), 1.0)
        index = min(max(bisect_right([point[0] for point in self.curve], share), 1), len(self.curve) - 1)
        (left, high), (right, low) = self.curve[index - 1], self.curve[index]
        return high + (low - high) * (share - left) / (right - left)


_LI_SOCL2 = ((0.0, 3.66), (0.9, 3.55), (0.97, 3.3), (1.0, 2.0))  # flat to the end
_LI_MNO2 = ((0.0, 3.1), (0.1, 2.95), (0.85, 2.75), (1.0, 2.0))
_LI_PO = ((0.0, 4.18), (0.1, 4.0), (0.5, 3.78), (0.9, 3.6), (1.0, 3.2))
CHEMISTRIES = {
    "er14505": Chemistry(2400, _LI_SOCL2, 1),
    "cr2477": Chemistry(1000, _LI_MNO2, 1),
    "lipo": Chemistry(2000, _LI_PO, 30),  # with its protection circuit
    "lipo400": Chemistry(400, _LI_PO, 30),  # what fits on a wrist
}


class Battery:
    """One battery at an analogue input behind a divider (volts at the pin = battery volts / divider).

    A switched divider shows 0 V while ``enable`` is not at ``enable_level``.
    """

    def __init__(
        self,
        kind: str,
        analog: AnalogLine | None,
        divider: float,
        power: PowerAccount,
        enable: Line | None = None,
        enable_level: int = 1,
    ) -> None:
        self._chemistry = CHEMISTRIES[kind]
        self._power = power
        self.drawn_before_mah = 0.0
        self.forced_volts: float | None = None
        connected = (lambda: True) if enable is None else (lambda: enable.level == enable_level)
        if analog is not None:  # without it a fuel gauge sits on the cell
            analog.source = lambda: self.volts / divider if connected() else 0.0

    @property
    def volts(self) -> float:
        """Rest voltage now, or the one that a bench forces."""
        if self.forced_volts is not None:
            return self.forced_volts
        return self._chemistry.volts(self.drawn_before_mah + self._power.total_mah())

    @property
    def charge_share(self) -> float:
        """What is left of the capacity, 0..1; of a forced voltage, where the curve has it."""
        capacity_mah = self._chemistry.capacity_mah
        forced_volts = self.forced_volts
        if forced_volts is None:
            drawn_mah = self.drawn_before_mah + self._power.total_mah()
            return min(1.0, max(0.0, 1 - drawn_mah / capacity_mah))
        shares = [step / 1000 for step in range(1001)]
        return 1 - min(
            shares, key=lambda share: abs(self._chemistry.volts(share * capacity_mah) - forced_volts)
        )
