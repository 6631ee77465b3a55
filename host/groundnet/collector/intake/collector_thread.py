"""A collector behind a TCP port in a thread of its own, for a story or a bench that goes on beside it."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.intake.inbox import Inbox
from groundnet.collector.intake.newcomers import Newcomers
from groundnet.collector.intake.server import Server
from groundnet.collector.stations.station_door import StationDoor
from groundnet.errors import GroundnetError
from groundnet.provision.registry import Registry

START_TIMEOUT_S = 120.0


class CollectorThread:
    """Listens from the constructor until ``close``.

    Args:
        database, registry: files.
        now_ms: UTC in Unix milliseconds; a story's own clock.
        draw: count -> nonces for the stations' sessions; a story's own, or it would not repeat.
        listen: host and port; port 0 takes a free one.
        collector_of: makes the collector; one that listens in has a class of its own.

    Raises ServerError, StoreError.
    """

    def __init__(
        self,
        database: Path,
        registry: Path,
        now_ms: Callable[[], int],
        draw: Callable[[int], bytes] = os.urandom,
        listen: tuple[str, int] = ("127.0.0.1", 0),
        collector_of: Callable[[Database], Collector] = Collector,
    ) -> None:
        self._paths = (database, registry)
        self._draw = draw
        self._listen, self._collector_of = listen, collector_of
        self._now_ms = now_ms
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._failure: Exception | None = None
        self.port = 0
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)
        self._thread.start()
        started = self._ready.wait(START_TIMEOUT_S)
        if self._failure is not None:
            self._thread.join()  # its files are closed then
            raise self._failure
        if not started:
            raise GroundnetError(
                f"the collector did not start within {START_TIMEOUT_S:.0f} s",
                "run again on a less busy machine",
            )

    def close(self) -> None:
        """Stop listening, close the files. A second call does nothing."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_TIMEOUT_S)

    def _run(self) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(self._loop.close)
            try:
                server = self._server(stack)
                self.port = self._loop.run_until_complete(server.listen(*self._listen))
            except Exception as error:  # noqa: BLE001 - handed over to the constructor's thread
                self._failure = error
                return
            finally:
                self._ready.set()
            self._loop.run_forever()
            self._loop.run_until_complete(server.close())

    def _server(self, stack: contextlib.ExitStack) -> Server:
        """The server over the two files, which the stack closes."""
        database = Database(self._paths[0])
        stack.callback(database.close)
        registry = Registry(self._paths[1])
        stack.callback(registry.close)
        collector = self._collector_of(database)
        door = StationDoor(database, draw=self._draw)

        return Server(Inbox(collector, self._now_ms, Newcomers(registry, collector, door).learn, door))
