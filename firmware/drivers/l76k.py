"""Quectel L76K GNSS receiver on a UART (L76K GNSS Protocol Specification V1.1, CASIC command set).

The driver moves bytes and power states; reading NMEA is the core's task.
"""

import time

from micropython import const

_SENTENCES = b"PCAS03,1,0,1,0,1,0,0,0,0,0,,,0,0"  # 2.3.3: GGA, GSA and RMC each second, nothing else
_CONSTELLATIONS = b"PCAS04,3"  # 2.3.4: 1 GPS, 2 BeiDou, 4 GLONASS, added
_RATE_1_HZ = b"PCAS02,1000"  # 2.3.2: milliseconds between fixes
_STANDBY = b"PCAS12,%d"  # 2.3.10: standby for 0..65535 s, then run again
_RESTART = (b"PCAS10,0", b"PCAS10,1", b"PCAS10,2")  # 2.3.8: hot, warm, cold

HOT = 0
WARM = 1
COLD = 2

_RESET_MS = const(100)  # hardware design 3.5: RESET_N low for at least 100 ms
_HEX = b"0123456789ABCDEF"


class L76kError(Exception):
    """A parameter is outside the receiver's range."""


class L76k:
    """One L76K.

    Args:
        uart: machine.UART at 9600 baud with a receive buffer of at least 1 KiB.
        wakeup: machine.Pin (output) on WAKEUP, 1 = run, 0 = standby; None when not wired.
        reset: machine.Pin (output) on RESET_N; None when not wired.
    """

    def __init__(self, uart, wakeup=None, reset=None):
        self._uart = uart
        self._wakeup = wakeup
        self._reset = reset
        self._told = False  # which sentences to send, since it was started
        self.running = False
        if reset is not None:
            reset(1)

    def run(self) -> None:
        """Leave standby; the first bytes that follow are answered with the settings the core needs."""
        if self._wakeup is not None:
            self._wakeup(1)
        self.running = True
        self._told = False

    def standby(self, seconds: int = 65535) -> None:
        """Stop tracking but keep ephemerides and clock (20 uA): the next fix takes 6 s, not 45 s.

        Args:
            seconds: 1..65535; the receiver runs again by itself afterwards (a bound on a lost wake-up).
        """
        if not 1 <= seconds <= 65535:
            raise L76kError("standby takes 1..65535 s")
        self.write(_STANDBY % seconds)
        if self._wakeup is not None:
            self._wakeup(0)
        self.running = False

    def restart(self, kind: int = HOT) -> None:
        """Restart HOT, WARM or COLD."""
        self.write(_RESTART[kind])

    def hardware_reset(self) -> None:
        """Pulse RESET_N (blocks 100 ms)."""
        if self._reset is not None:
            self._reset(0)
            time.sleep_ms(_RESET_MS)
            self._reset(1)

    def read_into(self, into) -> int:
        """Move waiting bytes into ``into``. Never blocks; returns the count (0 when nothing waits)."""
        if not self._uart.any():
            return 0
        count = self._uart.readinto(into) or 0
        if count and self.running and not self._told:
            self._told = True  # only now it surely listens: a command during its start is lost
            self.write(_SENTENCES)
            self.write(_CONSTELLATIONS)
            self.write(_RATE_1_HZ)
        return count

    def write(self, body: bytes) -> None:
        """Send ``$body*checksum`` (NMEA 0183: XOR over the body)."""
        checksum = 0
        for byte in body:
            checksum ^= byte
        digits = bytes((_HEX[checksum >> 4], _HEX[checksum & 15]))
        self._uart.write(b"$" + body + b"*" + digits + b"\r\n")
