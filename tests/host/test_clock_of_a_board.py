"""A virtual tag with the real firmware sleeps by a clock that is off: the collector's side finds by how much."""

import math

import pytest
from groundnet.collector.senders.clock_drift import Heard, expected_beacons, learn
from groundnet.image import firmware_image
from groundnet.image.firmware_image import DEFAULT_BOARDS
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.desk import quiet_place
from groundnet.sim.groundcore_runtime import load
from groundnet.sim.network import Network
from groundnet.sim.roles import make_device
from groundnet.sim.state_files import record
from groundnet.sim.world import World
from groundwire import beacon, keys

STORE, SETTINGS = load("store"), load("settings")
SECRET = bytes(range(32))
IDENTITY_KEY = keys.derive(SECRET, keys.IDENTITY)
HOUR_US = 3_600_000_000


def test_a_boards_sleep_clock_is_learned_and_its_beacons_are_foretold():
    world = World(3)
    place = quiet_place(world, Network(world))
    identity = STORE.Identity("T1", "vehicle", "shop", SECRET, True)
    files = {
        **firmware_image.build("tag", DEFAULT_BOARDS["tag"]),
        "/state/identity.0": record(STORE.encode_identity(identity)),
        "/state/settings.0": record(SETTINGS.encode({"parked_interval_s": 600})),
    }
    device = make_device(world, "tag", "tag", place, bytes(8), files=BoardFs(files))
    heard = []

    def hear(sent):
        one = beacon.decode(sent.payload)
        assert one.low == len(heard) % 16  # nothing is lost here, so this is the counter
        heard.append(Heard(len(heard), world.unix_ms, one.flags))

    place.medium.sniff(hear)
    with device.board:
        device.power_on()
        for hour in range(12):  # the day warms up
            device.board.sleeping.clock_error = 0.02 + 0.002 * math.sin(hour / 12 * math.pi)
            world.run_for(HOUR_US)
    assert 60 < len(heard) < 75
    clock = learn(None, heard[:-6], IDENTITY_KEY)
    assert clock.rest_ms == 600_000
    assert clock.refused == 0
    assert clock.rate == pytest.approx(0.0213, abs=0.0015)
    assert clock.overhead_ms < 1500
    foretold = expected_beacons(clock, IDENTITY_KEY)
    for one in heard[-6:]:
        window = next(foretold)
        assert window.counter == one.counter
        assert window.first_ms <= one.time_ms <= window.last_ms
        assert window.last_ms - window.first_ms < 40_000
