"""Quectel L76K GNSS receiver on a UART (L76K GNSS Protocol Specification V1.1, CASIC command set).

The driver moves bytes and power states; reading NMEA is the core's task.
"""

import time

from micropython import const

_SENTENCES = b"PCAS03,%d,%d,%d,%d,%d,%d,%d,%d,0,0,,,0,0"  # 2.3.3: 0 never, n every nth fix
_CONSTELLATIONS = b"PCAS04,%d"  # 2.3.4
_INTERVAL = b"PCAS02,%d"  # 2.3.2: milliseconds between fixes
_STANDBY = b"PCAS12,%d"  # 2.3.10: standby for 0..65535 s, then run again
_RESTART = (b"PCAS10,0", b"PCAS10,1", b"PCAS10,2")  # 2.3.8: hot, warm, cold

HOT = 0  # keep everything
WARM = 1  # forget the ephemerides
COLD = 2  # forget everything but the settings

GPS = 1
BEIDOU = 2
GLONASS = 4

_KINDS = ("GGA", "GLL", "GSA", "GSV", "RMC", "VTG", "ZDA", "ANT")  # the order of PCAS03
_INTERVALS_MS = (100, 200, 250, 500, 1000)

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
        self._heard_ms = time.ticks_ms()
        self.running = False
        self.configure()
        if reset is not None:
            reset(1)

    def configure(
        self, interval_ms: int = 1000, sentences=("GGA", "GSA", "RMC"), systems: int = GPS | BEIDOU
    ):
        """What it is told whenever it starts, as it may have forgotten.

        Args:
            interval_ms: between fixes: 100, 200, 250, 500 or 1000; 9600 baud carry three sentences a second.
            sentences: which of GGA, GLL, GSA, GSV, RMC, VTG, ZDA and ANT come with each fix.
            systems: GPS, BEIDOU and GLONASS, added.
        """
        if (
            interval_ms not in _INTERVALS_MS
            or not 1 <= systems <= 7
            or not all(kind in _KINDS for kind in sentences)
        ):
            raise L76kError("no such interval, sentence or system")
        self._settings = (
            _SENTENCES % tuple(int(kind in sentences) for kind in _KINDS),
            _CONSTELLATIONS % systems,
            _INTERVAL % interval_ms,
        )
        self._told = False

    def silent_ms(self) -> int:
        """How long it has said nothing though it runs; 0 in standby. More than some seconds: it hangs."""
        return time.ticks_diff(time.ticks_ms(), self._heard_ms) if self.running else 0

    def run(self) -> None:
        """Leave standby; the first bytes that follow are answered with the settings the core needs."""
        if self._wakeup is not None:
            self._wakeup(1)
        self.running = True
        self._told = False
        self._heard_ms = time.ticks_ms()

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
        self._told = False

    def hardware_reset(self) -> None:
        """Pulse RESET_N (blocks 100 ms)."""
        if self._reset is not None:
            self._reset(0)
            time.sleep_ms(_RESET_MS)
            self._reset(1)
        self._told = False
        self._heard_ms = time.ticks_ms()

    def read_into(self, into) -> int:
        """Move waiting bytes into ``into``. Never blocks; returns the count (0 when nothing waits)."""
        if not self._uart.any():
            return 0
        count = self._uart.readinto(into) or 0
        if count:
            self._heard_ms = time.ticks_ms()
        if count and self.running and not self._told:
            self._told = True  # only now it surely listens: a command during its start is lost
            for body in self._settings:
                self.write(body)
        return count

    def write(self, body: bytes) -> None:
        """Send ``$body*checksum`` (NMEA 0183: XOR over the body)."""
        checksum = 0
        for byte in body:
            checksum ^= byte
        digits = bytes((_HEX[checksum >> 4], _HEX[checksum & 15]))
        self._uart.write(b"$" + body + b"*" + digits + b"\r\n")
