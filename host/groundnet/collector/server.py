"""The TCP edge of the collector: link frames in, one reply to each, any number of stations and trackers."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable

from groundwire import frame

from groundnet.collector.core import Collector
from groundnet.errors import GroundnetError

CAPACITY = 4400  # bytes of the longest frame: 4096 of payload, and its overhead
IDLE_S = 900.0  # a peer that says nothing for so long is gone
READ_SIZE = 16384  # of one peer; nothing more of it is held in memory


class ServerError(GroundnetError):
    """The server cannot listen where it was told to."""


class Server:
    """Listens until it is closed.

    Args:
        collector: used by one task at a time: the event loop's.
        now_ms: UTC in Unix milliseconds; a simulation passes its own clock.
        refresh: called before each frame is answered, to learn of devices that came in meanwhile.
    """

    def __init__(
        self, collector: Collector, now_ms: Callable[[], int], refresh: Callable[[], None] = lambda: None
    ) -> None:
        self._collector = collector
        self._now_ms = now_ms
        self._refresh = refresh
        self._server: asyncio.Server | None = None
        self._peers: set[asyncio.Task] = set()
        self.frames = 0

    async def listen(self, host: str, port: int) -> int:
        """Start to listen; returns the port, which is a free one for port 0.

        Raises ServerError when the address is taken or not ours.
        """
        try:
            self._server = await asyncio.start_server(self._serve, host, port, limit=READ_SIZE)
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
        decoder = frame.Decoder(CAPACITY, accept=frame.REQUESTS)
        try:
            while data := await asyncio.wait_for(reader.read(READ_SIZE), IDLE_S):
                await self._take(decoder, data, writer)
        except (TimeoutError, ConnectionError, asyncio.CancelledError):
            pass  # the peer is gone, or we are closing: nothing is lost, it asks again
        finally:
            self._peers.discard(task)
            writer.close()

    async def _take(self, decoder: frame.Decoder, data: bytes, writer: asyncio.StreamWriter) -> None:
        """Answer every good frame in what arrived; count every bad one before the next good one is answered."""
        decoder.feed(data)
        bad: Counter[str] = Counter()
        while (answer := decoder.next()) is not frame.NEED_MORE:
            if isinstance(answer, frame.Frame):
                writer.write(self._reply(answer, bad))
                await asyncio.wait_for(writer.drain(), IDLE_S)
            else:
                bad[f"frame_{answer.name.lower()}"] += 1
        self._count(bad)

    def _reply(self, request: frame.Frame, bad: Counter[str]) -> bytes:
        self.frames += 1
        self._count(bad)
        try:
            self._refresh()
            return self._collector.receive(request, self._now_ms())
        except sqlite3.Error as error:
            # Not stored, so not acknowledged: the peer keeps it and asks again on its next connection.
            raise ConnectionAbortedError(str(error)) from error

    def _count(self, bad: Counter[str]) -> None:
        """One commit for many bad frames: a flood of rubbish must not keep the disk busy."""
        try:
            for reason, times in bad.items():
                self._collector.count_reject(reason, times)
        except sqlite3.Error as error:
            raise ConnectionAbortedError(str(error)) from error
        bad.clear()
