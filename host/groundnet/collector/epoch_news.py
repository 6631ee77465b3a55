"""What other collectors on the same database heard: a tag that came into our stations' reach is at their epoch.

Without it a collector whose stations did not hear a tag for long would know none of its ids any more. Changes are
numbered within the transaction of the one writer, so nothing below a number that was seen can still come.
"""

from collections.abc import Mapping

from groundnet.collector.database import Database
from groundnet.collector.resolver import KnownDevice, Resolver


class EpochNews:
    """Moves a resolver's windows after the epochs in the database. ``devices`` are those that the resolver has."""

    def __init__(self, database: Database, resolver: Resolver, devices: Mapping[bytes, KnownDevice]) -> None:
        self._database = database
        self._resolver = resolver
        self._devices = devices
        newest = database.row("SELECT coalesce(max(change), 0) AS newest FROM epochs")
        assert newest is not None  # an aggregate has one row
        self._seen = newest["newest"]

    def followed(self) -> bool:
        """Whether there was anything new since the last call."""
        rows = self._database.rows(
            "SELECT device_id, epoch, change FROM epochs WHERE change > ? ORDER BY change", self._seen
        )
        for row in rows:
            device = self._devices.get(row["device_id"])
            if device is not None:
                self._resolver.follow(device, row["epoch"])
            self._seen = row["change"]
        return bool(rows)
