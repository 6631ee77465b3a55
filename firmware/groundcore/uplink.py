"""The link to the collector: one TCP connection, link frames, one request at a time, one reply to each.

The frames go straight to the collector, or in messages over an MQTT broker when the host is named mqtt:// or
mqtts:// (mqtt_uplink.py); the app does the TLS of tls:// and mqtts://. With a credential both ends prove
themselves first, and every frame is sealed (protocol/README.md section 7). What happens is in TRANSITIONS: (state,
event) -> method. The owner asks `ready` and gives a request; `handle` gives the reply. When a connection is lost,
the reply never comes and the owner asks again on the next one.
"""

from groundwire import frame, messages
from groundwire.constant import const
from groundwire.errors import AuthenticationError, WireError

from groundcore import events

DOWN = "down"
OPENING = "opening"
PROVING = "proving"  # of both ends, before the first request
UP = "up"
ASKING = "asking"  # a request is under way

TRANSITIONS = {
    (OPENING, events.NET_UP): "_opened",
    (OPENING, events.NET_DOWN): "_lost",
    (OPENING, events.TICK): "_check",
    (PROVING, events.NET_DOWN): "_lost",
    (PROVING, events.NET_BYTES): "_read",
    (PROVING, events.TICK): "_check",
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
_REFUSED_MS = const(60000)  # before the next try when the collector does not say how long
_SCHEMES = ("tls", "mqtt", "mqtts")


def address(settings) -> tuple:
    """(host, whether it is a broker, whether TLS is asked for) of the setting collector_host: HOST, tls://HOST,
    mqtt://HOST or mqtts://HOST. What begins in any other way leads nowhere."""
    scheme, separator, host = settings.text("collector_host").partition("://")
    if not separator:
        return scheme, False, False
    if scheme not in _SCHEMES:
        host = ""
    return host, scheme.startswith("mqtt"), scheme in ("tls", "mqtts")


def make(settings, device_id: bytes, capacity: int, credential=None, has_tls: bool = False):
    """The Uplink that the settings of a device ask for.

    Args:
        credential: makes a fresh session.Initiator at each call; None: nothing is proved, frames go as they are.
        has_tls: whether the app has TLS; where it has not, a link that asks for it stays down.
    """
    host, over_broker, secure = address(settings)
    port = settings["collector_port"]
    if secure and not has_tls:
        host = ""
    if not over_broker:
        return Uplink(host, port, capacity, credential)
    from groundcore.mqtt_uplink import MqttUplink  # most devices pay nothing for it

    user, key = settings.text("broker_user"), settings.text("broker_key")
    return MqttUplink(host, port, capacity, device_id, user, key, credential)


class Uplink:
    """Connection of one device to `host:port`. `dropped` counts requests whose reply never came.

    Args:
        host, port: of the collector; without a host the link stays down.
        capacity: bytes of the largest reply that is read.
        credential: as in `make`.
    """

    transitions = TRANSITIONS

    def __init__(self, host: str, port: int, capacity: int, credential=None):
        self.state = DOWN
        self.dropped = 0
        self.answered = False  # the collector has replied since the start
        self.host = host
        self._port = port
        self._credential = credential
        self._session = None
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
        self._ask(ASKING, kind, payload, now_ms, actions)

    def refused(self, message, now_ms: int, actions: list):
        """The reply was an error: leave, and come back when it says so, in a minute when it does not."""
        actions.append(
            (events.LOG, 3, "collector", "%s %s" % (message.values["code"], message.values["detail"]))
        )
        self.close(now_ms, actions)
        self._due_ms = now_ms + (message.values["retry_after_ms"] or _REFUSED_MS)

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

    def _ask(self, state, kind, payload, now_ms, actions):
        self._sequence = sequence = (self._sequence + 1) & 0xFFFF
        self.state = state
        self._due_ms = now_ms + _REPLY_MS
        session = self._session if state == ASKING else None
        if session is not None:
            payload = session.seal(kind, payload, sequence)
        self._carry(frame.encode(kind, payload, sequence, session is not None), now_ms, actions)

    def _opened(self, event, now_ms, actions):
        self._decoder.reset()
        self._reached(now_ms, actions)

    def _reached(self, now_ms, actions):
        """The way is open."""
        self.state = UP
        if self._credential is not None:
            self._session = session = self._credential()
            kind, payload = session.open()
            self._ask(PROVING, kind, payload, now_ms, actions)

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
            if self.state not in (ASKING, PROVING) or found.sequence != self._sequence:
                continue  # the reply to a request that was given up
            try:
                reply = self._take(found, now_ms, actions) or reply
            except AuthenticationError as error:  # not the collector, or it has forgotten the session
                actions.append((events.LOG, 3, "collector", str(error)))
                self._give_up(event, now_ms, actions)
                return reply
            except WireError:
                continue

    def _take(self, found, now_ms, actions):
        """The reply in a frame; None for one that only proves the other end."""
        session = self._session
        if session is not None and self.state == PROVING:
            self._prove(session, messages.decode(found.kind, found.payload), now_ms, actions)
            return None
        payload = found.payload if session is None else session.unseal(found)
        message = messages.decode(found.kind, payload)
        self._answered()
        self.answered = True
        return found.kind, payload, message

    def _prove(self, session, message, now_ms, actions):
        """The next step of the session, or it is open."""
        answer = session.receive(message)
        if answer is None:
            self._answered()
        else:
            self._ask(PROVING, answer[0], answer[1], now_ms, actions)

    def _answered(self):
        self.state = UP
        self._backoff_ms = _BACKOFF_FIRST_MS
