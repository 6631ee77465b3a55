"""Any number of collectors behind one broker and over one database, while the broker is killed."""

import asyncio
import random

import aiomqtt
import pytest
from groundnet.collector.database import Database
from groundnet.collector.intake import mqtt_inbox
from groundnet.collector.intake.core import Collector
from groundnet.collector.intake.inbox import Inbox
from groundnet.collector.intake.mqtt_inbox import Broker, MqttInbox
from host.radio_senders import (
    NOW_MS,
    OTHER,
    STATION,
    TagSender,
    fix_item,
    hello,
    reply_of,
    sighting,
    sightings,
    signed_report,
)

from database.sharing_broker import NO_MOSQUITTO, BrokerProcess, mosquitto

TAG = TagSender(bytes.fromhex("0000aabbccddee01"), bytes(range(32)))
COLLECTORS, KILLS, BATCHES, BATCH = 3, 2, 25, 3
ANSWER_S = 0.5  # then a device asks again, as the firmware does after longer
PAUSE_S = 0.05


@pytest.fixture(params=["amqtt", "mosquitto"])
def broker(request, monkeypatch):
    if request.param == "mosquitto" and mosquitto() is None:
        pytest.skip(NO_MOSQUITTO)
    for name, seconds in (("FIRST_PAUSE_S", PAUSE_S), ("LAST_PAUSE_S", PAUSE_S), ("PATIENCE_S", ANSWER_S)):
        monkeypatch.setattr(mqtt_inbox, name, seconds)
    running = BrokerProcess(request.param)
    yield running
    running.close()


class Device:
    """Asks over the broker, one request after the other, each until it is answered."""

    def __init__(self, port, device_id, requests, on_asked):
        self._port, self._requests, self._on_asked = port, requests, on_asked
        self._up, self._down = (f"groundnet/{way}/{device_id.hex()}" for way in ("up", "down"))

    async def run(self):
        waiting = list(self._requests)
        while waiting:
            try:
                async with aiomqtt.Client("127.0.0.1", self._port, timeout=ANSWER_S) as client:
                    await client.subscribe(self._down, qos=1)
                    while waiting and await self._asked(client, *waiting[0]):
                        waiting.pop(0)
            except (aiomqtt.MqttError, TimeoutError):
                await asyncio.sleep(PAUSE_S)

    async def _asked(self, client, data, acknowledges):
        await client.publish(self._up, data, qos=1)
        self._on_asked()
        async with asyncio.timeout(ANSWER_S):
            async for message in client.messages:
                if acknowledges(reply_of(message.payload)):
                    return True
        return False


def station(station_id):
    """A station's requests, each with what its acknowledgement looks like; an older one may come twice."""
    yield hello(station_id), lambda reply: reply.name == "orders"
    for batch in range(BATCHES):
        first = batch * BATCH
        heard = [sighting(TAG.beacon(c), NOW_MS + c) for c in range(first, first + BATCH)]
        yield (
            sightings(heard, first, station_id),
            lambda reply, until=first + BATCH: reply.values.get("next_sequence") == until,
        )


def tracker():
    for number in range(BATCHES):
        fix = fix_item(NOW_MS + number, 45 + number / 1000, 13)
        yield (
            signed_report(TAG.device_id, TAG.secret, number, [fix]),
            lambda reply, number=number: reply.values.get("sequence") == number,
        )


async def play(broker, address, seed):
    """The inboxes of the collectors, after everything was acknowledged."""
    asyncio.get_running_loop().set_exception_handler(lambda *left_behind: None)  # by aiomqtt, of each kill
    source, asked, goal = random.Random(seed), 0, asyncio.Event()
    connected = asyncio.Semaphore(0)
    inboxes, databases = [], []
    for _ in range(COLLECTORS):
        databases.append(Database(address))
        inbox = Inbox(Collector(databases[-1], [(TAG.device_id, TAG.secret)]), lambda: NOW_MS + 10**6)
        tell = lambda text: text == "connected" and connected.release()  # noqa: E731
        inboxes.append(MqttInbox(inbox, Broker("127.0.0.1", broker.port, False), "county", tell))
    listening = [asyncio.create_task(inbox.run()) for inbox in inboxes]
    for _ in inboxes:
        await connected.acquire()

    def on_asked():
        nonlocal asked
        asked += 1
        if asked % 20 == source.randrange(20):
            goal.set()

    senders = [Device(broker.port, name, station(name), on_asked) for name in (STATION, OTHER)]
    senders.append(Device(broker.port, TAG.device_id, tracker(), on_asked))
    sending = [asyncio.create_task(sender.run()) for sender in senders]
    for _ in range(KILLS):
        goal.clear()
        await goal.wait()
        broker.kill()
        broker.start()
    await asyncio.gather(*sending)
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    for database in databases:
        database.close()
    return inboxes


def test_collectors_share_what_comes_and_a_killed_broker_loses_nothing(broker, postgres):
    address = postgres.url(f"shared_{broker.port}")
    inboxes = asyncio.run(asyncio.wait_for(play(broker, address, 1), 120))
    database = Database(address)
    stored = database.rows("SELECT station_id, counter FROM sightings ORDER BY station_id, counter")
    assert [tuple(row) for row in stored] == [
        (name, counter) for name in sorted((STATION, OTHER)) for counter in range(BATCHES * BATCH)
    ]
    for table in ("reports", "fixes"):
        assert database.row(f"SELECT count(*) AS n FROM {table}")["n"] == BATCHES
    assert database.rows("SELECT * FROM rejects") == []
    database.close()
    answered = [inbox.frames for inbox in inboxes]
    assert min(answered) > 0, "each of them takes its share, as soon as it is there"
