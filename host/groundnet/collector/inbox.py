"""What comes in, by whichever way: link frames to the collector's core, one reply to each good one."""

from collections import Counter
from collections.abc import Callable, Iterator

from groundwire import frame

from groundnet.collector.core import Collector
from groundnet.database.store import StoreError

CAPACITY = 4400  # bytes of the longest frame: 4096 of payload, and its overhead


class Inbox:
    """Answers frames.

    Args:
        collector: used by one thread.
        now_ms: UTC in Unix milliseconds; a simulation passes its own clock.
        refresh: called before each frame is answered, to learn of devices that came in meanwhile.
    """

    def __init__(
        self, collector: Collector, now_ms: Callable[[], int], refresh: Callable[[], None] = lambda: None
    ) -> None:
        self._collector = collector
        self._now_ms = now_ms
        self._refresh = refresh

    def receive(self, decoder: frame.Decoder, data: bytes) -> Iterator[bytes]:
        """The reply to every good frame in what arrived; bad ones are counted before the next good one is answered.

        Raises ConnectionAbortedError when the store fails: the frame is not kept and not answered, its peer asks
        again.
        """
        decoder.feed(data)
        bad: Counter[str] = Counter()
        while (answer := decoder.next()) is not frame.NEED_MORE:
            if isinstance(answer, frame.Frame):
                yield self._reply(answer, bad)
            else:
                bad[f"frame_{answer.name.lower()}"] += 1
        self._count(bad)

    def _reply(self, request: frame.Frame, bad: Counter[str]) -> bytes:
        self._count(bad)
        try:
            self._refresh()
            return self._collector.receive(request, self._now_ms())
        except StoreError as error:
            raise ConnectionAbortedError(str(error)) from error

    def _count(self, bad: Counter[str]) -> None:
        """One commit for many bad frames: a flood of rubbish must not keep the disk busy."""
        try:
            for reason, times in bad.items():
                self._collector.count_reject(reason, times)
        except StoreError as error:
            raise ConnectionAbortedError(str(error)) from error
        bad.clear()
