"""Virtual time: a discrete-event queue that owns the clock of every board, chip and radio frame."""

import heapq
import random
from collections.abc import Callable

US_PER_S = 1_000_000


class Event:
    """One callback at one instant; ``cancel()`` may be called at any time, also after it ran."""

    __slots__ = ("_order", "action", "cancelled", "time_us")

    def __init__(self, time_us: int, order: int, action: Callable[[], None]) -> None:
        self.time_us = time_us
        self._order = order
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def __lt__(self, other: "Event") -> bool:
        return (self.time_us, self._order) < (other.time_us, other._order)


class World:
    """Clock, event queue and random streams of one simulation.

    Args:
        seed: every random stream derives from it; the same seed gives the same run.
        start_unix_ms: UTC at virtual time zero, milliseconds since 1970-01-01.

    Events at the same instant run in the order in which they were scheduled.
    """

    def __init__(self, seed: int = 1, start_unix_ms: int = 1_767_225_600_000) -> None:
        self.seed = seed
        self.start_unix_ms = start_unix_ms
        self.now_us = 0
        self._queue: list[Event] = []
        self._order = 0

    @property
    def unix_ms(self) -> int:
        """UTC now, milliseconds since 1970-01-01."""
        return self.start_unix_ms + self.now_us // 1000

    def at(self, time_us: int, action: Callable[[], None]) -> Event:
        """Run ``action`` at ``time_us`` (not before now)."""
        event = Event(max(time_us, self.now_us), self._order, action)
        self._order += 1
        heapq.heappush(self._queue, event)
        return event

    def after(self, delay_us: int, action: Callable[[], None]) -> Event:
        """Run ``action`` after ``delay_us`` microseconds."""
        return self.at(self.now_us + delay_us, action)

    def random(self, name: str) -> random.Random:
        """A new random stream that depends on the seed and on ``name`` alone."""
        return random.Random(f"{self.seed}/{name}")

    def next_event_us(self) -> int | None:
        """Time of the earliest pending event, or None when nothing is scheduled."""
        while self._queue and self._queue[0].cancelled:
            heapq.heappop(self._queue)
        return self._queue[0].time_us if self._queue else None

    def step(self) -> bool:
        """Run the earliest event; False when nothing is scheduled."""
        if self.next_event_us() is None:
            return False
        event = heapq.heappop(self._queue)
        self.now_us = event.time_us
        event.action()
        return True

    def run_until(self, time_us: int) -> None:
        """Run every event up to and including ``time_us``, then stand at ``time_us``."""
        while (next_us := self.next_event_us()) is not None and next_us <= time_us:
            self.step()
        self.now_us = max(self.now_us, time_us)

    def run_for(self, duration_us: int) -> None:
        """Run ``duration_us`` microseconds from now."""
        self.run_until(self.now_us + duration_us)
