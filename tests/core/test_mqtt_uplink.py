"""Link frames over an MQTT broker; the broker's packets are bytes written by hand from the standard's figures."""

import pytest
from groundcore import events, uplink
from groundcore.mqtt_uplink import MqttUplink
from groundcore.settings import Settings, encode
from groundwire import frame, messages

DEVICE = bytes.fromhex("0000aabbccddee01")
CONNACK = bytes.fromhex("20020000")  # figure 3.8: no session, accepted
CONNACK_REFUSED = bytes.fromhex("20020005")  # not authorized
SUBACK = bytes.fromhex("9003000101")  # packet 1, QoS 1
SUBACK_REFUSED = bytes.fromhex("9003000180")
DOWN = b"groundnet/down/0000aabbccddee01"


def made(host="mqtt://broker.county"):
    return uplink.make(
        Settings(encode({"collector_host": host, "broker_user": "county"}), "none"), DEVICE, 600
    )


def published(payload: bytes) -> bytes:
    """PUBLISH of QoS 0 to the device (figure 3.10)."""
    body = len(DOWN).to_bytes(2, "big") + DOWN + payload
    return bytes((0x30, len(body))) + body


@pytest.fixture
def link():
    """A link that the broker has welcomed, with everything that it sent."""
    link, sent = made(), []
    link.open(0, sent)
    link.handle((events.NET_UP,), 100, sent)
    link.handle((events.NET_BYTES, CONNACK), 200, sent)
    assert not link.ready, "not before the way back is open"
    link.handle((events.NET_BYTES, SUBACK), 300, sent)
    return link, sent


def test_a_plain_host_needs_no_broker():
    assert type(made("collector.county")) is uplink.Uplink


def test_it_introduces_itself_subscribes_and_is_ready(link):
    link, sent = link
    assert link.ready
    assert sent[0] == (events.NET_OPEN, "broker.county", 4710)
    connect, subscribe = sent[1][1], sent[2][1]
    assert connect[0] == 0x10 and b"MQTT\x04" in connect and connect.endswith(b"\x00\x06county")
    assert subscribe[:4] == b"\x82\x24\x00\x01" and subscribe.endswith(DOWN + b"\x01")


def test_a_request_is_a_message_and_its_reply_comes_as_one(link):
    link, sent = link
    kind, payload = messages.encode("identity_get", {})
    link.send(kind, payload, 400, sent)
    line = frame.encode(kind, payload, 1)
    assert sent[-1] == (
        events.NET_SEND,
        b"\x32\x2c\x00\x1dgroundnet/up/0000aabbccddee01\x00\x02" + line,
    )
    assert len(line) == 0x2C - 2 - 29 - 2
    ack = messages.encode("ack", {"request": kind})
    reply = frame.encode(*ack, 1)
    packet = published(reply)
    assert not link.answered, "the broker has spoken, the collector has not"
    heard = [link.handle((events.NET_BYTES, packet[at : at + 1]), 500, sent) for at in range(len(packet))]
    assert heard[:-1] == [None] * (len(packet) - 1), "a broker's packets arrive cut anywhere"
    assert heard[-1][:2] == ack
    assert link.ready and link.answered


def test_replies_are_told_and_acknowledged(link):
    link, sent = link
    link.send(*messages.encode("identity_get", {}), 400, sent)
    reply = frame.encode(*messages.encode("ack", {"request": 1}), 1)
    body = len(DOWN).to_bytes(2, "big") + DOWN + b"\x00\x07" + reply
    kind, _, message = link.handle((events.NET_BYTES, bytes((0x32, len(body))) + body), 500, sent)
    assert (kind, message.values["request"]) == (0xFE, 1)
    assert sent[-1] == (events.NET_SEND, b"\x40\x02\x00\x07"), "PUBACK of the reply"


@pytest.mark.parametrize("answers", [[CONNACK_REFUSED], [CONNACK, SUBACK_REFUSED], [b"\x48\x02ok"]])
def test_a_broker_that_refuses_is_left_and_tried_again_later(answers):
    link, sent = made(), []
    link.open(0, sent)
    link.handle((events.NET_UP,), 100, sent)
    for answer in answers:
        link.handle((events.NET_BYTES, answer), 200, sent)
    assert sent[-1] == (events.NET_CLOSE,) and not link.connected
    assert not link.may_open(1000) and link.may_open(3000)


def test_a_broker_that_says_nothing_is_left():
    link, sent = made(), []
    link.open(0, sent)
    link.handle((events.NET_UP,), 100, sent)
    link.handle((events.TICK,), link.next_deadline(), sent)
    assert sent[-1] == (events.NET_CLOSE,)


def test_after_a_lost_connection_the_next_one_begins_anew(link):
    link, sent = link
    link.send(*messages.encode("identity_get", {}), 400, sent)
    link.handle((events.NET_DOWN,), 500, sent)
    assert link.dropped == 1 and isinstance(link, MqttUplink)
    link.open(5000, sent)
    del sent[:]
    link.handle((events.NET_UP,), 5100, sent)
    link.handle((events.NET_BYTES, CONNACK), 5200, sent)
    assert len(sent) == 2, "CONNECT and SUBSCRIBE, and nothing of before: the owner asks again"
