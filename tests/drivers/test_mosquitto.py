"""A station behind the real Mosquitto: its firmware, TLS with the county's authority, a password, a killed broker."""

import asyncio
import subprocess
import threading

import pytest
from cryptography.hazmat.primitives import serialization
from database.sharing_broker import NO_MOSQUITTO, BrokerProcess, mosquitto
from drivers.authority import Authority
from drivers.test_apps import SECRET, UNIQUE_ID, Rig
from groundnet.collector.database import Database
from groundnet.collector.intake import mqtt_inbox
from groundnet.collector.intake.core import Collector
from groundnet.collector.intake.inbox import Inbox
from groundnet.collector.intake.mqtt_inbox import MqttInbox, broker_of
from groundnet.collector.stations.station_door import StationDoor
from host.radio_senders import TagSender

pytestmark = pytest.mark.skipif(mosquitto() is None, reason=NO_MOSQUITTO)

STATION = UNIQUE_ID.rjust(8, b"\x00")
NAME = "broker.county"
USER, PASSWORD = "station", "a county's own word"
TAG = TagSender(bytes.fromhex("0000aabbccddee01"), bytes(range(32)))
START_MS = 1_790_000_000_000
WAIT_S = 30.0


class CollectorThread:
    """The real collector on the broker, in a thread of its own; ``connected`` is set each time it is."""

    def __init__(self, path, broker, ca):
        self._path = path
        self._broker = broker_of(f"mqtts://{USER}@localhost:{broker.port}", PASSWORD, ca)
        self.connected = threading.Event()
        self.said = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        database = Database(self._path)
        door = StationDoor(database)
        door.learn([(STATION, SECRET)])
        inbox = Inbox(Collector(database, [(TAG.device_id, TAG.secret)]), lambda: START_MS, door=door)
        self._task = self._loop.create_task(MqttInbox(inbox, self._broker, "county", self._say).run())
        self._loop.set_exception_handler(lambda *left_behind: None)  # by aiomqtt, of the kill
        self._loop.run_until_complete(asyncio.gather(self._task, return_exceptions=True))
        database.close()
        self._loop.close()

    def _say(self, text):
        self.said.append(text)
        if text == "connected":
            self.connected.set()

    def close(self):
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(WAIT_S)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """The collector comes back at once."""
    for name in ("FIRST_PAUSE_S", "LAST_PAUSE_S"):
        monkeypatch.setattr(mqtt_inbox, name, 0.05)


class County:
    """Broker, collector and one station of it on a virtual board."""

    def __init__(self, folder, password=PASSWORD):
        self.path = folder / "collector.db"
        authority = Authority(folder)
        ca = folder / "ca.pem"
        ca.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
        passwords = folder / "passwords"
        subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, USER, PASSWORD], check=True)
        served = authority.signed(["localhost", NAME])
        self.broker = BrokerProcess(
            "mosquitto",
            f"allow_anonymous false\npassword_file {passwords}\ncertfile {served}\nkeyfile {served}",
        )
        self.collector = CollectorThread(self.path, self.broker, ca)
        told = {"collector_host": f"mqtts://{NAME}", "broker_user": USER, "broker_key": password}
        self.rig = Rig("base", changed=authority.settings | told)
        self.rig.network.route_to_broker(NAME, 4710, "127.0.0.1", self.broker.port)
        self.tag = self.rig.place.medium.attach("tag", lambda time_us: (30.0, 0.0), lambda reception: None)

    def restart_the_broker(self):
        self.collector.connected.clear()
        self.broker.kill()
        self.broker.start()
        assert self.collector.connected.wait(WAIT_S), self.collector.said

    def beacon(self, counter):
        """The tag sends on the channel that the station listens to."""
        radio = self.rig.device.parts["radio"]
        modulation = radio.settings.modulation()
        data = TAG.beacon(counter)
        self.rig.place.medium.transmit(self.tag, data, modulation, 14, modulation.airtime_us(len(data)))
        self.rig.run(2)

    def stored(self, question="SELECT counter FROM sightings ORDER BY counter"):
        database = Database(self.path)
        found = [tuple(row) for row in database.rows(question)]
        database.close()
        return found

    def close(self):
        self.rig.board.close()
        self.collector.close()
        self.broker.close()


@pytest.fixture
def county(tmp_path):
    opened = []

    def make(**given):
        opened.append(County(tmp_path, **given))
        assert opened[0].collector.connected.wait(WAIT_S), opened[0].collector.said
        return opened[0]

    yield make
    for one in opened:
        one.close()
        assert "Traceback" not in one.rig.board.log


def test_sightings_arrive_once_through_tls_and_a_broker_that_is_killed_meanwhile(county):
    made = county()
    made.rig.run(60)
    for counter in range(1, 4):
        made.beacon(counter)
    made.rig.run(60)
    assert made.stored() == [(1,), (2,), (3,)]
    made.restart_the_broker()
    for counter in range(4, 7):
        made.beacon(counter)
    made.rig.run(300)
    assert made.stored() == [(counter,) for counter in range(1, 7)]
    assert made.stored("SELECT reason FROM rejects") == []
    assert made.rig.board.boots == 1


def test_a_station_with_a_wrong_password_hears_so_and_tells_nobody(county):
    made = county(password="guessed")
    made.rig.run(60)
    assert made.stored("SELECT station_id FROM stations") == []
    assert "the broker refuses: code 5, broker_user or broker_key" in made.rig.board.log
