"""The collector of a rig: real stations and trackers reach it over the network of the rig."""

import contextlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from groundwire import frame, messages
from groundwire.errors import WireError

from groundnet.bench.headquarters import Headquarters
from groundnet.bench.interface import Heard
from groundnet.bench.rig_file import CollectorEntry
from groundnet.collector.database import Database
from groundnet.collector.intake.collector_thread import CollectorThread
from groundnet.collector.intake.core import Collector

SIGHTINGS = messages.kind_of("sightings")


@dataclass(frozen=True)
class _Overheard:
    """One beacon that a station told: its station, boot and sequence; Unix ms and dBm, None where it does not know."""

    number: tuple[bytes, int, int]
    time_ms: int | None
    rssi_dbm: int | None
    data: bytes


class RigHeadquarters(Headquarters):
    """Listens until it is closed; keeps its store for one test.

    Args:
        entry: where it listens, and the registry that has the rig's devices.
        now_ms: UTC in Unix milliseconds.

    Raises StoreError for a registry that cannot be opened, ServerError for an address that is taken.
    """

    def __init__(self, entry: CollectorEntry, now_ms: Callable[[], int]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="groundnet-rig-")
        path = Path(self._folder.name) / "collector.db"
        self._beacons: list[_Overheard] = []
        try:
            self._thread = CollectorThread(
                path,
                entry.registry,
                now_ms,
                listen=(entry.host, entry.port),
                collector_of=lambda database: _Listening(database, self._beacons.append),
            )
        except BaseException:
            self._folder.cleanup()
            raise
        super().__init__(Database(path), now_ms)

    @property
    def port(self) -> int:
        """The TCP port at which stations and trackers find it."""
        return self._thread.port

    def heard(self, began_ms: int, names: Mapping[bytes, str]) -> list[Heard]:
        """What stations told of frames on the air since ``began_ms`` (Unix ms), oldest first.

        ``names`` are the bench's names of devices by device id. A station is the sniffer: what none heard is not here.
        """
        found: dict[bytes, Heard] = {}
        for overheard in list(self._beacons):
            row = self.database.row(
                "SELECT device_id FROM sightings WHERE station_id = ? AND boot_count = ? AND sequence = ?",
                *overheard.number,
            )
            sender = None if row is None else names.get(row["device_id"])
            at_s = ((overheard.time_ms or began_ms) - began_ms) / 1000
            level_dbm = float("nan") if overheard.rssi_dbm is None else float(overheard.rssi_dbm)
            found.setdefault(overheard.data, Heard(at_s, sender, overheard.data, level_dbm))
        return sorted(found.values(), key=lambda one: one.at_s)

    def close(self) -> None:
        super().close()
        self._thread.close()
        self._folder.cleanup()


class _Listening(Collector):
    """A collector that tells the bench of every beacon it is told of."""

    def __init__(self, database: Database, note: Callable[[_Overheard], None]) -> None:
        super().__init__(database)
        self._note = note

    def receive(self, request: frame.Frame, now_ms: int) -> bytes:
        reply = super().receive(request, now_ms)
        if request.kind == SIGHTINGS:
            with contextlib.suppress(WireError):  # what is malformed was answered so
                self._listen_in(messages.decode(request.kind, request.payload).values)
        return reply

    def _listen_in(self, told: dict) -> None:
        for offset, one in enumerate(told["sightings"]):
            number = told["station_id"], told["boot_count"], told["first_sequence"] + offset
            self._note(_Overheard(number, one["time_ms"], one["rssi_dbm"], one["beacon"]))
