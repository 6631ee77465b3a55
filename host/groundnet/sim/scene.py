"""Where devices meet: one world, one air, one network, one patch of ground."""

from dataclasses import dataclass

from groundnet.geodesy import LocalFrame
from groundnet.sim.network import Network
from groundnet.sim.radio import Medium
from groundnet.sim.world import World


@dataclass
class Scene:
    """``frame`` turns metres east and north of its origin into WGS-84 degrees."""

    world: World
    medium: Medium
    network: Network
    frame: LocalFrame
