"""socket: TCP clients."""

import io
import select
import struct

import operations as op
from _board import _call, call
from uctypes import addressof

AF_INET = 2
SOCK_STREAM = 1
SOL_SOCKET = 0xFFF
SO_REUSEADDR = 4
IPPROTO_TCP = 6
TCP_NODELAY = 1

_EAGAIN = 11
_EINPROGRESS = 115
_ETIMEDOUT = 110
_IOCTL_POLL = 3


def getaddrinfo(host: str, port: int, family=0, kind=0, protocol=0, flags=0) -> list:
    text = bytearray(64)
    address = bytes(text[: call(op.RESOLVE, 0, host.encode(), text)]).decode()
    return [(AF_INET, SOCK_STREAM, IPPROTO_TCP, "", (address, port))]


class socket(io.IOBase):
    """A TCP client socket; also a stream, as on the boards."""

    def __init__(self, family=AF_INET, kind=SOCK_STREAM, protocol=IPPROTO_TCP):
        super().__init__()
        self._number = call(op.SOCKET_OPEN)
        self._stream = (op.STREAM_SOCKET, self._number)
        self._timeout_ms = -1

    def setblocking(self, flag) -> None:
        self._timeout_ms = -1 if flag else 0

    def settimeout(self, seconds) -> None:
        self._timeout_ms = -1 if seconds is None else int(seconds * 1000)

    def setsockopt(self, *_) -> None:
        pass

    def connect(self, address: tuple) -> None:
        host, port = address[:2]
        call(op.SOCKET_CONNECT, self._number, struct.pack("<H", port) + host.encode())
        if self._timeout_ms == 0:
            raise OSError(_EINPROGRESS)
        self._wait(select.POLLOUT)
        call(op.SOCKET_SEND, self._number)  # raises what the connect ended with

    def send(self, buffer) -> int:
        return call(op.SOCKET_SEND, self._number, buffer)

    def sendall(self, buffer) -> None:
        view = memoryview(buffer)
        while view:
            view = view[self.send(view) :]

    def write(self, buffer, *_) -> int:
        return self.send(buffer)

    def readinto(self, buffer, count=None):
        """Bytes read, 0 at the end; None when it would block."""
        view = memoryview(buffer) if count is None else memoryview(buffer)[:count]
        got = self._receive(view)
        while got == -_EAGAIN and self._timeout_ms != 0:
            self._wait(select.POLLIN)
            got = self._receive(view)
        if got == -_EAGAIN:
            return None
        if got < 0:
            raise OSError(-got)
        return got

    def recv_into(self, buffer, count=None) -> int:
        got = self.readinto(buffer, count)
        if got is None:
            raise OSError(_EAGAIN)
        return got

    def recv(self, count: int) -> bytes:
        buffer = bytearray(count)
        return bytes(buffer[: self.recv_into(buffer)])

    def read(self, count=None):
        """As a stream: until ``count`` bytes or the end."""
        data = b""
        while count is None or len(data) < count:
            buffer = bytearray(512 if count is None else count - len(data))
            got = self.readinto(buffer)
            if not got:
                return data or None if got is None else data
            data += buffer[:got]
        return data

    def readline(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            byte = self.read(1)
            if not byte:
                break
            line += byte
        return line

    def makefile(self, *_):
        return self

    def close(self) -> None:
        if self._number >= 0:
            call(op.SOCKET_CLOSE, self._number)
            self._number = -1

    def ioctl(self, request: int, argument: int) -> int:
        if request != _IOCTL_POLL:
            return 0
        found = bytearray(1)
        wanted = bytes((op.STREAM_SOCKET, self._number, argument))
        call(op.WAIT, 0, wanted, found)
        return found[0]

    def _receive(self, view) -> int:
        return _call(op.SOCKET_RECEIVE, self._number, addressof(b""), 0, addressof(view), len(view))

    def _wait(self, events: int) -> None:
        poller = select.poll()
        poller.register(self, events)
        if not poller.poll(self._timeout_ms):
            raise OSError(_ETIMEDOUT)
