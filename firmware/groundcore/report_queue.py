"""Items waiting to be reported: alarms first, then history."""

from groundwire.constant import const

_CAPACITY = const(240)  # items: a day of heartbeats and an hour without network on the road
_BATCH = const(12)  # items of one report: at most 600 bytes with its frame

URGENT = 0
HISTORY = 1


class ReportQueue:
    """Bounded. When it is full, history thins out: every second of the older half goes, so that a long time
    without network leaves a coarse track and not a hole. Alarms go last. `lost` counts what went and was not told."""

    def __init__(self):
        self._urgent = []
        self._history = []
        self.lost = 0

    def __len__(self) -> int:
        return len(self._urgent) + len(self._history)

    @property
    def urgent(self) -> bool:
        """Whether an alarm waits."""
        return bool(self._urgent)

    @property
    def alarms(self) -> list:
        """The items of rank URGENT; read only."""
        return self._urgent

    def put(self, item, rank: int = HISTORY):
        """Add an item of a report, in whatever form the caller keeps it."""
        if len(self) >= _CAPACITY:
            self._thin()
        (self._urgent if rank == URGENT else self._history).append(item)

    def take(self) -> list:
        """The next items, at most twelve; from now on the caller looks after them."""
        items = self._urgent[:_BATCH]
        self._urgent = self._urgent[_BATCH:]
        room = _BATCH - len(items)
        items += self._history[:room]
        self._history = self._history[room:]
        return items

    def _thin(self):
        half = len(self._history) // 2
        if half == 0:
            self._urgent.pop(0)
            self.lost += 1
            return
        kept = [self._history[index] for index in range(half) if index % 2 == 0]
        self.lost += half - len(kept)
        self._history = kept + self._history[half:]
