"""Which epochs a tag may be in, seen from the last one that it was heard in.

A tag's epoch is its beacon counter / 16, so no clock is needed. Three things move it on: its beacons (20 s apart at
most often, so an hour is eleven epochs), a loss of power, after which it goes on behind its reserved block of 1000
counters, and time without anybody in reach.

The near window is kept ready for every tag. The wide one is searched when an id is nobody's: a tag that comes back
after days, and what a station delivers late.
"""

from collections.abc import Iterator

LARGEST_EPOCH = (1 << 28) - 1
BLOCK = 1000  # counters that a tag reserves in its flash at once
STEP = 4  # epochs between two moves of a near window: moving costs two dozen MACs

NEAR_BEHIND, NEAR_AHEAD = 5, 10
BLOCKS_AHEAD = (1, 2)  # losses of power in a row that are found at once
AFTER_BLOCK = 2  # epochs: 16 to 32 beacons that nobody heard after the restart

WIDE_BEHIND = 135  # three days of GFSK at rest, a night in lost mode
WIDE_AHEAD = 140  # two losses of power in a row, and more
HOUR_MS = 3_600_000
EPOCHS_AN_HOUR = 2  # GFSK at rest: a beacon each 2 min
LOST_EPOCHS_AN_HOUR = 8  # a beacon each 30 s
WIDE_MOST = 4_000  # epochs: eighty days of GFSK at rest
LOST_MOST = 40_000  # half a year in lost mode


def near(anchor: int) -> tuple[int, ...]:
    """The epochs kept ready around ``anchor``, rising."""
    epochs = set(range(max(0, anchor - NEAR_BEHIND), anchor + NEAR_AHEAD + 1))
    for blocks in BLOCKS_AHEAD:
        first = ((anchor << 4) // BLOCK + blocks) * BLOCK >> 4
        epochs.update(range(first, first + AFTER_BLOCK))
    return tuple(sorted(epoch for epoch in epochs if epoch <= LARGEST_EPOCH))


def moved(anchor: int, epoch: int) -> int:
    """The anchor after a beacon of ``epoch``: never back, and not for each epoch."""
    return epoch if epoch >= anchor + STEP else anchor


def wide(anchor: int, silent_ms: int, is_lost: bool) -> Iterator[int]:
    """The epochs to be searched, the likeliest first. ``silent_ms``: since the tag was heard last."""
    hours = max(0, silent_ms) // HOUR_MS
    if is_lost:
        ahead = min(WIDE_AHEAD + LOST_EPOCHS_AN_HOUR * hours, LOST_MOST)
    else:
        ahead = min(WIDE_AHEAD + EPOCHS_AN_HOUR * hours, WIDE_MOST)
    yield from range(anchor, min(anchor + ahead, LARGEST_EPOCH) + 1)
    yield from range(anchor - 1, max(0, anchor - WIDE_BEHIND) - 1, -1)
