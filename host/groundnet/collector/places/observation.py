"""One thing that was learned of where something is, and rests: the same that was heard again and again.

A thing that stands is heard by the same stations with the same levels, for months. That is one observation of a long
time, and no other way of reading it tells more: what shadows a place today shadows it tomorrow.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from groundnet.collector.places.position import Ear, Estimate

SAME_DB = 3.0  # a level that differs by no more comes from the same place
LONGEST_REST_MS = (
    2 * 3_600_000
)  # between two beacons of a rest; after longer nobody knows where it was meanwhile


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
class Rest:
    """Observations of one place in time order, mostly a single one; the first stands for all."""

    members: tuple[Observation, ...]

    @property
    def seen(self) -> Observation:
        return self.members[0]

    @property
    def until_ms(self) -> int:
        """When the last of them was made, Unix milliseconds."""
        return self.members[-1].time_ms


def rests(observations: Iterable[Observation]) -> list[Rest]:
    """Observations in time order that tell of a place, with those that say the same again put together."""
    runs: list[list[Observation]] = []
    for seen in observations:
        if seen.place is None and not seen.ears:
            continue
        near = runs and seen.time_ms - runs[-1][-1].time_ms <= LONGEST_REST_MS
        if near and _says_the_same(runs[-1][0], seen):
            runs[-1].append(seen)
        else:
            runs.append([seen])
    return [Rest(tuple(run)) for run in runs]


def _says_the_same(first: Observation, again: Observation) -> bool:
    """Whether a thing that says it does not move was heard as before."""
    if not first.ears or first.moving is not False or again.moving is not False:
        return False
    if len(first.ears) != len(again.ears):
        return False
    return all(
        one.lat == two.lat and one.lon == two.lon and abs(one.rssi_dbm - two.rssi_dbm) <= SAME_DB
        for one, two in zip(first.ears, again.ears, strict=True)
    )
