"""An MQTT 3.1.1 client without input and output (OASIS standard mqtt-v3.1.1-os), QoS 0 and 1.

It runs over any TCP byte stream, Wi-Fi's or a modem's. The owner opens the stream and calls ``opened``, feeds what
arrives, sends what ``to_send`` gives, calls ``tick`` at ``next_deadline`` and asks ``next_event``. A message of QoS 1
stays here until the broker has it: after a lost connection it is sent again, marked as a duplicate (4.4).
"""

import struct

from groundwire.constant import const

from groundcore import mqtt_packets
from groundcore.mqtt_packets import MqttError, packet, split, text

# Events: next_event() answers (kind, ...).
CONNECTED = "connected"  # session_present
REFUSED = "refused"  # the broker's return code (3.2.2.3); close the stream
PUBLISHED = "published"  # packet_id: the broker has it
SUBSCRIBED = "subscribed"  # packet_id, granted QoS; 0x80: refused
MESSAGE = "message"  # topic, payload
FAILED = "failed"  # why; close the stream, open it again, and everything unacknowledged is sent again

# Control packets (2.2.1), with the flags that 2.2.2 fixes.
_CONNACK = const(0x20)
_PUBLISH = const(0x30)
_PUBACK = const(0x40)
_SUBSCRIBE = const(0x82)
_SUBACK = const(0x90)
_PINGREQ = const(0xC0)
_PINGRESP = const(0xD0)
_DISCONNECT = const(0xE0)

_DUP = const(0x08)
_QOS_1 = const(0x02)
_RETAIN = const(0x01)
_QOS_MASK = const(0x06)

_ANSWER_MS = const(20_000)  # CONNACK, PUBACK, SUBACK and PINGRESP come within this or the stream is dead


class Mqtt:
    """One client.

    Args:
        client_id: 1..23 letters and digits, so that every broker takes it (3.1.3.1).
        keepalive_s: 1..65535; the broker gives up on silence of one and a half times this.
        will: (topic, payload, retain) that the broker publishes when the connection dies, or None.
        user, password: or None.
        clean: True makes the broker forget subscriptions and messages of earlier connections.
        capacity: bytes of the largest packet that is read.
        in_flight: messages that may wait for the broker.
    """

    def __init__(
        self,
        client_id,
        keepalive_s,
        will=None,
        user=None,
        password=None,
        clean=False,
        capacity=1024,
        in_flight=8,
    ):
        if not 1 <= len(client_id) <= 23 or not 1 <= keepalive_s <= 0xFFFF:
            raise MqttError("client id or keepalive is out of range")
        self.connected = False
        self._connect = mqtt_packets.connect(client_id, keepalive_s, will, user, password, clean)
        self._keepalive_ms = keepalive_s * 1000
        self._capacity = capacity
        self._in_flight = in_flight
        self._unacknowledged = []  # [packet id, packet, sent before]
        self._subscribing = {}  # packet id -> when its answer is overdue
        self._next_id = 1
        self._input = bytearray()
        self._output = bytearray()
        self._events = []
        self._open = False
        self._answer_due_ms = None  # of CONNECT and PINGREQ
        self._publish_due_ms = None
        self._ping_ms = 0

    # --- requests

    def opened(self, now_ms: int) -> None:
        """The stream is open: introduce ourselves."""
        self._open = True
        self._input = bytearray()
        self._output = bytearray(self._connect)
        self._answer_due_ms = now_ms + _ANSWER_MS
        self._publish_due_ms = None
        self._ping_ms = now_ms + self._keepalive_ms

    def lost(self) -> None:
        """The stream is gone; messages that the broker has not acknowledged are kept."""
        self._open = self.connected = False
        self._input = bytearray()
        self._output = bytearray()
        self._subscribing = {}
        self._answer_due_ms = self._publish_due_ms = None

    def publish(self, topic: str, payload: bytes, now_ms: int, qos: int = 1, retain: bool = False) -> int:
        """Send a message; PUBLISHED with its packet id follows for QoS 1. Returns the packet id, 0 for QoS 0.

        While there is no connection a message of QoS 1 waits. Raises MqttError when too many wait, when the topic has
        a wildcard, and for QoS 0 without a connection.
        """
        if not topic or "+" in topic or "#" in topic:
            raise MqttError("not a topic")
        flags = _PUBLISH | (_RETAIN if retain else 0)
        if qos == 0:
            if not self.connected:
                raise MqttError("not connected")
            self._send(packet(flags, text(topic) + payload), now_ms)
            return 0
        if len(self._unacknowledged) >= self._in_flight:
            raise MqttError("too many messages wait")
        packet_id = self._take_id()
        body = text(topic) + struct.pack(">H", packet_id) + payload
        message = [packet_id, packet(flags | _QOS_1, body), False]
        self._unacknowledged.append(message)
        if self.connected:
            self._send_message(message, now_ms)
        return packet_id

    def subscribe(self, topic: str, now_ms: int) -> int:
        """Ask for messages of a topic filter at QoS 1; SUBSCRIBED with the packet id follows."""
        if not self.connected:
            raise MqttError("not connected")
        packet_id = self._take_id()
        self._subscribing[packet_id] = now_ms + _ANSWER_MS
        self._send(packet(_SUBSCRIBE, struct.pack(">H", packet_id) + text(topic) + b"\x01"), now_ms)
        return packet_id

    def disconnect(self) -> None:
        """Say goodbye: the broker then does not publish the will. Send what is to send, then close the stream."""
        if self._open:
            self._output += packet(_DISCONNECT, b"")
            self.connected = False

    # --- the stream

    def to_send(self) -> bytes:
        """Bytes for the stream since the last call."""
        data = bytes(self._output)
        self._output = bytearray()
        return data

    def feed(self, data, now_ms: int) -> None:
        """Bytes of the stream, cut anywhere."""
        if not self._open:
            return
        self._input += data
        while self._open:
            found = split(self._input)
            if found is None:
                return
            start, end = found
            if end < 0 or end > self._capacity:
                self._fail("packet is too long")
            elif end > len(self._input):
                return
            else:
                kind, body = self._input[0], bytes(self._input[start:end])
                self._input = self._input[end:]
                self._take(kind, body, now_ms)

    def tick(self, now_ms: int) -> None:
        """The deadline has come; harmless at any other time."""
        if not self._open:
            return
        for due_ms in (
            self._answer_due_ms,
            self._publish_due_ms,
            min(self._subscribing.values(), default=None),
        ):
            if due_ms is not None and now_ms >= due_ms:
                self._fail("no answer")
                return
        if self.connected and now_ms >= self._ping_ms:
            self._send(packet(_PINGREQ, b""), now_ms)
            if self._answer_due_ms is None:
                self._answer_due_ms = now_ms + _ANSWER_MS

    def next_deadline(self) -> int | None:
        """When ``tick`` is due; None without a stream."""
        if not self._open:
            return None
        dues = [self._answer_due_ms, self._publish_due_ms, self._ping_ms if self.connected else None]
        return min([due_ms for due_ms in dues + list(self._subscribing.values()) if due_ms is not None])

    def next_event(self) -> tuple | None:
        """What happened, oldest first."""
        return self._events.pop(0) if self._events else None

    # --- inside

    def _take_id(self) -> int:
        """A packet id that is not in use, never 0 (2.3.1)."""
        used = [message[0] for message in self._unacknowledged]
        while self._next_id in used or self._next_id in self._subscribing:
            self._next_id = self._next_id % 0xFFFF + 1
        packet_id = self._next_id
        self._next_id = packet_id % 0xFFFF + 1
        return packet_id

    def _send(self, data: bytes, now_ms: int) -> None:
        self._output += data
        self._ping_ms = now_ms + self._keepalive_ms

    def _send_message(self, message: list, now_ms: int) -> None:
        _, sent, again = message
        if again:
            sent = bytes((sent[0] | _DUP,)) + sent[1:]
        message[2] = True
        self._send(sent, now_ms)
        if self._publish_due_ms is None:
            self._publish_due_ms = now_ms + _ANSWER_MS

    def _fail(self, why: str) -> None:
        self.lost()
        self._events.append((FAILED, why))

    def _take(self, kind: int, body: bytes, now_ms: int) -> None:
        """One whole packet."""
        if not self.connected:
            if kind == _CONNACK and len(body) == 2:
                self._welcomed(body, now_ms)
            else:
                self._fail("not the packet that comes first")
        elif kind & 0xF0 == _PUBLISH:
            self._hear(kind, body, now_ms)
        elif kind == _PUBACK and len(body) == 2:
            self._acknowledged(struct.unpack(">H", body)[0], now_ms)
        elif kind == _SUBACK and len(body) == 3:
            packet_id, granted = struct.unpack(">HB", body)
            if self._subscribing.pop(packet_id, None) is not None:
                self._events.append((SUBSCRIBED, packet_id, granted))
        elif kind == _PINGRESP and not body:
            self._answer_due_ms = None
        else:
            self._fail("unknown packet")

    def _welcomed(self, body: bytes, now_ms: int) -> None:
        """CONNACK (3.2): session present, return code."""
        if body[1]:
            self.lost()
            self._events.append((REFUSED, body[1]))
            return
        self.connected = True
        self._answer_due_ms = None
        self._events.append((CONNECTED, bool(body[0] & 1)))
        for message in self._unacknowledged:
            self._send_message(message, now_ms)

    def _acknowledged(self, packet_id: int, now_ms: int) -> None:
        for message in self._unacknowledged:
            if message[0] == packet_id and message[2]:
                self._unacknowledged.remove(message)
                self._publish_due_ms = now_ms + _ANSWER_MS if self._unacknowledged else None
                self._events.append((PUBLISHED, packet_id))
                return

    def _hear(self, kind: int, body: bytes, now_ms: int) -> None:
        """PUBLISH (3.3) of the broker: tell, then acknowledge."""
        qos = kind & _QOS_MASK
        length = struct.unpack(">H", body[:2])[0] if len(body) >= 2 else len(body)
        start = 2 + length + (2 if qos else 0)
        if qos > _QOS_1 or start > len(body):
            self._fail("bad message")
            return
        try:
            topic = str(body[2 : 2 + length], "utf-8")
        except ValueError:
            self._fail("bad topic")
            return
        self._events.append((MESSAGE, topic, body[start:]))
        if qos:
            self._send(packet(_PUBACK, body[start - 2 : start]), now_ms)
