"""The TCP edge of the collector: link frames in, one reply to each, any number of stations and trackers."""

import asyncio
import ssl

from groundwire import frame

from groundnet.collector.intake.group_commit import GroupCommit
from groundnet.collector.intake.inbox import CAPACITY, Inbox, arrived
from groundnet.collector.intake.peer_limits import REFUSED, UNREAD_S, AddressGate, Patience
from groundnet.collector.stations.station_door import Peer
from groundnet.errors import GroundnetError

READ_SIZE = 16384  # of one peer; nothing more of it is held in memory


class ServerError(GroundnetError):
    """The server cannot listen where it was told to."""


class Server:
    """Listens until it is closed.

    Args:
        inbox: answers the frames; used by one task at a time: the event loop's.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._commits = GroupCommit(inbox)
        self._server: asyncio.Server | None = None
        self._peers: set[asyncio.Task] = set()
        self._gate = AddressGate()
        self.frames = 0

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Start to listen, inside ``tls`` if it is given; returns the port, which is a free one for port 0.

        Raises ServerError when the address is taken or not ours.
        """
        try:
            self._server = await asyncio.start_server(self._serve, host, port, limit=READ_SIZE, ssl=tls)
        except (OSError, UnicodeError) as error:  # the second: not even the form of a name
            why = getattr(error, "strerror", None) or error
            raise ServerError(
                f"cannot listen on {host}:{port} ({why})",
                "choose another address with --listen",
            ) from error
        return self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and let every peer go."""
        if self._server is not None:
            self._server.close()
        for peer in list(self._peers):
            peer.cancel()
        await asyncio.gather(*self._peers, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._peers.add(task)
        place, time_s = _place(writer.get_extra_info("peername")), asyncio.get_running_loop().time
        peer = self._inbox.connection(place)
        refused = self._gate.enter(place, time_s())
        try:
            why = refused or await self._hear(reader, writer, peer, Patience(time_s()))
            if why:
                self._inbox.turned_away(peer, why)
        except (TimeoutError, ConnectionError, asyncio.CancelledError):
            pass  # the peer is gone, or we are closing: nothing is lost, it asks again
        finally:
            self._peers.discard(task)
            if refused is None:
                self._gate.leave(place)
            self._inbox.closed(peer)
            writer.close()

    async def _hear(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        peer: Peer | None,
        patience: Patience,
    ) -> str | None:
        """Answer a peer until it is gone; says why if it is let go."""
        decoder, time_s = frame.Decoder(CAPACITY, accept=frame.REQUESTS), asyncio.get_running_loop().time
        while True:
            try:
                data = await asyncio.wait_for(reader.read(READ_SIZE), patience.left_s(time_s()))
            except TimeoutError:
                return patience.over()
            if not data:
                return None
            found = arrived(decoder, data)
            await self._answer(found, peer, writer)
            if why := patience.took(data, sum(isinstance(one, frame.Frame) for one in found), time_s()):
                return why
            if self._inbox.is_tired_of(peer):
                return REFUSED

    async def _answer(
        self, found: list[frame.Frame | frame.Answer], peer: Peer | None, writer: asyncio.StreamWriter
    ) -> None:
        replies = await self._commits.replies((found, peer))
        self.frames += len(replies)
        writer.writelines(replies)
        try:
            await asyncio.wait_for(writer.drain(), UNREAD_S)
        except TimeoutError:
            writer.transport.abort()  # what it does not read would wait for ever
            raise


def _place(peername: object) -> str:
    """Host of the far end; its port says nothing to people."""
    return str(peername[0]) if isinstance(peername, tuple) and peername else "somewhere"
