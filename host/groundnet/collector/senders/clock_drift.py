"""What a tag's clock does, learned from when its beacons came: how much too slow or fast it is, and how sure that is.

A tag waits by its own clock: the interval of its mode, stretched by an amount that follows from the coming beacon's
counter and id (`groundcore/beaconing.py`). So of two beacons with n waits in between the tag's own time D is known to
the millisecond, and the true time T between them is (1 + rate) D + n overhead. The overhead is what each beacon takes
beside its wait: time on air, the receive window, waking up. Both are one Kalman filter's state; the rate wanders, as
the temperature does (the RC oscillator by which an ESP32 sleeps is 0.6 to 5 % off).

No pair: waits in different modes, movement or an alarm that cut a wait short, a restart (the counter leaves its block
of 1000), and what disagrees with all that was learned. Beacons lost in between count as waits of the same mode.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from groundwire import beacon, keys

BLOCK = 1000  # counters: a restart goes on with the next block
STRETCH_SHIFT = 11  # a wait is stretched by spread / 2048, an eighth at most
HURRIED = beacon.MOTION | beacon.LOST | beacon.SIREN | beacon.SOS_ACTIVE  # these beacon more often
MODES = HURRIED | beacon.TAMPER  # a change of these changes the interval, or comes at once
USUAL_INTERVALS_S = (
    20,
    30,
    60,
    120,
    600,
    1800,
)  # settings of all profiles and region plans, see intervals_of()
MOST_WAITS = 64
LONGEST_PAIR_MS = 12 * 3_600_000

RATE_SD = 0.03  # of tags' clocks, before anything was heard
OVERHEAD_MS, OVERHEAD_SD_MS = 700.0, 500.0
WANDER_PER_ROOT_HOUR = 0.0015  # standard deviation by which a rate changes within an hour
SLOWEST_RATE, FASTEST_RATE = 0.09, -0.09  # more is another interval
TIME_SD_MS = 400.0  # of a station's clock against another's, and of a wait for a free channel
GATE = 4.0  # standard deviations
STUBBORN = 5  # so many refused pairs in a row: the clock is another one now


class Heard(NamedTuple):
    """One beacon: its counter, when a station received it (Unix ms), its flags."""

    counter: int
    time_ms: int
    flags: int


@dataclass(frozen=True)
class Clock:
    """What is known of one tag's clock.

    ``rate``: true time by its own, less one: 0.02 is 2 % slow. ``overhead_ms``: of each beacon beside its wait.
    ``rr``, ``ro``, ``oo``: their covariance. ``rest_ms``, ``moving_ms``: its nominal intervals, 0: not yet known.
    """

    last: Heard
    rate: float = 0.0
    overhead_ms: float = OVERHEAD_MS
    rr: float = RATE_SD**2
    ro: float = 0.0
    oo: float = OVERHEAD_SD_MS**2
    rest_ms: int = 0
    moving_ms: int = 0
    pairs: int = 0
    refused: int = 0
    refused_in_a_row: int = 0

    @property
    def interval_ms(self) -> int:
        """The nominal interval in the mode of the last beacon, 0: not yet known."""
        return self.moving_ms if self.last.flags & HURRIED else self.rest_ms

    @property
    def rate_sd(self) -> float:
        """Standard deviation of ``rate``."""
        return math.sqrt(self.rr)

    def wait_ms(self, tag_ms: float, waits: float) -> tuple[float, float]:
        """True time of so many waits that take so long by the tag's clock, and its standard deviation."""
        variance = tag_ms * tag_ms * self.rr + 2 * tag_ms * waits * self.ro + waits * waits * self.oo
        return (1 + self.rate) * tag_ms + waits * self.overhead_ms, math.sqrt(
            max(variance, 0) + TIME_SD_MS**2
        )


def spread_sum(identity_key: keys.Key, first: int, last: int) -> int:
    """Of the waits before beacons ``first`` to ``last``: by how many 2048ths of the interval they are stretched."""
    total = 0
    for epoch in range(first >> keys.EPOCH_BITS, (last >> keys.EPOCH_BITS) + 1):
        by_id = keys.eid(identity_key, epoch)[0]
        begin = max(first, epoch << keys.EPOCH_BITS)
        end = min(last, (epoch << keys.EPOCH_BITS) + keys.EPOCH_BEACONS - 1)
        total += sum(by_id ^ (counter * 97 & 0xFF) for counter in range(begin, end + 1))
    return total


def intervals_of(heard: Heard, known_s: Iterable[int] = ()) -> tuple[int, ...]:
    """Milliseconds that a wait after this beacon may be: ``known_s`` are what the tag was set and ordered to."""
    if heard.flags & beacon.SIREN:
        return (10_000,)
    return tuple(1000 * seconds for seconds in sorted({*USUAL_INTERVALS_S, *known_s}))


def learn(
    clock: Clock | None, heard: Iterable[Heard], identity_key: keys.Key, known_s: Iterable[int] = ()
) -> Clock | None:
    """The clock after more beacons, by rising counter; ``known_s``: intervals beside the usual ones."""
    known_s = tuple(known_s)
    for one in heard:
        if clock is None:
            clock = Clock(one)
        elif one.counter > clock.last.counter:
            clock = replace(_paired(clock, one, identity_key, known_s), last=one)
    return clock


def _paired(clock: Clock, now: Heard, identity_key: keys.Key, known_s: tuple[int, ...]) -> Clock:
    last = clock.last
    waits = now.counter - last.counter
    true_ms = now.time_ms - last.time_ms
    clock = _wandered(clock, max(true_ms, 0))
    if last.counter // BLOCK != now.counter // BLOCK and now.counter % BLOCK < waits - 1:
        return clock  # beacons of two blocks with a hole in between: a restart, maybe
    if not 0 < true_ms <= LONGEST_PAIR_MS or waits > MOST_WAITS or not _uncut(last, now):
        return clock
    stretch = waits + spread_sum(identity_key, last.counter + 1, now.counter) / (1 << STRETCH_SHIFT)
    found = _likeliest(clock, true_ms, stretch, waits, intervals_of(last, known_s))
    return clock if found is None else _updated(clock, true_ms, found, stretch, waits)


def _uncut(last: Heard, now: Heard) -> bool:
    """Whether nothing said that a wait was cut short, or was another one."""
    return last.flags & MODES == now.flags & MODES


def _wandered(clock: Clock, passed_ms: float) -> Clock:
    hours = passed_ms / 3_600_000
    return replace(clock, rr=min(clock.rr + WANDER_PER_ROOT_HOUR**2 * hours, RATE_SD**2))


def _likeliest(
    clock: Clock, true_ms: float, stretch: float, waits: int, intervals_ms: Iterable[int]
) -> int | None:
    """The interval that explains a pair with a rate a clock may have; None: none does."""
    found = None
    for interval_ms in intervals_ms:
        rate = (true_ms - waits * clock.overhead_ms) / (stretch * interval_ms) - 1
        if FASTEST_RATE < rate < SLOWEST_RATE and (found is None or abs(rate - clock.rate) < found[0]):
            found = (abs(rate - clock.rate), interval_ms)
    return None if found is None else found[1]


def _updated(clock: Clock, true_ms: float, interval_ms: int, stretch: float, waits: int) -> Clock:
    """One measurement: T = (1 + rate) D + n overhead."""
    tag_ms = stretch * interval_ms
    expected_ms, sd_ms = clock.wait_ms(tag_ms, waits)
    off_ms = true_ms - expected_ms
    if clock.pairs and abs(off_ms) > GATE * sd_ms:
        return _doubted(clock)
    variance = sd_ms * sd_ms
    along_rate = (tag_ms * clock.rr + waits * clock.ro) / variance
    along_overhead = (tag_ms * clock.ro + waits * clock.oo) / variance
    hurried = bool(clock.last.flags & HURRIED)
    return replace(
        clock,
        rest_ms=clock.rest_ms if hurried else interval_ms,
        moving_ms=interval_ms if hurried else clock.moving_ms,
        rate=clock.rate + along_rate * off_ms,
        overhead_ms=clock.overhead_ms + along_overhead * off_ms,
        rr=clock.rr - along_rate * along_rate * variance,
        ro=clock.ro - along_rate * along_overhead * variance,
        oo=clock.oo - along_overhead * along_overhead * variance,
        pairs=clock.pairs + 1,
        refused_in_a_row=0,
    )


def _doubted(clock: Clock) -> Clock:
    """A pair that disagrees is one that was cut short or a station's clock; many in a row are a new clock."""
    clock = replace(clock, refused=clock.refused + 1, refused_in_a_row=clock.refused_in_a_row + 1)
    if clock.refused_in_a_row < STUBBORN:
        return clock
    return Clock(clock.last, refused=clock.refused)


class Window(NamedTuple):
    """When a beacon is expected with 95 %: Unix milliseconds, and its counter."""

    counter: int
    first_ms: int
    last_ms: int


def expected_beacons(clock: Clock, identity_key: keys.Key) -> Iterator[Window]:
    """The next beacons in the mode of the last one, each wider than the one before; none when no pair was learned."""
    if not clock.interval_ms:
        return
    counter, last_ms, spread = clock.last.counter, clock.last.time_ms, 0
    while True:
        counter += 1
        spread += spread_sum(identity_key, counter, counter)
        waits = counter - clock.last.counter
        tag_ms = clock.interval_ms * (waits + spread / (1 << STRETCH_SHIFT))
        later = _wandered(clock, tag_ms)
        true_ms, sd_ms = later.wait_ms(tag_ms, waits)
        yield Window(counter, round(last_ms + true_ms - 2 * sd_ms), round(last_ms + true_ms + 2 * sd_ms))


def next_window(clock: Clock, identity_key: keys.Key, now_ms: int) -> Window | None:
    """The beacon that is expected next, behind ``now_ms`` or around it; None when nobody can say."""
    if now_ms - clock.last.time_ms > LONGEST_PAIR_MS:
        return None
    for window in expected_beacons(clock, identity_key):
        if window.last_ms >= now_ms:
            return window
    return None
