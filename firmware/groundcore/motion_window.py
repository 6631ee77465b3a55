"""Sixteen samples of the accelerometer and what is common to them.

Lengths and angles of vectors, so that any mount gives the same:

- change: how much one sample differs from the next. Wheels shake at 5-25 Hz, gusts sway at 1-2.5 Hz.
- sway: how far the means of the window's quarters lie apart. What is loose rattles, but it does not sway.
- tilt: the angle between the window's mean and gravity as it was when armed.
"""

import math
from array import array

from groundwire.constant import const

_SAMPLES = const(16)
_QUARTERS = const(4)
_QUARTER_SAMPLES = const(4)


class Window:
    """Filled again and again; the features are those of the last full one.

    `sums` of its samples on the three axes stand for gravity.
    """

    def __init__(self):
        self.sums = array("i", (0, 0, 0))
        self.change_mg = 0
        self.sway_mg = 0
        self._samples = array("h", bytes(2 * 3 * _SAMPLES))
        self._filled = 0
        self._quarters = array("i", bytes(4 * 3 * _QUARTERS))

    def restart(self):
        """Forget what is not yet a full window."""
        self._filled = 0

    def fill(self, samples, at: int, end: int) -> int:
        """Take values x, y, z, x, ... from `at` on until the window is full; the next place, 0: not full by `end`."""
        window = self._samples
        filled = self._filled
        while at < end:
            window[filled] = samples[at]
            at += 1
            filled += 1
            if filled == 3 * _SAMPLES:
                self._filled = 0
                self._measure()
                return at
        self._filled = filled
        return 0

    def cos2(self, reference) -> float:
        """Square of the cosine of the tilt against three sums; 0 beyond a right angle."""
        dot = own = armed = 0
        for axis in range(3):
            now, then = self.sums[axis], reference[axis]
            dot += now * then
            own += now * now
            armed += then * then
        if dot <= 0:
            return 0.0
        return dot / own * (dot / armed)

    def _measure(self):
        """Change, sway and the sums that stand for gravity."""
        window = self._samples
        quarters = self._quarters
        change2 = 0
        for axis in range(3):
            before = window[axis]
            total = 0
            at = axis
            for place in range(axis, 3 * _QUARTERS, 3):
                quarter = 0
                for _ in range(_QUARTER_SAMPLES):
                    value = window[at]
                    quarter += value
                    change2 += (value - before) * (value - before)
                    before = value
                    at += 3
                quarters[place] = quarter
                total += quarter
            self.sums[axis] = total
        self.change_mg = int(math.sqrt(change2 // (_SAMPLES - 1)))
        self.sway_mg = int(math.sqrt(self._sway2() // (_QUARTER_SAMPLES * _QUARTER_SAMPLES)))

    def _sway2(self) -> int:
        """Square of the longest way between the sums of two quarters."""
        quarters = self._quarters
        farthest2 = 0
        for one in range(3, 3 * _QUARTERS, 3):
            for other in range(0, one, 3):
                way2 = 0
                for axis in range(3):
                    way = quarters[one + axis] - quarters[other + axis]
                    way2 += way * way
                farthest2 = max(farthest2, way2)
        return farthest2
