"""Siren, buzzer and status light between drivers and core."""

from apps.run_loop import Part
from drivers import led, siren
from groundcore import events

_PATTERNS = {
    events.LIGHT_OFF: led.OFF,
    events.LIGHT_OK: led.HEARTBEAT,
    events.LIGHT_ALARM: led.ALARM,
    events.LIGHT_NO_NETWORK: led.NO_NETWORK,
    events.LIGHT_BLANK: led.BLANK,
}
_BURSTS_MS = {"siren": siren.SIREN_BURST_MS, "buzzer": siren.BUZZER_BURST_MS}


class Siren(Part):
    """Siren or buzzer: carries out those of SIREN, CHIRP and BUZZ that no other part of the board is better at.

    Args:
        name: of the part: "siren" or "buzzer".
    """

    def __init__(self, loop, hardware, name: str = "siren"):
        entry = hardware.part(name)
        chirp_ms = entry.get("chirp_ms", siren.CHIRP_MS)
        self._siren = siren.Siren(hardware.output(entry["pin"], 0), _BURSTS_MS[entry["part"]], chirp_ms)
        self._loop = loop
        self._wanted = False
        actions = []
        if name == "siren" or not hardware.part("siren"):
            actions.append((events.SIREN, "sound"))
        if name == "buzzer" or not hardware.part("buzzer"):
            actions.append((events.CHIRP, "chirp"))
            if not hardware.part("vibration"):
                actions.append((events.BUZZ, "chirp"))
        self.actions = tuple(actions)

    def sound(self, duration_ms: int) -> None:
        if duration_ms == 0:
            self._wanted = False
            self._siren.stop()
            return
        self._wanted = True
        self._siren.sound(duration_ms)

    def chirp(self, count: int) -> None:
        self._siren.chirp(count)

    def poll(self) -> None:
        self._siren.poll()
        if self._wanted and not self._siren.sounding:
            self._wanted = False
            self._loop.post(events.SIREN_DONE)

    def due_ms(self) -> int | None:
        return self._siren.poll()

    def busy(self) -> bool:
        return self._siren.sounding

    def test(self) -> tuple:
        self._siren.chirp(1)
        return True, 1, "one chirp was asked for"


class Light(Part):
    """Carries out LIGHT."""

    actions = ((events.LIGHT, "show"),)

    def __init__(self, hardware):
        self._led = led.Led(hardware.output(hardware.part("led")["pin"], 0))

    def show(self, pattern: int) -> None:
        self._led.show(_PATTERNS.get(pattern, led.OFF))

    def poll(self) -> None:
        self._led.poll()

    def due_ms(self) -> int | None:
        return self._led.poll()
