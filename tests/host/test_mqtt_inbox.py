"""Requests over a real broker: the firmware's own client on one side, the collector on the other."""

import socket

import pytest
from groundnet.collector.intake.mqtt_inbox import Broker, BrokerError, broker_of
from groundnet.sim import groundcore_runtime
from groundwire import frame

from host.broker_thread import WAIT_S, BrokerThread
from host.radio_senders import NOW_MS, STATION, fix_item, hello, signed_report

events, settings, uplink = (groundcore_runtime.load(name) for name in ("events", "settings", "uplink"))


@pytest.fixture
def running(tmp_path, tag):
    running = BrokerThread(tmp_path / "collector.db", [(tag.device_id, tag.secret)])
    yield running
    running.close()


class DeviceOnLine:
    """The firmware's uplink over a real socket."""

    def __init__(self, port, device_id):
        host = {"collector_host": "mqtt://127.0.0.1", "collector_port": str(port)}
        self.link = uplink.make(settings.Settings(settings.encode(host), "none"), device_id, 4400)
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.link.open(0, [])
        self._carry_out(self._handle((events.NET_UP,))[1])
        while not self.link.ready:
            self._hear()

    def ask(self, line):
        """The reply to a request that stands in a frame."""
        decoder, actions = frame.Decoder(4400), []
        decoder.feed(line)
        asked = decoder.next()
        self.link.send(asked.kind, asked.payload, 0, actions)
        self._carry_out(actions)
        while (reply := self._hear()) is None:
            pass
        return reply[2]

    def _hear(self):
        data = self.socket.recv(4096)
        assert data, "the broker closed the connection"
        reply, actions = self._handle((events.NET_BYTES, data))
        self._carry_out(actions)
        return reply

    def _handle(self, event):
        actions = []
        return self.link.handle(event, 0, actions), actions

    def _carry_out(self, actions):
        for action in actions:
            assert action[0] == events.NET_SEND, action
            self.socket.sendall(action[1])


def test_two_devices_hear_their_own_replies_only(running, tag):
    tracker, station = DeviceOnLine(running.port, tag.device_id), DeviceOnLine(running.port, STATION)
    report = signed_report(tag.device_id, tag.secret, 1, [fix_item(NOW_MS, 45.1, 13.1)])
    for _ in range(2):
        greeted = station.ask(hello())
        assert (greeted.name, greeted.values["time_ms"]) == ("orders", NOW_MS)
        signed_for = tracker.ask(report)
        assert (signed_for.name, signed_for.values["sequence"]) == ("report_ack", 1)
    for device in (tracker, station):
        device.socket.close()
    assert running.said == ["connected"]


def test_rubbish_is_not_answered_and_the_next_request_is(running):
    station = DeviceOnLine(running.port, STATION)
    actions = []
    station.link._carry(b"\x00rubbish\x00", 0, actions)
    station._carry_out(actions)
    assert station.ask(hello()).name == "orders"
    station.socket.close()


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://broker", Broker("broker", 1883, False)),
        ("mqtts://county@broker.example:8884", Broker("broker.example", 8884, True, "county")),
        ("mqtt://[::1]:1", Broker("::1", 1, False)),
    ],
)
def test_addresses_of_brokers(url, broker):
    assert broker_of(url) == broker


@pytest.mark.parametrize(
    "url",
    [
        "broker:1883",
        "http://broker",
        "mqtt://",
        "mqtt://broker:x",
        "mqtt://broker/topic",
        "mqtt://u:p@broker",
    ],
)
def test_bad_addresses_are_told(url):
    with pytest.raises(BrokerError):
        broker_of(url)


def test_a_password_is_in_no_repr():
    assert "hush" not in repr(broker_of("mqtt://u@broker", "hush"))
