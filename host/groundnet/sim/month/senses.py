"""What the parts of a tracker would tell: wake-ups, samples, sentences, cells; as functions of virtual time."""

import random
from array import array

from groundnet.sim.chips import l76k_sentences as nmea
from groundnet.sim.chips.lis2dw12_registers import (
    CTRL1,
    CTRL4,
    CTRL6,
    CTRL7,
    WAKE_UP_DUR,
    WAKE_UP_THS,
    Registers,
)
from groundnet.sim.chips.lis2dw12_signals import SignalEngine
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.motion_segment import Vector
from groundnet.sim.sky import Measurement, Sky
from groundnet.sim.world import US_PER_S, World

_SAMPLE_PERIOD_US = 40_000  # 25 Hz, watching and sampling
_RATE_25_HZ, _WAKE_ON_INT1, _INTERRUPTS_ON, _TWO_SAMPLES = 0x30, 0x20, 0x20, 0x20
_STEP_MG = 31.25  # of the threshold at 2 g
_NOISE_MG = 4.5
_NOISE_TABLE = 4096
_FIRST_FIX_S = {True: (5.0, 8.0), False: (25.0, 38.0)}  # after a timed standby; after power-on


class Accelerometer:
    """The first stage by the chip model's own detector, and samples for the second."""

    def __init__(self, motion: MotionProfile, draw: random.Random) -> None:
        self._motion = motion
        self._noise = [round(draw.gauss(0, _NOISE_MG)) for _ in range(_NOISE_TABLE)]
        self._registers = Registers()

    def next_wake_us(self, from_us: int, threshold_mg: int, limit_us: int) -> int | None:
        """When the wake-up interrupt fires first, at or after ``from_us``; None: not before ``limit_us``."""
        registers = self._registers
        registers.write(CTRL1, _RATE_25_HZ)
        registers.write(CTRL4, _WAKE_ON_INT1)
        registers.write(CTRL6, 0)
        registers.write(CTRL7, _INTERRUPTS_ON)
        registers.write(WAKE_UP_DUR, _TWO_SAMPLES)
        registers.write(WAKE_UP_THS, max(1, min(63, round(threshold_mg / _STEP_MG))))

        def time_us(number: int) -> int:
            return from_us + number * _SAMPLE_PERIOD_US

        def sample_g(number: int) -> Vector:
            return self._motion.acceleration_g(time_us(number))

        engine = SignalEngine(registers, sample_g, self._motion, time_us)
        engine.configure(1)
        hit = engine.find(limit_us)
        return time_us(hit.number) if hit.signals else None

    def samples(self, now_us: int, count: int) -> array:
        """The last ``count`` triples x, y, z in milli-g, oldest first."""
        out = array("h")
        noise, at = self._noise, now_us // _SAMPLE_PERIOD_US * 7
        for index in range(count):
            vector = self._motion.acceleration_g(now_us - (count - 1 - index) * _SAMPLE_PERIOD_US)
            for axis in range(3):
                at += 1
                value = round(vector[axis] * 1000) + noise[at % _NOISE_TABLE]
                out.append(max(-2000, min(2000, value)))
        return out


class Receiver:
    """A GNSS receiver that needs its time to the first fix, and sees what the sky allows."""

    def __init__(self, world: World, sky: Sky, draw: random.Random) -> None:
        self._world, self._sky, self._draw = world, sky, draw
        self._found = False  # it has had a fix since power-on
        self._ready_us = 0

    def start(self) -> None:
        """Out of standby, or on for the first time."""
        needed_s = self._draw.uniform(*_FIRST_FIX_S[self._found])
        self._ready_us = self._world.now_us + round(needed_s * US_PER_S)

    @property
    def tracking(self) -> bool:
        """It has a fix, or would have one under an open sky."""
        return self._world.now_us >= self._ready_us

    def sentences(self) -> bytes:
        """RMC and GGA of this second."""
        now_us = self._world.now_us
        fix: Measurement | None = self._sky.measure(now_us) if self.tracking else None
        self._found = self._found or fix is not None
        satellites = self._sky.satellites(now_us)
        return b"".join(nmea.epoch(("GGA", "RMC"), self._world.unix_ms, fix, satellites))
