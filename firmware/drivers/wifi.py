"""Wi-Fi station: joins one network and stays joined."""

import time

import network
from micropython import const

_RETRY_MS = const(15_000)


class Wifi:
    """The station interface.

    Args:
        ssid, key: credentials of the network.
    """

    def __init__(self, ssid: str, key: str):
        self._ssid = ssid
        self._key = key
        self._station = network.WLAN(network.WLAN.IF_STA)
        self._station.active(True)
        self._next_ms = time.ticks_ms()

    @property
    def connected(self) -> bool:
        return self._station.isconnected()

    @property
    def rssi_dbm(self) -> int:
        """How strong the access point is heard; only while connected."""
        return self._station.status("rssi")

    def due_ms(self) -> int | None:
        """Milliseconds until the next attempt, None when joined."""
        if self._station.isconnected():
            return None
        return max(0, time.ticks_diff(self._next_ms, time.ticks_ms()))

    def poll(self) -> None:
        """Join, and join again when the network was lost."""
        if self.due_ms() != 0:
            return
        self._next_ms = time.ticks_add(time.ticks_ms(), _RETRY_MS)
        try:
            self._station.connect(self._ssid, self._key)
        except OSError:
            pass  # already trying: the next attempt tells
