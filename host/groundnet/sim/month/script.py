"""A month at a windy roadside rack, and the thefts that end a night now and then."""

import random
from dataclasses import dataclass

from groundnet.geodesy import LocalFrame
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.sky import Journey, Point
from groundnet.sim.world import US_PER_S

DAY_S = 86_400
RACK = (45.2783, 13.7230)  # latitude, longitude of the rack
_AWAY_M = 1500.0  # how far a thief takes it
_THEFT_S = 900.0
_BACK_S = 3600.0  # the bike is found and stands in the rack again so long after it was taken
_SETTLE_S = 600.0  # nothing begins this close before a theft


@dataclass(frozen=True)
class Theft:
    """``at_us``: the first movement. ``kind``: how it is taken. The alarm must come before ``until_us``."""

    at_us: int
    until_us: int
    kind: str


@dataclass(frozen=True)
class Script:
    """Everything that happens, and where the bike is."""

    motion: MotionProfile
    journey: Journey
    thefts: tuple[Theft, ...]


def write(draw: random.Random, days: int, thefts: int, start_unix_ms: int) -> Script:
    """Wind on three days in seven, forty trucks and six bumps a day; ``thefts`` of three kinds.

    The bike is put back an hour after each theft, and the owner arms it again by leaving it alone.
    """
    moments_s = sorted(draw.sample(range(DAY_S // 2, days * DAY_S - DAY_S // 2, 4 * 3600), thefts))
    motion = MotionProfile(draw)
    points = [Point(start_unix_ms, *RACK)]
    done = []
    now_s = 0.0
    for index, at_s in enumerate(moments_s):
        _ordinary(motion, draw, now_s, at_s - _SETTLE_S)
        kind = ("ride", "walk", "van")[index % 3]
        motion.start(at_s * US_PER_S)
        _take(motion, kind)
        points += _way(draw, start_unix_ms, at_s)
        now_s = at_s + _BACK_S
        motion.start(round(now_s * US_PER_S)).set_down()
        done.append(Theft(at_s * US_PER_S, round((at_s + _THEFT_S) * US_PER_S), kind))
    _ordinary(motion, draw, now_s + _SETTLE_S, days * DAY_S)
    return Script(motion, Journey(points), tuple(done))


def _ordinary(motion: MotionProfile, draw: random.Random, from_s: float, until_s: float) -> None:
    """Nobody does anything: weather and traffic."""
    now_s = from_s
    while True:
        windy = int(now_s // DAY_S) % 7 in (1, 2, 5)
        pause_s = draw.expovariate(1 / (DAY_S / (64 if windy else 46)))
        now_s = max(now_s, motion.end_us / US_PER_S) + pause_s
        if now_s + 420 >= until_s:
            return
        motion.start(round(now_s * US_PER_S))
        what = draw.random()
        if windy and what < 18 / 64:
            motion.wind(420, draw.uniform(0.6, 1.2))
        elif what > 0.9:
            motion.bump(draw.uniform(0.3, 1.0))
        else:
            motion.truck(draw.uniform(0.5, 1.3))


def _take(motion: MotionProfile, kind: str) -> None:
    if kind == "ride":
        motion.lift().ride(_THEFT_S)
    elif kind == "walk":
        motion.lift(15.0).walk(_THEFT_S)
    else:
        motion.lift(20.0, 3.0).van(_THEFT_S)


def _way(draw: random.Random, start_unix_ms: int, at_s: float) -> list[Point]:
    """Away in a straight line, left there, and back in the rack."""
    east_m, north_m = (draw.choice((-1, 1)) * _AWAY_M * draw.uniform(0.3, 1.0) for _ in range(2))
    lat, lon = LocalFrame(*RACK).to_degrees(east_m, north_m)

    def unix_ms(offset_s: float) -> int:
        return start_unix_ms + round((at_s + offset_s) * 1000)

    return [
        Point(unix_ms(5), *RACK),
        Point(unix_ms(_THEFT_S), lat, lon),
        Point(unix_ms(_BACK_S - 600), lat, lon),
        Point(unix_ms(_BACK_S), *RACK),
    ]
