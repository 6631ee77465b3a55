"""From the counter's thread to the event loop: the screen shows something else."""

import asyncio

from groundnet.provision.counter_desk import CounterDesk


class Changes:
    """Wakes the streams of the event loop when the counter's thread changed the screen."""

    def __init__(self, desk: CounterDesk) -> None:
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        desk.listen(self._wake)

    async def wait(self, timeout_s: float) -> bool:
        """Until something changed; False when nothing did."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        self._waiting.add(entry)
        try:
            await asyncio.wait_for(entry[1].wait(), timeout_s)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(entry)
        return True

    def _wake(self) -> None:
        for loop, event in list(self._waiting):
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)
