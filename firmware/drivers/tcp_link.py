"""A TCP client connection that never blocks. When to try again is the caller's policy."""

import errno
import select
import socket
import time

from micropython import const

_CONNECT_MS = const(10_000)
_LOOK_AGAIN_MS = const(50)
_PENDING_MAX = const(8192)
_WAIT = (errno.EAGAIN, errno.EINPROGRESS)

# What poll() answers.
NOTHING = 0
OPENED = 1
CLOSED = 2  # could not be opened, or the peer closed, or it broke

_IDLE = const(0)
_CONNECTING = const(1)
_CONNECTED = const(2)


class TcpLinkError(Exception):
    """More bytes wait for the peer than the link may hold, or there is no connection."""


class TcpLink:
    """At most one connection at a time.

    ``stream`` is the socket to wait on, None while there is none. ``refusal``: why the peer was not good enough, "".
    """

    refusal = ""

    def __init__(self):
        self.stream = None
        self._state = _IDLE
        self._pending = bytearray()
        self._deadline_ms = time.ticks_ms()
        self._poller = select.poll()
        self._news = NOTHING

    def open(self, host: str, port: int) -> None:
        """Begin to connect; ``poll`` answers OPENED or CLOSED. Looking the name up may block on a board."""
        self.close()
        try:
            address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]
            self.stream = socket.socket()
            self.stream.setblocking(False)
            self._poller.register(self.stream, select.POLLIN | select.POLLOUT)
            self._state = _CONNECTING
            self._deadline_ms = time.ticks_add(time.ticks_ms(), _CONNECT_MS)
            self.stream.connect(address)
        except OSError as error:
            if error.errno not in _WAIT:
                self.broke()

    def close(self) -> None:
        """Close without news."""
        if self.stream is not None:
            self._poller.unregister(self.stream)
            self.stream.close()
            self.stream = None
        self._pending = bytearray()
        self._state = _IDLE
        self._news = NOTHING

    def send(self, data: bytes) -> None:
        """Queue ``data``. Raises TcpLinkError when not connected or when the peer does not read."""
        if self._state != _CONNECTED:
            raise TcpLinkError("not connected")
        if len(self._pending) + len(data) > _PENDING_MAX:
            raise TcpLinkError("the peer does not read")
        self._pending += data
        self.flush()

    def read_into(self, into) -> int:
        """Move waiting bytes into ``into``; 0 when nothing waits or there is no connection."""
        if self._state != _CONNECTED or self.stream is None:
            return 0
        try:
            count = self.stream.readinto(into)
        except OSError as error:
            if error.errno not in _WAIT:
                self.broke()
            return 0
        if count == 0:  # the peer closed
            self.broke()
        return count or 0

    def poll(self) -> int:
        """Go on with connecting and sending; what happened since the last call."""
        if self._state == _CONNECTING:
            self._check_connect()
        elif self._pending:
            self.flush()
        news = self._news
        self._news = NOTHING
        return news

    def due_ms(self) -> int | None:
        """Milliseconds until ``poll`` must run even if nothing arrives."""
        if self._news != NOTHING:
            return 0
        return _LOOK_AGAIN_MS if self._state == _CONNECTING or self._pending else None

    def _check_connect(self) -> None:
        ready = self._poller.poll(0)
        if ready and ready[0][1] & (select.POLLERR | select.POLLHUP):
            self.broke()
        elif ready and ready[0][1] & select.POLLOUT:
            self._state = _CONNECTED
            self._news = OPENED
            self.connected()
        elif time.ticks_diff(self._deadline_ms, time.ticks_ms()) <= 0:
            self.broke()

    def connected(self) -> None:
        """The peer has answered; what stands between it and the owner is put in here."""

    def flush(self) -> None:
        """Send what waits, as far as the peer takes it."""
        if self.stream is None:
            return
        try:
            count = self.stream.write(self._pending)
        except OSError as error:
            if error.errno not in _WAIT:
                self.broke()
            return
        if count:
            self._pending = self._pending[count:]

    def broke(self) -> None:
        """The connection is over, and ``poll`` tells so."""
        self.close()
        self._news = CLOSED
