"""A bench of virtual boards in one virtual world: repeats to the microsecond from its seed."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from groundnet.bench.fitting import Fitted
from groundnet.bench.headquarters import HOST, PORT, SimHeadquarters
from groundnet.bench.interface import LISTENER, Device, Heard, TooLate
from groundnet.bench.sim_device import SimDevice
from groundnet.errors import GroundnetError
from groundnet.geodesy import LocalFrame
from groundnet.sim.antenna import Frame
from groundnet.sim.individual import Individual
from groundnet.sim.network import Network
from groundnet.sim.radio import Medium
from groundnet.sim.scene import Scene
from groundnet.sim.world import US_PER_S, World

START_UNIX_MS = 1_767_225_600_000  # 2026-01-01 00:00 UTC
ORIGIN = (45.2783, 13.7230)  # latitude and longitude of the scene's (0, 0)
_STEP_S = 0.25  # between two looks of ``until``


class SimBench:
    """See `interface.Bench`.

    Args:
        seed: decides every random number.
        start_unix_ms: UTC when the bench's clock is at zero.
        exponent: of the path loss; without shadowing, so that a level follows from the distance alone.
        individuals: no two boards are alike; which one a device is follows from seed and name.
    """

    def __init__(
        self,
        seed: int = 1,
        start_unix_ms: int = START_UNIX_MS,
        exponent: float = 3.4,
        individuals: bool = False,
    ) -> None:
        world = World(seed, start_unix_ms)
        medium = Medium(world, exponent, shadowing_db=0.0)
        self.scene = Scene(world, medium, Network(world), LocalFrame(*ORIGIN))
        self.seed = seed
        self._individuals = individuals
        self.devices: dict[str, SimDevice] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="groundnet-bench-")
        self._heard: list[Heard] = []
        self._headquarters: SimHeadquarters | None = None
        medium.sniff(self._sniff)

    @property
    def now_s(self) -> float:
        """Virtual seconds since the bench was made."""
        return self.scene.world.now_us / US_PER_S

    @property
    def headquarters(self) -> SimHeadquarters:
        """The collector, made at the first question; devices reach it as HOST:PORT."""
        if self._headquarters is None:
            made = self._headquarters = SimHeadquarters(
                Path(self._folder.name), lambda: self.scene.world.unix_ms
            )
            self.scene.network.serve(HOST, PORT, made.line)
            for device in self.devices.values():
                made.learn(device.fitted.device_id, device.fitted.secret)
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
    ) -> SimDevice:
        """See `interface.Bench.device`."""
        name = name or role
        if name in self.devices:
            raise GroundnetError(f"there is a device '{name}' on the bench already", "give it another name")
        uplink: dict[str, object] = {"collector_host": HOST, "collector_port": PORT}
        if role == "base":
            lat, lon = self.scene.frame.to_degrees(*at)
            uplink |= {"wifi_name": "bench", "lat_e7": round(lat * 1e7), "lon_e7": round(lon * 1e7)}
        fitted = Fitted(role, name, profile, board, uplink | settings)
        device = self.devices[name] = SimDevice(self.scene, fitted, at, self.run, bare)
        if self._headquarters is not None:
            self._headquarters.learn(fitted.device_id, fitted.secret)
        if self._individuals and name != LISTENER:
            Individual.drawn(self.scene.world.random(f"{name}/individual")).becomes(device.assembled)
        if powered:
            device.power.restore()
        return device

    def run(self, duration_s: float) -> None:
        self.scene.world.run_for(round(duration_s * US_PER_S))

    def until(self, happened: Callable[[], object], within_s: float, what: str) -> float:
        """Let time pass until ``happened()`` is true; returns the seconds that took. Raises TooLate."""
        began_s = self.now_s
        while not happened():
            if self.now_s - began_s >= within_s:
                raise TooLate(f"{what}: not within {within_s:g} s")
            self.run(_STEP_S)
        return self.now_s - began_s

    def set_loss(self, first: str, second: str, loss_db: float | None) -> None:
        self.scene.medium.set_loss(first, second, loss_db)

    def obstruct(self, first: str, second: str, loss_db: float) -> None:
        self.scene.medium.add_loss(first, second, loss_db)

    def heard(self, sender: Device | None = None) -> list[Heard]:
        return [one for one in self._heard if sender is None or one.sender == sender.name]

    def close(self) -> None:
        """End every board and throw the store away."""
        for device in self.devices.values():
            device.assembled.board.close()
        if self._headquarters is not None:
            self._headquarters.close()
        self._folder.cleanup()

    def _sniff(self, frame: Frame) -> None:
        heard = Heard(frame.start_us / US_PER_S, frame.sender.name, frame.payload, frame.power_dbm)
        self._heard.append(heard)
