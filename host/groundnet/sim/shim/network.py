"""network: a Wi-Fi station."""

import operations as op
from _board import call

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010


class WLAN:
    """The station interface; access-point mode is not there."""

    IF_STA = 0
    IF_AP = 1

    def __init__(self, interface=IF_STA):
        if interface != WLAN.IF_STA:
            raise ValueError("the virtual board has no access point")

    def active(self, is_active=None):
        if is_active is None:
            return bool(call(op.WLAN_ACTIVE, -1))
        call(op.WLAN_ACTIVE, 1 if is_active else 0)

    def connect(self, ssid="", key="", **_) -> None:
        name = ssid.encode()
        call(op.WLAN_CONNECT, 0, bytes((len(name),)) + name + (key or "").encode())

    def disconnect(self) -> None:
        call(op.WLAN_DISCONNECT)

    def isconnected(self) -> bool:
        return self.status() == STAT_GOT_IP

    def status(self, parameter=None) -> int:
        if parameter == "rssi":
            return -60
        return call(op.WLAN_STATUS)

    def ifconfig(self) -> tuple:
        address = "192.168.4.2" if self.isconnected() else "0.0.0.0"
        return address, "255.255.255.0", "192.168.4.1", "192.168.4.1"

    def config(self, *parameters, **settings):
        return None

    def scan(self) -> list:
        return []
