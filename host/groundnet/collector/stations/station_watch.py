"""What each station does, held against the rules of quarantine.py; who breaks one is kept out (quarantine_store.py).

In memory: the conduct of the stations that speak through this collector, and a copy of who is held, no older than a
second, so that neither another collector nor the command line has to tell anybody.
"""

import struct
from collections.abc import Callable

from groundwire import messages

from groundnet.collector.database import Database
from groundnet.collector.places.times import iso_time
from groundnet.collector.stations import quarantine, quarantine_store
from groundnet.collector.stations.quarantine import Conduct
from groundnet.collector.stations.quarantine_store import Hold
from groundnet.collector.stations.station_clock import retimed

LOOK_AGAIN_MS = 1000
# Frames of a station in quarantine that are answered within a wait; a well-made one sends one.
DEFIED_MOST = 8
STATIONS_MOST = 20_000  # an open collector is told any id; the one that is silent for longest is forgotten
UNKNOWN_TIME = 2**64 - 1
_COUNT_AT = 16  # of the sightings in a frame

HELLO, HEALTH = messages.kind_of("station_hello"), messages.kind_of("station_health")
SIGHTINGS = messages.kind_of("sightings")


class StationWatch:
    """One collector's watch over its stations.

    Args:
        is_strict: False: nobody is held for what it does, only by hand (a bench that sends as fast as it can).
    """

    def __init__(self, database: Database, is_strict: bool = True) -> None:
        self._database = database
        self._is_strict = is_strict
        self._conducts: dict[bytes, Conduct] = {}
        self._held: dict[bytes, Hold] = {}
        self._defied: dict[bytes, tuple[int, int]] = {}  # frames since it was told to wait, and until when
        self._looked_ms: int | None = None
        self._renewed: set[bytes] = set()
        self._judge: dict[int, Callable[[bytes, Conduct, bytes, int], tuple[str, str] | None]] = {
            HELLO: self._hello,
            HEALTH: self._health,
        }

    def held(self, station_id: bytes, now_ms: int) -> Hold | None:
        """Whether a station is kept out. Raises StoreError."""
        if self._looked_ms is None or abs(now_ms - self._looked_ms) >= LOOK_AGAIN_MS:
            self._looked_ms = now_ms
            self._let_in_renewed(now_ms)
            for released in quarantine_store.expire(self._database, now_ms):
                self._conducts.pop(released, None)
            now_held = quarantine_store.held(self._database)
            for released in self._held.keys() - now_held.keys():
                self._conducts.pop(released, None)  # who is let in begins to be judged anew
            self._held = now_held
        return self._held.get(station_id)

    def renewed(self, station_id: bytes) -> None:
        """It was provisioned anew: what its old secret did is over, unless somebody holds it by hand."""
        self._renewed.add(station_id)
        self._looked_ms = None

    def is_deaf(self, station_id: bytes, now_ms: int) -> bool:
        """Whether it is kept out and goes on though it was told to wait: until then nothing of it is looked at."""
        count, until_ms = self._defied.get(station_id, (0, 0))
        if now_ms < until_ms and station_id in self._held:
            return count >= DEFIED_MOST
        self._defied.pop(station_id, None)
        return False

    def saw(self, station_id: bytes, line: int, kind: int, payload: bytes, now_ms: int) -> Hold | None:
        """A good frame of a station on a connection (0: of a broker's topic); the hold if it is kept out.

        Raises StoreError.
        """
        found = self.held(station_id, now_ms)
        if found is not None:
            count, until_ms = self._defied.get(station_id, (0, now_ms))
            until_ms = until_ms if now_ms < until_ms else now_ms + found.ask_again_ms(now_ms)
            self._defied[station_id] = count + 1, until_ms
        if found is not None or not self._is_strict:
            return found
        conduct = self._conduct(station_id, now_ms)
        told = payload[_COUNT_AT] if kind == SIGHTINGS and len(payload) > _COUNT_AT else 0
        if rule := conduct.told(told, now_ms):
            return self._hold(station_id, rule, f"more than {quarantine.BURST} at once", now_ms)
        if line and (rule := conduct.spoke(line, now_ms)):
            return self._hold(station_id, rule, f"{quarantine.TURNS} turns between connections", now_ms)
        judge = self._judge.get(kind)
        if judge is not None and (broken := judge(station_id, conduct, payload, now_ms)):
            return self._hold(station_id, *broken, now_ms)
        return None

    def misheard(self, station_id: bytes, reason: str, count: int, now_ms: int) -> None:
        """Beacons that a station told were refused for ``reason``. Raises StoreError."""
        conduct = self._conducts.get(station_id)
        if conduct is not None and (rule := conduct.misheard(reason, count)):
            self._hold(station_id, rule, f"{reason} within the hour", now_ms)

    def believable(self, station_id: bytes, kind: int, payload: bytes, now_ms: int) -> bytes:
        """The payload with times that may be believed. Raises DecodeError."""
        conduct = self._conducts.get(station_id)
        if kind != SIGHTINGS or conduct is None or conduct.clock_off_ms is None:
            return payload
        return retimed(payload, conduct.clock_off_ms, now_ms)

    def _let_in_renewed(self, now_ms: int) -> None:
        if not self._renewed:
            return
        now_held = quarantine_store.held(self._database)
        for station_id in self._renewed & now_held.keys():
            if now_held[station_id].rule != quarantine.BY_HAND:
                who, why = quarantine_store.COLLECTOR, "provisioned anew"
                quarantine_store.release(self._database, station_id, now_ms, who, why)
        self._renewed.clear()

    def _conduct(self, station_id: bytes, now_ms: int) -> Conduct:
        found = self._conducts.pop(station_id, None) or Conduct(now_ms)
        self._conducts[station_id] = found  # the last one that spoke is the last in the dict
        if len(self._conducts) > STATIONS_MOST:
            del self._conducts[next(iter(self._conducts))]
        return found

    def _hello(
        self, station_id: bytes, conduct: Conduct, payload: bytes, now_ms: int
    ) -> tuple[str, str] | None:
        values = messages.decode(HELLO, payload).values
        conduct.region(values["region"])
        row = self._database.row("SELECT boot_count FROM stations WHERE station_id = ?", station_id)
        if row is None or values["boot_count"] >= row["boot_count"]:
            return None
        return quarantine.COPY, f"start {values['boot_count']} after {row['boot_count']}"

    def _health(
        self, station_id: bytes, conduct: Conduct, payload: bytes, now_ms: int
    ) -> tuple[str, str] | None:
        if len(payload) < 20:
            return None
        time_ms = struct.unpack_from(">Q", payload, 12)[0]
        if time_ms == UNKNOWN_TIME:
            return None
        rule = conduct.clock(time_ms - now_ms)
        return (rule, f"says {_time_text(time_ms)}") if rule else None

    def _hold(self, station_id: bytes, rule: str, detail: str, now_ms: int) -> Hold:
        found = quarantine_store.hold(self._database, station_id, rule, detail, now_ms)
        self._held[station_id] = found
        return found


def _time_text(time_ms: int) -> str:
    """A station may say any number."""
    return iso_time(time_ms) if time_ms < 250_000_000_000_000 else f"{time_ms} ms"
