"""LIS2DW12 accelerometer at register level (ST DS12096 rev 8, AN5038).

Modelled: the register map with its reset values and access rights (8), data rates and power modes (4, table
9), left-justified 12/14-bit data at the chosen scale, noise of table 3, self-test offset, the FIFO in all
five modes, wake-up, 6D, free-fall and activity/inactivity with their durations, latched and pulsed INT1, DRDY
and FIFO signals on INT1, INT2's sleep signals where they are routed to INT1. The wake-up path is the
first-order high-pass at ODR/4, (a[n] - a[n-1]) / 2; after power-up its first sample is a step from zero, so an
armed chip gives one false wake-up one sample after it starts (STMems_Standard_C_drivers #58).

A bench breaks the part: ``stuck_axis`` (its proof mass does not move), ``silent`` (no acknowledge).

Not modelled: tap, the lower rate of inactivity without STATIONARY, single-conversion mode, the ODR/10 and ODR/20
filters, the user offset, SPI, temperature (always 25 C), INT2 as a pin. Only hardware can tell: the part's
true rate (a few percent off), cross-axis sensitivity, mounting resonance, and what sloshes
below 1.6 Hz.

Nothing is stepped. A sample is a function of its number; the model looks for the next sample that raises a
signal and schedules that one event, skipping every segment of the motion profile whose bound shows that none
can.
"""

from groundnet.sim.chips import lis2dw12_fifo as fifo
from groundnet.sim.chips.lis2dw12_registers import (
    ALL_INT_SRC,
    CTRL1,
    CTRL2,
    CTRL3,
    CTRL4,
    CTRL5,
    CTRL7,
    FIFO_CTRL,
    FIFO_SAMPLES,
    FREE_FALL,
    OUT_X_L,
    OUT_Z_H,
    SIXD_SRC,
    STATUS,
    STATUS_DUP,
    WAKE_UP_SRC,
    WAKE_UP_THS,
    Registers,
)
from groundnet.sim.chips.lis2dw12_signals import (
    FREE_FALL_IA,
    SIXD_IA,
    SLEEP_CHANGE_IA,
    WAKE_UP_IA,
    SignalEngine,
)
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import BusError, Line
from groundnet.sim.world import Event, World

_LOOK_AHEAD_US = 3_600_000_000  # one search covers at most an hour, then goes on
POWER_DOWN_UA = 0.05
# ODR code -> microamperes in low-power mode 1 (DS12096 table 4; 1600 Hz rows exist in high performance only)
LOW_POWER_UA = {1: 0.38, 2: 1.0, 3: 1.5, 4: 3.0, 5: 5.0, 6: 10.0, 7: 10.0, 8: 10.0, 9: 10.0}
_MODE_FACTOR = (1.0, 1.6, 2.0, 3.0)  # low-power modes 2..4 draw more for less noise
HIGH_PERFORMANCE_UA = 90.0

Sample = tuple[int, int, int]


class Lis2dw12:
    """One chip. Attach it to an I2C bus.

    Args:
        world: clock and random streams.
        name: unique; decides the noise.
        motion: what the board feels.
        int1: line driven by the INT1 pad.
        power: account of the board.
        part: name in that account.
    """

    def __init__(
        self,
        world: World,
        name: str,
        motion: MotionProfile,
        int1: Line,
        power: PowerAccount,
        part: str = "accelerometer",
    ) -> None:
        self._world = world
        self._motion = motion
        self._int1 = int1
        self._power = power
        self._part = part
        self._noise_seed = world.random(f"lis2dw12/{name}").getrandbits(64)
        self.stuck_axis: int | None = None
        self.silent = False
        self.registers = Registers()
        self._pointer = 0
        self._started_us = 0  # when the data rate was set
        self._last_read = 0  # number of the newest sample that was read
        self._output = bytes(6)
        self._pulse = 0  # signals raised by the newest sample
        self._latched = 0  # signals raised and not yet read
        self._resume = False  # a latched signal stopped the search
        self._signal_event: Event | None = None
        self._data_event: Event | None = None
        self._fifo = fifo.SampleFifo(self._latest)
        self._restart_sampling()
        motion.listen(self._on_motion_change)

    @property
    def zero_g(self) -> tuple[float, float, float]:
        """What this part reads at rest beside gravity (table 3, TyOff), in g."""
        return self.registers.zero_g

    @zero_g.setter
    def zero_g(self, value: tuple[float, float, float]) -> None:
        self.registers.zero_g = value

    def power_cycle(self) -> None:
        """Everything as after power-on; a soft reset and a boot do the same."""
        self.registers.reset()
        self._fifo.restart(fifo.BYPASS)
        self._restart_sampling()

    # --- bus

    def i2c_write(self, data: bytes) -> None:
        """First byte: register address; the rest: values (6.1.1)."""
        if self.silent:
            raise BusError(19, "a dead chip does not acknowledge")
        if not data:
            return
        self._pointer = data[0] & 0x7F
        for value in data[1:]:
            self._write(self._pointer, value)
            self._advance()

    def i2c_read(self, count: int) -> bytes:
        """``count`` bytes from the register pointer on."""
        values = bytearray()
        for _ in range(count):
            values.append(self._read(self._pointer))
            self._advance()
        return bytes(values)

    def _advance(self) -> None:
        """IF_ADD_INC (8.5); with the FIFO on, the output registers roll over (AN5038 9.3)."""
        if not self.registers[CTRL2] & 0x04:
            return
        if self._pointer == OUT_Z_H and self._fifo.mode != fifo.BYPASS:
            self._pointer = OUT_X_L
        else:
            self._pointer = (self._pointer + 1) & 0x7F

    def _write(self, address: int, value: int) -> None:
        if address == CTRL2 and value & 0xC0:  # BOOT or SOFT_RESET: over before the next bus byte
            self.power_cycle()
            return
        before = self.registers[address]
        self.registers.write(address, value)
        if address == CTRL1 and value != before:
            self._restart_sampling()
        elif address == FIFO_CTRL:
            self._fifo.restart(value >> 5)
            self._plan_data_signals()
        elif address in (CTRL3, CTRL4, CTRL5, CTRL7, FREE_FALL) or 0x30 <= address <= WAKE_UP_THS + 1:
            self._configure_signals()

    def _read(self, address: int) -> int:
        if OUT_X_L <= address <= OUT_Z_H:
            return self._read_output(address - OUT_X_L)
        if address in (STATUS, STATUS_DUP):
            return self._status()
        if address == FIFO_SAMPLES:
            return self._fifo.status(self.registers.fifo_threshold)
        if address in (WAKE_UP_SRC, SIXD_SRC, ALL_INT_SRC):
            return self._read_source(address)
        return self.registers[address]

    # --- samples

    @property
    def _running(self) -> bool:
        return self.registers.period_us > 0

    def _latest(self) -> int:
        """Number of the newest sample since the rate was set; 0 when there is none."""
        if not self._running:
            return 0
        return (self._world.now_us - self._started_us) // self.registers.period_us

    def _time_us(self, number: int) -> int:
        return self._started_us + number * self.registers.period_us

    def _sample_g(self, number: int) -> tuple[float, float, float]:
        """What the converter sees: motion, self-test deflection and noise, clipped to the scale."""
        x, y, z = self._motion.acceleration_g(self._time_us(number))
        self_test_g = self.registers.self_test_g
        offset = [self_test_g + zero_g for zero_g in self.registers.zero_g]
        noise = _noise(self._noise_seed, number)
        rms, scale = self.registers.noise_rms_g, self.registers.scale_g
        values = [
            max(-scale, min(scale, x + offset[0] + noise[0] * rms)),
            max(-scale, min(scale, y + offset[1] + noise[1] * rms)),
            max(-scale, min(scale, z + offset[2] + noise[2] * rms)),
        ]
        if self.stuck_axis is not None:
            values[self.stuck_axis] = 0.0
        return values[0], values[1], values[2]

    def _sample_words(self, number: int) -> Sample:
        """The same as left-justified words (8.12)."""
        if number <= 0:
            return (0, 0, 0)
        x, y, z = (self.registers.word(value) for value in self._sample_g(number))
        return x, y, z

    def _read_output(self, offset: int) -> int:
        if offset == 0:
            self._take_sample()
        return self._output[offset]

    def _take_sample(self) -> None:
        """Six output bytes of the oldest FIFO sample, or of the newest one in bypass."""
        number = None
        if self._fifo.mode != fifo.BYPASS:
            number = self._fifo.pop()
        if number is None:
            number = self._latest()
        self._last_read = max(self._last_read, number)
        words = self._sample_words(number)
        self._output = b"".join((word & 0xFFFF).to_bytes(2, "little") for word in words)
        self._plan_data_signals()

    # --- state changes

    def _restart_sampling(self) -> None:
        """CTRL1 changed: samples are numbered from 1 again, the FIFO is empty."""
        self._started_us = self._world.now_us
        self._last_read = 0
        self._fifo.restart(self._fifo.mode)
        state, current_ua = "power down", POWER_DOWN_UA
        if self._running:
            state, current_ua = "measuring", _current_ua(self.registers)
        self._power.set_state(self._part, state, current_ua)
        self._engine = SignalEngine(self.registers, self._sample_g, self._motion, self._time_us)
        self._configure_signals()

    def _on_motion_change(self, from_us: int) -> None:
        if self._running:
            self._plan_signals()

    # --- wake-up, 6D, free-fall

    def _configure_signals(self) -> None:
        self._engine.configure(self._latest())
        self._pulse = 0
        self._latched = 0
        self._drive_int1()
        self._plan_signals()
        self._plan_data_signals()

    def _plan_signals(self) -> None:
        """Schedule the next sample that raises a signal, or the end of the search."""
        self._cancel("_signal_event")
        if not self._running or not self._engine.active or self._latched:
            return
        if self._resume:
            self._engine.skip_to(self._latest())
            self._resume = False
        limit_us = self._world.now_us + _LOOK_AHEAD_US
        hit = self._engine.find(limit_us)
        at_us = self._time_us(hit.number) if hit.signals else limit_us
        self._signal_event = self._world.at(at_us, lambda: self._fire(self._engine.accept(hit)))

    def _fire(self, signals: int) -> None:
        self._pulse = signals
        if signals:
            self._fifo.trigger()
        if self.registers.latched:
            self._latched |= signals
            self._resume = bool(self._latched)
        self._drive_int1()
        if signals and not self.registers.latched:
            # Pulsed: the level follows the condition from sample to sample.
            next_us = self._time_us(self._latest() + 1)
            self._signal_event = self._world.at(next_us, lambda: self._fire(self._engine.step()))
        else:
            self._plan_signals()

    def _read_source(self, address: int) -> int:
        """Source registers (8.28, 8.30, 8.31); reading one releases what it latched."""
        live = self._latched if self.registers.latched else self._pulse
        axes, position = self._engine.axes, self._engine.position
        if address == WAKE_UP_SRC:
            value = 0x20 if live & FREE_FALL_IA else 0
            value |= 0x10 if self._engine.sleeping else 0
            value |= 0x08 | axes if live & WAKE_UP_IA else 0
            released = WAKE_UP_IA | FREE_FALL_IA | SLEEP_CHANGE_IA
        elif address == SIXD_SRC:
            value = position | (0x40 if live & SIXD_IA else 0)
            released = SIXD_IA
        else:
            value = 0x10 if live & SIXD_IA else 0
            value |= 0x20 if live & SLEEP_CHANGE_IA else 0
            value |= 0x02 if live & WAKE_UP_IA else 0
            value |= 0x01 if live & FREE_FALL_IA else 0
            released = WAKE_UP_IA | FREE_FALL_IA | SIXD_IA | SLEEP_CHANGE_IA
        if self._latched & released:
            self._latched &= ~released
            self._drive_int1()
            self._plan_signals()
        return value

    def _status(self) -> int:
        live = self._latched if self.registers.latched else self._pulse
        value = 0x01 if self._latest() > self._last_read else 0
        value |= 0x02 if live & FREE_FALL_IA else 0
        value |= 0x04 if live & SIXD_IA else 0
        value |= 0x20 if self._engine.sleeping else 0
        value |= 0x40 if live & WAKE_UP_IA else 0
        if self._fifo.mode != fifo.BYPASS and self._fifo.level() >= self.registers.fifo_threshold:
            value |= 0x80
        return value

    # --- DRDY and FIFO signals: events only while they are routed to INT1

    def _plan_data_signals(self) -> None:
        self._cancel("_data_event")
        if not self._running or not self.registers[CTRL4] & 0x07:
            self._drive_int1()
            return
        next_number = self._latest() + 1
        if not self.registers[CTRL4] & 0x01:
            wanted = fifo.DEPTH if self.registers[CTRL4] & 0x04 else self.registers.fifo_threshold
            next_number = max(next_number, self._fifo.next + wanted - 1)
            if self._fifo.level() >= wanted or self._fifo.mode == fifo.BYPASS:
                self._drive_int1()
                return
        self._data_event = self._world.at(self._time_us(next_number), self._plan_data_signals)
        self._drive_int1()

    def _data_signal(self) -> bool:
        routed = self.registers[CTRL4]
        if routed & 0x01 and self._latest() > self._last_read:
            return True
        if self._fifo.mode == fifo.BYPASS:
            return False
        level = self._fifo.level()
        return bool(
            (routed & 0x02 and level >= self.registers.fifo_threshold)
            or (routed & 0x04 and level >= fifo.DEPTH)
        )

    def _drive_int1(self) -> None:
        """CTRL4, and CTRL5 by INT2_ON_INT1, route signals to the pad; H_LACTIVE inverts it (8.6-8.8, 8.35)."""
        live = self._latched if self.registers.latched else self._pulse
        routed = self.registers[CTRL4]
        active = self._data_signal()
        active |= bool(routed & 0x20 and live & WAKE_UP_IA)
        active |= bool(routed & 0x80 and live & SIXD_IA)
        active |= bool(routed & 0x10 and live & FREE_FALL_IA)
        if self.registers.int2_on_int1:
            active |= bool(self.registers[CTRL5] & 0x40 and live & SLEEP_CHANGE_IA)
            active |= bool(self.registers[CTRL5] & 0x80 and self._engine.sleeping)
        self._int1.drive(int(active ^ bool(self.registers[CTRL3] & 0x08)))

    def _cancel(self, name: str) -> None:
        event: Event | None = getattr(self, name)
        if event is not None:
            event.cancel()
            setattr(self, name, None)


def _current_ua(registers: Registers) -> float:
    if registers.high_performance:
        return HIGH_PERFORMANCE_UA
    return LOW_POWER_UA[registers.rate_code] * _MODE_FACTOR[registers[CTRL1] & 0x03]


def _noise(seed: int, number: int) -> tuple[float, float, float]:
    """Three values of unit variance, never beyond +-3: sums of three uniform numbers from a mixed counter."""
    bits = (seed + number * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    bits = ((bits ^ bits >> 30) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    bits = ((bits ^ bits >> 27) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    bits ^= bits >> 31
    return (
        ((bits & 127) + (bits >> 7 & 127) + (bits >> 14 & 127) - 190.5) / 64,
        ((bits >> 21 & 127) + (bits >> 28 & 127) + (bits >> 35 & 127) - 190.5) / 64,
        ((bits >> 42 & 127) + (bits >> 49 & 127) + (bits >> 56 & 127) - 190.5) / 64,
    )
