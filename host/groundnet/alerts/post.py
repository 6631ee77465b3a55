"""Sends what is queued: at least once, later again after a failure, and by one collector at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from groundnet.alerts.rules import Rule
from groundnet.collector.database import Database
from groundnet.errors import GroundnetError

AT_ONCE = 8  # messages; each may take its channel's whole time-out, and the lease must last for all
LEASE_MS = 180_000  # one collector sends; when it dies over it, another one does it again
FIRST_WAIT_MS, LONGEST_WAIT_MS = 60_000, 3_600_000
GIVEN_UP_MS = 24 * 3_600_000  # an alert of yesterday helps nobody

Sender = Callable[["Message"], None]  # raises DeliveryError


class DeliveryError(GroundnetError):
    """A message that its channel did not take."""


@dataclass(frozen=True)
class Message:
    """One message to one contact. ``time_ms`` is when the rule began to hold, Unix milliseconds."""

    alert_id: int
    contact: str
    kind: str
    tag_id: str
    text: str
    language: str
    time_ms: int


def due(database: Database, rules: Mapping[int, Rule], now_ms: int) -> list[Message]:
    """Messages to be sent now; no other collector sends them meanwhile. What waited for a day is given up."""
    messages = []
    with database.transaction():
        database.run(
            "UPDATE alert_queue SET state = 'failed' WHERE state = 'queued' AND time_ms < ?",
            now_ms - GIVEN_UP_MS,
        )
        for row in database.rows(
            "SELECT * FROM alert_queue WHERE state = 'queued' AND next_ms <= ? ORDER BY alert_id LIMIT ?",
            now_ms,
            AT_ONCE,
        ):
            rule = rules.get(row["rule_id"])
            if rule is None:  # its owner took it back
                database.run("UPDATE alert_queue SET state = 'withdrawn' WHERE alert_id = ?", row["alert_id"])
                continue
            database.run(
                "UPDATE alert_queue SET next_ms = ?, tries = tries + 1 WHERE alert_id = ?",
                now_ms + LEASE_MS,
                row["alert_id"],
            )
            messages.append(
                Message(
                    row["alert_id"],
                    rule.contact,
                    row["kind"],
                    rule.tag_id,
                    row["text"],
                    rule.language,
                    row["time_ms"],
                )
            )
    return messages


def send(message: Message, senders: Mapping[str, Sender]) -> str:
    """Send one message by the channel of its contact; returns what went wrong, empty when nothing did."""
    scheme = message.contact.partition(":")[0].lower()
    sender = senders.get("https" if scheme == "http" else scheme)
    if sender is None:
        return f"no way to send {scheme}: name it in the file of --alerts"
    try:
        sender(message)
    except DeliveryError as error:
        return error.cause
    return ""


def settle(database: Database, alert_id: int, detail: str, now_ms: int) -> None:
    """Write down how it went; a failure is tried again, each time later."""
    row = database.row("SELECT tries FROM alert_queue WHERE alert_id = ?", alert_id)
    if not detail:
        database.run("UPDATE alert_queue SET state = 'sent', detail = '' WHERE alert_id = ?", alert_id)
        return
    tries = row["tries"] if row else 1
    wait_ms = min(FIRST_WAIT_MS << min(tries - 1, 10), LONGEST_WAIT_MS)
    database.run(
        "UPDATE alert_queue SET next_ms = ?, detail = ? WHERE alert_id = ? AND state = 'queued'",
        now_ms + wait_ms,
        detail,
        alert_id,
    )


def everything(database: Database) -> list[dict[str, Any]]:
    """All messages, newest first; without contacts."""
    names = ("alert_id", "rule_id", "kind", "text", "time_ms", "state", "tries", "detail")
    return [
        {name: row[name] for name in names}
        for row in database.rows("SELECT * FROM alert_queue ORDER BY alert_id DESC")
    ]
