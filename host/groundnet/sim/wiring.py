"""Solders the chip models to a virtual microcontroller as the board's literal in firmware/boards says."""

from collections.abc import Callable
from dataclasses import dataclass, field

from groundnet.errors import GroundnetError
from groundnet.sim.antenna import Position
from groundnet.sim.cells import Cells
from groundnet.sim.chips.a7670 import A7670
from groundnet.sim.chips.air780e import Air780e
from groundnet.sim.chips.battery import Battery
from groundnet.sim.chips.ec800 import Ec800
from groundnet.sim.chips.indicator import Contact, Led, Pir
from groundnet.sim.chips.l76k import L76k
from groundnet.sim.chips.lis2dw12 import Lis2dw12
from groundnet.sim.chips.max17048 import Max17048
from groundnet.sim.chips.siren import BUZZER_UA, MOTOR_UA, SIREN_UA, Siren
from groundnet.sim.chips.ssd1306 import Ssd1306
from groundnet.sim.chips.supply import NOMINAL_VOLTS, Supply
from groundnet.sim.chips.sx1262 import Sx1262
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.network import Network
from groundnet.sim.power import PowerAccount
from groundnet.sim.radio import Medium
from groundnet.sim.signals import BoardIo
from groundnet.sim.sky import Sky
from groundnet.sim.world import World


@dataclass
class Environment:
    """What one board is exposed to; ``position(time_us)`` gives metres east and north of the origin."""

    motion: MotionProfile
    sky: Sky
    cells: Cells
    medium: Medium
    network: Network
    position: Callable[[int], Position] = field(default=lambda time_us: (0.0, 0.0))


@dataclass
class Site:
    """Everything that a maker of a part may need: where it is soldered and what it is exposed to."""

    world: World
    name: str
    io: BoardIo
    power: PowerAccount
    environment: Environment


def attach(site: Site, board: dict) -> dict[str, object]:
    """Attach a model for every part of the board; returns the models by part name.

    Raises GroundnetError for a part that has no model.
    """
    models: dict[str, object] = {}
    for name, entry in board["parts"].items():
        maker = MAKERS.get(entry["part"])
        if maker is None:
            known = ", ".join(sorted(MAKERS))
            raise GroundnetError(f"no chip model for part '{entry['part']}'", f"use one of: {known}")
        models[name] = maker(site, entry, name)
    return models


def power_cycle(models: dict[str, object]) -> None:
    """The board's supply was cut and came back: every chip starts as from new."""
    for model in models.values():
        restart = getattr(model, "power_cycle", None)
        if restart is not None:
            restart()


def power_off(models: dict[str, object], power: PowerAccount) -> None:
    """The board's supply is cut: every chip forgets what it was told, and nothing draws current."""
    for model in models.values():
        stop = getattr(model, "power_off", None) or getattr(model, "power_cycle", None)
        if stop is not None:
            stop()
    power.cut()


def _accelerometer(site: Site, entry: dict, name: str) -> Lis2dw12:
    io = site.io
    chip = Lis2dw12(site.world, site.name, site.environment.motion, io.line(entry["int1"]), site.power, name)
    io.i2c(entry["i2c"]).attach(entry["address"], chip)
    return chip


def _radio(site: Site, entry: dict, name: str) -> Sx1262:
    io, environment = site.io, site.environment
    for key in ("cs", "reset"):
        io.line(
            entry[key]
        ).level = 1  # pulled up on the module: an unconfigured board neither selects nor resets
    chip = Sx1262(
        site.world,
        site.name,
        environment.medium,
        environment.position,
        busy=io.line(entry["busy"]),
        dio1=io.line(entry["dio1"]),
        reset=io.line(entry["reset"]),
        power=site.power,
        tcxo_mv=entry.get("tcxo_mv", 0),
        dio2_rf_switch=entry.get("dio2_rf_switch", False),
        part=name,
    )
    io.spi(entry["spi"]).attach(io.line(entry["cs"]), chip)
    return chip


def _gnss(site: Site, entry: dict, name: str) -> L76k:
    lines = {key: site.io.line(entry[key]) for key in ("wakeup", "reset") if key in entry}
    for line in lines.values():
        line.level = 1  # pulled up inside the module
    uart = site.io.uart(entry["uart"])
    chip = L76k(
        site.world,
        site.name,
        uart,
        site.environment.sky,
        site.power,
        wakeup=lines.get("wakeup"),
        reset=lines.get("reset"),
        part=name,
    )
    uart.attach(chip)
    return chip


MODEMS: dict[str, type[Air780e]] = {"air780e": Air780e, "a7670": A7670, "ec800": Ec800}


def _modem(site: Site, entry: dict, name: str) -> Air780e:
    io, environment = site.io, site.environment
    key = io.line(entry["power_key"]) if "power_key" in entry else None
    uart = io.uart(entry["uart"])
    chip = MODEMS[entry["part"]](
        site.world,
        uart,
        site.power,
        environment.cells,
        environment.network,
        power_key=key,
        name=site.name,
        part=name,
    )
    uart.attach(chip)
    return chip


def _siren(site: Site, entry: dict, name: str) -> Siren:
    current_ua = {"siren": SIREN_UA, "buzzer": BUZZER_UA, "vibration": MOTOR_UA}[entry["part"]]
    return Siren(site.world, site.io.line(entry["pin"]), site.power, current_ua, name)


def _battery(site: Site, entry: dict, name: str) -> Battery:
    enable = site.io.line(entry["enable"]) if "enable" in entry else None
    if enable is not None:
        enable.level = 1 - entry["enable_level"]
    analog, level = site.io.adc(entry["pin"]), entry.get("enable_level", 1)
    return Battery(entry["kind"], analog, entry["divider"], site.power, enable, level)


def _led(site: Site, entry: dict, name: str) -> Led:
    return Led(site.io.line(entry["pin"]), site.power)


def _gauge(site: Site, entry: dict, name: str) -> Max17048:
    battery = Battery(entry["kind"], None, 1.0, site.power)
    chip = Max17048(site.world, battery, site.power, name)
    site.io.i2c(entry["i2c"]).attach(entry["address"], chip)
    return chip


def _supply(site: Site, entry: dict, name: str) -> Supply:
    lost = site.io.line(entry["lost"]) if "lost" in entry else None
    volts = entry.get("nominal_mv", NOMINAL_VOLTS * 1000) / 1000
    return Supply(site.io.adc(entry["pin"]), entry["divider"], lost, volts)


def _display(site: Site, entry: dict, name: str) -> Ssd1306:
    io = site.io
    reset = io.line(entry["reset"]) if "reset" in entry else None
    if reset is not None:
        reset.level = 1
    switch = io.line(entry["enable"]) if "enable" in entry else None
    level = entry.get("enable_level", 1)
    if switch is not None:
        switch.level = 1 - level
    powered = (lambda: True) if switch is None else (lambda: switch.level == level)
    chip = Ssd1306(site.power, name, reset, powered)
    if switch is not None:
        switch.listen(lambda _: chip.power_cycle())
    io.i2c(entry["i2c"]).attach(entry["address"], chip)
    return chip


def _contact(site: Site, entry: dict, name: str) -> Contact:
    line, pull_ua = site.io.line(entry["pin"]), entry.get("resting_ua", 0.0)
    return Contact(line, entry["active_level"], site.world, site.power, name, pull_ua)


def _pir(site: Site, entry: dict, name: str) -> Pir:
    return Pir(site.world, site.io.line(entry["pin"]), site.power, name, warms_up=True)


MAKERS: dict[str, Callable[[Site, dict, str], object]] = {
    "lis2dw12": _accelerometer,
    "sx1262": _radio,
    "l76k": _gnss,
    **dict.fromkeys(MODEMS, _modem),
    "siren": _siren,
    "buzzer": _siren,
    "vibration": _siren,
    "battery_adc": _battery,
    "max17048": _gauge,
    "supply_adc": _supply,
    "ssd1306": _display,
    "led": _led,
    "button": _contact,
    "strap": _contact,
    "case_switch": _contact,
    "pir": _pir,
}
