"""The description of a rig: which instruments there are, and what of each device hangs on which of them.

Data only, TOML; hardware/rig/README.md explains it with an example. Everything is checked before any port is opened,
and each complaint names the place in the file.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from groundnet.bench import quantity
from groundnet.errors import GroundnetError

ROLES = ("tag", "tracker", "base", "finder")
DRIVERS = ("scpi-supply", "scpi-meter", "scpi-attenuator", "lcus-relay", "micropython-pins")
CONTACTS = ("button", "strap", "case", "pir")
SOUNDERS = ("siren", "buzzer", "vibration")
# What a device may hang on: name -> drivers that can do it.
ATTACHMENTS = {
    "supply": ("scpi-supply",),
    "current": ("scpi-supply", "scpi-meter"),
    "motion": ("micropython-pins",),
    **dict.fromkeys(CONTACTS, ("lcus-relay", "micropython-pins")),
    **dict.fromkeys(SOUNDERS, ("micropython-pins",)),
}


@dataclass(frozen=True)
class InstrumentEntry:
    """One instrument: how it is reached. ``options`` is what else its driver takes."""

    name: str
    driver: str
    port: str
    baudrate: int = 9600
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Attachment:
    """One wire from a device to an instrument: channel, or pin of a board of pins, and quantities in SI units."""

    instrument: str
    channel: int
    volts: float | None = None
    limit_a: float | None = None
    active_level: int = 1


@dataclass(frozen=True)
class DeviceEntry:
    """One device under test; ``tag`` is its tag id in the rig's registry, empty when it has none."""

    name: str
    role: str
    board: str
    serial: str
    attached: dict[str, Attachment]
    tag: str = ""


@dataclass(frozen=True)
class CollectorEntry:
    """Where the rig's own collector listens, and the registry that has its devices."""

    host: str
    port: int
    registry: Path


@dataclass(frozen=True)
class PathEntry:
    """An attenuator between two devices; ``fixed_db`` is what pads and cables add to it."""

    between: tuple[str, str]
    attachment: Attachment
    fixed_db: float


@dataclass(frozen=True)
class RigEntry:
    """A whole rig."""

    name: str
    instruments: dict[str, InstrumentEntry]
    devices: dict[str, DeviceEntry]
    paths: tuple[PathEntry, ...]
    collector: CollectorEntry | None = None


class RigFileError(GroundnetError):
    """A description that no rig can have."""

    def __init__(self, where: str, cause: str, action: str) -> None:
        super().__init__(f"{where}: {cause}", action)


def read(path: Path) -> RigEntry:
    """The rig in a file. Raises RigFileError, and GroundnetError for a wrong unit."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RigFileError(str(path), "cannot be read", "give the path of a rig's description") from error
    try:
        return parse(tomllib.loads(text), path.parent)
    except tomllib.TOMLDecodeError as error:
        raise RigFileError(str(path), str(error), "correct it; the format is TOML") from error


def parse(data: dict, folder: Path = Path()) -> RigEntry:
    """The rig of a parsed description; files it names lie in ``folder``. Raises RigFileError."""
    _only(data, ("name", "instruments", "devices", "paths", "collector"), "the rig")
    instruments = {
        name: _instrument(name, _table(entry, f"instruments.{name}"))
        for name, entry in _table(data.get("instruments", {}), "instruments").items()
    }
    devices = {
        name: _device(name, _table(entry, f"devices.{name}"), instruments)
        for name, entry in _table(data.get("devices", {}), "devices").items()
    }
    if not devices:
        raise RigFileError("devices", "there is none", "describe at least one device")
    listed = data.get("paths", [])
    if not isinstance(listed, list):
        raise RigFileError("paths", "is no list", "write each as [[paths]]")
    paths = tuple(
        _path(index, _table(entry, f"paths[{index}]"), instruments, devices)
        for index, entry in enumerate(listed)
    )
    _each_port_once(instruments, devices)
    _each_channel_once(devices, paths)
    collector = _collector(_table(data["collector"], "collector"), folder) if "collector" in data else None
    return RigEntry(_text(data, "name", "the rig"), instruments, devices, paths, collector)


def _instrument(name: str, entry: dict) -> InstrumentEntry:
    where = f"instruments.{name}"
    driver = _choice(entry, "driver", DRIVERS, where)
    allowed = {"driver", "port", "baudrate"} | ({"command"} if driver == "scpi-attenuator" else set())
    _only(entry, allowed, where)
    usual = 115200 if driver == "micropython-pins" else 9600
    baudrate = entry.get("baudrate", usual)
    if not isinstance(baudrate, int) or baudrate <= 0:
        raise RigFileError(
            f"{where}.baudrate", f"{baudrate!r} is no baud rate", "write a number such as 9600"
        )
    options = {key: value for key, value in entry.items() if key == "command"}
    return InstrumentEntry(name, driver, _text(entry, "port", where), baudrate, options)


def _device(name: str, entry: dict, instruments: dict[str, InstrumentEntry]) -> DeviceEntry:
    where = f"devices.{name}"
    _only(entry, {"role", "board", "serial", "tag", *ATTACHMENTS}, where)
    attached = {
        what: _attachment(
            _table(entry[what], f"{where}.{what}"), ATTACHMENTS[what], instruments, f"{where}.{what}"
        )
        for what in ATTACHMENTS
        if what in entry
    }
    return DeviceEntry(
        name,
        _choice(entry, "role", ROLES, where),
        _text(entry, "board", where),
        _text(entry, "serial", where),
        attached,
        _text(entry, "tag", where) if "tag" in entry else "",
    )


def _collector(entry: dict, folder: Path) -> CollectorEntry:
    _only(entry, {"listen", "registry"}, "collector")
    host, colon, port = _text(entry, "listen", "collector").rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise RigFileError(
            "collector.listen", f"'{entry['listen']}' is not HOST:PORT", 'write "0.0.0.0:7400"'
        )
    return CollectorEntry(host.strip("[]"), int(port), folder / _text(entry, "registry", "collector"))


def _path(index: int, entry: dict, instruments: dict, devices: dict) -> PathEntry:
    where = f"paths[{index}]"
    _only(entry, {"between", "instrument", "channel", "fixed"}, where)
    between = entry.get("between")
    if not isinstance(between, list) or len(between) != 2 or not all(name in devices for name in between):
        raise RigFileError(
            f"{where}.between", f"{between!r} names no two devices", f"choose of: {', '.join(devices)}"
        )
    wire = {key: entry[key] for key in ("instrument", "channel") if key in entry}
    attachment = _attachment(wire, ("scpi-attenuator",), instruments, where)
    fixed_db = quantity.read(entry.get("fixed", "0 dB"), "dB", f"{where}.fixed")
    return PathEntry((between[0], between[1]), attachment, fixed_db)


def _attachment(entry: dict, drivers: tuple[str, ...], instruments: dict, where: str) -> Attachment:
    _only(entry, {"instrument", "channel", "pin", "volts", "limit", "active_level"}, where)
    name = _text(entry, "instrument", where)
    if name not in instruments:
        known = ", ".join(instruments) or "none is described"
        raise RigFileError(f"{where}.instrument", f"there is no instrument '{name}'", f"choose of: {known}")
    if instruments[name].driver not in drivers:
        raise RigFileError(
            f"{where}.instrument",
            f"a {instruments[name].driver} cannot do that",
            f"use a {' or '.join(drivers)}",
        )
    key = "pin" if instruments[name].driver == "micropython-pins" else "channel"
    channel = entry.get(key, 1 if key == "channel" else None)
    if not isinstance(channel, int) or isinstance(channel, bool) or channel < 0:
        raise RigFileError(f"{where}.{key}", f"{channel!r} is no number of a {key}", f"write {key} = 1")
    level = entry.get("active_level", 1)
    if level not in (0, 1):
        raise RigFileError(f"{where}.active_level", f"{level!r} is no level", "write 0 or 1")
    volts = quantity.read(entry["volts"], "V", f"{where}.volts") if "volts" in entry else None
    limit_a = quantity.read(entry["limit"], "A", f"{where}.limit") if "limit" in entry else None
    return Attachment(name, channel, volts, limit_a, level)


def _each_port_once(instruments: dict, devices: dict) -> None:
    users: dict[str, str] = {}
    ports = [(entry.port, f"instruments.{entry.name}.port") for entry in instruments.values()]
    ports += [(entry.serial, f"devices.{entry.name}.serial") for entry in devices.values()]
    for port, where in ports:
        if port in users:
            raise RigFileError(where, f"{port} is taken by {users[port]}", "give each its own port")
        users[port] = where


def _each_channel_once(devices: dict[str, DeviceEntry], paths: tuple[PathEntry, ...]) -> None:
    users: dict[tuple[str, int], str] = {}
    wires = [
        (wire, f"devices.{device.name}.{what}")
        for device in devices.values()
        for what, wire in device.attached.items()
        if what != "current"  # a supply also measures
    ]
    wires += [(path.attachment, f"paths[{index}]") for index, path in enumerate(paths)]
    for wire, where in wires:
        key = (wire.instrument, wire.channel)
        if key in users:
            cause = f"channel {wire.channel} of {wire.instrument} is taken by {users[key]}"
            raise RigFileError(where, cause, "give each its own channel")
        users[key] = where


def _only(entry: dict, known, where: str) -> None:
    for key in entry:
        if key not in known:
            raise RigFileError(where, f"'{key}' means nothing here", f"choose of: {', '.join(sorted(known))}")


def _table(entry: object, where: str) -> dict:
    if not isinstance(entry, dict):
        raise RigFileError(where, f"{entry!r} is no table", "write its entries below each other, or in { }")
    return entry


def _text(entry: dict, key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        cause = "is missing" if value is None else f"{value!r} is no text"
        raise RigFileError(f"{where}.{key}", cause, f'write {key} = "..."')
    return value


def _choice(entry: dict, key: str, known: tuple[str, ...], where: str) -> str:
    value = _text(entry, key, where)
    if value not in known:
        raise RigFileError(f"{where}.{key}", f"there is no '{value}'", f"choose of: {', '.join(known)}")
    return value
