"""The collector itself, without sockets and clock: a frame and the time in, exactly one reply frame out."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from groundwire import beacon, frame, messages, report
from groundwire.errors import AuthenticationError, DecodeError, WireError

from groundnet.collector.database import Database
from groundnet.collector.intake import reports
from groundnet.collector.intake.epoch_news import EpochNews
from groundnet.collector.intake.newest import chunked, in_chunks
from groundnet.collector.intake.sighting_frame import KIND as SIGHTINGS
from groundnet.collector.intake.sighting_frame import SightingBatch, taken_apart
from groundnet.collector.intake.sightings import SightingStore
from groundnet.collector.outbound import orders, updates
from groundnet.collector.senders.known_devices import KnownDevices
from groundnet.collector.senders.resolver import Resolver
from groundnet.collector.stations import awake

LEARNED_AT_ONCE = 5_000  # devices
LAST_SEQUENCE = 0xFFFFFFFF  # the wire has no name for the one after it


class Collector:
    """Answers stations and trackers; everything it acknowledges is on disk.

    Args:
        database: where everything is kept.
        devices: (device_id, secret) of every device that it shall know.
    """

    def __init__(self, database: Database, devices: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.database = database
        self.devices = KnownDevices()
        self._resolver = Resolver(self.devices)
        self._sightings = SightingStore(database, self._resolver, EpochNews(database, self._resolver))
        self._in_unit = False
        self._answers = {
            "station_hello": self._hello,
            "downlink_receipt": self._take_receipts,
            "station_health": self._take_health,
            "update_check": self._offer_update,
            "update_fetch": self._hand_piece,
        }
        self.learn(devices)

    def learn(self, devices: Iterable[tuple[bytes, bytes]], expected: int = 0) -> None:
        """Know these devices too; known ones are passed over, unless they were bound anew with another secret.

        Args:
            expected: how many they are, about.
        """
        statement = "SELECT device_id, epoch, time_ms, flags FROM epochs WHERE device_id IN ({})"
        self._resolver.reserve(expected)
        for chunk in chunked((one for one in devices if not self.devices.has(*one)), LEARNED_AT_ONCE):
            heard = {
                bytes(row[0]): row for row in in_chunks(self.database, statement, [one[0] for one in chunk])
            }
            for device_id, secret in chunk:
                last = heard.get(device_id)
                self._resolver.add(device_id, secret, last[1] if last else 0)
                if last:
                    self.devices.heard(device_id, last[2], bool(last[3] & beacon.LOST))
            self._sightings.unresolved.look_again()

    @contextmanager
    def unit_of_work(self, now_ms: int) -> Iterator[None]:
        """One commit for all requests that are answered in this block: let no reply out before it has ended.

        Raises StoreError; then nothing of it is kept.
        """
        self._in_unit = True
        try:
            with self.database.unit_of_work():
                yield
                self._sightings.write(now_ms)
        except BaseException:
            self._sightings.forget()
            raise
        finally:
            self._in_unit = False

    def search(self, now_ms: int) -> bool:
        """Search a share for whose sender is nobody's yet; whether there is more to do. Raises StoreError."""
        if self._sightings.unresolved.has_work:
            self._sightings.write(now_ms, is_idle=True)
        return self._sightings.unresolved.has_work

    def receive(self, request: frame.Frame, now_ms: int) -> bytes:
        """The reply to one request frame, as bytes for the line. Never raises for what a peer sends."""
        try:
            if request.kind == SIGHTINGS:
                name, values = self._take_sightings(taken_apart(request.payload), now_ms)
            else:
                message = messages.decode(request.kind, request.payload)
                name, values = self._answer(message, request, now_ms)
        except WireError as error:
            self.count_reject(str(error.reason))
            forged = isinstance(error, AuthenticationError)
            name, values = "error", _error(request.kind, "not_authenticated" if forged else "malformed")
        if not self._in_unit:
            self._sightings.write(now_ms)
        device = self.devices.get(values.pop("signed_for", b""))
        if device is not None:
            kind, payload = report.encode(name, values, device.report_key)
        else:
            kind, payload = messages.encode(name, values)
        return frame.encode(kind, payload, request.sequence)

    def tell_misheard(self, listener: Callable[[bytes, str, int, int], None]) -> None:
        """Have false beacons told to it: station, reason (mac, unknown_eid, malformed), how many, Unix ms."""
        self._sightings.misheard = listener

    def count_reject(self, reason: str, times: int = 1) -> None:
        """Count something refused before it became a message."""
        self._sightings.reject(reason, times)

    def _answer(self, message: messages.Message, request: frame.Frame, now_ms: int) -> tuple[str, dict]:
        if message.name == "report":
            return self._take_report(message.values, request, now_ms)
        answer = self._answers.get(message.name or "")
        if answer is None:
            return "error", _error(request.kind, "unknown_kind")
        return answer(message.values, now_ms)

    def _hello(self, values: dict, now_ms: int) -> tuple[str, dict]:
        lat_e7, lon_e7 = values["lat_e7"], values["lon_e7"]
        self.database.run(
            "INSERT INTO stations VALUES (?, ?, ?, ?, ?, NULL) ON CONFLICT (station_id) DO UPDATE SET "
            "lat = coalesce(excluded.lat, stations.lat), lon = coalesce(excluded.lon, stations.lon), "
            "boot_count = excluded.boot_count, seen_ms = excluded.seen_ms",
            values["station_id"],
            None if lat_e7 is None or lon_e7 is None else lat_e7 / 1e7,
            None if lat_e7 is None or lon_e7 is None else lon_e7 / 1e7,
            values["boot_count"],
            now_ms,
        )
        awake.note(self.database, values["station_id"], now_ms)
        return self._orders(values["station_id"], now_ms)

    def _take_sightings(self, batch: SightingBatch, now_ms: int) -> tuple[str, dict]:
        if batch.first_sequence + len(batch.heard) > LAST_SEQUENCE:
            raise DecodeError("range", "a sequence beyond the last one")
        following = self._sightings.take(batch, now_ms)
        if not self._in_unit:
            self._sightings.write(now_ms)  # what it tells decides which orders still wait
        _, reply = self._orders(batch.station_id, now_ms)
        return "sightings_ack", {"boot_count": batch.boot_count, "next_sequence": following, **reply}

    def _take_receipts(self, values: dict, now_ms: int) -> tuple[str, dict]:
        with self.database.transaction():
            for receipt in values["receipts"]:
                if receipt["result"] == "sent":
                    orders.sent(self.database, receipt["order_id"], receipt["time_ms"] or now_ms)
        return self._orders(values["station_id"], now_ms)

    def _take_health(self, values: dict, now_ms: int) -> tuple[str, dict]:
        health = {name: value for name, value in values.items() if name not in ("station_id", "extra")}
        known = self.database.run(
            "UPDATE stations SET seen_ms = ?, health = ? WHERE station_id = ?",
            now_ms,
            json.dumps(health),
            values["station_id"],
        )
        if known:
            awake.note(self.database, values["station_id"], now_ms)
        return self._orders(values["station_id"], now_ms)

    def _take_report(self, values: dict, request: frame.Frame, now_ms: int) -> tuple[str, dict]:
        device = self.devices.get(values["device_id"])
        if device is None:
            self.count_reject("unknown_device")
            return "error", _error(request.kind, "refused")
        report.verify(request.kind, request.payload, device.report_key)
        boot_count, sequence = values["boot_count"], values["sequence"]
        reports.take(self.database, device.device_id, boot_count, sequence, values["items"], now_ms)
        for item in values["items"]:
            if item["type"] == "downlink_done":
                orders.obeyed_counter(self.database, device.device_id, item["counter"])
        return "report_ack", {
            "signed_for": device.device_id,
            "boot_count": boot_count,
            "sequence": sequence,
            "time_ms": now_ms,
            "downlinks": orders.for_tracker(self.database, device, now_ms),
        }

    def _offer_update(self, values: dict, now_ms: int) -> tuple[str, dict]:
        return "update_offer", dict(updates.check(self.database, values, now_ms))

    def _hand_piece(self, values: dict, now_ms: int) -> tuple[str, dict]:
        found = updates.piece(self.database, values, now_ms)
        if found is None:
            return "error", _error(messages.kind_of("update_fetch"), "refused")
        return "update_piece", found

    def _orders(self, station_id: bytes, now_ms: int) -> tuple[str, dict]:
        waiting = orders.for_station(self.database, self._resolver, self.devices, station_id, now_ms)
        return "orders", {"time_ms": now_ms, "orders": waiting}


def _error(request_kind: int, code: str) -> dict:
    return {"request": request_kind, "code": code, "detail": "", "retry_after_ms": None}
