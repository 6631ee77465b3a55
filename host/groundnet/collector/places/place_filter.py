"""Observations in time order, or against it, into one belief of where a thing is."""

import math
from dataclasses import dataclass

from groundnet.collector.places.error_budget import ErrorBudget
from groundnet.collector.places.motion import RADIUS_SIGMAS, Belief, Site, State
from groundnet.collector.places.observation import Observation, Rest
from groundnet.collector.places.position import Ear, Field, locate
from groundnet.geodesy import LocalFrame

GATE = 4.0  # standard deviations
GATE_EVIDENCE = 9.0  # the same for what stations heard, beside one for each station
UNLIKELY = 1e-4  # a motion of less weight explains nothing
SHADOW_M = 60.0  # walls and houses are others after so much,
SHADOW_SHARE = 0.3  # or after so much of the distance to the loudest station
SIDE_SHARE = 2.0  # of that distance: then stations hear it from another side
LEAST_NEWS = 0.01
SPEED_ERROR_MPS = 1.0


@dataclass(frozen=True)
class Step:
    """A rest that was believed: the state expected before it (None at a beginning), the state after it.

    ``site`` is what stations' levels said of the place, None for an observation that names a place itself.
    """

    rest: Rest
    expected: State | None
    state: State
    site: Site | None = None

    @property
    def kept(self) -> float:
        """Which part of the place before is in the new one."""
        return 0.0 if self.expected is None else min(self.state.pp / self.expected.pp, 1.0)

    @property
    def errors_m2(self) -> tuple[float, float]:
        """The observation's own variance along an axis: what is new, and what its neighbours err alike.

        Fixes err anew each time; of what stations and cells say all of it is taken as common.
        """
        place, source = self.rest.seen.place, self.rest.seen.source
        if place is None:
            assert self.site is not None
            return 0.0, self.site.variance * self.site.share  # as if all of it were news
        variance = (place.radius_m / RADIUS_SIGMAS) ** 2
        return (variance, 0.0) if source == "gnss" else (0.0, variance)


class Filter:
    """One belief, beginning with the first observation; metres of a frame, east and north."""

    def __init__(self, frame: LocalFrame) -> None:
        self.belief: Belief | None = None
        self._frame = frame
        self._time_ms = 0
        self._known: dict[
            str, tuple[float, float, float]
        ] = {}  # x, y, pp when each source last told something

    def take(self, rest: Rest, sign: int = 1, gate: bool = True, site: Site | None = None) -> Step | None:
        """The state after an observation; None when no motion explains it, and nothing changed.

        ``sign`` -1: against time. ``site``: what its levels said when they were looked at before.
        """
        seen = rest.seen
        begin_ms, end_ms = (seen.time_ms, rest.until_ms)[::sign]
        if self.belief is None:
            return self._begin(rest, sign, end_ms, site)
        expected = self.belief.later(abs(begin_ms - self._time_ms) / 1000)
        if seen.moving is not None:
            expected = expected.told_moving(seen.moving)
        taken = self._weigh(expected, seen, gate, site)
        if taken is None:
            return None
        after, site = taken
        self.belief = _with_speed(after, seen, sign)
        self._time_ms = end_ms
        return Step(rest, expected.whole(), self._state(seen), site)

    def _begin(self, rest: Rest, sign: int, end_ms: int, site: Site | None) -> Step | None:
        place = rest.seen.place
        if site is None:
            where = place or locate(list(rest.seen.ears))
            if where is None:
                return None
            x, y = self._frame.to_metres(where.lat, where.lon)
            site = Site(x, y, (where.radius_m / RADIUS_SIGMAS) ** 2)
        self.belief = _with_speed(Belief.at(site.x, site.y, site.variance), rest.seen, sign)
        self._time_ms = end_ms
        return Step(rest, None, self._state(rest.seen), None if place else site)

    def _weigh(
        self, expected: Belief, seen: Observation, gate: bool, site: Site | None
    ) -> tuple[Belief, Site | None] | None:
        if seen.place is not None:
            x, y = self._frame.to_metres(seen.place.lat, seen.place.lon)
            variance = (seen.place.radius_m / RADIUS_SIGMAS) ** 2
            if gate and not _explained(expected, x, y, variance):
                return None
            return expected.fixed(x, y, variance / self._news(expected, seen)), None
        if site is not None:
            return expected.fixed(site.x, site.y, site.variance), site
        field = Field(seen.ears, self._frame)
        likeliest, site, after = expected.heard(field, self._news(expected, seen))
        return None if gate and likeliest < -GATE_EVIDENCE - len(field.heard) else (after, site)

    def _news(self, expected: Belief, seen: Observation) -> float:
        """Which share of an observation is news: its shadow stays while the thing does."""
        last = self._known.get(seen.source)
        if seen.source == "gnss" or last is None:
            return 1.0
        moved_m = sum(
            weight * math.sqrt((s.x - last[0]) ** 2 + (s.y - last[1]) ** 2 + 2 * max(s.pp - last[2], 0.0))
            for s, weight in zip(expected.states, expected.weights, strict=True)
        )
        stays_m = seen.place.radius_m if seen.place else _stays_m(seen.ears, SHADOW_SHARE)
        return max(1 - math.exp(-moved_m / stays_m), LEAST_NEWS)

    def _state(self, seen: Observation) -> State:
        assert self.belief is not None
        whole = self.belief.whole()
        self._known[seen.source] = (whole.x, whole.y, whole.pp)
        return whole


def error_budgets(steps: list[Step]) -> list[tuple[ErrorBudget, ErrorBudget]]:
    """For each of a filter's steps, in its order: what its place erred before it was taken in, and after."""
    budget, last, ears, found = ErrorBudget(), None, (), []
    for step in steps:
        ears = step.rest.seen.ears or ears
        if last is not None and step.expected is not None:
            moved_m = math.hypot(step.state.x - last.state.x, step.state.y - last.state.y)
            budget = budget.moved(
                moved_m, _stays_m(ears, SIDE_SHARE), max(step.expected.pp - last.state.pp, 0.0)
            )
        after = budget.told(step.kept, *step.errors_m2)
        found.append((budget, after))
        budget, last = after, step
    return found


def _stays_m(ears: tuple[Ear, ...], share: float) -> float:
    nearest_m = min((ear.hearing.distance_m(ear.rssi_dbm) for ear in ears), default=0.0)
    return max(SHADOW_M, share * nearest_m)


def _with_speed(belief: Belief, seen: Observation, sign: int) -> Belief:
    if seen.speed_mps is None or seen.course_deg is None:
        return belief
    course = math.radians(seen.course_deg)
    east, north = seen.speed_mps * math.sin(course), seen.speed_mps * math.cos(course)
    return belief.driven(sign * east, sign * north, SPEED_ERROR_MPS**2)


def _explained(expected: Belief, x: float, y: float, variance: float) -> bool:
    """Whether any motion that is not out of the question brings a thing there."""
    return any(
        weight > UNLIKELY and (x - s.x) ** 2 + (y - s.y) ** 2 <= GATE**2 * (s.pp + variance)
        for s, weight in zip(expected.states, expected.weights, strict=True)
    )
