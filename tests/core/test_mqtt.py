"""The MQTT client against the examples of the OASIS standard and a broker that forgets, delays and cuts."""

import pytest
from groundcore import mqtt, mqtt_packets
from hypothesis import given
from hypothesis import strategies as st


def connected(client: mqtt.Mqtt, now_ms: int = 0, present: int = 0) -> bytes:
    """Open the stream and be welcomed; what the client sent."""
    client.opened(now_ms)
    client.feed(bytes((0x20, 2, present, 0)), now_ms)
    assert client.next_event() == (mqtt.CONNECTED, bool(present))
    return client.to_send()


# --- the standard's own examples (mqtt-v3.1.1-os, non-normative)


@pytest.mark.parametrize(
    "length, coded",
    [(0, "00"), (127, "7F"), (128, "8001"), (16_383, "FF7F"), (16_384, "808001"), (2_097_151, "FFFF7F")],
)
def test_remaining_length_of_table_2_4(length, coded):
    assert mqtt_packets.packet(0x30, bytes(length))[1 : 1 + len(coded) // 2] == bytes.fromhex(coded)
    start, end = mqtt_packets.split(b"\x30" + bytes.fromhex(coded))
    assert end - start == length


def test_largest_length_of_table_2_4_and_one_byte_more():
    assert mqtt_packets.split(bytes.fromhex("30FFFFFF7F")) == (5, 5 + 268_435_455)
    assert mqtt_packets.split(bytes.fromhex("30FFFFFFFF01")) == (5, -1)
    assert mqtt_packets.split(b"\x30\x80\x80") is None


def test_connect_of_figure_3_6():
    client = mqtt.Mqtt("a", 10, will=("w", b"gone", False), user="u", password="p")
    client.opened(0)
    packet = client.to_send()
    variable_header = bytes.fromhex("0004 4D515454 04 CC 000A")  # the figure also sets clean session: CE
    assert packet[0] == 0x10 and packet[2:12] == variable_header
    assert packet[12:] == b"\x00\x01a" + b"\x00\x01w" + b"\x00\x04gone" + b"\x00\x01u" + b"\x00\x01p"
    clean = mqtt.Mqtt("a", 10, will=("w", b"gone", False), user="u", password="p", clean=True)
    clean.opened(0)
    assert clean.to_send()[2:12] == bytes.fromhex("0004 4D515454 04 CE 000A")


def test_publish_of_figure_3_11():
    client = mqtt.Mqtt("a", 60)
    connected(client)
    while client.publish("x", b"", 0) < 9:
        client.feed(bytes((0x40, 2, 0, client._next_id - 1)), 0)
    client.to_send()
    client._unacknowledged.clear()
    assert client.publish("a/b", b"", 0) == 10
    assert client.to_send() == bytes.fromhex("32 07 0003 612F62 000A")


def test_subscribe_ping_and_disconnect():
    client = mqtt.Mqtt("a", 60)
    connected(client)
    packet_id = client.subscribe("a/b", 0)
    assert client.to_send() == bytes.fromhex("82 08 0001 0003 612F62 01")  # figures 3.20 to 3.23, one topic
    client.feed(bytes.fromhex("90 03 0001 01"), 5)
    assert client.next_event() == (mqtt.SUBSCRIBED, packet_id, 1)
    client.tick(60_000)
    assert client.to_send() == b"\xc0\x00"
    client.feed(b"\xd0\x00", 60_100)
    client.tick(100_000)
    assert client.next_event() is None and client.connected
    client.disconnect()
    assert client.to_send() == b"\xe0\x00"


# --- at least once


def test_unacknowledged_message_is_sent_again_with_dup_on_the_next_connection():
    client = mqtt.Mqtt("tracker1", 60)
    packet_id = client.publish("alarm", b"rolling", 0)
    assert client.to_send() == b""
    client.opened(0)
    client.to_send()
    client.feed(b"\x20\x02\x00\x00", 0)
    first = client.to_send()
    assert first[0] == 0x32
    client.tick(19_999)
    assert client.next_event() == (mqtt.CONNECTED, False) and client.next_event() is None
    client.tick(20_000)
    assert client.next_event() == (mqtt.FAILED, "no answer") and client.next_deadline() is None
    client.opened(30_000)
    client.to_send()
    client.feed(b"\x20\x02\x01\x00", 30_100)
    assert client.to_send() == bytes((first[0] | 0x08,)) + first[1:]
    client.feed(b"\x40\x02" + packet_id.to_bytes(2, "big"), 30_200)
    assert [client.next_event(), client.next_event()] == [(mqtt.CONNECTED, True), (mqtt.PUBLISHED, packet_id)]
    client.lost()
    assert connected(client, 40_000)[2:].find(b"alarm") < 0, "the broker has it: not a third time"


@given(st.lists(st.sampled_from(["answer", "silence", "cut", "publish"]), max_size=60))
def test_every_message_arrives_at_least_once_and_in_order(happenings):
    broker, client, sent, now_ms = Broker(), mqtt.Mqtt("t", 60, in_flight=100), [], 0
    for happening in [*happenings, "cut", "answer", "answer", "answer"]:
        now_ms += 1000
        if happening == "publish":
            sent.append(client.publish("t", b"%d" % len(sent), now_ms))
        elif happening == "cut":
            client.lost()
            client.opened(now_ms)
            broker.hear(client.to_send(), False)
            client.feed(broker.answer(), now_ms)
        broker.hear(client.to_send(), happening != "silence")
        client.feed(broker.answer(), now_ms)
    firsts = list(dict.fromkeys(broker.payloads))
    assert firsts == [b"%d" % index for index in range(len(sent))]
    assert client._unacknowledged == []


class Broker:
    """Acknowledges what it hears, or loses it."""

    def __init__(self):
        self.payloads = []
        self._answer = b""

    def hear(self, data: bytes, attentive: bool) -> None:
        while data:
            start, end = mqtt_packets.split(data)
            kind, body, data = data[0], data[start:end], data[end:]
            if kind == 0x10:
                self._answer += b"\x20\x02\x01\x00"
            elif kind & 0xF0 == 0x30 and attentive:
                topic_end = 2 + int.from_bytes(body[:2], "big")
                self.payloads.append(body[topic_end + 2 :])
                self._answer += b"\x40\x02" + body[topic_end : topic_end + 2]

    def answer(self) -> bytes:
        answer, self._answer = self._answer, b""
        return answer


# --- what comes in


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_messages_cut_anywhere(size):
    client = mqtt.Mqtt("a", 60)
    connected(client)
    stream = mqtt_packets.packet(0x30, mqtt_packets.text("a/b") + b"first") + mqtt_packets.packet(
        0x32, mqtt_packets.text("车") + b"\x12\x34second"
    )
    for start in range(0, len(stream), size):
        client.feed(stream[start : start + size], 0)
    assert client.next_event() == (mqtt.MESSAGE, "a/b", b"first")
    assert client.next_event() == (mqtt.MESSAGE, "车", b"second")
    assert client.to_send() == bytes.fromhex("40 02 1234"), "only QoS 1 is acknowledged"


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_refusal_is_told(code):
    client = mqtt.Mqtt("a", 60)
    client.opened(0)
    client.feed(bytes((0x20, 2, 0, code)), 0)
    assert client.next_event() == (mqtt.REFUSED, code) and not client.connected


@pytest.mark.parametrize(
    "bad",
    ["34 07 0003 612F62 0001", "30 02 0009", "F0 00", "40 01 00", "30 FFFFFFFF01", "30 8010", "30 03 0001FF"],
)
def test_bad_packet_ends_the_connection(bad):
    client = mqtt.Mqtt("a", 60, capacity=512)
    connected(client)
    client.feed(bytes.fromhex(bad), 0)
    assert client.next_event()[0] == mqtt.FAILED and not client.connected


@given(st.binary(max_size=200), st.integers(0, 200))
def test_rubbish_never_raises(rubbish, cut):
    client = mqtt.Mqtt("a", 60)
    connected(client)
    client.feed(rubbish[:cut], 0)
    client.feed(rubbish[cut:], 0)
    while client.next_event() is not None:
        pass


def test_requests_out_of_range_are_refused():
    client = mqtt.Mqtt("a", 60, in_flight=1)
    client.publish("t", b"", 0)
    for request in (
        lambda: mqtt.Mqtt("", 60),
        lambda: mqtt.Mqtt("a", 0),
        lambda: client.publish("t", b"", 0),
        lambda: client.publish("t", b"", 0, qos=0),
        lambda: client.publish("a/+", b"", 0),
        lambda: client.subscribe("a", 0),
    ):
        with pytest.raises(mqtt_packets.MqttError):
            request()
