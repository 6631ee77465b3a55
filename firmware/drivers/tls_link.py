"""A TCP client connection inside TLS: the peer must show a certificate of the given CA, in the name that was asked for.

MicroPython's `ssl` over mbedTLS (docs.micropython.org, library/ssl). The handshake is done by the first reads and
writes, so nothing waits for the network; its arithmetic does take the processor, about a second on an ESP32.
The ESP32 builds do not look at a certificate's dates (CONFIG_MBEDTLS_HAVE_TIME_DATE is off): a station learns the
time from the collector, so it could never begin. Whoever loses the key of a server changes the CA.
"""

import ssl

from drivers.tcp_link import TcpLink, TcpLinkError


class TlsLink(TcpLink):
    """As TcpLink; the name that is opened is the name that the certificate must have.

    ``refusal`` says why the peer's certificate was refused, "" once one was accepted.

    Args:
        ca: certificate of the authority, DER. Raises TcpLinkError when it is none.
    """

    def __init__(self, ca: bytes):
        super().__init__()
        self.refusal = ""
        self._host = ""
        self._context = context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(cadata=ca)
        except (ValueError, OSError):
            raise TcpLinkError("collector_ca is no certificate")

    def open(self, host: str, port: int) -> None:
        self._host = host
        super().open(host, port)

    def connected(self) -> None:
        """The stream that the owner sees is the one inside TLS from now on."""
        plain = self.stream
        self._poller.unregister(plain)
        self.stream = self._context.wrap_socket(
            plain,  # type: ignore[arg-type] - a socket until now
            server_hostname=self._host,
            do_handshake_on_connect=False,
        )
        self._poller.register(self.stream)

    def read_into(self, into) -> int:
        try:
            count = super().read_into(into)
        except ValueError as error:  # what mbedTLS says of a certificate comes as this
            self._refused(error)
            return 0
        if count:
            self.refusal = ""
        return count

    def flush(self) -> None:
        try:
            super().flush()
        except ValueError as error:
            self._refused(error)

    def _refused(self, error) -> None:
        self.refusal = "certificate refused: " + str(error).strip()
        self.broke()
