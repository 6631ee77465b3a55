"""The collector of a bench, asked as operators ask it: report a theft, give orders, where is it, who is silent."""

from collections.abc import Callable, Sequence
from pathlib import Path

from groundwire import beacon

from groundnet.bench.interface import Device
from groundnet.collector.casework import cases, payout
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.intake.in_process import InProcess
from groundnet.collector.intake.inbox import Inbox
from groundnet.collector.outbound import order_desk
from groundnet.collector.places import track
from groundnet.collector.places.cell_table import CellTable
from groundnet.collector.stations.station_door import StationDoor

HOST, PORT = "collector.bench", 7400


class Headquarters:
    """What a collector knows.

    Args:
        database: its store.
        now_ms: UTC in Unix milliseconds.
    """

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.database = database
        self.cell_table: CellTable | None = None

    def know_cells(self, path: Path) -> None:
        """The towers' places, CSV in OpenCelliD's columns."""
        self.cell_table = CellTable.read(path)

    def report_theft(self, *devices: Device) -> None:
        """A case for each; lost mode goes out. Raises CaseError."""
        cases.open_cases(self.database, _ids(devices), "owner", "bench", "reported stolen", self._now_ms())

    def close_case(self, *devices: Device) -> None:
        """They were found; lost mode ends. Raises CaseError."""
        cases.close_cases(self.database, _ids(devices), "found", self._now_ms())

    def order(self, device: Device, command: str, seconds: int | None = None) -> None:
        """Raises OrderRefused."""
        now_ms = self._now_ms()
        order_desk.give(self.database, _ids([device]), command, seconds, "bench", "a test", True, now_ms)

    def alarms(self, device: Device) -> list[str]:
        """Causes of the device's alarms, oldest first."""
        rows = self.database.rows(
            "SELECT cause FROM alarms WHERE device_id = ? ORDER BY time_ms", _ids([device])[0]
        )
        return [row["cause"] for row in rows]

    def is_lost(self, device: Device) -> bool:
        """Whether the newest beacon that was resolved says lost mode."""
        row = self.database.row(
            "SELECT flags FROM beacons WHERE device_id = ? ORDER BY counter DESC LIMIT 1", _ids([device])[0]
        )
        return row is not None and bool(row["flags"] & beacon.LOST)

    def points(self, *devices: Device) -> list[track.TrackPoint]:
        """All positions of things that are fixed together, oldest first."""
        return track.track_of(self.database, _ids(devices), cells=self.cell_table)

    def where_is(self, *devices: Device) -> track.TrackPoint | None:
        """The last place; None when there is none."""
        return track.last_place(self.points(*devices))

    def evidence(self, device: Device) -> payout.Evidence:
        """What an insurer is shown of the device's theft. Raises GroundnetError when none was reported."""
        return payout.evidence(self.database, _ids([device])[0], self._now_ms())

    def rejects(self) -> dict[str, int]:
        """How often something was refused, by reason."""
        return {
            row["reason"]: row["count"] for row in self.database.rows("SELECT reason, count FROM rejects")
        }

    def close(self) -> None:
        self.database.close()


class SimHeadquarters(Headquarters):
    """The same with the collector itself, which virtual devices reach as HOST:PORT.

    Args:
        folder: where its database is made.
    """

    def __init__(self, folder: Path, now_ms: Callable[[], int]) -> None:
        super().__init__(Database(folder / "collector.db"), now_ms)
        self._collector = Collector(self.database)
        self._door = StationDoor(self.database)
        self._inbox = Inbox(self._collector, now_ms, door=self._door)

    def line(self) -> InProcess:
        """A new connection for one device."""
        return InProcess(self._inbox)

    def learn(self, device_id: bytes, secret: bytes) -> None:
        self._collector.learn([(device_id, secret)])
        self._door.learn([(device_id, secret)])


def _ids(devices: Sequence[Device]) -> list[bytes]:
    return [device.fitted.device_id for device in devices]
