"""The external supply between driver and core: a cut cable is an alarm."""

from apps.hardware import PinStream
from apps.run_loop import Part
from drivers.supply_adc import SupplyAdc
from groundcore import events


class Supply(Part):
    """Posts SUPPLY at the start and whenever the supply goes or comes back."""

    def __init__(self, loop, hardware):
        entry = hardware.part("supply")
        self._lost = hardware.input(entry["lost"]) if "lost" in entry else None
        adc = hardware.adc(entry["pin"])
        self._supply = SupplyAdc(adc, entry["divider"], entry["cut_mv"], self._lost)
        self._loop = loop
        self.due_ms = self._supply.due_ms
        if self._lost is not None:
            self._stream = PinStream(self._lost)
            loop.watch(self._stream)

    def poll(self) -> None:
        supply_mv = self._supply.poll()
        if supply_mv is not None:
            self._loop.post(events.SUPPLY, supply_mv)
        if self._lost is not None:
            self._stream.enabled = self._supply.present is True

    def wake_pin(self):
        return self._lost if self._supply.present else None

    def test(self) -> tuple:
        supply_mv = self._supply.read_mv()
        return supply_mv > 0, supply_mv, "mV"
