"""A real MQTT broker on a free port of the loopback, and the real collector on it, in a thread of the test."""

import asyncio
import socket
import threading

from amqtt.broker import Broker as RealBroker
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.intake.inbox import Inbox
from groundnet.collector.intake.mqtt_inbox import Broker, MqttInbox
from groundnet.collector.stations.station_door import StationDoor

from host.radio_senders import NOW_MS

WAIT_S = 30.0
ANYBODY = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}


class BrokerThread:
    """Runs from the constructor until ``close``; ``said`` is what the collector told of the broker."""

    def __init__(self, path, devices, now_ms=lambda: NOW_MS):
        self.said = []
        self.port = 0
        self._path, self._devices, self._now_ms = path, devices, now_ms
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(WAIT_S), self.said

    def close(self):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(WAIT_S)

    def _run(self):
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        self._stop = asyncio.Event()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        broker = RealBroker(
            {"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}}, "plugins": ANYBODY}
        )
        await broker.start()
        database = Database(self._path)
        door = StationDoor(database, is_open=True)
        door.learn(self._devices)
        inbox = Inbox(Collector(database, self._devices), self._now_ms, door=door)
        listening = asyncio.create_task(
            MqttInbox(inbox, Broker("127.0.0.1", self.port, False), say=self._say).run()
        )
        await self._stop.wait()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        database.close()
        await broker.shutdown()

    def _say(self, text):
        self.said.append(text)
        self._ready.set()
