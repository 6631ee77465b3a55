"""ssl: TLS clients. The handshake and its checks are real, at the edge between virtual network and real server."""

import io

import operations as op
from _board import call

PROTOCOL_TLS_CLIENT = 0
CERT_NONE = 0
CERT_REQUIRED = 2

_REASON_BYTES = 200


class SSLContext:
    """Of a client."""

    def __init__(self, protocol: int):
        self.verify_mode = CERT_REQUIRED
        self._ca = b""

    def load_verify_locations(self, cafile=None, cadata=None) -> None:
        if not cadata or cadata[0] != 0x30:  # a DER certificate is a SEQUENCE
            raise ValueError("invalid cert")
        self._ca = bytes(cadata)

    def wrap_socket(self, sock, server_side=False, do_handshake_on_connect=True, server_hostname=None):
        if self.verify_mode != CERT_REQUIRED:
            raise OSError(95)  # EOPNOTSUPP: say so rather than trust anybody
        if server_hostname is None:
            raise ValueError("CERT_REQUIRED requires server_hostname")
        return _SSLSocket(sock, server_hostname, self._ca)


class _SSLSocket(io.IOBase):
    """A stream inside TLS. As with a deferred handshake, the first read or write tells of a refused certificate."""

    def __init__(self, sock, name: str, ca: bytes):
        super().__init__()
        self._sock = sock
        self._stream = sock._stream
        reason = bytearray(_REASON_BYTES)
        size = call(op.SOCKET_TLS, sock._number, name.encode() + b"\0" + ca, reason)
        self._reason = str(reason[:size], "utf-8")

    def _check(self) -> None:
        if self._reason:
            raise ValueError(self._reason)

    def write(self, buffer, *_) -> int:
        self._check()
        return self._sock.write(buffer)

    def readinto(self, buffer, count=None):
        self._check()
        return self._sock.readinto(buffer, count)

    def setblocking(self, flag) -> None:
        self._sock.setblocking(flag)

    def ioctl(self, request: int, argument: int) -> int:
        return self._sock.ioctl(request, argument)

    def close(self) -> None:
        self._sock.close()
