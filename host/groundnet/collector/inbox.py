"""What comes in, by whichever way: link frames to the collector's core, one reply to each good one."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator

from groundwire import frame

from groundnet.collector.core import Collector
from groundnet.collector.station_door import Peer, StationDoor
from groundnet.database.store import StoreError

CAPACITY = 4400  # bytes of the longest frame: 4096 of payload, and its overhead


class Inbox:
    """Answers frames.

    Args:
        collector: used by one thread.
        now_ms: UTC in Unix milliseconds; a simulation passes its own clock.
        refresh: called before each frame is answered, to learn of devices that came in meanwhile.
        door: which stations may speak; None: all, as they say they are (tests of other things).
    """

    def __init__(
        self,
        collector: Collector,
        now_ms: Callable[[], int],
        refresh: Callable[[], None] = lambda: None,
        door: StationDoor | None = None,
    ) -> None:
        self._collector = collector
        self._now_ms = now_ms
        self._refresh = refresh
        self._door = door

    def connection(self, where: str) -> Peer | None:
        """Who speaks on a connection from ``where``, for `receive`."""
        return None if self._door is None else self._door.connection(where)

    def closed(self, peer: Peer | None) -> None:
        """That connection is over."""
        if peer is not None:
            with contextlib.suppress(StoreError):  # one count less; the next request tells of the store
                peer.closed(self._now_ms())

    def topic(self, name: str) -> Peer | None:
        """The same behind a broker."""
        return None if self._door is None else self._door.topic(name)

    def receive(self, decoder: frame.Decoder, data: bytes, peer: Peer | None = None) -> Iterator[bytes]:
        """The reply to every good frame in what arrived; bad ones are counted before the next good one is answered.

        Raises ConnectionAbortedError when the store fails: the frame is not kept and not answered, its peer asks
        again.
        """
        decoder.feed(data)
        bad: Counter[str] = Counter()
        while (answer := decoder.next()) is not frame.NEED_MORE:
            if isinstance(answer, frame.Frame):
                yield self._reply(answer, bad, peer)
            else:
                bad[f"frame_{answer.name.lower()}"] += 1
        self._count(bad)

    def _reply(self, request: frame.Frame, bad: Counter[str], peer: Peer | None) -> bytes:
        self._count(bad)
        try:
            self._refresh()
            if peer is not None:
                return peer.answer(request, self._now_ms(), self._collector.receive)
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
