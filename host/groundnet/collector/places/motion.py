"""A filter over time for one thing that stands, is walked, ridden or driven: four motions at once, each with a weight.

An interacting multiple model filter (Bar-Shalom, Estimation with Applications to Tracking and Navigation, 11.6) whose
motions are integrated Ornstein-Uhlenbeck processes: the speed wanders within its limits however long nobody looks,
no road is needed. East and north are alike and independent, so one covariance serves both. What stations heard is no
Gaussian: moments of prior times likelihood over a grid say which Gaussian would have done the same, and that goes in.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from groundnet.collector.places.position import Field


@dataclass(frozen=True)
class Motion:
    """``speed_mps``: standard deviation of the speed along an axis; ``memory_s``: for how long it keeps it."""

    name: str
    speed_mps: float
    memory_s: float
    share: float  # of all motions, when nothing is known
    lasts_s: float


MOTIONS = (
    Motion("still", 0.03, 10.0, 0.4, 600.0),
    Motion("walk", 1.1, 30.0, 0.2, 240.0),
    Motion("ride", 5.0, 60.0, 0.2, 240.0),
    Motion("van", 14.0, 200.0, 0.2, 240.0),
)
RADIUS_SIGMAS = math.sqrt(-2 * math.log(0.32))  # the circle with 68 % of a round Gaussian
GRID_SIGMAS = 2.7  # a prior is looked at as far as that
WIDE_M, WIDE_HALF, NARROW_HALF = 60.0, 3, 2  # (2 * 3 + 1) squared places when it is so wide, else fewer
LOOKS = 4  # each one closer
NO_EVIDENCE = -700.0
LEAST_PRECISION = 1e-9  # 1 / square metres: an observation that tells nothing of the place


class State(NamedTuple):
    """Metres and metres per second east and north; ``pp``, ``pv``, ``vv``: the covariance of either axis."""

    x: float
    y: float
    vx: float
    vy: float
    pp: float
    pv: float
    vv: float

    def later(self, motion: Motion, seconds: float) -> "State":
        """What is expected after some time in this motion."""
        u = seconds / motion.memory_s
        fade = math.exp(-u)
        reach = motion.memory_s * (1 - fade)
        power = motion.speed_mps**2
        spread = 2 * u - 3 + 4 * fade - fade * fade if u > 1e-3 else 2 * u**3 / 3
        return State(
            self.x + reach * self.vx,
            self.y + reach * self.vy,
            fade * self.vx,
            fade * self.vy,
            self.pp + 2 * reach * self.pv + reach**2 * self.vv + power * motion.memory_s**2 * spread,
            fade * (self.pv + reach * self.vv) + power * motion.memory_s * (1 - fade) ** 2,
            fade**2 * self.vv + power * (1 - fade**2),
        )

    def moved_to(self, x: float, y: float, variance: float) -> "State":
        """The state when its position is known anew: the speed follows as far as both are bound to each other."""
        gain = self.pv / self.pp
        return State(
            x,
            y,
            self.vx + gain * (x - self.x),
            self.vy + gain * (y - self.y),
            variance,
            gain * variance,
            self.vv + gain**2 * (variance - self.pp),
        )

    def with_speed(self, vx: float, vy: float, variance: float) -> tuple[float, "State"]:
        """Evidence and state after a measured speed."""
        total = self.vv + variance
        dx, dy = vx - self.vx, vy - self.vy
        gain, pull = self.vv / total, self.pv / total
        state = State(
            self.x + pull * dx,
            self.y + pull * dy,
            self.vx + gain * dx,
            self.vy + gain * dy,
            self.pp - pull * self.pv,
            self.pv * (1 - gain),
            self.vv * (1 - gain),
        )
        return -math.log(total) - (dx * dx + dy * dy) / (2 * total), state


class Belief(NamedTuple):
    """A state for each motion, and the weight of each."""

    states: tuple[State, ...]
    weights: tuple[float, ...]

    @classmethod
    def at(cls, x: float, y: float, variance: float) -> "Belief":
        """A thing that was just found at a place."""
        states = tuple(State(x, y, 0.0, 0.0, variance, 0.0, motion.speed_mps**2) for motion in MOTIONS)
        return cls(states, tuple(motion.share for motion in MOTIONS))

    def later(self, seconds: float) -> "Belief":
        """What is expected after some time, in which the motion may have changed."""
        stay = [math.exp(-seconds / motion.lasts_s) for motion in MOTIONS]
        states, weights = [], []
        for to, motion in enumerate(MOTIONS):
            flows = []
            for origin, weight in enumerate(self.weights):
                share = motion.share / (1 - MOTIONS[origin].share)
                flows.append(weight * (stay[origin] if origin == to else (1 - stay[origin]) * share))
            states.append(merged(self.states, flows).later(motion, seconds))
            weights.append(sum(flows))
        return Belief(tuple(states), tuple(weights))

    def whole(self) -> State:
        """All motions as one Gaussian."""
        return merged(self.states, self.weights)

    def judged(self, evidences: list[float], states: list[State]) -> "Belief":
        """The belief after evidence for each motion (logarithms)."""
        weighed = [math.log(max(w, 1e-12)) + one for w, one in zip(self.weights, evidences, strict=True)]
        best = max(weighed)
        shares = [math.exp(max(one - best, NO_EVIDENCE)) for one in weighed]
        total = sum(shares)
        return Belief(tuple(states), tuple(share / total for share in shares))

    def fixed(self, x: float, y: float, variance: float) -> "Belief":
        """After a position with a round Gaussian error."""
        evidences, states = [], []
        for state in self.states:
            total = state.pp + variance
            gain = state.pp / total
            dx, dy = x - state.x, y - state.y
            evidences.append(-math.log(total) - (dx * dx + dy * dy) / (2 * total))
            states.append(
                state.moved_to(state.x + gain * dx, state.y + gain * dy, state.pp * variance / total)
            )
        return self.judged(evidences, states)

    def driven(self, vx: float, vy: float, variance: float) -> "Belief":
        """After a measured speed."""
        found = [state.with_speed(vx, vy, variance) for state in self.states]
        return self.judged([evidence for evidence, _ in found], [state for _, state in found])

    def heard(self, field: Field, share: float) -> tuple[float, "Site", "Belief"]:
        """After what stations heard; ``share`` of it is news, the rest was known from the last time.

        With it the likelihood (a logarithm) of the likeliest place of all, and what this alone says of the place.
        """
        whole = self.whole()
        found = moments(field, share, whole.x, whole.y, whole.pp)
        site = Site.between(whole, found, share)
        return found.likeliest, site, self.fixed(site.x, site.y, site.variance)

    def told_moving(self, moving: bool) -> "Belief":
        """After the thing's own word whether it moves; it errs in one of ten."""
        doubts = [0.1 if (motion.name == "still") == moving else 0.9 for motion in MOTIONS]
        return self.judged([math.log(doubt) for doubt in doubts], list(self.states))


def merged(states: tuple[State, ...], weights: list[float] | tuple[float, ...]) -> State:
    """The Gaussian with the same mean and, over both axes, the same covariance as a mixture."""
    first = states[0]
    total = x = y = vx = vy = pp = pv = vv = 0.0
    for weight, s in zip(weights, states, strict=True):
        dx, dy, dvx, dvy = s.x - first.x, s.y - first.y, s.vx - first.vx, s.vy - first.vy
        total += weight
        x += weight * dx
        y += weight * dy
        vx += weight * dvx
        vy += weight * dvy
        pp += weight * (s.pp + (dx * dx + dy * dy) / 2)
        pv += weight * (s.pv + (dx * dvx + dy * dvy) / 2)
        vv += weight * (s.vv + (dvx * dvx + dvy * dvy) / 2)
    if total <= 0:
        return first
    x, y, vx, vy = x / total, y / total, vx / total, vy / total
    return State(
        first.x + x,
        first.y + y,
        first.vx + vx,
        first.vy + vy,
        pp / total - (x * x + y * y) / 2,
        pv / total - (x * vx + y * vy) / 2,
        vv / total - (vx * vx + vy * vy) / 2,
    )


class Moments(NamedTuple):
    """Mean and variance along an axis, and the likelihood (a logarithm) of the likeliest place without the prior."""

    x: float
    y: float
    variance: float
    likeliest: float


class Site(NamedTuple):
    """What one observation says of the place, as a Gaussian: it may be given to a belief of any other time, too.

    ``share``: how much of it was news (expectation propagation: Minka 2001).
    """

    x: float
    y: float
    variance: float
    share: float = 1.0

    @classmethod
    def between(cls, prior: State, posterior: Moments, share: float) -> "Site":
        """What leads from a prior to a posterior."""
        precision = 1 / posterior.variance - 1 / prior.pp
        if precision < LEAST_PRECISION:
            return cls(posterior.x, posterior.y, 1 / LEAST_PRECISION, share)
        x = (posterior.x / posterior.variance - prior.x / prior.pp) / precision
        y = (posterior.y / posterior.variance - prior.y / prior.pp) / precision
        return cls(x, y, 1 / precision, share)


def moments(field: Field, share: float, x: float, y: float, variance: float) -> Moments:
    """Of a round Gaussian prior times a share of a field; looked at again, closer, while the product is narrow."""
    east, north, half = field.reach()
    wide = (half / 2) ** 2
    gx, gy, width = x, y, variance
    if variance > wide:  # it is somewhere among those who heard it
        gain = variance / (variance + wide)
        gx, gy, width = x + gain * (east - x), y + gain * (north - y), gain * wide
    found = _over_grid(field, share, (x, y, variance), (gx, gy, math.sqrt(width)))
    for _ in range(LOOKS - 1):
        if found.variance > 0.3 * width:
            break
        width = 1.7 * found.variance
        found = _over_grid(field, share, (x, y, variance), (found.x, found.y, math.sqrt(width)))
    return found


def _over_grid(
    field: Field, share: float, prior: tuple[float, float, float], grid: tuple[float, float, float]
) -> Moments:
    px, py, variance = prior
    gx, gy, sigma = grid
    half = WIDE_HALF if sigma > WIDE_M else NARROW_HALF
    step = sigma * GRID_SIGMAS / half
    axis = [step * index for index in range(-half, half + 1)]
    likelihood, precision = field.log_likelihood, 0.5 / variance
    cells = [
        (share * likelihood(x, y) - precision * ((x - px) ** 2 + (y - py) ** 2), x, y)
        for x in (gx + offset for offset in axis)
        for y in (gy + offset for offset in axis)
    ]
    best, best_x, best_y = max(cells)
    total = x = y = squares = 0.0
    for value, cx, cy in cells:
        weight, cx, cy = math.exp(max(value - best, NO_EVIDENCE)), cx - gx, cy - gy
        total += weight
        x += weight * cx
        y += weight * cy
        squares += weight * (cx * cx + cy * cy)
    x, y = x / total, y / total
    spread = (squares / total - x * x - y * y) / 2
    return Moments(gx + x, gy + y, max(spread, step * step / 12), likelihood(best_x, best_y))
