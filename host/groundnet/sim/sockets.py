"""Wi-Fi station and TCP client sockets of a virtual board."""

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from groundnet.sim.network import Connection, Network
from groundnet.sim.process import Request
from groundnet.sim.services import Handler, Result, Service
from groundnet.sim.shim import operations as op

if TYPE_CHECKING:
    from groundnet.sim.board import VirtualBoard

_POLLIN, _POLLOUT, _POLLHUP = 1, 4, 16
_EBADF, _EAGAIN, _ECONNRESET, _ENOTCONN = 9, 11, 104, 107
_ECONNREFUSED, _EHOSTUNREACH, _ETIMEDOUT = 111, 113, 110
_ERRORS = {"refused": _ECONNREFUSED, "unreachable": _EHOSTUNREACH, "timed out": _ETIMEDOUT}
_NAME_NOT_FOUND = 202  # EAI_FAIL of lwIP
_IDLE, _CONNECTING, _GOT_IP = 1000, 1001, 1010  # network.STAT_*
_JOIN_US = 1_500_000  # scan, four-way handshake, DHCP


@dataclass
class _Socket:
    connection: Connection | None = None
    open: bool = False
    error: int = 0
    closed: bool = False  # by the peer
    received: bytearray = field(default_factory=bytearray)


class Sockets(Service):
    """Network side of one board; ``network`` None has neither Wi-Fi nor names."""

    def __init__(self, board: "VirtualBoard", network: Network | None) -> None:
        self._board = board
        self._network = network
        self._sockets: dict[int, _Socket] = {}
        self._next = 0
        self._active = False
        self._status = _IDLE
        self._joins = 0

    def handlers(self) -> dict[int, Handler]:
        return {
            op.WLAN_ACTIVE: self._set_active,
            op.WLAN_CONNECT: self._join,
            op.WLAN_STATUS: lambda request: self._status,
            op.WLAN_DISCONNECT: self._leave,
            op.SOCKET_OPEN: self._open,
            op.SOCKET_CONNECT: self._connect,
            op.SOCKET_SEND: self._send,
            op.SOCKET_RECEIVE: self._receive,
            op.SOCKET_CLOSE: self._close,
            op.SOCKET_TLS: self._start_tls,
            op.RESOLVE: self._resolve,
        }

    def reset(self) -> None:
        self.soft_reset()
        self._active, self._status = False, _IDLE
        self._joins += 1
        self._board.power.set_state("wifi", "off", 0.0)

    def soft_reset(self) -> None:
        for socket in self._sockets.values():
            if socket.connection is not None:
                socket.connection.close()
        self._sockets.clear()

    def events(self, number: int) -> int:
        """What ``poll`` reports for a socket."""
        socket = self._sockets.get(number)
        if socket is None:
            return _POLLHUP
        if socket.error:
            return _POLLIN | _POLLOUT | _POLLHUP
        readable = _POLLIN if socket.received or socket.closed else 0
        return readable | (_POLLOUT if socket.open and not socket.closed else 0)

    # --- Wi-Fi

    def _set_active(self, request: Request) -> Result:
        if request.argument < 0:
            return int(self._active)
        self._active = bool(request.argument)
        current_ua = self._board.chip.wifi_ua if self._active else 0.0
        self._board.power.set_state("wifi", "on" if self._active else "off", current_ua)
        if not self._active:
            self._status = _IDLE
        return 0

    def _join(self, request: Request) -> Result:
        self._joins += 1
        join = self._joins
        self._status = _CONNECTING
        self._board.world.after(_JOIN_US, lambda: self._joined(join))
        return 0

    def _joined(self, join: int) -> None:
        if join == self._joins and self._active and self._network is not None:
            self._status = _GOT_IP

    def _leave(self, request: Request) -> Result:
        self._joins += 1
        self._status = _IDLE
        return 0

    # --- sockets

    def _resolve(self, request: Request) -> Result:
        """The virtual network routes by name: a name is its own address."""
        if self._network is None or self._status != _GOT_IP:
            return -_NAME_NOT_FOUND
        self._board.spend(self._network.latency_us)
        return len(request.data), request.data

    def _open(self, request: Request) -> Result:
        number = self._next
        self._next = (self._next + 1) % 256
        self._sockets[number] = _Socket()
        return number

    def _connect(self, request: Request) -> Result:
        socket = self._socket(request)
        if self._network is None or self._status != _GOT_IP:
            return -_EHOSTUNREACH
        (port,) = struct.unpack_from("<H", request.data)
        host = request.data[2:].decode()
        socket.connection = self._network.connect(
            host,
            port,
            on_open=lambda: self._opened(socket),
            on_receive=lambda data: self._received(socket, data),
            on_close=lambda reason: self._ended(socket, reason),
        )
        return 0

    def _opened(self, socket: _Socket) -> None:
        socket.open = True
        self._board.streams.something_changed()

    def _received(self, socket: _Socket, data: bytes) -> None:
        socket.received += data
        self._board.streams.something_changed()

    def _ended(self, socket: _Socket, reason: str) -> None:
        if not socket.open:
            socket.error = _ERRORS.get(reason, _ECONNRESET)
        socket.closed = True
        self._board.streams.something_changed()

    def _send(self, request: Request) -> Result:
        socket = self._socket(request)
        if socket.error:
            return -socket.error
        if socket.connection is None:
            return -_ENOTCONN
        if not socket.open:
            return -_EAGAIN
        if socket.closed:
            return -_ECONNRESET
        if request.data:
            socket.connection.send(request.data)
        return len(request.data)

    def _receive(self, request: Request) -> Result:
        socket = self._socket(request)
        if socket.error:
            return -socket.error
        if not socket.received:
            return 0 if socket.closed else -_EAGAIN
        data = bytes(socket.received[: request.wanted])
        del socket.received[: request.wanted]
        return len(data), data

    def _start_tls(self, request: Request) -> Result:
        socket = self._socket(request)
        name, _, ca = request.data.partition(b"\0")
        if socket.connection is None:
            return -_ENOTCONN
        reason = socket.connection.start_tls(name.decode(), ca).encode()[: request.wanted]
        return len(reason), reason

    def _close(self, request: Request) -> Result:
        socket = self._socket(request)
        if socket.connection is not None:
            socket.connection.close()
        del self._sockets[request.argument]
        return 0

    def _socket(self, request: Request) -> _Socket:
        socket = self._sockets.get(request.argument)
        if socket is None:
            raise OSError(_EBADF, "the socket is closed")
        return socket
