"""What was refused or is odd of stations, counted by station and reason, for whoever looks after them."""

import struct
from collections import Counter

from groundwire import messages

from groundnet.collector.database import Database

FLUSH_MS = 1000  # a flood of refusals must not keep the disk busy
PENDING_MOST = 1000  # different ones between two writes
ROWS_MOST = 5000  # anybody can make up ids; what is more is counted as of station 0
WRONG_CLOCK_MS = 300_000  # a station learns the time with every reply
NOBODY = bytes(8)

HELLO, HEALTH = messages.kind_of("station_hello"), messages.kind_of("station_health")
UNKNOWN_TIME = 2**64 - 1


class StationRefusals:
    """Counts in memory, and in the store at most once a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: Counter[tuple[bytes, str]] = Counter()
        self._places: dict[tuple[bytes, str], str] = {}
        self._written_ms = 0
        self._proved: set[bytes] = set()

    def has_proved(self, station_id: bytes) -> bool:
        """Whether this station ever proved itself at this store."""
        if station_id not in self._proved:
            row = self._database.row("SELECT 1 AS n FROM station_proofs WHERE station_id = ?", station_id)
            if row is None:
                return False
            self._proved.add(station_id)
        return True

    def note(self, station_id: bytes, reason: str, where: str, now_ms: int) -> None:
        """``reason`` is a fixed word or two of ours, ``where`` a connection or topic."""
        key = (station_id, reason)
        if key not in self._counts and len(self._counts) >= PENDING_MOST:
            key = (NOBODY, reason)
        self._counts[key] += 1
        self._places[key] = where
        if abs(now_ms - self._written_ms) >= FLUSH_MS:
            self.write(now_ms)

    def look(self, station_id: bytes, kind: int, payload: bytes, where: str, now_ms: int) -> None:
        """What a proved station says of itself: is it a copy, is its clock wrong? Told, not refused."""
        if kind == HELLO and len(payload) >= 12:
            boot_count = struct.unpack_from(">I", payload, 8)[0]
            row = self._database.row("SELECT boot_count FROM stations WHERE station_id = ?", station_id)
            if row is not None and boot_count < row["boot_count"]:
                self.note(station_id, "starts went back: a copy?", where, now_ms)
            self._database.run(
                "INSERT INTO station_proofs VALUES (?, ?, ?) ON CONFLICT (station_id) DO UPDATE SET "
                "last_ms = excluded.last_ms, place = excluded.place",
                station_id,
                now_ms,
                where,
            )
        elif kind == HEALTH and len(payload) >= 20:
            time_ms = struct.unpack_from(">Q", payload, 12)[0]
            if time_ms != UNKNOWN_TIME and abs(time_ms - now_ms) > WRONG_CLOCK_MS:
                self.note(station_id, "wrong clock", where, now_ms)
        if self._counts and abs(now_ms - self._written_ms) >= FLUSH_MS:
            self.write(now_ms)

    def write(self, now_ms: int) -> None:
        """Everything counted so far into the store. Raises StoreError."""
        self._written_ms = now_ms
        counts, self._counts = self._counts, Counter()
        with self._database.transaction():
            for (station_id, reason), times in counts.items():
                self._add(station_id, reason, times, self._places[(station_id, reason)], now_ms)
        self._places.clear()

    def _add(self, station_id: bytes, reason: str, times: int, where: str, now_ms: int) -> None:
        update = (
            "UPDATE station_refusals SET count = count + ?, last_ms = ?, place = ? "
            "WHERE station_id = ? AND reason = ?"
        )
        if self._database.run(update, times, now_ms, where, station_id, reason):
            return
        held = self._database.row("SELECT count(*) AS n FROM station_refusals")
        if held is not None and held["n"] >= ROWS_MOST and station_id != NOBODY:
            self._add(NOBODY, reason, times, where, now_ms)
            return
        self._database.run(
            "INSERT INTO station_refusals VALUES (?, ?, ?, ?, ?, ?)",
            station_id,
            reason,
            times,
            now_ms,
            now_ms,
            where,
        )
