"""The real collector behind a real TCP port, in a thread of the simulation, on the simulation's clock."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from groundnet.collector.core import Collector
from groundnet.collector.database import Database
from groundnet.collector.server import Server
from groundnet.errors import GroundnetError
from groundnet.provision.registry import Registry

START_TIMEOUT_S = 20.0


class CollectorThread:
    """Listens on a free port of the loopback from the constructor until ``close``."""

    def __init__(self, database: Path, registry: Path, now_ms: Callable[[], int]) -> None:
        self._paths = (database, registry)
        self._now_ms = now_ms
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.port = 0
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_S) or not self.port:
            raise GroundnetError("the collector did not start", "check that the loopback interface is up")

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_TIMEOUT_S)

    def _run(self) -> None:
        database, registry = Database(self._paths[0]), Registry(self._paths[1])
        collector = Collector(database)

        def refresh() -> None:
            collector.learn((record.device_id, record.secret.reveal()) for record in registry.added())

        server = Server(collector, self._now_ms, refresh)
        try:
            self.port = self._loop.run_until_complete(server.listen("127.0.0.1", 0))
        finally:
            self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(server.close())
        self._loop.close()
        database.close()
        registry.close()
