"""Sightings into the store: each beacon once, each sighting once, replays refused with their reason.

What a station claims (its id, its numbers, its times) decides only about its own sightings. What decides about a
beacon is its counter, which a MAC proves, and the collector's own clock: a beacon that the collector holds was sent
before it came in, and so was every beacon with a lower counter.

What came in together is resolved together, one MAC for all receptions of a beacon, and written together.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from groundwire import beacon

from groundnet.collector.database import Database
from groundnet.collector.intake.epoch_news import EpochNews
from groundnet.collector.intake.late_sightings import LateSightings, date_again, keep_fixes
from groundnet.collector.intake.newest import Newest, in_chunks, newest_of
from groundnet.collector.intake.reception import Reception, believable_ms, fix_row
from groundnet.collector.intake.sighting_frame import SightingBatch
from groundnet.collector.intake.sighting_rows import SightingRows
from groundnet.collector.intake.unresolved import Unresolved
from groundnet.collector.outbound import orders
from groundnet.collector.senders.resolver import Rejected, Resolved, Resolver

Heard = tuple[Resolved, list[Reception]]  # one beacon and who received it


class SightingStore:
    """Takes the sightings of stations; `rejects` in the database counts what was refused, by reason."""

    def __init__(self, database: Database, resolver: Resolver, news: EpochNews) -> None:
        self._database = database
        self._resolver = resolver
        self._news = news
        self.unresolved = Unresolved(database, resolver)
        self._late = LateSightings(database, resolver.devices)
        self._waiting: list[Reception] = []
        self._rejects: Counter[str] = Counter()
        # Told of beacons whose MAC is wrong or whose id is nobody's: station, reason, how many, Unix ms.
        self.misheard: Callable[[bytes, str, int, int], None] = lambda *_: None

    def take(self, batch: SightingBatch, now_ms: int) -> int:
        """Take in a batch, to be written by `write`; returns the next sequence that the station should send.

        What this station told before is passed over: stations repeat what was not acknowledged.
        """
        station_id, boot_count, sequence, heard = batch
        for data, time_ms, rssi_dbm, snr_cdb in heard:
            claimed_ms = believable_ms(time_ms, now_ms)
            self._waiting.append(
                Reception(station_id, boot_count, sequence, data, claimed_ms, rssi_dbm, snr_cdb, now_ms)
            )
            sequence += 1
        return sequence

    def forget(self) -> None:
        """What was taken in cannot be written: nobody was told that it is kept."""
        self._waiting.clear()
        self._rejects.clear()

    def reject(self, reason: str, times: int = 1) -> None:
        """Count something that was refused, with the next `write`."""
        self._rejects[reason] += times

    def write(self, now_ms: int, is_idle: bool = False) -> None:
        """All that was taken in, into the store; and a share of the search for whose sender is nobody's yet."""
        waiting, self._waiting = self._waiting, []
        known, strangers = self._resolved(waiting)
        if not (known or strangers or self._rejects or self.unresolved.has_work):
            return
        if self.unresolved.has_work:
            self.unresolved.search(now_ms, is_idle)
        with self._database.transaction():
            if strangers:
                self._tell_misheard("unknown_eid", strangers)
                self._rejects["unknown_eid"] += self.unresolved.keep(strangers, now_ms)
            if self.unresolved.has_work:
                found, given_up = self.unresolved.found()
                self._rejects["unknown_eid"] += given_up
                for resolved, reception in found:
                    _join(known, resolved, [reception])
            if known:
                self._write_known(sorted(known.values(), key=_place_in_table))
            rejects, self._rejects = self._rejects, Counter()
            self._write_rejects(rejects)

    def _resolved(self, waiting: Iterable[Reception]) -> tuple[dict[tuple[int, int], Heard], list[Reception]]:
        """(beacons by device and counter, receptions of ids that are nobody's)."""
        by_bytes: dict[bytes, list[Reception]] = {}
        for reception in waiting:
            same = by_bytes.get(reception.beacon)
            if same is None:
                by_bytes[reception.beacon] = [reception]
            else:
                same.append(reception)
        known: dict[tuple[int, int], Heard] = {}
        strangers = self._resolve(by_bytes.items(), known)
        if strangers and self._news.followed():
            self.unresolved.look_again()
            strangers = self._resolve(strangers, known)
        return known, [reception for _, receptions in strangers for reception in receptions]

    def _resolve(
        self, heard: Iterable[tuple[bytes, list[Reception]]], known: dict[tuple[int, int], Heard]
    ) -> list[tuple[bytes, list[Reception]]]:
        """Put those whose sender is proved into ``known``; returns those whose id is nobody's."""
        strangers = []
        for data, receptions in heard:
            try:
                resolved = self._resolver.resolve(data)
            except Rejected as rejected:
                if rejected.reason == "unknown_eid":
                    strangers.append((data, receptions))
                else:
                    self._rejects[rejected.reason] += len(receptions)
                    self._tell_misheard(rejected.reason, receptions)
                continue
            _join(known, resolved, receptions)
        return strangers

    def _tell_misheard(self, reason: str, receptions: list[Reception]) -> None:
        now_ms = receptions[0].received_ms
        for station_id, count in Counter([one.station_id for one in receptions]).items():
            self.misheard(station_id, reason, count, now_ms)

    def _write_known(self, heard: list[Heard]) -> None:
        """By device and rising counter: what is newer than the newest that we hold, has nothing in the store yet."""
        ids = {resolved.device_id for resolved, _ in heard}
        newest = newest_of(self._database, ids)
        again = [one.device_id for one, _ in heard if _is_newest(newest, one)]
        rows = SightingRows(self._told(again), self._rejects)
        for resolved, receptions in heard:
            held = newest.get(resolved.device_id)
            if held is None or resolved.counter > held.counter:
                newest[resolved.device_id] = rows.add_new(resolved, receptions)
            elif resolved.counter == held.counter:
                newest[resolved.device_id] = rows.add_again(resolved, receptions, held)
            else:
                self._take_late(resolved, receptions)
        self._write_rows(rows)

    def _take_late(self, resolved: Resolved, receptions: list[Reception]) -> None:
        for reception in receptions:
            try:
                self._late.take(resolved, reception)
            except Rejected as rejected:
                self._rejects[rejected.reason] += 1

    def _told(self, device_ids: Iterable[bytes]) -> dict[tuple[bytes, int, bytes], tuple[int, int]]:
        """(boot, sequence) by device, counter and station, of the newest beacon of these devices."""
        statement = (
            "SELECT s.device_id, s.counter, s.station_id, s.boot_count, s.sequence FROM epochs e JOIN sightings s "
            "ON s.device_id = e.device_id AND s.counter = e.counter WHERE e.device_id IN ({})"
        )
        return {
            (bytes(row[0]), row[1], bytes(row[2])): (row[3], row[4])
            for row in in_chunks(self._database, statement, device_ids)
        }

    def _write_rows(self, rows: SightingRows) -> None:
        database, devices = self._database, self._resolver.devices
        if rows.sightings:
            database.run_many("INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows.sightings)
        if rows.dated_again:
            date_again(database, devices, rows.dated_again)
            database.run_many(
                "UPDATE epochs SET time_ms = ? WHERE device_id = ?",
                [(time_ms, resolved.device_id) for resolved, _, time_ms in rows.dated_again],
            )
        if not rows.new:
            return
        database.run_many(
            "INSERT INTO beacons (device_id, counter, time_ms, flags, battery, received_ms) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (one.device_id, one.counter, at.time_ms, one.beacon.flags, one.beacon.battery, at.received_ms)
                for one, at in rows.new
            ],
        )
        self._learn(rows.new)
        fixes = [fix_row(one, at.time_ms, devices) for one, at in rows.new if one.beacon.type == beacon.FIX]
        if fixes:
            keep_fixes(database, fixes)

    def _learn(self, new: list[tuple[Resolved, Newest]]) -> None:
        """What the newest beacons tell beside where they were heard."""
        obeying = {
            bytes(row[0]) for row in self._database.rows("SELECT device_id FROM orders WHERE state = 'sent'")
        }
        last: dict[bytes, tuple[Resolved, Newest]] = {}
        for resolved, at in new:
            last[resolved.device_id] = resolved, at
            if resolved.device_id in obeying:
                orders.obeyed(self._database, resolved.device_id, resolved.beacon.flags)
            if resolved.beacon.type == beacon.CHALLENGE:
                orders.offered(self._database, resolved.device_id, resolved.beacon.body)
        self._write_epochs(last.values())
        for resolved, at in last.values():
            is_lost = bool(resolved.beacon.flags & beacon.LOST)
            self._resolver.devices.heard(resolved.device_id, at.time_ms, is_lost)

    def _write_epochs(self, last: Iterable[tuple[Resolved, Newest]]) -> None:
        """A change has a number only where the epoch is another one: other collectors follow those."""
        row = self._database.row("SELECT coalesce(max(change), 0) AS newest FROM epochs")
        assert row is not None  # an aggregate has one row
        self._database.run_many(
            "INSERT INTO epochs (device_id, epoch, change, counter, time_ms, received_ms, flags) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET "
            "change = CASE WHEN epochs.epoch = excluded.epoch THEN epochs.change ELSE excluded.change END, "
            "epoch = excluded.epoch, counter = excluded.counter, time_ms = excluded.time_ms, "
            "received_ms = excluded.received_ms, flags = excluded.flags",
            [
                (
                    one.device_id,
                    one.counter >> 4,
                    change,
                    one.counter,
                    at.time_ms,
                    at.received_ms,
                    one.beacon.flags,
                )
                for change, (one, at) in enumerate(last, row["newest"] + 1)
            ],
        )

    def _write_rejects(self, rejects: Counter[str]) -> None:
        for reason, times in rejects.items():
            if times:
                self._database.run(
                    "INSERT INTO rejects VALUES (?, ?) "
                    "ON CONFLICT (reason) DO UPDATE SET count = rejects.count + excluded.count",
                    reason,
                    times,
                )


def _join(known: dict[tuple[int, int], Heard], resolved: Resolved, receptions: list[Reception]) -> None:
    """A tag sends each counter once."""
    before = known.get((resolved.number, resolved.counter))
    if before is None:
        known[resolved.number, resolved.counter] = resolved, receptions
    else:
        before[1].extend(receptions)


def _place_in_table(heard: Heard) -> tuple[bytes, int]:
    """Each device's counters rise, and neighbours in the tables are written one after the other."""
    return heard[0].device_id, heard[0].counter


def _is_newest(newest: dict[bytes, Newest], one: Resolved) -> bool:
    held = newest.get(one.device_id)
    return held is not None and held.counter == one.counter
