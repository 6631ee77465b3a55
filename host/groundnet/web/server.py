"""Serves a page until it is told to stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from groundnet.errors import GroundnetError, Text


class ServeError(GroundnetError):
    """The address is taken, or not ours."""


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises ServeError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # By its protocol asyncio knows that it may send small pieces at once; else each answer takes 40 ms longer.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, UnicodeError) as error:
        bound.close()
        why = getattr(error, "strerror", None) or error
        raise ServeError(
            Text(f"cannot listen on {host}:{port} ({why})", f"无法在 {host}:{port} 上监听（{why}）"),
            Text("choose another address with --listen", "请用 --listen 换一个地址"),
        ) from error
    return bound


class Server(uvicorn.Server):
    """Leaves the signals to whoever runs it: a counter's thread has to finish what it does first."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_of(app: ASGIApp, certificate: Path | None = None, key: Path | None = None) -> Server:
    """What serves the page: run its ``serve(sockets=[bound])``. By TLS with a certificate and its key, PEM."""
    return Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            timeout_graceful_shutdown=1,  # the streams of a live screen have no end of their own
        )
    )


def serve(server: Server, bound: socket.socket, ready: Callable[[], None]) -> None:
    """Run until Ctrl-C or SIGTERM; ``ready`` is called once requests are answered."""
    asyncio.run(_run(server, bound, ready))


async def _run(server: Server, bound: socket.socket, ready: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, setattr, server, "should_exit", True)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    ready()
    await task
