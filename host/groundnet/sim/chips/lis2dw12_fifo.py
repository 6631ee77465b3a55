"""The LIS2DW12's FIFO (DS12096 5.8, AN5038 9): a range of sample numbers, made into samples when read."""

from collections.abc import Callable

DEPTH = 32
BYPASS, FIFO, CONTINUOUS_TO_FIFO, BYPASS_TO_CONTINUOUS, CONTINUOUS = 0, 1, 3, 4, 6


class SampleFifo:
    """Holds the samples ``[next, end)``; the newest one is ``latest()``.

    Args:
        latest: number of the newest sample of the converter.
    """

    def __init__(self, latest: Callable[[], int]) -> None:
        self._latest = latest
        self.mode = BYPASS
        self.next = 1
        self._frozen_end: int | None = None
        self._overrun = False

    def restart(self, mode: int) -> None:
        """Empty, in a new mode; the first sample it takes is the next one."""
        self.mode = mode
        self.next = self._latest() + 1
        self._overrun = False
        self._frozen_end = None
        if mode == FIFO:
            self._frozen_end = self.next + DEPTH
        if mode == BYPASS_TO_CONTINUOUS:
            self._frozen_end = self.next  # empty until an interrupt

    def level(self) -> int:
        """Samples held, 0..32."""
        return max(0, min(DEPTH, self._end() - self.next))

    def pop(self) -> int | None:
        """Number of the oldest sample held, which is then gone; None when empty."""
        self._forget_oldest()
        if self.level() == 0:
            return None
        self.next += 1
        return self.next - 1

    def status(self, threshold: int) -> int:
        """The FIFO_SAMPLES register (8.19): threshold flag, overrun flag (cleared by this), level."""
        if self.mode == BYPASS:
            return 0
        self._forget_oldest()
        level = self.level()
        value = level | (0x80 if level >= threshold else 0) | (0x40 if self._overrun else 0)
        self._overrun = False
        return value

    def trigger(self) -> None:
        """Continuous-to-FIFO and bypass-to-continuous change over at the first interrupt."""
        if self.mode == CONTINUOUS_TO_FIFO and self._frozen_end is None:
            self._forget_oldest()
            self._frozen_end = self.next + DEPTH
        if self.mode == BYPASS_TO_CONTINUOUS and self._frozen_end is not None:
            self.next = self._latest()
            self._frozen_end = None

    def _end(self) -> int:
        end = self._latest() + 1
        return end if self._frozen_end is None else min(end, self._frozen_end)

    def _forget_oldest(self) -> None:
        oldest = self._end() - DEPTH
        if oldest > self.next:
            self.next = oldest
            self._overrun = True
