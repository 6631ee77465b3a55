"""The install point of the story: every device gets its identity over its serial link, through the real library."""

from groundnet.link.serial_link import SerialLink
from groundnet.provision.operation import Order, provision
from groundnet.provision.registry import Record, Registry
from groundnet.sim.pacing import hold_while
from groundnet.sim.roles import Device
from groundnet.sim.theft import scene
from groundnet.sim.theft.stage import COLLECTOR_HOST, COLLECTOR_PORT, Stage

UPLINK = {"collector_host": COLLECTOR_HOST, "collector_port": str(COLLECTOR_PORT)}
COUNTER_US = 60_000_000  # each device leaves the counter on a full minute of virtual time
LINK_TIMEOUT_S = (
    120.0  # wall clock; a virtual board answers in milliseconds, unless the machine is overloaded
)
TURN_S = 120.0  # wall clock; between two questions the registry waits for the disk


def provision_tag(stage: Stage) -> Record:
    order = Order("vehicle", scene.PLATE_STORED, install_point="dealer 12")
    return _provision(stage, stage.tag, order)


def provision_tracker(stage: Stage) -> Record:
    order = Order("vehicle", scene.PLATE_STORED, scene.OWNER_PHONE, "dealer 12", dict(UPLINK))
    return _provision(stage, stage.tracker, order)


def set_up_station(stage: Stage, site: scene.StationSite) -> Record:
    """A station gets its uplink and its place; its secret is for its own serial link."""
    place = {"lat_e7": str(round(site.lat * 1e7)), "lon_e7": str(round(site.lon * 1e7))}
    order = Order("none", install_point="network", settings={**UPLINK, **place, "wifi_name": "county"})
    return _provision(stage, stage.stations[site.name], order)


def _provision(stage: Stage, device: Device, order: Order) -> Record:
    """Power the device, talk to it over its PTY as a computer at a counter does, power it off again.

    How long a computer takes to leave, once it has said bye, is wall time: the device waits it out, or the story
    would not repeat.
    """
    device.power_on()

    def talk() -> Record:
        registry = Registry(stage.registry_path)
        try:
            with SerialLink(device.board.pty_path, LINK_TIMEOUT_S, stage.random.randbytes) as link:
                return provision(
                    link, registry, order, entropy=stage.random.randbytes, now_ms=lambda: scene.SHOP_OPENS_MS
                )
        finally:
            registry.close()

    record = hold_while(stage.world, [device.board], talk, TURN_S, TURN_S)
    stage.world.run_until((stage.world.now_us // COUNTER_US + 1) * COUNTER_US)
    device.power_off()
    return record
