"""Beacons in BLE advertisements, by MicroPython's `bluetooth` (docs.micropython.org, library/bluetooth).

An advertisement carries a beacon as manufacturer specific data (Core Specification Supplement, part A 1.4) under the
company identifier 0xFFFF, which is for use before one is assigned. The interrupt handler copies it into a ring that was
made beforehand and allocates nothing; what comes while the ring is full is counted.
"""

from micropython import const

_IRQ_SCAN_RESULT = const(5)  # addr_type, addr, adv_type, rssi, adv_data: valid during the interrupt only
_IRQ_SCAN_DONE = const(6)
_MANUFACTURER = const(0xFF)
_SLOTS = const(32)
_SLOT_BYTES = const(26)  # -RSSI, size, beacon
_BEACON_MAX = const(24)
_INTERVAL_US = const(60000)
_RSSI_UNKNOWN = const(127)  # Core Specification vol 4 part E, 7.7.65.2: not available
_RSSI_MIN_DBM = const(-127)  # the least the same page allows
_WINDOW_US = const(30000)  # half of the time: Wi-Fi has the same antenna


class BleScan:
    """A passive scan without end.

    Args:
        ble: bluetooth.BLE().
    """

    def __init__(self, ble):
        self._ble = ble
        self._ring = bytearray(_SLOTS * _SLOT_BYTES)
        self._written = 0  # slots, of which the ring holds the last ones
        self._read = 0
        self._ended = False
        self.lost = 0
        ble.active(True)
        ble.irq(self._irq)
        self._scan()

    def stop(self) -> None:
        self._ble.gap_scan(None)
        self._ble.irq(None)

    def take(self) -> tuple | None:
        """(beacon, RSSI in dBm) of the oldest that waits; also goes on with a scan that ended."""
        if self._ended:
            self._ended = False
            self._scan()
        if self._read == self._written:
            return None
        at = self._read % _SLOTS * _SLOT_BYTES
        found = bytes(self._ring[at + 2 : at + 2 + self._ring[at + 1]]), -self._ring[at]
        self._read += 1
        return found

    def _scan(self) -> None:
        self._ble.gap_scan(0, _INTERVAL_US, _WINDOW_US, False)

    def _irq(self, event, data) -> None:
        if event == _IRQ_SCAN_DONE:
            self._ended = True
        elif event == _IRQ_SCAN_RESULT:
            self._keep(data[3], data[4])

    def _keep(self, rssi_dbm, advertised) -> None:
        """Byte by byte: a slice would be an allocation."""
        at = 0
        size = len(advertised)
        while at + 1 < size:
            length = advertised[at]  # of type and data
            end = at + 1 + length
            if length == 0 or end > size:
                return
            is_ours = length > 3 and advertised[at + 1] == _MANUFACTURER
            if is_ours and advertised[at + 2] & advertised[at + 3] == 0xFF:
                self._store(rssi_dbm, advertised, at + 4, end)
                return
            at = end

    def _store(self, rssi_dbm, advertised, start, end) -> None:
        if end - start > _BEACON_MAX:
            return
        if self._written - self._read >= _SLOTS:
            self.lost += 1
            return
        if rssi_dbm == _RSSI_UNKNOWN:
            rssi_dbm = _RSSI_MIN_DBM  # as a positive level it would be the strongest of all
        ring = self._ring
        slot = self._written % _SLOTS * _SLOT_BYTES
        ring[slot] = -rssi_dbm if -255 < rssi_dbm < 0 else 0
        ring[slot + 1] = end - start
        for index in range(start, end):
            ring[slot + 2 + index - start] = advertised[index]
        self._written += 1
