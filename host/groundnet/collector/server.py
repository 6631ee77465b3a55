"""The TCP edge of the collector: link frames in, one reply to each, any number of stations and trackers."""

import asyncio
import sqlite3
from collections.abc import Callable

from groundwire import frame

from groundnet.collector.core import Collector
from groundnet.errors import GroundnetError

CAPACITY = 4400  # bytes of the longest frame: 4096 of payload, and its overhead
IDLE_S = 900.0  # a peer that says nothing for so long is gone
READ_SIZE = 16384


class ServerError(GroundnetError):
    """The server cannot listen where it was told to."""


class Server:
    """Listens until it is closed.

    Args:
        collector: used by one task at a time: the event loop's.
        now_ms: UTC in Unix milliseconds; a simulation passes its own clock.
        refresh: called when a station says hello or health, to learn of devices that came in meanwhile.
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
            self._server = await asyncio.start_server(self._serve, host, port)
        except OSError as error:
            raise ServerError(
                f"cannot listen on {host}:{port} ({error.strerror or error})",
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
        """Answer every good frame in what arrived; count every bad one."""
        decoder.feed(data)
        while (answer := decoder.next()) is not frame.NEED_MORE:
            if not isinstance(answer, frame.Frame):
                self._collector.count_reject(f"frame_{answer.name.lower()}")
                continue
            self.frames += 1
            try:
                self._refresh()
                reply = self._collector.receive(answer, self._now_ms())
            except sqlite3.Error as error:
                # Not stored, so not acknowledged: the peer keeps it and asks again on its next connection.
                raise ConnectionAbortedError(str(error)) from error
            writer.write(reply)
            await writer.drain()
