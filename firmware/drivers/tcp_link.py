"""A TCP client connection that comes back by itself: non-blocking connect, reconnect with backoff."""

import errno
import select
import socket
import time

from micropython import const

_CONNECT_MS = const(10_000)
_BACKOFF_FIRST_MS = const(1000)
_BACKOFF_LAST_MS = const(60_000)
_PENDING_MAX = const(4096)
_WAIT = (errno.EAGAIN, errno.EINPROGRESS, getattr(errno, "EWOULDBLOCK", errno.EAGAIN))

_IDLE = const(0)
_CONNECTING = const(1)
_CONNECTED = const(2)


class TcpLinkError(Exception):
    """More bytes wait for the peer than the link may hold."""


class TcpLink:
    """One connection to ``host:port``.

    ``poll`` drives it; ``stream`` is what the run loop waits on while there is one.

    Args:
        host: name or address; resolved again at every attempt.
        port: 1..65535.
    """

    def __init__(self, host: str, port: int):
        self._host = host
        self._port = port
        self.stream = None
        self.failure_count = 0
        self._state = _IDLE
        self._pending = bytearray()
        self._backoff_ms = _BACKOFF_FIRST_MS
        self._until_ms = time.ticks_ms()
        self._poller = select.poll()

    @property
    def connected(self) -> bool:
        return self._state == _CONNECTED

    def poll(self) -> None:
        """Connect when it is time, notice the end of a connect, send what waits."""
        now_ms = time.ticks_ms()
        if self._state == _IDLE:
            if time.ticks_diff(self._until_ms, now_ms) <= 0:
                self._connect()
        elif self._state == _CONNECTING:
            self._check_connect(now_ms)
        elif self._pending:
            self._flush()

    def send(self, data: bytes) -> None:
        """Queue ``data``. Raises TcpLinkError when the peer does not read."""
        if len(self._pending) + len(data) > _PENDING_MAX:
            raise TcpLinkError("4096 bytes wait already")
        self._pending += data
        if self._state == _CONNECTED:
            self._flush()

    def read_into(self, into) -> int:
        """Move waiting bytes into ``into``; 0 when nothing waits or there is no connection."""
        if self._state != _CONNECTED or self.stream is None:
            return 0
        try:
            count = self.stream.readinto(into)
        except OSError as error:
            if error.errno not in _WAIT:
                self.drop()
            return 0
        if count is None:
            return 0
        if count == 0:  # the peer closed
            self.drop()
        return count

    def drop(self) -> None:
        """Close and try again after the backoff; what waits to be sent is discarded."""
        if self.stream is not None:
            self._poller.unregister(self.stream)
            self.stream.close()
            self.stream = None
        self.failure_count += 1
        self._pending = bytearray()
        self._state = _IDLE
        self._until_ms = time.ticks_add(time.ticks_ms(), self._backoff_ms)
        self._backoff_ms = min(self._backoff_ms * 2, _BACKOFF_LAST_MS)

    def due_ms(self) -> int | None:
        """Milliseconds until ``poll`` must run even if nothing arrives."""
        if self._state == _CONNECTED:
            return 50 if self._pending else None
        if self._state == _CONNECTING:
            return 50
        return max(0, time.ticks_diff(self._until_ms, time.ticks_ms()))

    def _connect(self) -> None:
        try:
            address = socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM)[0][-1]
            self.stream = socket.socket()
            self.stream.setblocking(False)
            self._poller.register(self.stream, select.POLLIN | select.POLLOUT)
        except OSError:
            self.drop()
            return
        self._state = _CONNECTING
        self._until_ms = time.ticks_add(time.ticks_ms(), _CONNECT_MS)
        try:
            self.stream.connect(address)
        except OSError as error:
            if error.errno not in _WAIT:
                self.drop()

    def _check_connect(self, now_ms) -> None:
        ready = self._poller.poll(0)
        if ready:
            if ready[0][1] & (select.POLLERR | select.POLLHUP):
                self.drop()
            elif ready[0][1] & select.POLLOUT:
                self._state = _CONNECTED
                self._backoff_ms = _BACKOFF_FIRST_MS
                self._flush()
        elif time.ticks_diff(self._until_ms, now_ms) <= 0:
            self.drop()

    def _flush(self) -> None:
        if not self._pending or self.stream is None:
            return
        try:
            count = self.stream.write(self._pending)
        except OSError as error:
            if error.errno not in _WAIT:
                self.drop()
            return
        if count:
            self._pending = self._pending[count:]
