"""The stage: the bike with its tag and tracker, the stations, the air between them, and the collector."""

import random
from pathlib import Path

from groundnet.collector.intake.collector_thread import CollectorThread
from groundnet.collector.places.cell_table import CellTable
from groundnet.geodesy import LocalFrame
from groundnet.sim.cells import Cells, read_towers
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.motion_segment import Tilt
from groundnet.sim.network import Network
from groundnet.sim.radio import Medium
from groundnet.sim.roles import Device, make_device
from groundnet.sim.sky import NONE, Journey, Sky
from groundnet.sim.theft import scene
from groundnet.sim.wiring import Environment
from groundnet.sim.world import World

COLLECTOR_HOST, COLLECTOR_PORT = "collector.groundnet", 7400
TAG_ID, TRACKER_ID = bytes.fromhex("a0764e0000c30001"), bytes.fromhex("f412fa0000530002")


class Stage:
    """Everything that plays, switched off.

    Args:
        seed: decides every random number of the run.
        folder: where registry and database are made anew.
    """

    def __init__(self, seed: int, folder: Path) -> None:
        self.world = World(seed, scene.SHOP_OPENS_MS)
        self.random: random.Random = self.world.random("install point")
        self.route = scene.read_journey()
        journey = Journey((place.unix_ms, place.lat, place.lon) for place in self.route)
        self.journey = journey
        self.medium = Medium(self.world)
        self.network = Network(self.world)
        self._frame = LocalFrame(self.route[0].lat, self.route[0].lon)
        self.motion = night_and_ride(self.world)
        cells_file = (
            folder / "story" / "cells.csv"
        )  # a name of its own: a cell table in `folder` may be somebody's
        cells_file.parent.mkdir(parents=True, exist_ok=True)
        cells_file.write_text(scene.CELLS_CSV, encoding="utf-8")
        self.cells = CellTable.read(cells_file)
        self.database_path = _fresh(folder / "collector.db")
        self.registry_path = _fresh(folder / "registry.db")
        self.tag = self._on_the_bike("tag", TAG_ID)
        self.tracker = self._on_the_bike("tracker", TRACKER_ID)
        self.stations = {site.name: self._station(site) for site in scene.STATIONS}
        self.collector = CollectorThread(
            self.database_path,
            self.registry_path,
            lambda: self.world.unix_ms,
            self.world.random("collector").randbytes,
        )
        self.network.route_to_tcp(COLLECTOR_HOST, COLLECTOR_PORT, "127.0.0.1", self.collector.port)

    def devices(self) -> dict[str, Device]:
        """Every device by its name on the timeline."""
        return {"tag": self.tag, "tracker": self.tracker, **self.stations}

    def close(self) -> None:
        """End every process and thread."""
        for device in self.devices().values():
            device.board.close()
        self.collector.close()

    def _on_the_bike(self, role: str, device_id: bytes) -> Device:
        sky = Sky(self.world, role, self.journey)
        sky.cover(NONE, *scene.GARAGE_MS)
        environment = Environment(
            self.motion,
            sky,
            Cells(read_towers(scene.CELLS_CSV), lambda unix_ms: self.journey.position(unix_ms)[:2]),
            self.medium,
            self.network,
            lambda time_us: self._metres(*self.journey.position(scene.SHOP_OPENS_MS + time_us / 1000)[:2]),
        )
        return make_device(self.world, role, role, environment, device_id)

    def _station(self, site: scene.StationSite) -> Device:
        place = self._metres(site.lat, site.lon)
        environment = Environment(
            MotionProfile(self.world.random(f"{site.name}/motion")),
            Sky(self.world, site.name, Journey.parked(site.lat, site.lon)),
            Cells([], lambda unix_ms: (site.lat, site.lon)),
            self.medium,
            self.network,
            lambda time_us: place,
        )
        return make_device(self.world, site.name, "base", environment, site.device_id)

    def _metres(self, lat: float, lon: float) -> tuple[float, float]:
        return self._frame.to_metres(lat, lon)


def night_and_ride(world: World) -> MotionProfile:
    """What the bike feels: a windy night, a truck that passes, a thief who lifts it and rides off."""
    motion = MotionProfile(world.random("motion"), Tilt(roll_deg=8.0, pitch_deg=3.0))

    def still_until(unix_ms: int) -> MotionProfile:
        return motion.still((unix_ms - world.start_unix_ms) / 1000 - motion.end_us / 1e6)

    happenings = [(moment_ms, lambda: motion.wind(420.0)) for moment_ms in scene.WIND_MS]
    happenings.append((scene.TRUCK_MS, motion.truck))
    for moment_ms, happens in sorted(happenings, key=lambda pair: pair[0]):
        still_until(moment_ms)
        happens()
    still_until(scene.LIFTED_MS)
    motion.lift(angle_deg=24.0)
    ride_until(motion, world, scene.GARAGE_MS[0])
    still_until(scene.GARAGE_MS[1] - 3000)
    ride_until(motion, world, scene.PARKED_AGAIN_MS)
    motion.set_down()
    return motion


def ride_until(motion: MotionProfile, world: World, unix_ms: int) -> None:
    motion.ride((unix_ms - world.start_unix_ms) / 1000 - motion.end_us / 1e6)


def _fresh(path: Path) -> Path:
    """A path without what an earlier run left there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        old.unlink(missing_ok=True)
    return path
