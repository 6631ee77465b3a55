"""One piece of a movement: a gravity vector, which may turn, plus a sum of sine tones under one envelope.

Its value is known at any time without stepping, and the change from one sample to the next has a bound that can be
written down: a chip model skips a quiet night without making a sample.
"""

import math
from dataclasses import dataclass

from groundnet.sim.world import US_PER_S

Vector = tuple[float, float, float]
_DECAY_RATE = 6.0  # a "decay" envelope falls to exp(-6) = 0.25 % by the end of its segment


@dataclass(frozen=True)
class Tone:
    """One sine: frequency, amplitude per axis in g, phase in radians."""

    hz: float
    amplitude_g: Vector
    phase: float = 0.0


@dataclass(frozen=True)
class Tilt:
    """How the part is mounted or held: roll about x and pitch about y, degrees."""

    roll_deg: float = 0.0
    pitch_deg: float = 0.0

    def gravity_g(self) -> Vector:
        """What the axes show at rest; the sum of squares is 1."""
        roll, pitch = math.radians(self.roll_deg), math.radians(self.pitch_deg)
        return -math.sin(pitch), math.cos(pitch) * math.sin(roll), math.cos(pitch) * math.cos(roll)


@dataclass(frozen=True)
class Segment:
    """One kind of movement; the envelope is ``flat``, ``bell`` (0..1..0) or ``decay``.

    ``end_us`` comes before ``start_us + length_us`` when something else cut it short.
    """

    kind: str
    start_us: int
    length_us: int
    end_us: int
    tilt_from: Tilt
    tilt_to: Tilt
    tones: tuple[Tone, ...] = ()
    envelope: str = "flat"
    weight: float = 1.0  # share of gravity that is felt: 0 in free fall

    def acceleration_g(self, time_us: int) -> Vector:
        """Acceleration at a time within the segment, g per axis."""
        x, y, z = (self.weight * axis for axis in self.tilt_at(time_us).gravity_g())
        if self.tones:
            time_s = (time_us - self.start_us) / US_PER_S
            level = self._level((time_us - self.start_us) / self.length_us)
            for tone in self.tones:
                swing = level * math.sin(math.tau * tone.hz * time_s + tone.phase)
                ax, ay, az = tone.amplitude_g
                x, y, z = x + ax * swing, y + ay * swing, z + az * swing
        return x, y, z

    def tilt_at(self, time_us: int) -> Tilt:
        """The tilt at a time within the segment: smooth start and end, steepest slope 1.5."""
        before, after = self.tilt_from, self.tilt_to
        if before == after:
            return before
        progress = (time_us - self.start_us) / self.length_us
        share = progress * progress * (3 - 2 * progress)
        return Tilt(
            before.roll_deg + share * (after.roll_deg - before.roll_deg),
            before.pitch_deg + share * (after.pitch_deg - before.pitch_deg),
        )

    def change_bound_g(self, step_us: int) -> float:
        """No axis changes by more than this between two instants ``step_us`` apart within the segment.

        A tone under a constant envelope changes by at most 2 A |sin(pi f dt)|; a moving envelope and a
        turning gravity vector add their greatest slope times the step.
        """
        step_s, duration_s = step_us / US_PER_S, self.length_us / US_PER_S
        turn_rad = self._turn_rad()
        bound = min(1.5 * turn_rad * step_s / duration_s, 2.0) if turn_rad else 0.0
        slope = {"flat": 0.0, "bell": math.pi, "decay": _DECAY_RATE}[self.envelope] / duration_s
        for tone in self.tones:
            peak = max(abs(amplitude) for amplitude in tone.amplitude_g)
            angle = math.pi * tone.hz * step_s
            swing = 2 * abs(math.sin(angle)) if angle < math.pi / 2 else 2.0
            bound += peak * min(swing + slope * step_s, 2.0)
        return bound

    def range_g(self) -> tuple[Vector, Vector]:
        """Lowest and highest value that each axis may show within the segment."""
        turn = min(self._turn_rad(), 2.0)
        gravity = tuple(self.weight * axis for axis in self.tilt_from.gravity_g())
        swing = [sum(abs(tone.amplitude_g[axis]) for tone in self.tones) + turn for axis in range(3)]
        low = tuple(gravity[axis] - swing[axis] for axis in range(3))
        high = tuple(gravity[axis] + swing[axis] for axis in range(3))
        return low, high  # type: ignore[return-value]

    def _turn_rad(self) -> float:
        roll = abs(self.tilt_to.roll_deg - self.tilt_from.roll_deg)
        return math.radians(roll + abs(self.tilt_to.pitch_deg - self.tilt_from.pitch_deg))

    def _level(self, progress: float) -> float:
        if self.envelope == "bell":
            return math.sin(math.pi * progress)
        return math.exp(-_DECAY_RATE * progress) if self.envelope == "decay" else 1.0
