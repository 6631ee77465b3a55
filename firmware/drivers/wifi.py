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

    def poll(self) -> int | None:
        """Join again when the network was lost.

        Returns:
            Milliseconds until the next attempt, None when joined.
        """
        if self._station.isconnected():
            return None
        left_ms = time.ticks_diff(self._next_ms, time.ticks_ms())
        if left_ms > 0:
            return left_ms
        self._next_ms = time.ticks_add(time.ticks_ms(), _RETRY_MS)
        try:
            self._station.connect(self._ssid, self._key)
        except OSError:
            pass  # already trying: the next attempt tells
        return _RETRY_MS
