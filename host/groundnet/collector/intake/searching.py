"""The search for whose sender is nobody's yet, while nobody asks."""

import asyncio

from groundnet.collector.intake.inbox import Inbox

PAUSE_S = 0.02  # between two shares, which take about as long
IDLE_S = 0.5
FAILED_S = 10.0  # after the store failed


async def run(inbox: Inbox) -> None:
    """Search for ever, a share at a time."""
    while True:
        try:
            pause_s = PAUSE_S if inbox.search() else IDLE_S
        except ConnectionAbortedError:
            pause_s = FAILED_S
        await asyncio.sleep(pause_s)
