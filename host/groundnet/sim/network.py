"""The internet as boards see it: connections in virtual time to in-process servers or real TCP ones.

A real server lives in wall-clock time. To keep a run repeatable, virtual time stands still from the moment a
request frame reaches the server until its reply frame is here: the collector's protocol gives each request
exactly one reply. The reply then takes its virtual latency to the board.
"""

import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

from groundnet.sim.world import World

DEFAULT_LATENCY_US = 45_000  # one way, a cellular or DSL line
REPLY_TIMEOUT_S = (
    120.0  # wall clock; a server that is silent for so long has closed, as far as a board can see
)


# X509_V_FLAG_NO_CHECK_TIME, which the module ssl does not name.
_NO_CHECK_TIME = 0x200000
_UNTRUSTED = "The certificate is not correctly signed by the trusted CA"
_WRONG_NAME = "The certificate Common Name (CN) does not match with the expected CN"
_AS_MBEDTLS_SAYS = {62: _WRONG_NAME, 64: _WRONG_NAME}  # X509_V_ERR_HOSTNAME_MISMATCH, ..._IP_ADDRESS_MISMATCH


class Server(Protocol):
    """The far end of one connection: bytes in, bytes out at once."""

    def receive(self, data: bytes) -> bytes: ...
    def close(self) -> None: ...


class FrameCounter:
    """Counts complete frames in a stream: a zero byte ends one, zeros in a row are an idle line."""

    def __init__(self) -> None:
        self._open = False

    def feed(self, data: bytes) -> int:
        """How many frames end in these bytes."""
        frames = 0
        pieces = data.split(b"\x00")
        for index, piece in enumerate(pieces):
            self._open = self._open or bool(piece)
            if index < len(pieces) - 1 and self._open:
                frames += 1
                self._open = False
        return frames


# MQTT 3.1.1: what a packet of a board makes come back, by packet type. A request that is published is acknowledged by
# the broker and answered by the collector.
_MQTT_DUE = {1: 1, 3: 2, 8: 1, 12: 1}  # CONNECT, PUBLISH, SUBSCRIBE, PINGREQ
_MQTT_ANSWERS = {2: 1, 3: 1, 4: 1, 9: 1, 13: 1}  # CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP


class PacketCounter:
    """Weighs complete MQTT packets in a stream by their type."""

    def __init__(self, weights: dict[int, int]) -> None:
        self._weights = weights
        self._data = b""

    def feed(self, data: bytes) -> int:
        """The weight of the packets that end in these bytes."""
        self._data += data
        weight = 0
        while (size := _mqtt_size(self._data)) is not None and size <= len(self._data):
            weight += self._weights.get(self._data[0] >> 4, 0)
            self._data = self._data[size:]
        return weight


def _mqtt_size(data: bytes) -> int | None:
    """Size of the packet that begins here (section 2.2.3); None while its length is not complete."""
    length = 0
    for index, byte in enumerate(data[1:5]):
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return 2 + index + length
    return None


class TcpServer:
    """A real server on the loopback; ``receive`` waits in wall-clock time for the answers that are due.

    ``sent`` counts what asks for an answer in what a board sends, ``answered`` the answers in what comes back.
    """

    def __init__(
        self,
        host: str,
        port: int,
        sent: Callable[[bytes], int] | None = None,
        answered: Callable[[bytes], int] | None = None,
    ) -> None:
        self._socket = socket.create_connection((host, port), timeout=REPLY_TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sent, self._answered = sent or FrameCounter().feed, answered or FrameCounter().feed
        self._due = 0

    def receive(self, data: bytes) -> bytes:
        """Raises OSError when the server closed or stays silent."""
        self._due += self._sent(data)
        self._socket.sendall(data)
        answer = bytearray()
        while self._due > 0:
            piece = self._socket.recv(65536)
            if not piece:
                raise ConnectionResetError("the server closed the connection")
            self._due -= self._answered(piece)
            answer += piece
        return bytes(answer)

    def start_tls(self, name: str, ca: bytes) -> str:
        """Do the handshake; why the server's certificate is refused, or nothing.

        As on an ESP32, whose builds do not know the time yet, the certificate's dates are not looked at.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(cadata=ca)
            context.verify_flags |= _NO_CHECK_TIME
            self._socket = context.wrap_socket(self._socket, server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            self._socket.close()
            return _AS_MBEDTLS_SAYS.get(error.verify_code, _UNTRUSTED)
        except OSError as error:
            self._socket.close()
            return f"no TLS: {error.strerror or error}"
        return ""

    def close(self) -> None:
        self._socket.close()


class Connection:
    """One connection of a board. Callbacks run in virtual time."""

    def __init__(
        self,
        network: "Network",
        on_open: Callable[[], None],
        on_receive: Callable[[bytes], None],
        on_close: Callable[[str], None],
    ) -> None:
        self._network = network
        self._on_open, self._on_receive, self._on_close = on_open, on_receive, on_close
        self._server: Server | None = None
        self.closed = False

    def send(self, data: bytes) -> None:
        """Bytes to the server; they arrive one latency later."""
        payload = bytes(data)
        self._network.world.after(self._network.latency_us, lambda: self._arrive(payload))

    def start_tls(self, name: str, ca: bytes) -> str:
        """From now on inside TLS; why the server is refused, or nothing."""
        start = getattr(self._server, "start_tls", None)
        return "no TLS there" if start is None else start(name, ca)

    def close(self) -> None:
        """The board's end closes; nothing more is delivered."""
        self.closed = True
        self._release()

    def open(self, make_server: Callable[[], Server] | None) -> None:
        """The far end answers, or refuses when nobody serves there."""
        if self.closed:
            return
        if not self._network.up or make_server is None:
            self._fail("unreachable" if not self._network.up else "refused")
            return
        try:
            self._server = make_server()
        except OSError:
            self._fail("refused")
            return
        self._on_open()

    def _arrive(self, data: bytes) -> None:
        if self.closed or self._server is None:
            return
        if not self._network.up:
            self._fail("timed out")
            return
        try:
            answer = self._server.receive(data)
        except OSError as error:
            self._fail(str(error))
            return
        if answer:
            self._network.world.after(self._network.latency_us, lambda: self._deliver(answer))

    def _deliver(self, data: bytes) -> None:
        if not self.closed:
            self._on_receive(data)

    def _fail(self, reason: str) -> None:
        self.closed = True
        self._release()
        self._on_close(reason)

    def _release(self) -> None:
        if self._server is not None:
            with contextlib.suppress(OSError):
                self._server.close()
            self._server = None


class Network:
    """Routes from (host, port) as the firmware names them to servers; ``up`` False is a dead backhaul."""

    def __init__(self, world: World, latency_us: int = DEFAULT_LATENCY_US) -> None:
        self.world = world
        self.latency_us = latency_us
        self.up = True
        self._routes: dict[tuple[str, int], Callable[[], Server]] = {}

    def serve(self, host: str, port: int, make_server: Callable[[], Server]) -> None:
        """Connections to (host, port) reach a new ``make_server()`` each."""
        self._routes[host, port] = make_server

    def route_to_tcp(self, host: str, port: int, real_host: str, real_port: int) -> None:
        """Connections to (host, port) reach a real TCP server."""
        self.serve(host, port, lambda: TcpServer(real_host, real_port))

    def route_to_broker(self, host: str, port: int, real_host: str, real_port: int) -> None:
        """Connections to (host, port) reach a real MQTT broker on which a collector answers."""
        self.serve(
            host,
            port,
            lambda: TcpServer(
                real_host, real_port, PacketCounter(_MQTT_DUE).feed, PacketCounter(_MQTT_ANSWERS).feed
            ),
        )

    def connect(
        self,
        host: str,
        port: int,
        on_open: Callable[[], None],
        on_receive: Callable[[bytes], None],
        on_close: Callable[[str], None],
    ) -> Connection:
        """Begin a connection; ``on_open()`` or ``on_close(reason)`` follows a round trip later."""
        connection = Connection(self, on_open, on_receive, on_close)
        self.world.after(2 * self.latency_us, lambda: connection.open(self._routes.get((host, port))))
        return connection
