"""What other collectors on the same database heard: a tag that came into our stations' reach is at their epoch.

Without it a collector whose stations did not hear a tag for long would know none of its ids any more. Changes are
numbered within the transaction of the one writer, so nothing below a number that was seen can still come.
"""

from groundnet.collector.database import Database
from groundnet.collector.senders.resolver import Resolver


class EpochNews:
    """Moves a resolver's windows after the epochs in the database."""

    def __init__(self, database: Database, resolver: Resolver) -> None:
        self._database = database
        self._resolver = resolver
        newest = database.row("SELECT coalesce(max(change), 0) AS newest FROM epochs")
        assert newest is not None  # an aggregate has one row
        self._seen = newest["newest"]

    def followed(self) -> bool:
        """Whether there was anything new since the last call."""
        rows = self._database.rows(
            "SELECT device_id, epoch, change FROM epochs WHERE change > ? ORDER BY change", self._seen
        )
        for row in rows:
            number = self._resolver.devices.number(bytes(row["device_id"]))
            if number is not None:
                self._resolver.follow(number, row["epoch"])
            self._seen = row["change"]
        return bool(rows)
