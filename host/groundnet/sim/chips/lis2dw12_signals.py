"""The LIS2DW12's detectors (DS12096 5, AN5038 5): wake-up, 6D, free-fall, activity; found without stepping."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from groundnet.sim.chips.lis2dw12_registers import CTRL4, Registers
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.motion_segment import Segment, Vector

WAKE_UP_IA = 1
SIXD_IA = 2
FREE_FALL_IA = 4
SLEEP_CHANGE_IA = 8

_ROUTED = {0x20: WAKE_UP_IA, 0x80: SIXD_IA, 0x10: FREE_FALL_IA}  # CTRL4 bit -> signal
_NOISE_PEAK = 3.0  # in units of its RMS, see lis2dw12._noise


@dataclass(frozen=True)
class _State:
    """What the detectors remember after sample ``seen``."""

    seen: int = 0
    wake_run: int = 0  # consecutive samples over the threshold
    fall_run: int = 0
    axes: int = 0  # of the last wake-up
    position: int = 0
    still_run: int = 0  # consecutive samples under the threshold
    sleeping: bool = False  # inactivity


@dataclass(frozen=True)
class Hit:
    """The outcome of a search: ``signals`` at sample ``number``, or 0 when the search ended there."""

    number: int
    signals: int
    state: _State


class SignalEngine:
    """Looks at numbered samples in order; number 0 is the state before the first one.

    Args:
        registers: thresholds and durations.
        sample_g: value of a numbered sample, noise included.
        motion: gives the bounds.
        time_us: instant of a numbered sample.
    """

    def __init__(
        self,
        registers: Registers,
        sample_g: Callable[[int], Vector],
        motion: MotionProfile,
        time_us: Callable[[int], int],
    ) -> None:
        self._registers = registers
        self._sample_g = sample_g
        self._motion = motion
        self._time_us = time_us
        self._state = _State()
        self.active = 0  # signals that are enabled and routed

    @property
    def axes(self) -> int:
        """X b2, Y b1, Z b0 of the last wake-up."""
        return self._state.axes

    @property
    def position(self) -> int:
        """6D bits ZH ZL YH YL XH XL of the last position."""
        return self._state.position

    @property
    def sleeping(self) -> bool:
        """Inactivity: nothing was over the threshold for the sleep duration."""
        return self._state.sleeping

    def configure(self, latest: int) -> None:
        """Take over new register values and go on after sample ``latest``; durations start again."""
        self.active = 0
        if self._registers.interrupts_enabled:
            for bit, signal in _ROUTED.items():
                if self._registers[CTRL4] & bit:
                    self.active |= signal
            if self._registers.sleep_on:
                self.active |= SLEEP_CHANGE_IA
        self.skip_to(latest)

    def skip_to(self, number: int) -> None:
        """Go on after ``number`` without having looked at the samples before it."""
        position = self.position
        if number > 0:
            position = self._position_of(self._sample_g(number)) or position
        sleeping = self.sleeping and bool(self.active & SLEEP_CHANGE_IA)
        self._state = _State(number, axes=self.axes, position=position, sleeping=sleeping)

    def find(self, limit_us: int) -> Hit:
        """The next sample that raises a signal; changes nothing until the hit is accepted."""
        before = self._state
        hit = self._search(limit_us)
        self._state = before
        return hit

    def accept(self, hit: Hit) -> int:
        """The world has reached the hit: go on after it. Returns its signals."""
        self._state = hit.state
        return hit.signals

    def _search(self, limit_us: int) -> Hit:
        for segment in self._motion.segments_from(self._time_us(self._state.seen + 1)):
            last = self._last_number(min(segment.end_us - 1, limit_us))
            quiet = self._quiet(segment)
            while self._state.seen < last:
                signals = self.step()
                if signals:
                    return Hit(self._state.seen, signals, self._state)
                if quiet and self._state.wake_run == 0 and self._state.fall_run == 0:
                    # Only the step into this segment could raise anything: the rest needs no look.
                    self._skip_still(last)
            if segment.end_us > limit_us:
                break
        return Hit(self._state.seen, 0, self._state)

    def _skip_still(self, last: int) -> None:
        """On to ``last``, or to the sample before the one that makes inactivity."""
        state = self._state
        if self.active & SLEEP_CHANGE_IA and not state.sleeping:
            last = min(last, state.seen + max(0, self._registers.sleep_samples - state.still_run - 1))
        self._state = replace(state, seen=last, still_run=state.still_run + last - state.seen)

    def step(self) -> int:
        """Look at the next sample. Returns the signals that it raises."""
        before, number = self._state, self._state.seen + 1
        value = self._sample_g(number)
        raised, wake_run, fall_run, axes, position = 0, 0, 0, before.axes, before.position
        still_run, sleeping = 0, before.sleeping
        if self.active & (WAKE_UP_IA | SLEEP_CHANGE_IA):
            over = self._axes_over(number, value)
            wake_run = before.wake_run + 1 if over else 0
            still_run = 0 if over else before.still_run + 1
            if wake_run >= self._registers.wake_samples:
                raised, axes = raised | self.active & WAKE_UP_IA, over
            sleeping = self._sleeps(before.sleeping, wake_run, still_run)
            if sleeping != before.sleeping:
                raised |= SLEEP_CHANGE_IA
        if self.active & FREE_FALL_IA:
            threshold = self._registers.free_fall_threshold_g
            fall_run = before.fall_run + 1 if all(abs(axis_g) < threshold for axis_g in value) else 0
            if fall_run > self._registers.free_fall_samples:
                raised |= FREE_FALL_IA
        if self.active & SIXD_IA:
            position = self._position_of(value) or before.position
            if before.position not in (0, position):  # the first position is no change
                raised |= SIXD_IA
        self._state = _State(number, wake_run, fall_run, axes, position, still_run, sleeping)
        return raised

    def _sleeps(self, before: bool, wake_run: int, still_run: int) -> bool:
        """Activity begins with a wake-up, inactivity with the sleep duration."""
        if not self.active & SLEEP_CHANGE_IA:
            return False
        if wake_run >= self._registers.wake_samples:
            return False
        return before or still_run >= self._registers.sleep_samples

    def _axes_over(self, number: int, value: Vector) -> int:
        """Axes whose high-passed value is over the wake-up threshold."""
        before = self._sample_g(number - 1) if number > 1 else (0.0, 0.0, 0.0)
        threshold = self._registers.wake_threshold_g
        axes = 0
        for axis in range(3):
            if abs(value[axis] - before[axis]) / 2 > threshold:
                axes |= 4 >> axis
        return axes

    def _position_of(self, value: Vector) -> int:
        """The 6D bit of the axis that alone is over the threshold, else 0."""
        threshold = self._registers.sixd_threshold_g
        over = [axis for axis in range(3) if abs(value[axis]) > threshold]
        if len(over) != 1:
            return 0
        return (2 if value[over[0]] > 0 else 1) << (2 * over[0])

    def _quiet(self, segment: Segment) -> bool:
        """True when no sample inside the segment can raise a signal, whatever the noise does."""
        noise_g = _NOISE_PEAK * self._registers.noise_rms_g + max(map(abs, self._registers.zero_g))
        if self.active & (WAKE_UP_IA | SLEEP_CHANGE_IA):
            change_g = segment.change_bound_g(self._registers.period_us) + 2 * noise_g
            if change_g / 2 > self._registers.wake_threshold_g:
                return False
        low, high = segment.range_g()
        peaks = [max(abs(low[axis]), abs(high[axis])) + noise_g for axis in range(3)]
        floors = [max(low[axis], -high[axis], 0.0) - noise_g for axis in range(3)]
        if self.active & FREE_FALL_IA and max(floors) < self._registers.free_fall_threshold_g:
            return False
        if self.active & SIXD_IA:
            threshold = self._registers.sixd_threshold_g
            return all((peaks[axis] > threshold) == (floors[axis] > threshold) for axis in range(3))
        return True

    def _last_number(self, time_us: int) -> int:
        """Number of the last sample at or before ``time_us``."""
        return (time_us - self._time_us(0)) // self._registers.period_us
