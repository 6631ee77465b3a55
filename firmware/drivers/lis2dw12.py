"""LIS2DW12 accelerometer on I2C (ST DS12096 rev 8; usage: ST AN5038).

Low power, wake-up and activity on INT1, FIFO in milli-g, 6D orientation, self-test. Blocks only for the bus,
except ``self_test`` (0.6 s) and ``configure`` (two samples: 160 ms at 12.5 Hz).
"""

import time

from micropython import const

# Registers: DS12096 section 8.
_WHO_AM_I = const(0x0F)  # 8.3: reads 0x44
_CTRL1 = const(0x20)  # 8.4: ODR[7:4] MODE[3:2] LP_MODE[1:0]
_CTRL2 = const(0x21)  # 8.5: BOOT, SOFT_RESET, CS_PU_DISC, BDU, IF_ADD_INC, ...
_CTRL3 = const(0x22)  # 8.6: ST[7:6], PP_OD, LIR, H_LACTIVE, ...
_CTRL4_INT1 = const(0x23)  # 8.7: what INT1 shows
_CTRL5_INT2 = const(0x24)  # 8.8: what INT2 shows: SLEEP_STATE b7, SLEEP_CHG b6
_CTRL6 = const(0x25)  # 8.9: BW_FILT[7:6] FS[5:4] FDS LOW_NOISE
_STATUS = const(0x27)  # 8.11: DRDY b0
_OUT_X_L = const(0x28)  # 8.12: six bytes, little endian, left-justified
_FIFO_CTRL = const(0x2E)  # 8.18: FMODE[7:5] FTH[4:0]
_FIFO_SAMPLES = const(0x2F)  # 8.19: FTH, OVR, DIFF[5:0]
_TAP_THS_X = const(0x30)  # 8.20: 4D_EN, 6D_THS[6:5]
_WAKE_UP_THS = const(0x34)  # 8.24: SLEEP_ON b6, WK_THS[5:0], one step = full scale / 64
_WAKE_UP_DUR = const(0x35)  # 8.25: WAKE_DUR[6:5], one step = one sample; STATIONARY b4; SLEEP_DUR[3:0]
_WAKE_UP_SRC = const(
    0x38
)  # 8.28: SLEEP_STATE b4, WU_IA b3, X b2, Y b1, Z b0; reading releases a latched INT1
_FREE_FALL = const(0x36)  # 8.26: FF_DUR[7:3] samples, FF_THS[2:0]
_SIXD_SRC = const(0x3A)  # 8.30: 6D_IA b6, ZH ZL YH YL XH XL
_CTRL7 = const(0x3F)  # 8.35: INT2_ON_INT1 b6, INTERRUPTS_ENABLE b5

_TRIES = const(3)  # a pulse on the wires costs one acknowledge; a chip that is gone never answers
_ID = const(0x44)
_SOFT_RESET = const(0x40)
_BDU_AUTO_INCREMENT = const(0x0C)
_LATCHED = const(0x10)
_SELF_TEST_POSITIVE = const(0x40)
_SELF_TEST_MIN_MG = const(70)  # table 3
_SELF_TEST_MAX_MG = const(1500)
_SELF_TEST_SAMPLES = const(5)
_DRDY_WAIT_MS = const(200)  # ten samples at 50 Hz
_SLEEP_ON = const(0x40)
_STATIONARY = const(0x10)
_INT2_SLEEP_CHANGE = const(0x40)
_INT2_ON_INT1 = const(0x40)
_SLEEP_STEP_SAMPLES = const(512)
_INT1_6D = const(0x80)
_INT1_WAKE_UP = const(0x20)
_INT1_FREE_FALL = const(0x10)
_FREE_FALL_500_MG = const(0x07)  # table 57; at rest one axis has 577 mg at least
_FIFO_CONTINUOUS = const(0xC0)
_FIFO_DEPTH = const(32)
_INTERRUPTS_ENABLE = const(0x20)
_RATE_50_HZ_HIGH_PERFORMANCE = const(0x44)

# Output data rates in low-power mode (table 26): millihertz -> ODR code.
_RATES = {1600: 0x10, 12500: 0x20, 25000: 0x30, 50000: 0x40, 100000: 0x50, 200000: 0x60}
# Full scale (table 42): milli-g -> FS code.
_SCALES = {2000: 0x00, 4000: 0x10, 8000: 0x20, 16000: 0x30}

WAKE_UP = 0x08  # wake_source(): the slope was over the threshold long enough
WAKE_X = 0x04
WAKE_Y = 0x02
WAKE_Z = 0x01
FREE_FALL = 0x20  # wake_source(): no axis felt half a g for long enough
INACTIVE = 0x10  # wake_source(): nothing was over the threshold for the time of watch_activity()
# side_up(): the axis that points up, at rest
X_DOWN, X_UP, Y_DOWN, Y_UP, Z_DOWN, Z_UP = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
FIFO_SAMPLES_MAX = 32


class Lis2dw12Error(Exception):
    """The chip is missing, is another chip, or a parameter is outside its range."""


class Lis2dw12:
    """One LIS2DW12.

    Args:
        i2c: a machine.I2C (at most 400 kHz).
        address: 0x18 or 0x19 (SA0).
    """

    def __init__(self, i2c, address: int = 0x19):
        self._i2c = i2c
        self._address = address
        self._byte = bytearray(1)
        self._raw = memoryview(bytearray(_FIFO_DEPTH * 6))
        self._scale_mg = 2000

    def check(self) -> None:
        """Raise Lis2dw12Error unless a LIS2DW12 answers (section 8.3)."""
        identity = self._read(_WHO_AM_I)
        if identity != _ID:
            raise Lis2dw12Error("who-am-i is 0x%02x, not 0x44" % identity)

    def configure(self, rate_mhz: int = 12500, scale_mg: int = 2000) -> None:
        """Reset, then low-power mode 1 with the FIFO running over (the newest 32 samples).

        Args:
            rate_mhz: 1600, 12500, 25000, 50000, 100000 or 200000 millihertz.
            scale_mg: 2000, 4000, 8000 or 16000 milli-g.
        """
        if rate_mhz not in _RATES or scale_mg not in _SCALES:
            raise Lis2dw12Error("no such rate or scale")
        self.check()
        self._write(_CTRL2, _SOFT_RESET)
        for _ in range(10):
            if not self._read(_CTRL2) & _SOFT_RESET:
                break
            time.sleep_ms(1)
        else:
            raise Lis2dw12Error("reset did not end")
        self._scale_mg = scale_mg
        self._write(_CTRL2, _BDU_AUTO_INCREMENT)
        self._write(_CTRL3, _LATCHED)
        self._write(_CTRL6, _SCALES[scale_mg])
        self._write(_FIFO_CTRL, _FIFO_CONTINUOUS)
        self._write(_CTRL1, _RATES[rate_mhz])
        # The wake-up filter sees its first sample as a step from zero: let it pass before anyone arms.
        time.sleep_ms(2_000_000 // rate_mhz + 10)

    def arm_wake_up(self, threshold_mg: int, duration_samples: int) -> None:
        """Raise INT1 and hold it when the slope exceeds ``threshold_mg`` for more than ``duration_samples``.

        Args:
            threshold_mg: 1 step .. 63 steps of scale/64 (31 mg at 2 g); rounded to the nearest step.
            duration_samples: 0..3.
        """
        if not 0 <= duration_samples <= 3:
            raise Lis2dw12Error("wake-up duration out of range")
        self._write(_WAKE_UP_THS, self._threshold_steps(threshold_mg))
        self._write(_WAKE_UP_DUR, duration_samples << 5)
        self._write(_CTRL4_INT1, _INT1_WAKE_UP)
        self._write(_CTRL7, _INTERRUPTS_ENABLE)
        self._read(_WAKE_UP_SRC)

    def watch_activity(self, threshold_mg: int, still_steps: int) -> None:
        """Raise INT1 when movement begins and when it has ended; `wake_source` tells which by INACTIVE.

        The data rate stays as it is (AN5038, stationary/motion detection): the FIFO's samples keep their distance.
        Signals that INT1 already shows (`arm_wake_up`, `arm_6d`) stay, the wake-up threshold becomes this one.

        Args:
            threshold_mg: as for `arm_wake_up`.
            still_steps: 0..15 steps of 512 samples without movement (41 s at 12.5 Hz); 0 = 16 samples.
        """
        if not 0 <= still_steps <= 15:
            raise Lis2dw12Error("still time out of range")
        self._write(_WAKE_UP_THS, _SLEEP_ON | self._threshold_steps(threshold_mg))
        self._write(_WAKE_UP_DUR, self._read(_WAKE_UP_DUR) & 0x60 | _STATIONARY | still_steps)
        self._write(_CTRL5_INT2, _INT2_SLEEP_CHANGE)
        self._write(_CTRL7, _INT2_ON_INT1 | _INTERRUPTS_ENABLE)
        self._read(_WAKE_UP_SRC)

    def still_steps(self, seconds: int, rate_mhz: int) -> int:
        """The argument of `watch_activity` that comes nearest to ``seconds`` at a data rate."""
        step_ms = _SLEEP_STEP_SAMPLES * 1_000_000 // rate_mhz
        return min(15, (seconds * 1000 + step_ms // 2) // step_ms)

    def arm_6d(self) -> None:
        """Raise INT1 also when the side that is up changes by more than 60 degrees (table 45)."""
        self._write(_TAP_THS_X, 0x40)
        self._write(_CTRL4_INT1, self._read(_CTRL4_INT1) | _INT1_6D)
        self._write(_CTRL7, self._read(_CTRL7) | _INTERRUPTS_ENABLE)
        self._read(_SIXD_SRC)

    def arm_free_fall(self, samples: int) -> None:
        """Raise INT1 also when all axes feel less than 500 mg for `samples` (1..32) running; see `wake_source`."""
        if not 1 <= samples <= 32:
            raise Lis2dw12Error("free fall of 1..32 samples")
        self._write(_FREE_FALL, (samples - 1) << 3 | _FREE_FALL_500_MG)
        self._write(_CTRL4_INT1, self._read(_CTRL4_INT1) | _INT1_FREE_FALL)
        self._write(_CTRL7, self._read(_CTRL7) | _INTERRUPTS_ENABLE)
        self._read(_WAKE_UP_SRC)

    def disarm(self) -> None:
        """No interrupt; sampling goes on."""
        self._write(_CTRL4_INT1, 0)
        self._write(_CTRL5_INT2, 0)
        self._write(_CTRL7, 0)
        self._write(_WAKE_UP_THS, 0)

    def wake_source(self) -> int:
        """INACTIVE as it is now, FREE_FALL, WAKE_UP and axis bits since the last call; releases INT1."""
        return self._read(_WAKE_UP_SRC) & 0x3F

    def side_up(self) -> int:
        """One of X_DOWN .. Z_UP, 0 while it leans or moves; releases INT1."""
        return self._read(_SIXD_SRC) & 0x3F

    def read_fifo_mg(self, into) -> int:
        """Move the FIFO's samples, oldest first, into ``into`` (array of int16: x, y, z, x, ...) as milli-g.

        Returns:
            Number of samples (0..32), limited by the room in ``into``; the rest is dropped.
        """
        count = min(self._read(_FIFO_SAMPLES) & 0x3F, _FIFO_DEPTH)
        if count == 0:
            return 0
        raw = self._raw[: count * 6]
        self._read_into(_OUT_X_L, raw)  # with the FIFO on, the address rolls back every six bytes
        count = min(count, len(into) // 3)
        self._to_mg(raw, into, count * 3)
        return count

    def read_mg(self, into) -> None:
        """The latest sample as milli-g into ``into[0:3]``. With the FIFO on, the oldest waiting one."""
        raw = self._raw[:6]
        self._read_into(_OUT_X_L, raw)
        self._to_mg(raw, into, 3)

    def self_test(self) -> tuple:
        """Deflect the proof mass electrically and measure: AN5038, self-test (50 Hz, 4 g, five samples each).

        Returns:
            (passed, dx, dy, dz): passed when every change is within 70..1500 mg (table 3). Leaves the chip
            reset: call `configure` afterwards. Raises Lis2dw12Error when no sample comes.
        """
        self.configure(50000, 4000)
        self._write(_FIFO_CTRL, 0)
        self._write(_CTRL1, _RATE_50_HZ_HIGH_PERFORMANCE)
        before = self._mean_mg()
        self._write(_CTRL3, _SELF_TEST_POSITIVE)
        after = self._mean_mg()
        self._write(_CTRL2, _SOFT_RESET)
        change = [after[axis] - before[axis] for axis in range(3)]
        passed = all(_SELF_TEST_MIN_MG <= abs(value) <= _SELF_TEST_MAX_MG for value in change)
        return passed, change[0], change[1], change[2]

    def power_down(self) -> None:
        """Stop sampling (0.05 uA); registers keep their values."""
        self._write(_CTRL1, 0)

    def _mean_mg(self) -> list:
        """Mean of five samples after the output has settled; the first one is thrown away."""
        time.sleep_ms(100)
        total = [0, 0, 0]
        sample = [0, 0, 0]
        self._await_sample(sample)
        for _ in range(_SELF_TEST_SAMPLES):
            self._await_sample(sample)
            for axis in range(3):
                total[axis] += sample[axis]
        return [value // _SELF_TEST_SAMPLES for value in total]

    def _await_sample(self, into) -> None:
        for _ in range(_DRDY_WAIT_MS // 2):
            if self._read(_STATUS) & 1:
                self.read_mg(into)
                return
            time.sleep_ms(2)
        raise Lis2dw12Error("no sample came")

    def _threshold_steps(self, threshold_mg: int) -> int:
        steps = (threshold_mg * 64 + self._scale_mg // 2) // self._scale_mg
        if not 1 <= steps <= 63:
            raise Lis2dw12Error("wake-up threshold out of range")
        return steps

    def _to_mg(self, raw, into, values: int) -> None:
        """Left-justified 16-bit words: full range 65536 = 2 * scale."""
        double_scale = 2 * self._scale_mg
        for index in range(values):
            word = raw[2 * index] | raw[2 * index + 1] << 8
            if word >= 0x8000:
                word -= 0x10000
            into[index] = word * double_scale >> 16

    def _read(self, register: int) -> int:
        self._read_into(register, self._byte)
        return self._byte[0]

    def _read_into(self, register: int, into) -> None:
        for _ in range(_TRIES):
            try:
                self._i2c.readfrom_mem_into(self._address, register, into)
                return
            except OSError:
                pass
        raise Lis2dw12Error("no answer on I2C")

    def _write(self, register: int, value: int) -> None:
        self._byte[0] = value
        for _ in range(_TRIES):
            try:
                self._i2c.writeto_mem(self._address, register, self._byte)
                return
            except OSError:
                pass
        raise Lis2dw12Error("no answer on I2C")
