"""The external supply of a board: vehicle battery or mains adapter, cut and brought back by a bench.

The board sees it through a divider at an analogue input and, when it is wired, on a line that a transistor pulls
low while there is a supply.
Modelled: its voltage, the cut, the line. Not modelled: cranking dips, load dump, the hold-up time of the
converter. Only hardware can tell: how long the board lives on its capacitors once the supply is cut.
"""

from groundnet.sim.signals import AnalogLine, Line

NOMINAL_VOLTS = 51.2  # a 48 V two-wheeler, half charged


class Supply:
    """``volts`` may be set at any time; ``cut`` and ``restore`` are what a thief and an owner do."""

    def __init__(self, analog: AnalogLine, divider: float, lost: Line | None, volts: float = NOMINAL_VOLTS):
        self._lost = lost
        self._nominal_volts = volts
        self.volts = volts
        analog.source = lambda: self.volts / divider
        if lost is not None:
            lost.level = 0

    def cut(self) -> None:
        self.volts = 0.0
        self._tell()

    def restore(self) -> None:
        self.volts = self._nominal_volts
        self._tell()

    def _tell(self) -> None:
        if self._lost is not None:
            self._lost.drive(0 if self.volts else 1)
