"""One virtual device on a desk: wired, with its firmware, in a place where nothing happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from groundnet.sim.boardfs import BoardFs
from groundnet.sim.cells import Cells
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.network import Network
from groundnet.sim.radio import Medium
from groundnet.sim.roles import Device, make_device, production_flash
from groundnet.sim.sky import Journey, Sky
from groundnet.sim.wiring import Environment
from groundnet.sim.world import World

_PLACE = (45.2783, 13.7230)  # latitude, longitude where the recorded journeys begin


@dataclass(frozen=True)
class Desk:
    """What lies there.

    ``files`` keeps the flash in a folder of the host; ``blank`` leaves the firmware out; ``collector`` is the
    real (host, port) behind the same name in the board's settings.
    """

    role: str
    board: str
    files: Path | None = None
    blank: bool = False
    unique_id: bytes = b"\x02\x00\x00\x00\x00\x01"
    collector: tuple[str, int] | None = None
    seed: int = 1


@contextmanager
def device_on(desk: Desk) -> Iterator[Device]:
    """The device, still without power.

    Raises GroundnetError for an unknown role or board.
    """
    world = World(desk.seed)
    network = Network(world)
    if desk.collector is not None:
        network.route_to_tcp(*desk.collector, *desk.collector)
    blank = BoardFs({}, desk.files)
    flash = blank if desk.blank else production_flash(desk.role, desk.board, desk.files)
    device = make_device(
        world,
        desk.role,
        desk.role,
        quiet_place(world, network),
        desk.unique_id,
        desk.board,
        flash,
    )
    with device.board:
        yield device


def quiet_place(world: World, network: Network, name: str = "desk") -> Environment:
    """Nothing moves, the sky is open, there is no tower and no other radio."""
    return Environment(
        motion=MotionProfile(world.random(f"{name}/motion")),
        sky=Sky(world, name, Journey.parked(*_PLACE)),
        cells=Cells([], lambda unix_ms: _PLACE),
        medium=Medium(world),
        network=network,
    )
