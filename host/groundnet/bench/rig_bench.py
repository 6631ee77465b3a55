"""A bench of real devices, through the instruments of a rig; or the record of one."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from groundnet.bench import rig_file
from groundnet.bench.fitting import Fitted
from groundnet.bench.instruments.line import Line
from groundnet.bench.instruments.pins import Pins
from groundnet.bench.instruments.relay import Relay
from groundnet.bench.instruments.scpi import Attenuator, Meter, Supply
from groundnet.bench.interface import Device, Heard, Lacking, TooLate
from groundnet.bench.recording import Recorder, Replayer
from groundnet.bench.rig_device import RigDevice, Wait, wall_wait
from groundnet.bench.rig_headquarters import RigHeadquarters
from groundnet.provision.registry import Registry

_STEP_S = 0.25


def _open(entry: rig_file.InstrumentEntry) -> Any:
    """The driver of an instrument, on its open line. Raises InstrumentError."""
    if entry.driver == "micropython-pins":
        return Pins(entry.name, entry.port)
    line = Line(entry.name, entry.port, entry.baudrate)
    if entry.driver == "lcus-relay":
        return Relay(line)
    if entry.driver == "scpi-attenuator":
        return Attenuator(line, **{key: str(value) for key, value in entry.options.items()})
    return {"scpi-supply": Supply, "scpi-meter": Meter}[entry.driver](line)


class RigBench:
    """See `interface.Bench`.

    Args:
        rig: its description.
        instruments: by name, opened, or what answers for them.
        now_s, wait: the clock.
        close: called at the end.
        is_record: the instruments are a record's; nothing comes in over a network.
    """

    def __init__(
        self,
        rig: rig_file.RigEntry,
        instruments: dict[str, Any],
        now_s: Callable[[], float],
        wait: Wait,
        close: Callable[[], None],
        is_record: bool = False,
    ) -> None:
        self.rig, self._is_record = rig, is_record
        self.devices: dict[str, RigDevice] = {}
        self._instruments, self._now_s, self._wait, self._close = instruments, now_s, wait, close
        self._began_s, self._began_ms = now_s(), _unix_ms()
        self._headquarters: RigHeadquarters | None = None

    @classmethod
    def open(cls, path: Path, record: Path | None = None, replay: Path | None = None) -> "RigBench":
        """The rig of a description, with every instrument asked who it is.

        Raises RigFileError for a wrong description, InstrumentError for an instrument that does not answer.
        """
        rig = rig_file.read(path)
        with ExitStack() as stack:
            if replay is not None:
                player = Replayer(replay)
                stack.callback(player.close)
                instruments: dict[str, Any] = {name: player.watch(name) for name in rig.instruments}
                clock, wait = (lambda: player.at_s), (lambda duration_s: None)
            else:
                clock, wait = time.monotonic, wall_wait
                instruments = {}
                for name, entry in rig.instruments.items():
                    instruments[name] = _open(entry)
                    stack.callback(instruments[name].close)
                if record is not None:
                    recorder = Recorder(record, clock)
                    stack.callback(recorder.close)
                    instruments = {name: recorder.watch(name, one) for name, one in instruments.items()}
            for instrument in instruments.values():
                instrument.identity()
            return cls(rig, instruments, clock, wait, stack.pop_all().close, replay is not None)

    @classmethod
    def identities(cls, path: Path) -> dict[str, str]:
        """What every instrument says of itself. Raises what ``open`` raises."""
        bench = cls.open(path)
        try:
            return {name: instrument.identity() for name, instrument in bench._instruments.items()}
        finally:
            bench.close()

    @property
    def now_s(self) -> float:
        return self._now_s() - self._began_s

    @property
    def headquarters(self) -> RigHeadquarters:
        """Listens from the first question on. Raises Lacking for a rig without a collector, and for a record of one."""
        if self._headquarters is None:
            if self.rig.collector is None or self._is_record:
                raise Lacking("the rig", "collector")
            self._headquarters = RigHeadquarters(self.rig.collector, _unix_ms)
        return self._headquarters

    def device(
        self,
        role: str,
        name: str | None = None,
        *,
        profile: str = "",
        board: str | None = None,
        at: tuple[float, float] = (0.0, 0.0),
        powered: bool = True,
        bare: bool = False,
        **settings: object,
    ) -> RigDevice:
        """The rig's device of that name, else its first of that role that is free; as it is, not fitted anew; a
        bare one has to be prepared by `groundnet deploy`.

        Raises Lacking when the rig has none, or not on that board.
        """
        entry = self._entry(role, name, board)
        fitted = Fitted(role, entry.name, profile, entry.board, settings, self._registered(entry))
        device = self.devices[entry.name] = RigDevice(
            entry, fitted, self._instruments, lambda: self.now_s, self._wait
        )
        if powered and "supply" in entry.attached:
            device.power.restore()
        return device

    def run(self, duration_s: float) -> None:
        self._wait(duration_s)

    def until(self, happened: Callable[[], object], within_s: float, what: str) -> float:
        """Wait until ``happened()`` is true; returns the seconds that took. Raises TooLate."""
        began_s = self.now_s
        while not happened():
            if self.now_s - began_s >= within_s:
                raise TooLate(f"{what}: not within {within_s:g} s")
            self.run(_STEP_S)
        return self.now_s - began_s

    def set_loss(self, first: str, second: str, loss_db: float | None) -> None:
        """Raises Lacking where the rig has no attenuator. None is as little as it can."""
        for path in self.rig.paths:
            if {first, second} == set(path.between):
                attenuation_db = max(0.0, (loss_db or 0.0) - path.fixed_db)
                wire = path.attachment
                self._instruments[wire.instrument].set_db(wire.channel, attenuation_db)
                return
        raise Lacking(f"{first} and {second}", "attenuator")

    def obstruct(self, first: str, second: str, loss_db: float) -> None:
        raise Lacking(f"{first} and {second}", "obstacle")

    def heard(self, sender: Device | None = None) -> list[Heard]:
        """What the rig's stations told its collector. Raises Lacking without a collector."""
        if self.rig.collector is None or self._is_record:
            raise Lacking("the rig", "radio sniffer")
        names = {device.fitted.device_id: device.name for device in self.devices.values()}
        found = self.headquarters.heard(self._began_ms, names)
        return [one for one in found if sender is None or one.sender == sender.name]

    def close(self) -> None:
        """Every port free; supplies and relays stay as the last test left them."""
        if self._headquarters is not None:
            self._headquarters.close()
        self._close()

    def _registered(self, entry: rig_file.DeviceEntry) -> bytes | None:
        """The device's id by the rig's registry. Raises RegistryError for a tag that it does not know."""
        if not entry.tag or self.rig.collector is None:
            return None
        registry = Registry(self.rig.collector.registry, must_exist=True)
        try:
            return registry.find(entry.tag)[0].device_id
        finally:
            registry.close()

    def _entry(self, role: str, name: str | None, board: str | None) -> rig_file.DeviceEntry:
        entries: Mapping[str, rig_file.DeviceEntry] = self.rig.devices
        for entry in entries.values():
            free = entry.name not in self.devices
            if free and entry.role == role and name in (None, entry.name) and board in (None, entry.board):
                return entry
        raise Lacking("the rig", f"{role}{f' on {board}' if board else ''}")


def _unix_ms() -> int:
    return time.time_ns() // 1_000_000
