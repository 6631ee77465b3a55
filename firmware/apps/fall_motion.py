"""The accelerometer of a tag that watches its wearer's falls: INT1 rises for a movement and for a free fall alike."""

import time

from apps.motion import Motion
from drivers import lis2dw12
from groundcore import events
from micropython import const

RATE_MHZ = 25_000  # groundcore.motion.SAMPLE_HZ
_FREE_FALL_SAMPLES = const(5)  # 0.2 s, as groundcore.fall has it


class FallMotion(Motion):
    """Motion, and the part that tells FREE_FALL. INT1 is looked at even while no movement is watched.

    Args: those of Motion.
    """

    def __init__(self, loop, hardware, rate_mhz: int, running: bool = False, armed: bool = False):
        super().__init__(loop, hardware, rate_mhz, running, armed)
        self._stream.enabled = True
        if not running:
            self._chip.arm_free_fall(_FREE_FALL_SAMPLES)

    def watch(self, threshold_mg: int) -> None:
        super().watch(threshold_mg)
        self.sound = False
        self._chip.arm_free_fall(_FREE_FALL_SAMPLES)
        self.sound = True

    def sample(self, period_ms: int) -> None:
        """What is older than the question belongs to the answer: the fall is in the FIFO already."""
        self._next_ticks = time.ticks_ms()
        self._period_ms = period_ms

    def poll(self) -> None:
        if self._int1():
            source = self._chip.wake_source()
            if self.armed and source & lis2dw12.WAKE_UP:
                self._set_armed(False)
                self._loop.post(events.MOTION)
            if source & lis2dw12.FREE_FALL:
                self._loop.post(events.FREE_FALL)
        super().poll()

    def busy(self) -> bool:
        """A fall is being judged."""
        return self._period_ms > 0

    def wake_pin(self):
        return self._int1

    def _set_armed(self, armed: bool) -> None:
        super()._set_armed(armed)
        self._stream.enabled = True
