"""The accelerometer between driver and core: wake-up interrupt and sample stream."""

import time
from array import array

from apps.hardware import PinStream
from apps.run_loop import Part
from drivers import lis2dw12
from groundcore import events
from micropython import const

_SCALE_MG = const(2000)
_WAKE_SAMPLES = const(1)  # over the threshold for two samples running


class Motion(Part):
    """Carries out WATCH_MOTION and SAMPLE.

    Args:
        loop, hardware: of this device.
        rate_mhz: sampling rate in millihertz.
        running, armed: how the chip was left when the microcontroller went to sleep.
    """

    actions = (
        (events.WATCH_MOTION, "watch"),
        (events.SAMPLE, "sample"),
    )
    errors = (lis2dw12.Lis2dw12Error, OSError)

    def __init__(self, loop, hardware, rate_mhz: int, running: bool = False, armed: bool = False):
        entry = hardware.part("accelerometer")
        self._chip = lis2dw12.Lis2dw12(hardware.i2c(entry["i2c"]), entry["address"])
        self._loop = loop
        self._rate_mhz = rate_mhz
        self._int1 = hardware.input(entry["int1"])
        self.armed = armed
        self._threshold_mg = (
            0  # of the last watch; 0 after a deep sleep: only a fresh boot has a service link
        )
        self._period_ms = 0
        self._next_ticks = time.ticks_ms()
        self._samples = array("h", bytes(lis2dw12.FIFO_SAMPLES_MAX * 6))
        self._stream = PinStream(self._int1)
        self._stream.enabled = armed
        loop.watch(self._stream)
        if not running:
            self._chip.configure(rate_mhz, _SCALE_MG)
        self.sound = True  # the chip has taken what it was told last

    def watch(self, threshold_mg: int) -> None:
        self.sound = False
        self._set_armed(threshold_mg > 0)
        self._threshold_mg = threshold_mg
        if self.armed:
            self._chip.arm_wake_up(threshold_mg, _WAKE_SAMPLES)
        else:
            self._chip.disarm()
        self.sound = True

    def sample(self, period_ms: int) -> None:
        if period_ms and not self._period_ms:
            self._chip.read_fifo_mg(self._samples)  # what is older than the question
            self._next_ticks = time.ticks_add(time.ticks_ms(), period_ms)
        self._period_ms = period_ms

    def poll(self) -> None:
        if self.armed and self._int1():
            self._set_armed(False)
            self._loop.post(events.MOTION)
        if self._period_ms and self.due_ms() == 0:
            self._next_ticks = time.ticks_add(self._next_ticks, self._period_ms)
            count = self._chip.read_fifo_mg(self._samples)
            self._loop.post(events.SAMPLES, self._samples, count)

    def due_ms(self) -> int | None:
        if not self._period_ms:
            return None
        return max(0, time.ticks_diff(self._next_ticks, time.ticks_ms()))

    def test(self) -> tuple:
        """The chip's own deflection test; measured is the smallest change of the three axes in milli-g."""
        armed = self.armed
        passed, change_x, change_y, change_z = self._chip.self_test()
        self._chip.configure(self._rate_mhz, _SCALE_MG)
        self._set_armed(False)
        if armed and self._threshold_mg:
            self.watch(self._threshold_mg)  # it guards on after a test
        smallest = min(abs(change_x), abs(change_y), abs(change_z))
        return passed, smallest, "x %d y %d z %d mg" % (change_x, change_y, change_z)

    def wake_pin(self):
        return self._int1 if self.armed else None

    def _set_armed(self, armed: bool) -> None:
        """After a movement INT1 stays up until the core looks: it is news only once."""
        self.armed = armed
        self._stream.enabled = armed
