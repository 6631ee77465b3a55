"""The MQTT edge of the collector: requests of stations and trackers as messages of a broker, one reply to each.

Topics are those of groundcore.mqtt_uplink: a device asks on groundnet/up/ID and hears on groundnet/down/ID. With a
share name several collectors divide the messages among them (shared subscriptions, MQTT 5 section 4.8.2, which
brokers such as Mosquitto and EMQX offer to MQTT 3.1.1 as well); all of them must use one store then.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiomqtt
from groundwire import frame

from groundnet.collector.intake.group_commit import AT_ONCE
from groundnet.collector.intake.inbox import CAPACITY, Inbox, arrived
from groundnet.errors import GroundnetError

UP_TOPIC = "groundnet/up/"
DOWN_TOPIC = "groundnet/down/"
FIRST_PAUSE_S, LAST_PAUSE_S = 1.0, 60.0
PATIENCE_S = 10.0  # with a broker that took the connection and says nothing
QOS = 1
PORTS = {"mqtt": 1883, "mqtts": 8883}


class BrokerError(GroundnetError):
    """A broker that cannot be named or used as asked."""


@dataclass(frozen=True)
class Broker:
    """Where the messages come from; ``password`` is in no repr. ``ca``: PEM file; None: whom the system trusts."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None


def broker_of(url: str, password: str | None = None, ca: Path | None = None) -> Broker:
    """The Broker of mqtt://[user@]host[:port] or mqtts://... . Raises BrokerError; a password in the URL is refused."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BrokerError(f"'{url}' is no address of a broker", "give mqtts://USER@HOST:PORT") from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise BrokerError(f"'{url}' is no address of a broker", "give mqtts://USER@HOST:PORT")
    if parts.password is not None:
        raise BrokerError(
            "a password on the command line is seen by others", "put it into a file, see --mqtt-password-file"
        )
    user = unquote(parts.username) if parts.username else None
    tls = parts.scheme == "mqtts"
    if ca is not None and not tls:
        raise BrokerError(
            "an authority is of use inside TLS only", "name the broker as mqtts://USER@HOST:PORT"
        )
    broker = Broker(parts.hostname, port or PORTS[parts.scheme], tls, user, password, ca)
    _trusting(broker)  # now, not when the broker is reached
    return broker


def _trusting(broker: Broker) -> ssl.SSLContext | None:
    """What checks the broker's certificate and name; None without TLS. Raises BrokerError."""
    if not broker.tls:
        return None
    try:
        return ssl.create_default_context(cafile=broker.ca)
    except OSError as error:  # an SSLError is one, too
        raise BrokerError(
            f"no certificate in {broker.ca} ({error.strerror or error})", "give a PEM file with --mqtt-ca"
        ) from error


class MqttInbox:
    """Listens until its task is cancelled; connects anew, with a growing pause, when the broker goes away.

    Args:
        inbox: answers the frames; used by one task at a time.
        share: name of the group of collectors that divide the messages; empty: this one hears all.
        say: told "connected" and why a connection ended.
    """

    def __init__(
        self, inbox: Inbox, broker: Broker, share: str = "", say: Callable[[str], None] = lambda text: None
    ) -> None:
        self._inbox = inbox
        self._broker = broker
        self._filter = (f"$share/{share}/" if share else "") + UP_TOPIC + "+"
        self._say = say
        self.frames = 0

    async def run(self) -> None:
        """Serve for ever."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                async with self._client() as client:
                    await client.subscribe(self._filter, qos=QOS)
                    self._say("connected")
                    pause_s = FIRST_PAUSE_S
                    await self._hear(client)
            except (aiomqtt.MqttError, OSError) as error:
                self._say(str(error) or type(error).__name__)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)

    def _client(self) -> aiomqtt.Client:
        broker = self._broker
        return aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.user,
            password=broker.password,
            timeout=PATIENCE_S,
            tls_context=_trusting(broker),
        )

    async def _hear(self, client: aiomqtt.Client) -> None:
        """Answer messages until the broker is gone; those that wait already share a commit."""
        waiting = client.messages
        async for message in waiting:
            group = [message]
            while len(waiting) and len(group) < AT_ONCE:
                group.append(await anext(waiting))
            await self._take(client, group)

    async def _take(self, client: aiomqtt.Client, group: list[aiomqtt.Message]) -> None:
        """Answer the frames of messages on the way back to who asked; what is no topic of ours is left alone."""
        named = [(name, payload) for one in group for name, payload in _asked(one)]
        arrivals = [
            (arrived(frame.Decoder(CAPACITY, accept=frame.REQUESTS), payload), self._inbox.topic(name))
            for name, payload in named
        ]
        try:
            answers = self._inbox.receive_all(arrivals)
        except ConnectionAbortedError:
            return  # not stored, so not answered: the devices ask again
        going = [
            client.publish(DOWN_TOPIC + name, reply, qos=QOS)
            for (name, _), replies in zip(named, answers, strict=True)
            for reply in replies
        ]
        self.frames += len(going)
        await asyncio.gather(*going)


def _asked(message: aiomqtt.Message) -> Iterator[tuple[str, bytes]]:
    """Whose topic it is, and what it holds."""
    name = str(message.topic).removeprefix(UP_TOPIC)
    if isinstance(message.payload, bytes) and name and "/" not in name:
        yield name, message.payload
