"""The battery gauge between driver and core."""

from apps.run_loop import Part
from groundcore import events
from micropython import const

_PLAUSIBLE_MV = const(500)


class Battery(Part):
    """Carries out READ_BATTERY with the board's converter or its fuel gauge."""

    actions = ((events.READ_BATTERY, "read"),)

    def __init__(self, loop, hardware):
        entry = hardware.part("battery")
        make = _fuel_gauge if entry["part"] == "max17048" else _converter
        self._gauge, self.errors = make(hardware, entry)
        self._loop = loop

    def read(self) -> None:
        self._loop.post(events.BATTERY, self._gauge.read_mv())

    def test(self) -> tuple:
        battery_mv = self._gauge.read_mv()
        return battery_mv > _PLAUSIBLE_MV, battery_mv, "mV"


def _converter(hardware, entry) -> tuple:
    from drivers.battery_adc import BatteryAdc

    level = entry.get("enable_level", 1)
    enable = hardware.output(entry["enable"], 1 - level) if "enable" in entry else None
    return BatteryAdc(hardware.adc(entry["pin"]), entry["divider"], enable, level), (OSError,)


def _fuel_gauge(hardware, entry) -> tuple:
    from drivers.max17048 import Max17048, Max17048Error

    gauge = Max17048(hardware.i2c(entry["i2c"]), entry["address"])
    try:
        gauge.check()
    except Max17048Error as error:
        raise OSError(str(error))  # what every app expects of a battery that is not there
    return gauge, (Max17048Error, OSError)
