"""Sessions of stations behind a broker, in the store: any of several collectors takes the next message."""

from groundnet.collector.database import Database


class StationSessions:
    """One session for each station: its two nonces, and the counter of the newest request taken."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def opened(self, station_id: bytes, initiator_nonce: bytes, responder_nonce: bytes) -> None:
        """A challenge goes out; an older session of the station ends."""
        self._database.run(
            "INSERT INTO station_sessions VALUES (?, ?, ?, 0, 0) ON CONFLICT (station_id) DO UPDATE SET "
            "initiator_nonce = excluded.initiator_nonce, responder_nonce = excluded.responder_nonce, "
            "proved = 0, seen = 0",
            station_id,
            initiator_nonce,
            responder_nonce,
        )

    def pending(self, station_id: bytes) -> tuple[bytes, bytes] | None:
        """The nonces of a challenge that was not answered yet."""
        row = self._row(station_id, 0)
        return None if row is None else row[:2]

    def proved(self, station_id: bytes) -> None:
        self._database.run("UPDATE station_sessions SET proved = 1 WHERE station_id = ?", station_id)

    def held(self, station_id: bytes) -> tuple[bytes, bytes, int] | None:
        """Nonces and newest counter of a session that was proved."""
        return self._row(station_id, 1)

    def took(self, station_id: bytes, seen: int) -> bool:
        """Whether this counter is new; from now on it is not, to no collector."""
        statement = "UPDATE station_sessions SET seen = ? WHERE station_id = ? AND proved = 1 AND seen < ?"
        return self._database.run(statement, seen, station_id, seen) == 1

    def _row(self, station_id: bytes, proved: int) -> tuple[bytes, bytes, int] | None:
        row = self._database.row(
            "SELECT * FROM station_sessions WHERE station_id = ? AND proved = ?", station_id, proved
        )
        return (
            None
            if row is None
            else (bytes(row["initiator_nonce"]), bytes(row["responder_nonce"]), row["seen"])
        )
