"""From observations in time order to a track: filtered forwards and backwards, what cannot be true left out.

Forwards, an observation that no motion explains waits: when ``CONVINCING`` in a row agree with each other, the thing
really is there, and the track begins anew. Backwards, one that disagrees with what came before and with what came
after, while these two agree, is left out too. The smoothed state is the forward one times what the future expects.
"""

import math
from dataclasses import dataclass

from groundnet.collector.motion import RADIUS_SIGMAS, Belief, State
from groundnet.collector.position import SMALLEST_RADIUS_M, Ear, Estimate, Field, locate
from groundnet.geodesy import LocalFrame

CONVINCING = 3
GAP_MS = 2 * 3_600_000  # after that nothing is known of where it was
GATE = 4.0  # standard deviations
GATE_EVIDENCE = 9.0  # the same for what stations heard, beside one for each station
SHADOW_M = 60.0  # walls and houses are others after so much
TURN_SHARE = 2.0  # of the distance to the loudest station; measured: the radius is honest with it
LEAST_NEWS = 0.01
COMMON_SHARE = 0.8  # of a fix's radius is common to its neighbours, which no averaging takes away
SPEED_ERROR_MPS = 1.0


@dataclass(frozen=True)
class Observation:
    """What was learned at one time: a place, or ears. Unix milliseconds; ``moving`` is the thing's own word."""

    time_ms: int
    source: str
    place: Estimate | None = None
    ears: tuple[Ear, ...] = ()
    speed_mps: float | None = None
    course_deg: float | None = None
    moving: bool | None = None


@dataclass(frozen=True)
class Smoothed:
    """An observation that was believed, and where the thing was then."""

    seen: Observation
    place: Estimate


@dataclass
class _Step:
    seen: Observation
    expected: State | None  # before it was taken in; None at a beginning
    state: State


def smooth(observations: list[Observation]) -> list[Smoothed]:
    """Where a thing was at each observation that is believed, in time order."""
    return [one for part in _parts(_useful(observations)) for one in _smooth_part(part)]


def filtered(observations: list[Observation]) -> list[Smoothed]:
    """The same without hindsight: where the thing seemed to be when each observation had just come in."""
    return [
        _placed(step.seen, step.state.x, step.state.y, step.state.pp, _frame(part[0].seen))
        for part in _parts(_useful(observations))
        for step in part
    ]


def _useful(observations: list[Observation]) -> list[Observation]:
    return [one for one in observations if one.place or one.ears]


class Filter:
    """Observations in time order, or against it, into one belief."""

    def __init__(self, frame: LocalFrame) -> None:
        self.belief: Belief | None = None
        self._frame = frame
        self._time_ms = 0
        self._known: dict[
            str, tuple[float, float, float]
        ] = {}  # where each source last told something: x, y, pp

    def take(self, seen: Observation, sign: int = 1, gate: bool = True) -> _Step | None:
        """The state after an observation; None when no motion explains it, and nothing changed."""
        if self.belief is None:
            return self._begin(seen, sign)
        expected = self.belief.later(abs(seen.time_ms - self._time_ms) / 1000)
        if seen.moving is not None:
            expected = expected.told_moving(seen.moving)
        after = self._weigh(expected, seen, gate)
        if after is None:
            return None
        self.belief = self._with_speed(after, seen, sign)
        self._time_ms = seen.time_ms
        return _Step(seen, expected.whole(), self._state(seen))

    def _begin(self, seen: Observation, sign: int) -> _Step | None:
        place = seen.place or locate(list(seen.ears))
        if place is None:
            return None
        x, y = self._frame.to_metres(place.lat, place.lon)
        self.belief = self._with_speed(Belief.at(x, y, (place.radius_m / RADIUS_SIGMAS) ** 2), seen, sign)
        self._time_ms = seen.time_ms
        return _Step(seen, None, self._state(seen))

    def _weigh(self, expected: Belief, seen: Observation, gate: bool) -> Belief | None:
        if seen.place is not None:
            x, y = self._frame.to_metres(seen.place.lat, seen.place.lon)
            variance = (seen.place.radius_m / RADIUS_SIGMAS) ** 2
            if gate and not _explained(expected, x, y, variance):
                return None
            return expected.fixed(x, y, variance / self._news(expected, seen))
        field = Field(seen.ears, self._frame)
        best, after = expected.heard(field, self._news(expected, seen))
        return None if gate and best < -GATE_EVIDENCE - len(field.heard) else after

    def _news(self, expected: Belief, seen: Observation) -> float:
        """Which share of an observation is news: errors of a place stay while the thing does."""
        last = self._known.get(seen.source)
        if seen.source == "gnss" or last is None:
            return 1.0
        moved_m = sum(
            weight * math.sqrt((s.x - last[0]) ** 2 + (s.y - last[1]) ** 2 + 2 * max(s.pp - last[2], 0.0))
            for s, weight in zip(expected.states, expected.weights, strict=True)
        )
        return max(1 - math.exp(-moved_m / _stays_m(seen)), LEAST_NEWS)

    def _with_speed(self, belief: Belief, seen: Observation, sign: int) -> Belief:
        if seen.speed_mps is None or seen.course_deg is None:
            return belief
        course = math.radians(seen.course_deg)
        east, north = seen.speed_mps * math.sin(course), seen.speed_mps * math.cos(course)
        return belief.driven(sign * east, sign * north, SPEED_ERROR_MPS**2)

    def _state(self, seen: Observation) -> State:
        assert self.belief is not None
        whole = self.belief.whole()
        self._known[seen.source] = (whole.x, whole.y, whole.pp)
        return whole


def _stays_m(seen: Observation) -> float:
    """After how many metres its errors are others: those of antennas, when stations stand in other directions."""
    if seen.place is not None:
        return seen.place.radius_m
    return max(SHADOW_M, TURN_SHARE * min(ear.hearing.distance_m(ear.rssi_dbm) for ear in seen.ears))


def _explained(expected: Belief, x: float, y: float, variance: float) -> bool:
    """Whether any motion that is not out of the question brings a thing there."""
    return any(
        weight > 1e-4 and (x - s.x) ** 2 + (y - s.y) ** 2 <= GATE**2 * (s.pp + variance)
        for s, weight in zip(expected.states, expected.weights, strict=True)
    )


def _parts(observations: list[Observation]) -> list[list[_Step]]:
    """The observations that are believed, filtered forwards, cut where nothing leads from one to the next."""
    parts: list[list[_Step]] = []
    running: Filter | None = None
    waiting: list[Observation] = []
    for seen in observations:
        if running is None or seen.time_ms - parts[-1][-1].seen.time_ms > GAP_MS:
            running, waiting = _begun(parts, [seen]), []
        elif step := running.take(seen):
            parts[-1].append(step)
            waiting = []
        else:
            waiting.append(seen)
            if len(waiting) >= CONVINCING and _agree(waiting):
                if len(parts[-1]) < CONVINCING:  # a wrong beginning
                    parts.pop()
                running, waiting = _begun(parts, waiting), []
    return parts


def _begun(parts: list[list[_Step]], beginning: list[Observation]) -> Filter:
    running = Filter(_frame(beginning[0]))
    parts.append([step for seen in beginning if (step := running.take(seen))])
    return running


def _agree(waiting: list[Observation]) -> bool:
    trial = Filter(_frame(waiting[0]))
    return all(trial.take(seen) is not None for seen in waiting)


def _smooth_part(forward: list[_Step]) -> list[Smoothed]:
    frame = _frame(forward[0].seen)
    backward = _run([step.seen for step in forward][::-1], frame, -1)[::-1]
    believed = [
        there.seen
        for there, back in zip(forward, backward, strict=True)
        if not _stands_alone(there, back, frame)
    ]
    if len(believed) < len(forward):
        forward, backward = _run(believed, frame, 1), _run(believed[::-1], frame, -1)[::-1]
    return [_combined(there, back, frame) for there, back in zip(forward, backward, strict=True)]


def _run(order: list[Observation], frame: LocalFrame, sign: int) -> list[_Step]:
    running = Filter(frame)
    return [step for seen in order if (step := running.take(seen, sign, gate=False))]


def _stands_alone(there: _Step, back: _Step, frame: LocalFrame) -> bool:
    """Whether a place disagrees with past and future, while these agree with each other."""
    if there.expected is None or back.expected is None or there.seen.place is None:
        return False
    place = there.seen.place
    x, y = frame.to_metres(place.lat, place.lon)
    variance = (place.radius_m / RADIUS_SIGMAS) ** 2
    past, future = there.expected, back.expected
    apart = (past.x - future.x) ** 2 + (past.y - future.y) ** 2
    return all(
        (x - s.x) ** 2 + (y - s.y) ** 2 > GATE**2 * (s.pp + variance) for s in (past, future)
    ) and apart <= GATE**2 * (past.pp + future.pp)


def _combined(there: _Step, back: _Step, frame: LocalFrame) -> Smoothed:
    """The forward state with what the future expects: two Gaussians of position and speed, multiplied.

    What stations and cells are wrong about is the same in both: their variance is that of a covariance intersection
    (Julier and Uhlmann 1997, with equal weights), twice the product's.
    """
    past, future = there.state, back.expected
    x, y, variance = past.x, past.y, past.pp
    if future is not None:
        x, y, variance = _product(past, future)
        if there.seen.source != "gnss":
            variance = min(2 * variance, past.pp)
    return _placed(there.seen, x, y, variance, frame)


def _placed(seen: Observation, x: float, y: float, variance: float, frame: LocalFrame) -> Smoothed:
    radius_m = RADIUS_SIGMAS * math.sqrt(variance)
    if seen.source == "gnss" and seen.place is not None:
        radius_m = max(radius_m, COMMON_SHARE * seen.place.radius_m)
    elif seen.place is None:
        radius_m = max(radius_m, SMALLEST_RADIUS_M)
    return Smoothed(seen, Estimate(*frame.to_degrees(x, y), round(radius_m, 3)))


def _product(past: State, future: State) -> tuple[float, float, float]:
    """Position and variance of past * future, whose speed runs backwards."""
    total = (past.pp + future.pp, past.pv - future.pv, past.vv + future.vv)
    determinant = total[0] * total[2] - total[1] ** 2
    inverse = (total[2] / determinant, -total[1] / determinant, total[0] / determinant)
    gain_p = past.pp * inverse[0] + past.pv * inverse[1]
    gain_v = past.pp * inverse[1] + past.pv * inverse[2]
    x = past.x + gain_p * (future.x - past.x) + gain_v * (-future.vx - past.vx)
    y = past.y + gain_p * (future.y - past.y) + gain_v * (-future.vy - past.vy)
    return x, y, max(past.pp - gain_p * past.pp - gain_v * past.pv, 1.0)


def _frame(seen: Observation) -> LocalFrame:
    if seen.place is not None:
        return LocalFrame(seen.place.lat, seen.place.lon)
    ear = seen.ears[0]
    return LocalFrame(ear.lat, ear.lon)
