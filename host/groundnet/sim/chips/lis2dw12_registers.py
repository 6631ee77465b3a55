"""Register map of the LIS2DW12 (DS12096 section 8): addresses, reset values, and what the fields mean."""

WHO_AM_I = 0x0F
CTRL1 = 0x20
CTRL2 = 0x21
CTRL3 = 0x22
CTRL4 = 0x23
CTRL5 = 0x24
CTRL6 = 0x25
STATUS = 0x27
OUT_X_L = 0x28
OUT_Z_H = 0x2D
FIFO_CTRL = 0x2E
FIFO_SAMPLES = 0x2F
TAP_THS_X = 0x30
WAKE_UP_THS = 0x34
WAKE_UP_DUR = 0x35
FREE_FALL = 0x36
STATUS_DUP = 0x37
WAKE_UP_SRC = 0x38
SIXD_SRC = 0x3A
ALL_INT_SRC = 0x3B
CTRL7 = 0x3F

_RESET = {WHO_AM_I: 0x44, CTRL2: 0x04}
_WRITABLE = {*range(CTRL1, CTRL6 + 1), FIFO_CTRL, *range(TAP_THS_X, FREE_FALL + 1), *range(0x3C, CTRL7 + 1)}
# ODR code (table 26) -> microseconds per sample; low-power mode stops at 200 Hz, codes above give 200 Hz
# there.
_PERIODS_US = (0, 80_000, 80_000, 40_000, 20_000, 10_000, 5_000, 2_500, 1_250, 625)
_LOW_POWER_FASTEST_US = 5_000
_SLOWEST_US = 625_000  # code 1 is 1.6 Hz in low-power mode, 12.5 Hz in high performance
# RMS noise in mg (table 3) at 2 g: low-power modes 1..4, then high performance (90 ug/sqrt(Hz) over some 100
# Hz).
_NOISE_RMS_MG = (4.5, 3.0, 2.4, 2.0, 1.0)
_SELF_TEST_G = (0.0, 0.45, -0.45, 0.0)  # table 3: 70..1500 mg
_FREE_FALL_STEPS = (5, 7, 8, 10, 11, 13, 15, 16)  # x 31.25 mg (table 57)
_SIXD_STEPS = (6, 11, 16, 21)  # x 1/32 g: 80, 70, 60, 50 degrees (table 45)


class Registers:
    """The map as bytes; writes to read-only and reserved addresses are ignored as in silicon."""

    def __init__(self) -> None:
        self._values = bytearray(128)
        self.zero_g = (0.0, 0.0, 0.0)  # of the silicon: no reset changes it
        self.reset()

    def reset(self) -> None:
        self._values[:] = bytes(128)
        for address, value in _RESET.items():
            self._values[address] = value

    def __getitem__(self, address: int) -> int:
        return self._values[address]

    def write(self, address: int, value: int) -> None:
        if address in _WRITABLE:
            self._values[address] = value

    # --- CTRL1: ODR[7:4] MODE[3:2] LP_MODE[1:0]

    @property
    def rate_code(self) -> int:
        return min(self._values[CTRL1] >> 4, 9)

    @property
    def high_performance(self) -> bool:
        return self._values[CTRL1] >> 2 & 3 == 1

    @property
    def period_us(self) -> int:
        """Microseconds per sample; 0 in power-down and in single-conversion mode (not modelled)."""
        code = self.rate_code
        if code == 0 or self._values[CTRL1] >> 2 & 3 >= 2:
            return 0
        if self.high_performance:
            return _PERIODS_US[code]
        return _SLOWEST_US if code == 1 else max(_PERIODS_US[code], _LOW_POWER_FASTEST_US)

    # --- CTRL3, CTRL6

    @property
    def latched(self) -> bool:
        return bool(self._values[CTRL3] & 0x10)

    @property
    def self_test_g(self) -> float:
        return _SELF_TEST_G[self._values[CTRL3] >> 6]

    @property
    def scale_g(self) -> int:
        return 2 << (self._values[CTRL6] >> 4 & 3)

    @property
    def _mode_index(self) -> int:
        return 4 if self.high_performance else self._values[CTRL1] & 3

    @property
    def noise_rms_g(self) -> float:
        low_noise = 0.8 if self._values[CTRL6] & 0x04 else 1.0
        return _NOISE_RMS_MG[self._mode_index] / 1000 * low_noise

    def word(self, value_g: float) -> int:
        """A value as a signed, left-justified word: 12 bits in low-power mode 1, else 14 (table 3)."""
        idle_bits = 4 if self._mode_index == 0 else 2
        step = 1 << idle_bits
        word = round(value_g * 32768 / self.scale_g / step) * step
        return max(-32768, min(32768 - step, word))

    # --- thresholds and durations

    @property
    def fifo_threshold(self) -> int:
        return self._values[FIFO_CTRL] & 0x1F

    @property
    def interrupts_enabled(self) -> bool:
        return bool(self._values[CTRL7] & 0x20)

    @property
    def wake_threshold_g(self) -> float:
        return (self._values[WAKE_UP_THS] & 0x3F) * self.scale_g / 64

    @property
    def wake_samples(self) -> int:
        """Consecutive samples over the threshold that it takes."""
        return (self._values[WAKE_UP_DUR] >> 5 & 3) + 1

    @property
    def sleep_on(self) -> bool:
        """Activity and inactivity are told apart (SLEEP_ON)."""
        return bool(self._values[WAKE_UP_THS] & 0x40)

    @property
    def sleep_samples(self) -> int:
        """Consecutive samples under the threshold that make inactivity: SLEEP_DUR, 512 a step, or 16."""
        return (self._values[WAKE_UP_DUR] & 0x0F) * 512 or 16

    @property
    def int2_on_int1(self) -> bool:
        return bool(self._values[CTRL7] & 0x40)

    @property
    def sixd_threshold_g(self) -> float:
        return _SIXD_STEPS[self._values[TAP_THS_X] >> 5 & 3] / 32

    @property
    def free_fall_threshold_g(self) -> float:
        return _FREE_FALL_STEPS[self._values[FREE_FALL] & 7] * 0.03125

    @property
    def free_fall_samples(self) -> int:
        return self._values[FREE_FALL] >> 3 | (self._values[WAKE_UP_DUR] & 0x80) >> 2
