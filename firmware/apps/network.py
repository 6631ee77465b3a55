"""Wi-Fi and the TCP connection of a base station, between drivers and core."""

from apps.run_loop import Part
from drivers.tcp_link import CLOSED, OPENED, TcpLink, TcpLinkError
from drivers.wifi import Wifi
from groundcore import events


class Network(Part):
    """Carries out NET_OPEN, NET_SEND and NET_CLOSE.

    Args:
        loop: of this device.
        wifi_name, wifi_key: the network to join; an empty name: none is needed (wired).
        ca: base64 of the certificate (DER) of the collector's or broker's authority: all goes through TLS;
            None: in the clear.
    """

    actions = (
        (events.NET_OPEN, "open"),
        (events.NET_SEND, "send"),
        (events.NET_CLOSE, "close"),
    )
    errors = (TcpLinkError, OSError)

    def __init__(self, loop, wifi_name: str, wifi_key: str, ca: str | None = None):
        self._loop = loop
        self._wifi = Wifi(wifi_name, wifi_key) if wifi_name else None
        self._link = TcpLink() if ca is None else _tls_link(ca)
        self._watched = None
        self._buffer = bytearray(512)

    def open(self, host: str, port: int) -> None:
        self._link.open(host, port)
        self._watch()

    def send(self, data: bytes) -> None:
        self._link.send(data)

    def close(self) -> None:
        self._link.close()
        self._watch()

    def poll(self) -> None:
        if self._wifi is not None:
            self._wifi.poll()
        count = self._link.read_into(self._buffer)
        if count:
            self._loop.post(events.NET_BYTES, bytes(self._buffer[:count]))
        what = self._link.poll()
        self._watch()
        if what == OPENED:
            self._loop.post(events.NET_UP)
        elif what == CLOSED:
            self._loop.post(events.NET_DOWN)
        if self._link.refusal:
            raise TcpLinkError(
                self._link.refusal
            )  # until a peer is good: the loop tells it as this part's fault

    def due_ms(self) -> int | None:
        due_ms = self._link.due_ms()
        wifi_due_ms = None if self._wifi is None else self._wifi.due_ms()
        if due_ms is None or wifi_due_ms is None:
            return wifi_due_ms if due_ms is None else due_ms
        return min(due_ms, wifi_due_ms)

    def test(self) -> tuple:
        """The access point's strength; a wired station has none and passes while its connection is open."""
        wifi = self._wifi
        if wifi is None:
            return self._watched is not None, int(self._watched is not None), "connections"
        joined = wifi.connected
        return joined, wifi.rssi_dbm if joined else 0, "dBm of Wi-Fi" if joined else "not joined"

    def failed(self, action: int) -> None:
        if action in (events.NET_OPEN, events.NET_SEND):
            self._link.close()
            self._watch()
            self._loop.post(events.NET_DOWN)

    def _watch(self) -> None:
        """The socket changes with every connection: keep the loop's poller up to date."""
        if self._link.stream is self._watched:
            return
        if self._watched is not None:
            self._loop.unwatch(self._watched)
        if self._link.stream is not None:
            self._loop.watch(self._link.stream)
        self._watched = self._link.stream


def _tls_link(ca: str):
    from binascii import a2b_base64

    from drivers.tls_link import TlsLink  # a station that does without pays no heap for it

    if not ca:
        raise TcpLinkError("collector_ca is not set")
    try:
        certificate = a2b_base64(ca.encode())
    except ValueError:
        raise TcpLinkError("collector_ca is no base64")
    return TlsLink(certificate)
