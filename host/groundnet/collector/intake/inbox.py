"""What comes in, by whichever way: link frames to the collector's core, one reply to each good one."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

from groundwire import frame

from groundnet.collector.intake.core import Collector
from groundnet.collector.stations.station_door import Peer, StationDoor
from groundnet.database.store import StoreError
from groundnet.errors import Text

CAPACITY = 4400  # bytes of the longest frame: 4096 of payload, and its overhead
# What came in, frames and names of what was none, and of whom.
Arrival = tuple[list[frame.Frame | frame.Answer], Peer | None]


class Inbox:
    """Answers frames.

    Args:
        collector: used by one thread.
        now_ms: UTC in Unix milliseconds; a simulation passes its own clock.
        refresh: called before frames are answered, to learn of devices that came in meanwhile.
        door: which stations may speak; None: all, as they say they are (tests of other things).
        say: told once when the store fails, and once when it works again.
    """

    def __init__(
        self,
        collector: Collector,
        now_ms: Callable[[], int],
        refresh: Callable[[], None] = lambda: None,
        door: StationDoor | None = None,
        say: Callable[[Text], None] = lambda text: None,
    ) -> None:
        self._collector = collector
        self._now_ms = now_ms
        self._refresh = refresh
        self._door = door
        self._say = say
        self._has_failed = False
        if door is not None:
            collector.tell_misheard(door.watch.misheard)

    def connection(self, where: str) -> Peer | None:
        """Who speaks on a connection from ``where``, for `receive`."""
        return None if self._door is None else self._door.connection(where)

    def closed(self, peer: Peer | None) -> None:
        """That connection is over."""
        if peer is not None:
            with contextlib.suppress(StoreError):  # one count less; the next request tells of the store
                peer.closed(self._now_ms())

    def is_tired_of(self, peer: Peer | None) -> bool:
        """Whether its connection may be closed."""
        return peer is not None and peer.is_tiresome(self._now_ms())

    def turned_away(self, peer: Peer | None, why: str) -> None:
        """Its connection is about to be closed for that."""
        if peer is not None:
            with contextlib.suppress(StoreError):
                peer.turned_away(why, self._now_ms())

    def topic(self, name: str) -> Peer | None:
        """The same behind a broker."""
        return None if self._door is None else self._door.topic(name)

    def receive(self, decoder: frame.Decoder, data: bytes, peer: Peer | None = None) -> list[bytes]:
        """The reply to every good frame in what arrived, all of it on disk.

        Raises ConnectionAbortedError when the store fails: nothing is kept and nothing answered, the peer asks again.
        """
        return self.receive_all([(arrived(decoder, data), peer)])[0]

    def receive_all(self, arrivals: Sequence[Arrival]) -> list[list[bytes]]:
        """The replies to each of several peers, with one commit for all of them. Raises ConnectionAbortedError."""
        now_ms = self._now_ms()
        with self._told():
            self._refresh()
            with self._collector.unit_of_work(now_ms):
                return [self._replies(answers, peer, now_ms) for answers, peer in arrivals]

    def search(self) -> bool:
        """Search a share for whose sender is nobody's yet; whether there is more. Raises ConnectionAbortedError."""
        with self._told():
            return self._collector.search(self._now_ms())

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """A store that fails is told of once, whatever number of peers has to ask again."""
        try:
            yield
        except StoreError as error:
            if not self._has_failed:
                self._say(_both(error))
            self._has_failed = True
            raise ConnectionAbortedError(str(error)) from error
        if self._has_failed:
            self._has_failed = False
            self._say(Text("works again", "恢复正常"))

    def _replies(self, answers: list, peer: Peer | None, now_ms: int) -> list[bytes]:
        replies = []
        for answer in answers:
            if not isinstance(answer, frame.Frame):
                self._collector.count_reject(f"frame_{answer.name.lower()}")
            elif peer is not None:
                replies.append(peer.answer(answer, now_ms, self._collector.receive))
            else:
                replies.append(self._collector.receive(answer, now_ms))
        return replies


def _both(error: StoreError) -> Text:
    """Cause and next action in both languages."""
    cause, action = (one if isinstance(one, Text) else Text(one) for one in (error.cause, error.action))
    return Text(f"{cause}; {action}", f"{cause.zh}；{action.zh}")


def arrived(decoder: frame.Decoder, data: bytes) -> list[frame.Frame | frame.Answer]:
    """All that ends in ``data``: good frames, and a named answer for each bad one."""
    decoder.feed(data)
    found = []
    while (answer := decoder.next()) is not frame.NEED_MORE:
        found.append(answer)
    return found
