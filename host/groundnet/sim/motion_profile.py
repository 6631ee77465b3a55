"""What an accelerometer bolted to a bike feels: acceleration in g as a function of virtual time.

A profile is a row of segments (motion_segment.py): wind, trucks, bumps, and what thieves and riders do.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace

from groundnet.sim.motion_segment import Segment, Tilt, Tone, Vector
from groundnet.sim.world import US_PER_S

STILL_FOREVER_US = 1 << 62


class MotionProfile:
    """Segments in order; still before the first and after the last.

    The building methods append at the end and return the profile, so they chain. ``start`` cuts the profile
    at an instant first, which is how a bench moves a thing now. Listeners are told from when on it changed.

    Args:
        random_stream: decides every amplitude, phase and gust.
        mount: how the part sits on the standing bike.
    """

    def __init__(self, random_stream: random.Random, mount: Tilt | None = None) -> None:
        self._random = random_stream
        self._segments: list[Segment] = []
        self._starts: list[int] = []
        self._mount = mount or Tilt()
        self._listeners: list[Callable[[int], None]] = []

    # --- reading

    @property
    def end_us(self) -> int:
        """Where the last segment ends."""
        return self._segments[-1].end_us if self._segments else 0

    @property
    def tilt(self) -> Tilt:
        """The tilt after the last segment."""
        if not self._segments:
            return self._mount
        return self._segments[-1].tilt_at(self.end_us)

    def segment_at(self, time_us: int) -> Segment:
        """The segment that holds ``time_us``; a still one before the first and after the last."""
        index = bisect_right(self._starts, time_us) - 1
        if index >= 0 and time_us < self._segments[index].end_us:
            return self._segments[index]
        return Segment("still", self.end_us, STILL_FOREVER_US, STILL_FOREVER_US, self.tilt, self.tilt)

    def segments_from(self, time_us: int) -> Iterator[Segment]:
        """All segments from ``time_us`` on; the last one is still and has no end."""
        segment = self.segment_at(time_us)
        while segment.end_us < STILL_FOREVER_US:
            yield segment
            segment = self.segment_at(segment.end_us)
        yield segment

    def acceleration_g(self, time_us: int) -> Vector:
        """Acceleration at a time, g per axis."""
        return self.segment_at(time_us).acceleration_g(time_us)

    def listen(self, listener: Callable[[int], None]) -> None:
        """Call ``listener(from_us)`` whenever the profile changes from ``from_us`` on."""
        self._listeners.append(listener)

    # --- building

    def start(self, time_us: int) -> "MotionProfile":
        """Go on from ``time_us``: still until then if the profile ends before, cut if it goes on after."""
        if time_us > self.end_us:
            return self.still((time_us - self.end_us) / US_PER_S)
        while self._segments and self._segments[-1].start_us >= time_us:
            self._segments.pop()
            self._starts.pop()
        if self._segments and self._segments[-1].end_us > time_us:
            self._segments[-1] = replace(self._segments[-1], end_us=time_us)
        self._tell(time_us)
        return self

    def still(self, duration_s: float) -> "MotionProfile":
        """Nothing moves."""
        return self._append("still", duration_s)

    def wind(self, duration_s: float, strength: float = 1.0, rattle_g: float = 0.02) -> "MotionProfile":
        """Gusts of 2-8 s with pauses: the bike sways at 1-2.5 Hz, and what is loose on it rattles at 8-20 Hz."""
        until_us = self.end_us + round(duration_s * US_PER_S)
        while self.end_us < until_us:
            left_s = (until_us - self.end_us) / US_PER_S
            self._append("still", min(self._random.expovariate(1 / 40), left_s))
            left_s = (until_us - self.end_us) / US_PER_S
            if left_s >= 0.1:
                gust = strength * self._random.uniform(0.3, 1.0)
                tones = (*self._tones(2, 1.0, 2.5, 0.05 * gust), *self._tones(2, 8, 20, rattle_g * gust))
                self._append("wind", min(self._random.uniform(2, 8), left_s), tones, "bell")
        return self

    def truck(self, weight: float = 1.0) -> "MotionProfile":
        """A truck passes close by: 8 s of ground vibration at 8-20 Hz, about 40 mg at its nearest."""
        return self._append("truck", 8, self._tones(4, 8, 20, 0.035 * weight), "bell")

    def bump(self, peak_g: float = 0.8) -> "MotionProfile":
        """Somebody knocks against the bike: one damped swing of 1.2 s, no lasting tilt."""
        return self._append("bump", 1.2, self._tones(3, 3, 9, peak_g), "decay")

    def lift(self, angle_deg: float = 25.0, duration_s: float = 2.0) -> "MotionProfile":
        """One wheel comes off the ground: the tilt changes and stays, with the jerks of two hands (0.3 g RMS)."""
        tilt = Tilt(self.tilt.roll_deg, self.tilt.pitch_deg + angle_deg)
        return self._append("lift", duration_s, self._tones(5, 2, 10, 0.9), "bell", tilt)

    def set_down(self) -> "MotionProfile":
        """Back to the mount's tilt in 1 s, ending in a knock."""
        self._append("set down", 1.0, self._tones(3, 2, 7, 0.25), "bell", self._mount)
        return self.bump(0.6)

    def walk(self, duration_s: float) -> "MotionProfile":
        """The bike is wheeled away: steps at 1.8 Hz and rolling noise (0.1 g RMS an axis)."""
        tones = (Tone(1.8, (0.08, 0.12, 0.10), self._phase()), *self._tones(5, 5, 18, 0.4))
        return self._append("walk", duration_s, tones)

    def ride(self, duration_s: float, roughness: float = 1.0) -> "MotionProfile":
        """The bike is ridden: sway below 1 Hz and a sustained band of 5-25 Hz (0.2 g RMS an axis)."""
        tones = (*self._tones(2, 0.3, 0.9, 0.10), *self._tones(7, 5, 25, 1.1 * roughness))
        return self._append("ride", duration_s, tones)

    def van(self, duration_s: float) -> "MotionProfile":
        """The bike lies in a driving van: chassis at 1-2.5 Hz, engine at 25-32 Hz, all of it small."""
        tones = (*self._tones(3, 1, 2.5, 0.10), *self._tones(2, 25, 32, 0.04))
        return self._append("van", duration_s, tones)

    def fall(self) -> "MotionProfile":
        """The bike falls over in 0.6 s, hits the ground and stays on its side."""
        side = Tilt(self.tilt.roll_deg + 80, self.tilt.pitch_deg)
        self._append("fall", 0.6, (), "flat", side)
        return self._append("impact", 0.8, self._tones(4, 6, 25, 2.5), "decay")

    def storm(self, duration_s: float) -> "MotionProfile":
        """Twice the usual gusts, on a bike with a loose mudguard."""
        return self.wind(duration_s, 2.0, 0.16)

    def rain(self, duration_s: float) -> "MotionProfile":
        """Drops on frame and case: short knocks of 20-80 mg, a few a second, above 10 Hz."""
        until_us = self.end_us + round(duration_s * US_PER_S)
        while self.end_us < until_us:
            left_s = (until_us - self.end_us) / US_PER_S
            self._append("still", min(self._random.expovariate(4), left_s))
            drop_s = min(0.12, (until_us - self.end_us) / US_PER_S)
            if drop_s > 0.01:
                self._append(
                    "drop", drop_s, self._tones(2, 10, 40, self._random.uniform(0.02, 0.08)), "decay"
                )
        return self

    def rack(self, duration_s: float) -> "MotionProfile":
        """A neighbour parks at the shared rack: knocks of 0.2-0.6 g and shoves of a few seconds between."""
        until_us = self.end_us + round(duration_s * US_PER_S)
        while self.end_us < until_us:
            self.bump(self._random.uniform(0.2, 0.6)).still(self._random.uniform(2, 9))
            self._append("shove", self._random.uniform(0.5, 1.5), self._tones(3, 1, 6, 0.15), "bell")
            self.still(self._random.uniform(10, 30))
        return self

    def collapse(self, lies_s: float = 20.0) -> "MotionProfile":
        """A wearer falls: 0.4 s of free fall, a blow of several g, and then only breath (20 mg at 0.3 Hz)."""
        self._append("free fall", 0.4, self._tones(2, 2, 6, 0.1))
        self._segments[-1] = replace(self._segments[-1], weight=0.15)
        down = Tilt(self.tilt.roll_deg + 80, self.tilt.pitch_deg)
        self._append(
            "impact", 0.6, (Tone(6, (2.0, 2.2, 2.6), math.pi / 2), *self._tones(3, 6, 12, 2.5)), "decay"
        )
        self._append("turn", 0.6, self._tones(3, 2, 6, 0.3), "bell", down)
        return self._append("breath", lies_s, (Tone(0.3, (0.01, 0.01, 0.02), self._phase()),))

    def jump(self) -> "MotionProfile":
        """A wearer jumps off a step and walks on."""
        self._append("free fall", 0.35, self._tones(2, 2, 6, 0.1))
        self._segments[-1] = replace(self._segments[-1], weight=0.15)
        self._append("impact", 0.4, (Tone(6, (2.0, 2.2, 2.6), math.pi / 2),), "decay")
        return self.walk(20)

    def _append(
        self,
        kind: str,
        duration_s: float,
        tones: tuple[Tone, ...] = (),
        envelope: str = "flat",
        tilt_to: Tilt | None = None,
    ) -> "MotionProfile":
        start_us, tilt = self.end_us, self.tilt
        length_us = max(1, round(duration_s * US_PER_S))
        end_us = start_us + length_us
        self._segments.append(
            Segment(kind, start_us, length_us, end_us, tilt, tilt_to or tilt, tones, envelope)
        )
        self._starts.append(start_us)
        self._tell(start_us)
        return self

    def _tones(self, count: int, low_hz: float, high_hz: float, peak_g: float) -> tuple[Tone, ...]:
        """``count`` tones spread over a band; together they reach about ``peak_g`` on the worst axis."""
        tones = []
        for index in range(count):
            share = (index + self._random.random()) / count
            size = peak_g / count * self._random.uniform(0.6, 1.4)
            x, y, z = (size * self._random.uniform(0.3, 1.0) for _ in range(3))
            tones.append(Tone(low_hz + share * (high_hz - low_hz), (x, y, z), self._phase()))
        return tuple(tones)

    def _phase(self) -> float:
        return self._random.uniform(0, math.tau)

    def _tell(self, from_us: int) -> None:
        for listener in self._listeners:
            listener(from_us)
