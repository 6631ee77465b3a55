"""BLE advertisements of a station whose chip has the radio for it, between driver and core."""

from apps.run_loop import Part
from drivers.ble_scan import BleScan
from groundcore import events, listening
from micropython import const

_LOOK_MS = const(500)  # nothing wakes the loop for an advertisement


class BleBeacons(Part):
    """Posts each beacon that was heard; nobody is answered over BLE.

    Args:
        loop: of this device.
        ble: bluetooth.BLE().
    """

    def __init__(self, loop, ble):
        self._loop = loop
        self._scan = BleScan(ble)

    def poll(self) -> None:
        found = self._scan.take()
        while found is not None:
            data, rssi_dbm = found
            self._loop.post(events.RADIO_RECEIVED, data, rssi_dbm, None, listening.BLE)
            found = self._scan.take()

    def due_ms(self) -> int | None:
        return _LOOK_MS


def make(loop) -> BleBeacons:
    """Raises ImportError where MicroPython was built without Bluetooth."""
    import bluetooth

    return BleBeacons(loop, bluetooth.BLE())
