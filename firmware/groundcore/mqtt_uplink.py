"""The link to the collector over an MQTT 3.1.1 broker: each link frame is one message of QoS 1.

Requests go to groundnet/up/ID, replies come on groundnet/down/ID; ID is the device's, 16 hex digits. Every connection
begins a clean session: a request whose reply was lost is asked again by its owner, on the broker's way as on any other.
"""

from groundwire.constant import const

from groundcore import events, mqtt
from groundcore.mqtt_packets import MqttError
from groundcore.uplink import OPENING, TRANSITIONS, Uplink

UP_TOPIC = "groundnet/up/"
DOWN_TOPIC = "groundnet/down/"

_KEEPALIVE_S = const(600)  # a station says something each half minute, a tracker leaves before that
_OVERHEAD = const(64)  # of a message beside its frame: header, topic, packet id
_REFUSED_QOS = const(0x80)  # MQTT 3.9.3
_WRONG_ACCOUNT = (4, 5)  # MQTT 3.2.2.3: bad user name or password, not authorized

_BROKER_TRANSITIONS = TRANSITIONS.copy()
_BROKER_TRANSITIONS[(OPENING, events.NET_BYTES)] = "_read"  # the broker's welcome


class MqttUplink(Uplink):
    """As Uplink; `host:port` is the broker.

    Args:
        device_id: 8 bytes.
        user, password: for the broker; empty: it asks for none.
        credential: of the device at the collector, see uplink.make.
    """

    transitions = _BROKER_TRANSITIONS

    def __init__(
        self, host: str, port: int, capacity: int, device_id: bytes, user: str, password: str, credential=None
    ):
        super().__init__(host, port, capacity, credential)
        self._name = "".join(["%02x" % byte for byte in device_id])
        self._account = (user or None, password or None)
        self._capacity = capacity
        self._client = self._make_client()

    def _make_client(self):
        user, password = self._account
        return mqtt.Mqtt(
            "gn" + self._name, _KEEPALIVE_S, None, user, password, True, self._capacity + _OVERHEAD
        )

    def _opened(self, event, now_ms, actions):
        """The stream is there; the broker has still to welcome us."""
        self._decoder.reset()
        self._client = (
            self._make_client()
        )  # what an earlier connection left waiting is asked again by the owner
        self._client.opened(now_ms)
        self._flush(actions)

    def _carry(self, data, now_ms, actions):
        try:
            self._client.publish(UP_TOPIC + self._name, data, now_ms)
        except MqttError:  # a broker that acknowledges nothing
            self._give_up(None, now_ms, actions)
        else:
            self._flush(actions)

    def _read(self, event, now_ms, actions):
        self._client.feed(event[1], now_ms)
        reply = None
        while True:
            found = self._client.next_event()
            if found is None:
                self._flush(actions)
                return reply
            kind = found[0]
            if kind == mqtt.CONNECTED:
                self._client.subscribe(DOWN_TOPIC + self._name, now_ms)
            elif kind == mqtt.SUBSCRIBED and found[2] != _REFUSED_QOS:
                if self.state == OPENING:
                    self._reached(now_ms, actions)
            elif kind == mqtt.MESSAGE:
                reply = super()._read((events.NET_BYTES, found[2]), now_ms, actions) or reply
            elif kind != mqtt.PUBLISHED:
                if kind == mqtt.REFUSED:
                    said = "the broker refuses: code %d, %s" % (
                        found[1],
                        "broker_user or broker_key" if found[1] in _WRONG_ACCOUNT else "see MQTT 3.2.2.3",
                    )
                    actions.append((events.LOG, 3, "collector", said))
                self._give_up(event, now_ms, actions)
                return reply

    def _flush(self, actions):
        data = self._client.to_send()
        if data:
            actions.append((events.NET_SEND, data))
