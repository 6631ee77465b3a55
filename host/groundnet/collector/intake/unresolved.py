"""Receptions whose id is nobody's yet: kept, searched for in the wide windows of all tags, and only then given up.

Three things end here and must not be lost: a tag that comes back after days out of reach, what a station delivers
long after a tag went on, and a tag that was heard before its registration reached this collector. All ids that wait
are searched for in one walk through the devices, a share at a time: first where each tag is by its clock if it went on
as it was (see paces), then in the wide windows. That takes a quarter of a millisecond a device, however many ids wait,
so strangers' beacons can cost no more than RATE of that.
"""

from collections.abc import Iterable

from groundwire import beacon

from groundnet.collector.database import Database
from groundnet.collector.intake.newest import in_chunks
from groundnet.collector.intake.reception import Reception
from groundnet.collector.senders import id_windows
from groundnet.collector.senders.paces import Paces
from groundnet.collector.senders.resolver import Rejected, Resolved, Resolver

SHARE = 100  # devices at once, so that nobody waits long
RATE = 1000  # devices searched in a second, at most, while stations are answered: a quarter of one core
BURST = 2000  # devices, after a quiet time
BY_CLOCKS = 10  # times as many devices where a clock is known: few epochs each
MOST_BY_CLOCKS = 100  # epochs; more than that is left to the wide walk
MOST = 200_000  # receptions kept,
MOST_A_STATION = 20_000  # of which one station's: what its ring holds
KEEP_MS = 24 * 3_600_000  # for devices that are registered later
_EID = slice(3, 9)  # of a beacon


class Unresolved:
    """The waiting ones, in the store: they were acknowledged. Used within the transaction that takes sightings."""

    def __init__(self, database: Database, resolver: Resolver) -> None:
        self._database = database
        self._resolver = resolver
        self._wanted: set[bytes] = set()  # of the walk under way
        self._newest = 0  # row that this walk knows
        self._next = 0  # device
        self._is_walking = self._is_by_clocks = False
        self._credit = float(BURST)
        self._credited_ms = 0
        self._look_again = True
        self._stolen: set[bytes] = set()
        self._hits: list[tuple[bytes, int, int]] = []
        self._more = True  # something waits for the next walk

    @property
    def has_work(self) -> bool:
        """Whether there is something to be searched for or to be taken out."""
        return bool(self._look_again or self._hits or self._is_walking or self._more)

    def keep(self, receptions: Iterable[Reception], now_ms: int) -> int:
        """Keep these; returns how many there was no room for."""
        refused, room = 0, self._room(now_ms)
        left: dict[bytes, int] = {}
        for one in receptions:
            station_id = one.station_id
            if station_id not in left:
                left[station_id] = min(room, MOST_A_STATION - self._count("WHERE station_id = ?", station_id))
            if left[station_id] <= 0 or room <= 0:
                refused += 1
                continue
            kept = self._database.run(
                "INSERT INTO unresolved (station_id, boot_count, sequence, beacon, time_ms, rssi_dbm, snr_cdb, "
                "received_ms, eid, searched) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING",
                *one,
                one.beacon[_EID],
            )
            left[station_id] -= kept
            room -= kept
            self._more = True
        return refused

    def look_again(self) -> None:
        """Devices came in, or their windows were moved: what waits may be ready now."""
        self._look_again = True

    def search(self, now_ms: int, is_idle: bool) -> None:
        """Search one share, outside any transaction: it takes time.

        Args:
            is_idle: nobody is being answered meanwhile.
        """
        share = SHARE if is_idle else self._share(now_ms)
        if not share or not self._walking():
            return
        if self._is_by_clocks:
            self._walk_by_clocks(share, now_ms)
        if self._wanted and not self._is_by_clocks:
            self._walk_wide(share, now_ms)
        if not self._wanted:
            self._is_by_clocks, self._next = False, len(self._resolver.devices)  # all were found

    def _walk_by_clocks(self, share: int, now_ms: int) -> None:
        """The first walk: where each tag is by what was learned of its clock; ten times as fast."""
        devices, first = self._resolver.devices, self._next
        self._next = min(first + BY_CLOCKS * share, len(devices))
        ids = {devices.device_id(number): number for number in range(first, self._next)}
        paces = Paces(self._database, ids)
        for device_id, number in ids.items():
            expected = paces.steady_epochs(device_id, now_ms)
            if expected is not None and expected[1] - expected[0] < MOST_BY_CLOCKS:
                self._search(number, range(expected[0], expected[1] + 1))
        if self._next == len(devices):
            self._is_by_clocks, self._next = False, 0

    def _walk_wide(self, share: int, now_ms: int) -> None:
        devices, first = self._resolver.devices, self._next
        self._next = min(first + share, len(devices))
        for number in range(first, self._next):
            heard_ms = devices.heard_ms[number]
            is_lost = bool(devices.is_lost[number]) or devices.device_id(number) in self._stolen
            silent_ms = now_ms - heard_ms if heard_ms else 0
            self._search(number, id_windows.wide(devices.anchors[number], silent_ms, is_lost))

    def _search(self, number: int, epochs: Iterable[int]) -> None:
        for eid, epoch in self._resolver.search(number, self._wanted, epochs):
            self._wanted.discard(eid)
            self._hits.append((eid, number, epoch))

    def found(self) -> tuple[list[tuple[Resolved, Reception]], int]:
        """Whose sender is proved now, taken out of what waits; and how many are given up."""
        hits, self._hits = self._hits, []
        proved = [one for hit in hits for one in self._taken(*hit)]
        if self._look_again:
            proved += self._ready()
            self._look_again = False
        is_over = self._is_walking and not self._is_by_clocks and self._next >= len(self._resolver.devices)
        return proved, self._give_up() if is_over else 0

    def _share(self, now_ms: int) -> int:
        passed_ms = max(0, now_ms - self._credited_ms)
        self._credited_ms = max(now_ms, self._credited_ms)
        self._credit = min(BURST, self._credit + passed_ms * RATE / 1000)
        share = min(SHARE, int(self._credit), len(self._resolver.devices))
        self._credit -= share
        return share

    def _walking(self) -> bool:
        """Whether there is something to be searched for; begins a new walk when the last one is over."""
        if self._more and not self._is_walking:
            rows = self._database.rows("SELECT eid, entry_id FROM unresolved WHERE searched = 0")
            self._wanted = {bytes(row["eid"]) for row in rows}
            self._newest = max((row["entry_id"] for row in rows), default=0)
            self._next = 0
            self._more = False
            self._is_walking = self._is_by_clocks = bool(rows)
            open_cases = (
                self._database.rows("SELECT device_id FROM cases WHERE closed_ms IS NULL") if rows else ()
            )
            self._stolen = {bytes(row["device_id"]) for row in open_cases}
        return self._is_walking

    def _give_up(self) -> int:
        """The walk is over: what is left of it is nobody's, unless somebody is registered yet."""
        self._wanted, self._is_walking = set(), False
        return self._database.run(
            "UPDATE unresolved SET searched = 1 WHERE searched = 0 AND entry_id <= ?", self._newest
        )

    def _ready(self) -> list[tuple[Resolved, Reception]]:
        eids = {bytes(row["eid"]) for row in self._database.rows("SELECT DISTINCT eid FROM unresolved")}
        found = []
        for row in self._rows([eid for eid in eids if self._resolver.knows(eid)]):
            one = _reception(row)
            try:
                resolved = self._resolver.resolve(one.beacon)
            except Rejected:
                continue
            found.append((resolved, one))
            self._database.run("DELETE FROM unresolved WHERE entry_id = ?", row["entry_id"])
        return found

    def _taken(self, eid: bytes, number: int, epoch: int) -> list[tuple[Resolved, Reception]]:
        found = []
        for row in self._rows([eid]):
            one = _reception(row)
            resolved = self._resolver.proved(one.beacon, beacon.decode(one.beacon), number, epoch)
            if resolved is not None:
                found.append((resolved, one))
                self._database.run("DELETE FROM unresolved WHERE entry_id = ?", row["entry_id"])
        if found:
            self._resolver.follow(number, epoch)
        return found

    def _rows(self, eids: list[bytes]) -> list:
        statement = "SELECT * FROM unresolved WHERE eid IN ({}) ORDER BY entry_id"
        return list(in_chunks(self._database, statement, eids))

    def _room(self, now_ms: int) -> int:
        room = MOST - self._count("")
        if room > 0:
            return room
        self._database.run("DELETE FROM unresolved WHERE searched = 1 AND received_ms < ?", now_ms - KEEP_MS)
        return MOST - self._count("")

    def _count(self, where: str, *values: object) -> int:
        row = self._database.row(f"SELECT count(*) AS n FROM unresolved {where}", *values)
        return 0 if row is None else row["n"]


def _reception(row) -> Reception:
    return Reception(
        bytes(row["station_id"]),
        row["boot_count"],
        row["sequence"],
        bytes(row["beacon"]),
        row["time_ms"],
        row["rssi_dbm"],
        row["snr_cdb"],
        row["received_ms"],
    )
