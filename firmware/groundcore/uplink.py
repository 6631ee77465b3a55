"""The link to the collector: one TCP connection, link frames, one request at a time, one reply to each.

The frames go straight to the collector, or in messages over an MQTT broker when the host is named mqtt://
(mqtt_uplink.py). What happens is in TRANSITIONS: (state, event) -> method. The owner asks `ready` and gives a
request; `handle` gives the reply. When a connection is lost, the reply never comes and the owner asks again on the
next one.
"""

from groundwire import frame, messages
from groundwire.constant import const
from groundwire.errors import WireError

from groundcore import events

DOWN = "down"
OPENING = "opening"
UP = "up"
ASKING = "asking"  # a request is under way

TRANSITIONS = {
    (OPENING, events.NET_UP): "_opened",
    (OPENING, events.NET_DOWN): "_lost",
    (OPENING, events.TICK): "_check",
    (UP, events.NET_DOWN): "_lost",
    (UP, events.NET_BYTES): "_read",
    (ASKING, events.NET_DOWN): "_lost",
    (ASKING, events.NET_BYTES): "_read",
    (ASKING, events.TICK): "_check",
}

_OPEN_MS = const(90000)  # a modem may take 75 s to open a connection
_REPLY_MS = const(20000)
_BACKOFF_FIRST_MS = const(2000)
_BACKOFF_LAST_MS = const(120000)
_BROKER = "mqtt://"


def make(settings, device_id: bytes, capacity: int):
    """The Uplink that the settings of a device ask for."""
    host, port = settings.text("collector_host"), settings["collector_port"]
    if not host.startswith(_BROKER):
        return Uplink(host, port, capacity)
    from groundcore.mqtt_uplink import MqttUplink  # most devices pay nothing for it

    user, key = settings.text("broker_user"), settings.text("broker_key")
    return MqttUplink(host[len(_BROKER) :], port, capacity, device_id, user, key)


class Uplink:
    """Connection of one device to `host:port`. `dropped` counts requests whose reply never came.

    Args:
        host, port: of the collector; without a host the link stays down.
        capacity: bytes of the largest reply that is read.
    """

    transitions = TRANSITIONS

    def __init__(self, host: str, port: int, capacity: int):
        self.state = DOWN
        self.dropped = 0
        self.answered = False  # the collector has replied since the start
        self.host = host
        self._port = port
        self._decoder = frame.Decoder(capacity, frame.REPLIES)
        self._sequence = 0
        self._due_ms = 0  # while DOWN: not before; else: until when an answer is waited for
        self._backoff_ms = _BACKOFF_FIRST_MS

    @property
    def ready(self) -> bool:
        """A request may be sent now."""
        return self.state == UP

    @property
    def connected(self) -> bool:
        return self.state in (UP, ASKING)

    def may_open(self, now_ms: int) -> bool:
        """Down, and the pause after the last failure is over."""
        return self.state == DOWN and now_ms >= self._due_ms and bool(self.host)

    def open(self, now_ms: int, actions: list):
        """Connect; NET_UP or NET_DOWN follows."""
        self.state = OPENING
        self._due_ms = now_ms + _OPEN_MS
        actions.append((events.NET_OPEN, self.host, self._port))

    def close(self, now_ms: int, actions: list):
        """Nothing more to say."""
        if self.state != DOWN:
            actions.append((events.NET_CLOSE,))
            self.state = DOWN
            self._due_ms = now_ms

    def send(self, kind: int, payload: bytes, now_ms: int, actions: list):
        """Send a request; only while `ready`."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.state = ASKING
        self._due_ms = now_ms + _REPLY_MS
        self._carry(frame.encode(kind, payload, self._sequence), now_ms, actions)

    def handle(self, event: tuple, now_ms: int, actions: list) -> tuple | None:
        """Go on. (kind, payload, Message) of the reply to the request under way, or None."""
        step = self.transitions.get((self.state, event[0]))
        return getattr(self, step)(event, now_ms, actions) if step else None

    def next_deadline(self) -> int | None:
        """When the next TICK is due; None while nothing is waited for."""
        return self._due_ms if self.state in (OPENING, ASKING) else None

    def reopen_ms(self) -> int:
        """While down: when opening may be tried again."""
        return self._due_ms

    def _carry(self, data, now_ms, actions):
        actions.append((events.NET_SEND, data))

    def _opened(self, event, now_ms, actions):
        self.state = UP
        self._decoder.reset()

    def _lost(self, event, now_ms, actions):
        if self.state == ASKING:
            self.dropped += 1
        self.state = DOWN
        self._due_ms = now_ms + self._backoff_ms
        self._backoff_ms = min(2 * self._backoff_ms, _BACKOFF_LAST_MS)

    def _check(self, event, now_ms, actions):
        if now_ms >= self._due_ms:
            self._give_up(event, now_ms, actions)

    def _give_up(self, event, now_ms, actions):
        actions.append((events.NET_CLOSE,))
        self._lost(event, now_ms, actions)

    def _read(self, event, now_ms, actions):
        self._decoder.feed(event[1])
        reply = None
        while True:
            found = self._decoder.next()
            if found is frame.NEED_MORE:
                return reply
            if not isinstance(found, frame.Frame):
                continue  # counted by the decoder; the reply is asked for again when it was this one
            if self.state != ASKING or found.sequence != self._sequence:
                continue  # the reply to a request that was given up
            try:
                message = messages.decode(found.kind, found.payload)
            except WireError:
                continue
            self.state = UP
            self.answered = True
            self._backoff_ms = _BACKOFF_FIRST_MS
            reply = (found.kind, found.payload, message)
