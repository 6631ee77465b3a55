"""How much of the server one peer, one address and all together may have; pure: every method takes the time, s.

A station or tracker has one request under way, reads each reply, and finishes a frame that it began. Who does not do
so takes memory and time that others need: it is let go, and comes again if it is only unlucky.
"""

import ipaddress

from groundnet.collector.stations.quarantine import Bucket

# A county's stations may all come through one translated address, and all at once when the collector starts again.
CONNECTIONS_OF_ADDRESS, CONNECTIONS_OF_ALL = 4_000, 16_000
OPENED_PER_S = 20.0  # of one address for long
FRAME_S = 30.0  # for the first frame, and for one that was begun: 4,400 bytes at 150 bytes/s
IDLE_S = 900.0  # between two frames; a station asks each 30 s
UNREAD_S = 30.0  # for a peer to read its replies, when they do not go into the socket's buffer any more
RUBBISH_MOST = 1 << 20  # bytes without one good frame: the noise of a bad line is a few thousand

FULL, OFTEN, SLOW, IDLE, RUBBISH, REFUSED = (
    "too many connections",
    "connects too often",
    "does not finish its frame",
    "silent",
    "rubbish",
    "goes on though refused",
)


class AddressGate:
    """Who may connect. An IPv6 network of 64 bits counts as one address: each host has that many of its own."""

    def __init__(self, most_of_address: int = CONNECTIONS_OF_ADDRESS, most: int = CONNECTIONS_OF_ALL) -> None:
        self._most_of_address, self._most = most_of_address, most
        self._open: dict[str, int] = {}
        self._buckets: dict[str, Bucket] = {}
        self._all = 0

    def enter(self, place: str, now_s: float) -> str | None:
        """None: come in, and `leave` later. Else why not."""
        address = _network(place)
        if self._all >= self._most or self._open.get(address, 0) >= self._most_of_address:
            return FULL
        now_ms = round(now_s * 1000)
        bucket = self._buckets.pop(address, None) or Bucket(OPENED_PER_S, self._most_of_address, now_ms)
        self._buckets[address] = bucket  # who came last is the last in the dict
        if len(self._buckets) > self._most:
            del self._buckets[next(iter(self._buckets))]
        if not bucket.take(1, now_ms):
            return OFTEN
        self._open[address] = self._open.get(address, 0) + 1
        self._all += 1
        return None

    def leave(self, place: str) -> None:
        """One that came in is gone."""
        address = _network(place)
        self._all -= 1
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]


class Patience:
    """With one connection."""

    def __init__(self, now_s: float) -> None:
        self._until_s = now_s + FRAME_S
        self._rubbish = 0
        self._is_within = True  # the first frame has begun with the connection

    def left_s(self, now_s: float) -> float:
        """How long to wait for more, at the most."""
        return max(0.0, self._until_s - now_s)

    def over(self) -> str:
        """What is wrong when that time has passed."""
        return SLOW if self._is_within else IDLE

    def took(self, data: bytes, good: int, now_s: float) -> str | None:
        """Some bytes that ended so many good frames; says why the connection should end, or None."""
        was_within, self._is_within = self._is_within, not data.endswith(b"\x00")
        self._rubbish = 0 if good else self._rubbish + len(data)
        if good:  # nothing else earns more time
            self._until_s = now_s + (FRAME_S if self._is_within else IDLE_S)
        elif self._is_within and not was_within:
            self._until_s = min(self._until_s, now_s + FRAME_S)
        if self._rubbish > RUBBISH_MOST:
            return RUBBISH
        return None if now_s <= self._until_s else self.over()


def _network(place: str) -> str:
    """What is counted as one address."""
    if ":" not in place:
        return place
    try:
        return str(ipaddress.ip_network((place.partition("%")[0], 64), strict=False))
    except ValueError:
        return place
