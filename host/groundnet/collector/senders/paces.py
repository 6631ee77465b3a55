"""Which epochs tags may be in by now, by what was learned of their clocks: a snapshot without a database.

Twenty-six bytes a tag, in columns sorted by id, so that two million tags are fifty megabytes and a question takes
some microseconds.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable

from groundwire import keys

from groundnet.collector.database import Database
from groundnet.collector.intake.newest import in_chunks
from groundnet.collector.senders.clock_drift import HURRIED, RATE_SD, WANDER_PER_ROOT_HOUR

STRETCH = 9 / 8  # the longest wait of a beacon, by its interval
SIGMAS = 3.0
SLACK_BEACONS = 2  # one that was sent at once, one that was cut
ROAMING_MS, ROAMING_SHARE = (
    2 * 3_600_000,
    1 / 6,
)  # a tag at rest may have moved so long meanwhile: hours, and of the time
MEAN_STRETCH = 1 + 1 / 16  # of many waits
STRETCH_SD = 0.036  # of one: uniform from 1 to 9/8
RATE_STEP = 1e-5  # what a column's unit is
USUAL_REST_MS, USUAL_MOVING_MS = 1_800_000, 20_000
LARGEST_EPOCH = (1 << 28) - 1


def epochs_between(
    counter: int,
    silent_ms: float,
    slow_ms: float,
    fast_ms: float,
    hurried_ms: float,
    is_hurried: bool,
) -> tuple[int, int]:
    """First and last epoch that a tag may be in, ``silent_ms`` after a beacon with this counter.

    ``slow_ms`` and ``fast_ms``: the longest and the shortest it waits at rest; ``hurried_ms``: the shortest at all.
    """
    silent_ms = max(silent_ms, 0.0)
    least = max(int(silent_ms / slow_ms) - SLACK_BEACONS, 0)
    roaming_ms = silent_ms if is_hurried else min(silent_ms, ROAMING_MS + ROAMING_SHARE * silent_ms)
    most = (silent_ms - roaming_ms) / fast_ms + roaming_ms / hurried_ms + SLACK_BEACONS
    first, last = counter + least, counter + int(most) + 1
    return min(first >> keys.EPOCH_BITS, LARGEST_EPOCH), min(last >> keys.EPOCH_BITS, LARGEST_EPOCH)


class Paces:
    """What the store knew of clocks when it was read.

    Args:
        device_ids: of these only; None: of all.
    """

    def __init__(self, database: Database, device_ids: Iterable[bytes] | None = None) -> None:
        self._ids = array("Q")
        self._counters, self._times_s = array("I"), array("I")
        self._rest_s, self._moving_s = array("H"), array("H")
        self._rates, self._spreads = array("h"), array("H")
        self._overheads_ms = array("H")
        self._hurried = bytearray()
        columns = "device_id, counter, time_ms, flags, rest_ms, moving_ms, rate, rate_var, overhead_ms"
        question = f"SELECT {columns} FROM clocks WHERE pairs > 0"
        if device_ids is None:
            rows = database.rows(f"{question} ORDER BY device_id")
        else:
            rows = in_chunks(
                database, f"{question} AND device_id IN ({{}}) ORDER BY device_id", sorted(device_ids)
            )
        for row in rows:
            self._ids.append(int.from_bytes(row["device_id"], "big"))
            self._counters.append(row["counter"])
            self._times_s.append(row["time_ms"] // 1000)
            self._rest_s.append(min((row["rest_ms"] or USUAL_REST_MS) // 1000, 0xFFFF))
            self._moving_s.append(min((row["moving_ms"] or USUAL_MOVING_MS) // 1000, 0xFFFF))
            self._rates.append(round(row["rate"] / RATE_STEP))
            self._spreads.append(round(row["rate_var"] ** 0.5 / RATE_STEP))
            self._overheads_ms.append(min(max(round(row["overhead_ms"]), 0), 0xFFFF))
            self._hurried.append(bool(row["flags"] & HURRIED))

    def __len__(self) -> int:
        return len(self._ids)

    def steady_epochs(self, device_id: bytes, now_ms: int) -> tuple[int, int] | None:
        """(first, last) epoch at ``now_ms`` of a tag that went on in its mode all the time; None: nothing was learned.

        Narrow, also after months: what is left open is what its clock may do, and the chance of the waits' stretches.
        """
        index = self._index(device_id)
        if index is None:
            return None
        interval_ms = 1000 * (self._moving_s if self._hurried[index] else self._rest_s)[index]
        wait_ms = (
            interval_ms * MEAN_STRETCH * (1 + self._rates[index] * RATE_STEP) + self._overheads_ms[index]
        )
        waits = max(now_ms - 1000 * self._times_s[index], 0) / wait_ms
        share = self._rate_sd(index, now_ms)
        off = SIGMAS * (waits * share + STRETCH_SD * waits**0.5) + SLACK_BEACONS
        first, last = (
            self._counters[index] + max(int(waits - off), 0),
            self._counters[index] + int(waits + off) + 1,
        )
        return min(first >> keys.EPOCH_BITS, LARGEST_EPOCH), min(last >> keys.EPOCH_BITS, LARGEST_EPOCH)

    def expected_epochs(self, device_id: bytes, now_ms: int) -> tuple[int, int] | None:
        """(first, last) epoch a tag may be in at ``now_ms`` unless it lost its power; None: nothing was learned."""
        index = self._index(device_id)
        if index is None:
            return None
        rate, spread = self._rates[index] * RATE_STEP, SIGMAS * self._rate_sd(index, now_ms)
        rest_ms, moving_ms = 1000 * self._rest_s[index], 1000 * self._moving_s[index]
        return epochs_between(
            self._counters[index],
            now_ms - 1000 * self._times_s[index],
            rest_ms * STRETCH * (1 + rate + spread) + 2000,
            rest_ms * (1 + rate - spread),
            moving_ms * (1 + rate - spread),
            bool(self._hurried[index]),
        )

    def _rate_sd(self, index: int, now_ms: int) -> float:
        """Of a clock's rate by now: it went on to follow the weather."""
        hours = max(now_ms / 1000 - self._times_s[index], 0.0) / 3600
        learned = self._spreads[index] * RATE_STEP
        return min(math.sqrt(learned**2 + WANDER_PER_ROOT_HOUR**2 * hours), RATE_SD)

    def _index(self, device_id: bytes) -> int | None:
        number = int.from_bytes(device_id, "big")
        index = bisect_left(self._ids, number)
        return index if index < len(self._ids) and self._ids[index] == number else None
