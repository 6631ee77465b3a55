"""Many connections, one commit: what arrives while the disk is busy is taken together, and answered when it is kept.

A commit waits for the disk, and a station waits for its reply; so the more stations ask at once, the more of them
share a commit. Nobody waits for others on purpose: what has arrived is taken at once.
"""

import asyncio
from collections import deque

from groundnet.collector.intake.inbox import Arrival, Inbox

AT_ONCE = 64  # arrivals in a unit of work: a second at the very most, and most often a few hundredths


class GroupCommit:
    """Brings arrivals to an inbox; used by the tasks of one event loop."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._waiting: deque[tuple[Arrival, asyncio.Future[list[bytes]]]] = deque()
        self._is_due = False

    async def replies(self, arrival: Arrival) -> list[bytes]:
        """The replies to what arrived, all of it on disk. Raises ConnectionAbortedError when the store fails."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[bytes]] = loop.create_future()
        self._waiting.append((arrival, done))
        self._call_soon(loop)
        return await done

    def _call_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """Two turns of the loop from now: those that are readable in this turn have put theirs in by then."""
        if not self._is_due and self._waiting:
            self._is_due = True
            loop.call_soon(loop.call_soon, self._work, loop)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_due = False
        group = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        group = [(arrival, done) for arrival, done in group if not done.done()]  # a peer may be gone
        self._answer(group)
        self._call_soon(loop)

    def _answer(self, group: list[tuple[Arrival, asyncio.Future[list[bytes]]]]) -> None:
        try:
            answers = self._inbox.receive_all([arrival for arrival, _ in group])
        except ConnectionAbortedError as error:
            for _, done in group:
                done.set_exception(ConnectionAbortedError(*error.args))
        except Exception as error:  # noqa: BLE001 - a fault of ours: only whose frame shows it shall suffer
            if len(group) == 1:
                group[0][1].set_exception(error)
            else:
                for one in group:
                    self._answer([one])
        else:
            for (_, done), replies in zip(group, answers, strict=True):
                done.set_result(replies)
