"""From observations in time order to a track: filtered forwards and backwards, what cannot be true left out.

Forwards, an observation that no motion explains waits: when ``CONVINCING`` in a row agree with each other, the thing
really is there, and the track begins anew. Backwards, one that disagrees with what came before and with what came
after, while these two agree, is left out too. The smoothed state is the forward one times what the future expects.
"""

import math
from dataclasses import dataclass

from groundnet.collector.places.error_budget import ErrorBudget
from groundnet.collector.places.motion import RADIUS_SIGMAS, State
from groundnet.collector.places.observation import Observation, Rest, rests
from groundnet.collector.places.place_filter import GATE, Filter, Step, error_budgets
from groundnet.collector.places.position import SMALLEST_RADIUS_M, Estimate
from groundnet.geodesy import LocalFrame

CONVINCING = 3
GAP_MS = 2 * 3_600_000  # after that nothing is known of where it was
FIX_SHARE = 0.8  # of a fix's radius is common to its neighbours, which no averaging takes away


@dataclass(frozen=True)
class Smoothed:
    """An observation that was believed, and where the thing was then."""

    seen: Observation
    place: Estimate


def smooth(observations: list[Observation]) -> list[Smoothed]:
    """Where a thing was at each observation that is believed, in time order."""
    return [one for part in _parts(rests(observations)) for one in _smooth_part(part)]


def filtered(observations: list[Observation]) -> list[Smoothed]:
    """The same without hindsight: where the thing seemed to be when each observation had just come in."""
    found = []
    for part in _parts(rests(observations)):
        frame = _frame(part[0].rest)
        for step, (_, error) in zip(part, error_budgets(part), strict=True):
            state = step.state
            found += _placed(step.rest, state.x, state.y, error.variance, frame)
    return found


def _parts(all_rests: list[Rest]) -> list[list[Step]]:
    """The observations that are believed, filtered forwards, cut where nothing leads from one to the next."""
    parts: list[list[Step]] = []
    running: Filter | None = None
    waiting: list[Rest] = []
    for rest in all_rests:
        if running is None or rest.seen.time_ms - parts[-1][-1].rest.until_ms > GAP_MS:
            running, waiting = _begun(parts, [rest]), []
        elif step := running.take(rest):
            parts[-1].append(step)
            waiting = []
        else:
            waiting.append(rest)
            if len(waiting) >= CONVINCING and _agree(waiting):
                if len(parts[-1]) < CONVINCING:  # a wrong beginning
                    parts.pop()
                running, waiting = _begun(parts, waiting), []
    return parts


def _begun(parts: list[list[Step]], beginning: list[Rest]) -> Filter:
    running = Filter(_frame(beginning[0]))
    parts.append([step for rest in beginning if (step := running.take(rest))])
    return running


def _agree(waiting: list[Rest]) -> bool:
    trial = Filter(_frame(waiting[0]))
    return all(trial.take(rest) is not None for rest in waiting)


def _smooth_part(forward: list[Step]) -> list[Smoothed]:
    frame = _frame(forward[0].rest)
    backward = _again(forward[::-1], frame, -1)[::-1]
    believed = [
        there for there, back in zip(forward, backward, strict=True) if not _stands_alone(there, back, frame)
    ]
    if len(believed) < len(forward):
        forward = _again(believed, frame, 1)
        backward = _again(forward[::-1], frame, -1)[::-1]
    past, future = error_budgets(forward), error_budgets(backward[::-1])[::-1]
    found = []
    for there, back, (_, before), (after, _) in zip(forward, backward, past, future, strict=True):
        found += _combined(there, back.expected, before, after, frame)
    return found


def _again(order: list[Step], frame: LocalFrame, sign: int) -> list[Step]:
    """What is believed goes through a filter once more; what stations' levels say is known by now."""
    running = Filter(frame)
    return [step for old in order if (step := running.take(old.rest, sign, gate=False, site=old.site))]


def _stands_alone(there: Step, back: Step, frame: LocalFrame) -> bool:
    """Whether a place disagrees with past and future, while these agree with each other."""
    place = there.rest.seen.place
    if there.expected is None or back.expected is None or place is None:
        return False
    x, y = frame.to_metres(place.lat, place.lon)
    variance = (place.radius_m / RADIUS_SIGMAS) ** 2
    past, future = there.expected, back.expected
    apart = (past.x - future.x) ** 2 + (past.y - future.y) ** 2
    return all(
        (x - s.x) ** 2 + (y - s.y) ** 2 > GATE**2 * (s.pp + variance) for s in (past, future)
    ) and apart <= GATE**2 * (past.pp + future.pp)


def _combined(
    there: Step, future: State | None, before: ErrorBudget, after: ErrorBudget, frame: LocalFrame
) -> list[Smoothed]:
    """The forward state with what the future expects: two Gaussians of position and speed, multiplied.

    What both are wrong about together is no product's matter: see error_budget.py.
    """
    past = there.state
    if future is None:
        return _placed(there.rest, past.x, past.y, before.variance, frame)
    x, y, share = _product(past, future)
    return _placed(there.rest, x, y, before.mixed(after, share).variance, frame)


def _placed(rest: Rest, x: float, y: float, variance: float, frame: LocalFrame) -> list[Smoothed]:
    radius_m = RADIUS_SIGMAS * math.sqrt(variance)
    seen = rest.seen
    if seen.source == "gnss" and seen.place is not None:
        radius_m = max(radius_m, FIX_SHARE * seen.place.radius_m)
    elif seen.place is None:
        radius_m = max(radius_m, SMALLEST_RADIUS_M)
    place = Estimate(*frame.to_degrees(x, y), round(radius_m, 3))
    return [Smoothed(member, place) for member in rest.members]


def _product(past: State, future: State) -> tuple[float, float, float]:
    """Position of past * future, whose speed runs backwards, and the future's share in it."""
    total = (past.pp + future.pp, past.pv - future.pv, past.vv + future.vv)
    determinant = total[0] * total[2] - total[1] ** 2
    inverse = (total[2] / determinant, -total[1] / determinant, total[0] / determinant)
    gain_p = past.pp * inverse[0] + past.pv * inverse[1]
    gain_v = past.pp * inverse[1] + past.pv * inverse[2]
    x = past.x + gain_p * (future.x - past.x) + gain_v * (-future.vx - past.vx)
    y = past.y + gain_p * (future.y - past.y) + gain_v * (-future.vy - past.vy)
    return x, y, min(max(gain_p, 0.0), 1.0)


def _frame(rest: Rest) -> LocalFrame:
    place = rest.seen.place or rest.seen.ears[0]
    return LocalFrame(place.lat, place.lon)
