"""A real device on a rig: its stimuli and probes are instruments; what the rig lacks is named."""

import math
import time
from collections.abc import Callable
from typing import Any

from groundnet.bench.fitting import Fitted
from groundnet.bench.interface import Lacking, T, Text
from groundnet.bench.rig_file import CONTACTS, SOUNDERS, Attachment, DeviceEntry
from groundnet.link import prompt

Wait = Callable[[float], None]

# How a servo plays a motion: degrees to turn to, and seconds to stay there; repeated while it lasts.
_MOVES = {
    "still": ((0, 0.0),),
    "bump": ((8, 0.08), (0, 0.0)),
    "lift": ((25, 0.0),),
    "set_down": ((0, 0.0),),
    "walk": ((6, 0.28), (-6, 0.28)),
    "ride": ((4, 0.06), (-4, 0.06)),
    "van": ((2, 0.3), (-2, 0.3)),
    "fall": ((80, 0.0),),
}
_ENDLESS = ("walk", "ride", "van")


class RigMotion:
    """A servo that turns the device."""

    def __init__(self, pins: Any, wire: Attachment, device: str) -> None:
        self._pins, self._wire, self._device = pins, wire, device

    def does(self, what: str, duration_s: float | None = None) -> None:
        """From now on. Raises Lacking for a motion that a servo cannot play."""
        if what not in _MOVES:
            raise Lacking(self._device, f"motion '{what}'")
        moves, rounds = _MOVES[what], 1
        if what in _ENDLESS:
            rounds = max(1, math.ceil((duration_s or 10.0) / sum(stay_s for _, stay_s in moves)))
        self._pins.play(self._wire.channel, [list(move) for move in moves], rounds * len(moves))


class RigContact:
    """A relay or pin across the button, strap, lid or sensor."""

    def __init__(self, instrument: Any, wire: Attachment, wait: Wait) -> None:
        self._instrument, self._wire, self._wait = instrument, wire, wait

    def trigger(self) -> None:
        self._instrument.switch(self._wire.channel, bool(self._wire.active_level))

    def release(self) -> None:
        self._instrument.switch(self._wire.channel, not self._wire.active_level)

    def press(self, duration_s: float) -> None:
        self.trigger()
        self._wait(duration_s)
        self.release()


class RigSupply:
    """One output of a supply as the battery of the device."""

    def __init__(self, instrument: Any, wire: Attachment) -> None:
        self._instrument, self._wire = instrument, wire
        if wire.limit_a is not None:
            instrument.set_limit(wire.channel, wire.limit_a)
        if wire.volts is not None:
            instrument.set_volts(wire.channel, wire.volts)

    def set_volts(self, volts: float) -> None:
        self._instrument.set_volts(self._wire.channel, volts)

    def cut(self) -> None:
        self._instrument.switch(self._wire.channel, False)

    def restore(self) -> None:
        self._instrument.switch(self._wire.channel, True)


class RigSounder:
    """A pin at the siren's driver, looked at whenever somebody asks; what sounds between two looks is not seen."""

    def __init__(self, pins: Any, wire: Attachment, now_s: Callable[[], float]) -> None:
        self._pins, self._wire, self._now_s = pins, wire, now_s
        self._bursts: list[tuple[float, float | None]] = []

    @property
    def sounding(self) -> bool:
        on = self._pins.level(self._wire.channel) == self._wire.active_level
        open_burst = bool(self._bursts) and self._bursts[-1][1] is None
        if on and not open_burst:
            self._bursts.append((self._now_s(), None))
        elif open_burst and not on:
            self._bursts[-1] = (self._bursts[-1][0], self._now_s())
        return on

    @property
    def bursts(self) -> list[tuple[float, float | None]]:
        _ = self.sounding
        return list(self._bursts)


class RigCurrent:
    """A meter, or the supply's own; a mean of readings a tenth of a second apart."""

    def __init__(self, instrument: Any, wire: Attachment, wait: Wait) -> None:
        self._instrument, self._wire, self._wait = instrument, wire, wait

    @property
    def now_ua(self) -> float:
        return self._instrument.measure_amperes(self._wire.channel) * 1e6

    def mean_ua(self, duration_s: float) -> float:
        readings = []
        for _ in range(max(1, round(duration_s / 0.1))):
            readings.append(self.now_ua)
            self._wait(0.1)
        return sum(readings) / len(readings)


class RigDevice:
    """See `interface.Device`.

    Args:
        entry: what hangs on it.
        instruments: by name, opened.
        now_s, wait: the rig's clock.
    """

    def __init__(
        self,
        entry: DeviceEntry,
        fitted: Fitted,
        instruments: dict[str, Any],
        now_s: Callable[[], float],
        wait: Wait,
    ) -> None:
        self.name, self.role, self.fitted = entry.name, entry.role, fitted
        self.serial = entry.serial
        self._entry, self._instruments, self._now_s, self._wait = entry, instruments, now_s, wait
        self._sounders: dict[str, RigSounder] = {}

    @property
    def motion(self) -> RigMotion:
        return RigMotion(*self._at("motion"), self.name)

    @property
    def power(self) -> RigSupply:
        return RigSupply(*self._at("supply"))

    @property
    def current(self) -> RigCurrent:
        return RigCurrent(*self._at("current"), self._wait)

    @property
    def sky(self) -> Any:
        raise Lacking(self.name, "sky")

    def contact(self, part: str) -> RigContact:
        if part not in CONTACTS:
            raise Lacking(self.name, part)
        return RigContact(*self._at(part), self._wait)

    def sounder(self, part: str) -> RigSounder:
        if part not in SOUNDERS:
            raise Lacking(self.name, part)
        if part not in self._sounders:
            self._sounders[part] = RigSounder(*self._at(part), self._now_s)
        return self._sounders[part]

    def vehicle_supply(self) -> Any:
        raise Lacking(self.name, "vehicle supply")

    def cells(self, rows: str) -> None:
        raise Lacking(self.name, "cell environment")

    def texts(self) -> list[Text]:
        raise Lacking(self.name, "phone")

    def light(self) -> bool:
        raise Lacking(self.name, "eye for its light")

    def log(self) -> str:
        """Nothing: a rig reads a device's console only when it asks it something."""
        return ""

    def execute(self, code: str) -> str:
        return prompt.execute(self.serial, code.encode()).decode()

    def radio_refusals(self) -> list[str]:
        """Nothing: silicon does not tell."""
        return []

    def screen(self) -> list[str]:
        raise Lacking(self.name, "camera")

    def picture(self) -> list[str]:
        raise Lacking(self.name, "camera")

    def at_cable(self, job: Callable[[str], T]) -> T:
        return job(self.serial)

    def faces(self, bearing_deg: float, turning_dps: float = 0.0) -> None:
        raise Lacking(self.name, "turntable")

    def carry_to(self, east_m: float, north_m: float, speed_mps: float) -> None:
        raise Lacking(self.name, "way to carry it about")

    def _at(self, what: str) -> tuple[Any, Attachment]:
        wire = self._entry.attached.get(what)
        if wire is None:
            raise Lacking(self.name, what)
        return self._instruments[wire.instrument], wire


def wall_wait(duration_s: float) -> None:
    """Let real time pass."""
    time.sleep(duration_s)
