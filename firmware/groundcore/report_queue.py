"""Items waiting to be reported: alarms first, then history, and nothing is gone before it is acknowledged."""

from groundwire.constant import const

_CAPACITY = const(96)  # items: a day of heartbeats and an hour without network on the road
_BATCH = const(12)  # items of one report: at most 600 bytes with its frame

URGENT = 0
HISTORY = 1


class ReportQueue:
    """Bounded. When it is full, history thins out: every second of the older half goes, so that a long time
    without network leaves a coarse track and not a hole. Alarms go last. `lost` counts what went."""

    def __init__(self):
        self._urgent = []
        self._history = []
        self._sent = 0  # how many of the front of the line are under way
        self.lost = 0

    def __len__(self) -> int:
        return len(self._urgent) + len(self._history)

    @property
    def urgent(self) -> bool:
        """Whether an alarm waits."""
        return bool(self._urgent)

    def put(self, item: dict, rank: int = HISTORY):
        """Add an item of a report."""
        if len(self) >= _CAPACITY:
            self._thin()
        (self._urgent if rank == URGENT else self._history).append(item)

    def batch(self) -> list:
        """The next items to be sent. They stay until `acknowledge`; asking again gives the same or more."""
        items = self._urgent[:_BATCH]
        items += self._history[: _BATCH - len(items)]
        return items

    def acknowledge(self, items: list):
        """These have arrived."""
        self._urgent = [item for item in self._urgent if not _holds(items, item)]
        self._history = [item for item in self._history if not _holds(items, item)]

    def _thin(self):
        half = len(self._history) // 2
        if half == 0:
            self._urgent.pop(0)
            self.lost += 1
            return
        kept = [self._history[index] for index in range(half) if index % 2 == 0]
        self.lost += half - len(kept)
        self._history = kept + self._history[half:]


def _holds(items, wanted) -> bool:
    """Identity, not equality: two equal items are two events."""
    return any(item is wanted for item in items)
