"""Alerts beside a running collector: look, send what is due, sleep; a failure of one round never ends the next."""

import asyncio
from collections.abc import Callable, Mapping

from groundnet.alerts import post, watch
from groundnet.alerts.post import Message, Sender
from groundnet.alerts.rules import Rule
from groundnet.collector.database import Database
from groundnet.errors import GroundnetError

EVERY_S = 15.0


async def one_round(
    database: Database,
    rules: Callable[[], list[Rule]],
    senders: Mapping[str, Sender],
    now_ms: Callable[[], int],
) -> list[str]:
    """Queue what began to hold, send what is due; returns what went wrong, a line each, without addresses.

    The store is used by the caller's thread alone; only the sending, which may wait for a network, has its own.
    """
    known = rules()
    if not known:
        return []
    watch.look(database, known, now_ms())
    complaints = []
    for message in post.due(database, {rule.rule_id: rule for rule in known}, now_ms()):
        sending = asyncio.create_task(_deliver(database, message, senders, now_ms))
        try:
            wrong = await asyncio.shield(sending)
        except asyncio.CancelledError:
            await sending  # we are closing: what is on its way is not sent again at the next start
            raise
        if wrong:
            complaints.append(f"alert {message.alert_id}: {wrong}")
    return complaints


async def _deliver(
    database: Database, message: Message, senders: Mapping[str, Sender], now_ms: Callable[[], int]
) -> str:
    wrong = await asyncio.to_thread(post.send, message, senders)
    post.settle(database, message.alert_id, wrong, now_ms())
    return wrong


async def run(
    database: Database,
    rules: Callable[[], list[Rule]],
    senders: Mapping[str, Sender],
    now_ms: Callable[[], int],
    tell: Callable[[str], None],
) -> None:
    """Rounds until it is cancelled; ``tell`` gets each complaint once until it changes."""
    told: list[str] = []
    while True:
        try:
            complaints = await one_round(database, rules, senders, now_ms)
        except GroundnetError as error:
            complaints = [str(error)]
        for complaint in complaints:
            if complaint not in told:
                tell(complaint)
        told = complaints
        await asyncio.sleep(EVERY_S)
