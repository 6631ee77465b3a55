"""Stimuli and probes of a virtual device: each drives or watches one chip model or one part of its world."""

from collections.abc import Callable

from groundnet.bench.interface import MOTIONS, SKIES
from groundnet.errors import GroundnetError
from groundnet.geodesy import LocalFrame
from groundnet.sim import sky as skies
from groundnet.sim.antenna import Position
from groundnet.sim.chips.battery import Battery as BatteryModel
from groundnet.sim.chips.indicator import Contact as ContactModel
from groundnet.sim.chips.indicator import Pir
from groundnet.sim.chips.max17048 import Max17048
from groundnet.sim.chips.siren import Siren
from groundnet.sim.chips.supply import Supply
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.power import PowerAccount
from groundnet.sim.roles import Device
from groundnet.sim.sky import Journey, Sky
from groundnet.sim.world import US_PER_S, World

_LASTS = {"still": 60.0, "walk": 60.0, "ride": 60.0, "van": 60.0, "wind": 60.0, "storm": 60.0, "rain": 60.0}
_LASTS |= {"rack": 60.0, "collapse": 20.0}
_VIEWS = {"open": skies.OPEN, "urban": skies.URBAN, "none": skies.NONE, "jammed": skies.JAMMED}


class SimMotion:
    """What the accelerometer feels."""

    def __init__(self, world: World, profile: MotionProfile) -> None:
        self._world, self._profile = world, profile

    def does(self, what: str, duration_s: float | None = None) -> None:
        """From now on. Raises GroundnetError for a motion that nobody knows."""
        if what not in MOTIONS:
            raise GroundnetError(f"there is no motion '{what}'", f"choose one of: {', '.join(MOTIONS)}")
        move = getattr(self._profile.start(self._world.now_us), what)
        if what in _LASTS:
            move(duration_s if duration_s is not None else _LASTS[what])
        else:
            move()


class SimSky:
    """What the GNSS receiver is exposed to."""

    def __init__(self, world: World, sky: Sky) -> None:
        self._world, self._sky = world, sky

    def becomes(self, view: str) -> None:
        """From now on. Raises GroundnetError for a view that nobody knows."""
        if view not in _VIEWS:
            raise GroundnetError(f"there is no sky '{view}'", f"choose one of: {', '.join(SKIES)}")
        self._sky.cover(_VIEWS[view], self._world.unix_ms)

    def spoof(self, east_m: float, north_m: float) -> None:
        """From now on a receiver measures itself that far off."""
        self._sky.spoof(east_m, north_m, self._world.unix_ms)


class Place:
    """Where a device is, in metres of the scene and in degrees; sky, towers and air all ask here."""

    def __init__(self, world: World, frame: LocalFrame, at: Position) -> None:
        self._world, self._frame = world, frame
        self.journey = Journey.parked(*frame.to_degrees(*at))

    def metres(self, time_us: int) -> Position:
        lat, lon, _ = self.journey.position(self._world.start_unix_ms + time_us / 1000)
        return self._frame.to_metres(lat, lon)

    def degrees(self, unix_ms: float) -> tuple[float, float]:
        return self.journey.position(unix_ms)[:2]

    def go(self, east_m: float, north_m: float, speed_mps: float) -> None:
        """From where it is, straight to there, beginning now."""
        now_ms = self._world.unix_ms
        here, there = self.degrees(now_ms), self._frame.to_degrees(east_m, north_m)
        (x, y), (to_x, to_y) = self._frame.to_metres(*here), (east_m, north_m)
        takes_ms = 1000 * ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5 / speed_mps
        self.journey = Journey([(now_ms, *here), (now_ms + max(1.0, takes_ms), *there)])


class Bearer:
    """Somebody who holds a device before the chest, and what the body takes off what comes from behind.

    The shadow is a sector, nothing up to 60 degrees from where they look and all of it beyond 130, and each half second
    fades by itself: not the cosine that a finder fits, so that the world does not grant what the firmware assumes.
    """

    SHADOW_DB = 12.0
    FADING_DB = 1.5
    _CLEAR_DEG, _DARK_DEG = 60.0, 130.0

    def __init__(self, world: World, bearing_deg: float, turning_dps: float) -> None:
        self._world, self._bearing_deg, self._turning_dps = world, bearing_deg, turning_dps
        self._since_us = world.now_us

    def loss_db(self, bearing_deg: float) -> float:
        """Of a path that leaves in this direction, clockwise from north, now."""
        now_us = self._world.now_us
        looks_deg = self._bearing_deg + self._turning_dps * (now_us - self._since_us) / US_PER_S
        aside_deg = abs((bearing_deg - looks_deg + 180) % 360 - 180)
        share = (aside_deg - self._CLEAR_DEG) / (self._DARK_DEG - self._CLEAR_DEG)
        fading_db = self._world.random(f"fading/{now_us * 2 // US_PER_S}").gauss(0, self.FADING_DB)
        return self.SHADOW_DB * min(1.0, max(0.0, share)) + fading_db


class SimContact:
    """Button, strap or lid."""

    def __init__(self, world: World, model: ContactModel) -> None:
        self._world, self._model = world, model

    def trigger(self) -> None:
        self._model.close()

    def release(self) -> None:
        self._model.open()

    def press(self, duration_s: float) -> None:
        self.trigger()
        self._world.after(round(duration_s * US_PER_S), self.release)


class SimPir:
    """A person in front of the sensor: it releases by itself."""

    def __init__(self, model: Pir) -> None:
        self._model = model

    def trigger(self) -> None:
        self._model.see()

    def release(self) -> None:
        """Its output falls by itself after its hold time."""

    def press(self, duration_s: float) -> None:
        self.trigger()


class SimSounder:
    """What a siren, buzzer or motor did."""

    def __init__(self, model: Siren) -> None:
        self._model = model

    @property
    def bursts(self) -> list[tuple[float, float | None]]:
        return [
            (began / US_PER_S, None if ended is None else ended / US_PER_S)
            for began, ended in self._model.bursts
        ]

    @property
    def sounding(self) -> bool:
        return self._model.sounding


class SimVehicleSupply:
    """The vehicle's battery, or a mains adapter."""

    def __init__(self, model: Supply) -> None:
        self._model = model

    def set_volts(self, volts: float) -> None:
        self._model.volts = volts

    def cut(self) -> None:
        self._model.cut()

    def restore(self) -> None:
        self._model.restore()


class SimPower:
    """The whole supply of the board, at the battery's terminals."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def set_volts(self, volts: float) -> None:
        """Raises GroundnetError for a board whose battery has no model."""
        models = [part for part in self._device.parts.values() if isinstance(part, BatteryModel)]
        models += [part.battery for part in self._device.parts.values() if isinstance(part, Max17048)]
        if not models:
            raise GroundnetError("the board measures no battery", "use a board with battery_adc or a gauge")
        for model in models:
            model.forced_volts = volts

    def cut(self) -> None:
        self._device.power_off()

    def restore(self) -> None:
        self._device.power_on()


class SimCurrent:
    """What all parts draw, from the power account."""

    def __init__(self, power: PowerAccount, run: Callable[[float], None]) -> None:
        self._power, self._run = power, run

    @property
    def now_ua(self) -> float:
        return self._power.current_ua()

    def mean_ua(self, duration_s: float) -> float:
        """Lets that much time pass."""
        before_mah = self._power.total_mah()
        self._run(duration_s)
        return (self._power.total_mah() - before_mah) * 3.6e6 / duration_s
