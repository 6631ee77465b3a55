"""The battery gauge between driver and core."""

from apps.run_loop import Part
from drivers.battery_adc import BatteryAdc
from groundcore import events
from micropython import const

_PLAUSIBLE_MV = const(500)


class Battery(Part):
    """Carries out READ_BATTERY."""

    actions = ((events.READ_BATTERY, "read"),)

    def __init__(self, loop, hardware):
        entry = hardware.part("battery")
        enable_level = entry.get("enable_level", 1)
        enable = hardware.output(entry["enable"], 1 - enable_level) if "enable" in entry else None
        self._gauge = BatteryAdc(hardware.adc(entry["pin"]), entry["divider"], enable, enable_level)
        self._loop = loop

    def read(self) -> None:
        self._loop.post(events.BATTERY, self._gauge.read_mv())

    def test(self) -> tuple:
        battery_mv = self._gauge.read_mv()
        return battery_mv > _PLAUSIBLE_MV, battery_mv, "mV"
