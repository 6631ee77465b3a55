"""How one station hears: the level that it is expected to measure of a tag at a distance, and its spread.

Log-distance path loss with log-normal shadowing (Rappaport, Wireless Communications, section 4.9), told by the level at
``REFERENCE_M`` because there it is learned best: level and exponent are then nearly independent of each other.
"""

import math
from dataclasses import dataclass

REFERENCE_M = 300.0


@dataclass(frozen=True)
class Hearing:
    """What is known of a station's ears.

    ``level_dbm`` is the mean at ``REFERENCE_M``; ``exponent`` that of the distance; ``spread_db`` the standard
    deviation of a place; ``faintest_dbm`` what it just hears, None while nobody knows.
    """

    level_dbm: float
    exponent: float
    spread_db: float
    faintest_dbm: float | None = None

    def expected_dbm(self, distance_m: float) -> float:
        """The mean level at a distance."""
        return self.level_dbm - 10 * self.exponent * math.log10(max(distance_m, 1.0) / REFERENCE_M)

    def distance_m(self, level_dbm: float) -> float:
        """The distance where this level is the mean."""
        return REFERENCE_M * 10 ** ((self.level_dbm - level_dbm) / (10 * self.exponent))


# 14 dBm transmitted, 31 dB free-space loss at 1 m and 868 MHz, from a bike at ground level to a roof in a small town.
# Of a station that nobody has calibrated the antenna and its place are unknown, too.
SHADOWING_DB, LEVEL_SD_DB = 7.0, 6.0
USUAL = Hearing(-17.0 - 34.0 * math.log10(REFERENCE_M), 3.4, math.hypot(SHADOWING_DB, LEVEL_SD_DB))


def signal_dbm(rssi_dbm: float, snr_db: float | None) -> float:
    """A frame's own level: RSSI is what the frame and the noise under it have together."""
    if snr_db is None:
        return rssi_dbm
    return rssi_dbm - 10 * math.log10(1 + 10 ** (-snr_db / 10))
