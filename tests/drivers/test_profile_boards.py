"""Each profile on the board it is made for: real MicroPython, real drivers, the real core, only settings differ."""

import struct
from binascii import crc32

import pytest
from groundnet.sim import firmware_image, groundcore_runtime
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.cells import Cells, Tower
from groundnet.sim.desk import quiet_place
from groundnet.sim.network import Network
from groundnet.sim.roles import make_device
from groundnet.sim.world import World
from groundwire import beacon

store = groundcore_runtime.load("store")
settings = groundcore_runtime.load("settings")
PHONE = "+385911234567"
PLACE = (45.28, 13.72)


def record(data: bytes) -> bytes:
    """One slot of a flash record, sequence 1."""
    body = struct.pack("<I", 1) + data
    return struct.pack("<I", crc32(body)) + body


class Rig:
    """One device that was fitted for a profile."""

    def __init__(self, role, board, profile, **changed):
        self.world = World(7)
        self.network = Network(self.world)
        place = quiet_place(self.world, self.network)
        place.cells = Cells([Tower("LTE", 219, 1, 100, 1000, *PLACE, 3000)], lambda at_ms: PLACE)
        identity = store.Identity("T1", profile, "here", bytes(range(32)), True)
        files = firmware_image.build(role, board) | {
            "/state/identity.0": record(store.encode_identity(identity)),
            "/state/settings.0": record(settings.encode({"owner_phone": PHONE, **changed})),
        }
        self.device = make_device(self.world, role, role, place, b"\x01", board, BoardFs(files))
        self.board, self.parts = self.device.board, self.device.parts
        self.aired = []
        place.medium.sniff(lambda sent: self.aired.append(beacon.decode(sent.payload)))
        self.device.power_on()

    def run(self, duration_s: float) -> "Rig":
        self.world.run_for(int(duration_s * 1e6))
        return self


@pytest.fixture
def rig():
    rigs = []

    def make(*args, **kwargs) -> Rig:
        rigs.append(Rig(*args, **kwargs))
        return rigs[-1]

    yield make
    for made in rigs:
        made.board.close()
        assert "Traceback" not in made.board.log
        assert made.parts["radio"].refusals == []


def test_a_wristband_calls_for_help_out_of_deep_sleep_and_takes_it_back(rig):
    band = rig("tag", "wsl3_wearable", "wearable").run(30)
    assert band.board.state == "deep sleep"
    band.aired.clear()
    band.parts["button"].close()
    band.run(4)
    band.parts["button"].open()
    assert band.aired[0].flags & beacon.SOS_ACTIVE
    assert len(band.parts["vibration"].bursts) == 2
    band.run(40)
    assert len(band.aired) >= 6 and band.board.state == "deep sleep"
    assert {one.type for one in band.aired} == {beacon.SOS}
    band.parts["button"].close()
    band.run(8)
    band.parts["button"].open()
    band.run(10)
    assert not band.aired[-1].flags & beacon.SOS_ACTIVE


def test_a_shop_alarm_chirps_at_whoever_comes_in_and_then_sounds(rig):
    shop = rig("tracker", "sentry_s3", "sentry", exit_delay_s=0, entry_delay_s=15, siren_s=5).run(75)
    shop.parts["pir"].see()
    shop.run(8)
    assert shop.parts["buzzer"].bursts and not shop.parts["siren"].bursts
    shop.run(20)
    assert len(shop.parts["siren"].bursts) == 1


def test_an_animal_that_lies_still_too_long_is_told_to_its_owner(rig):
    cow = rig("tracker", "s3_tracker", "livestock", still_alarm_s=90).run(60)
    assert cow.parts["modem"].sent_sms == []
    cow.run(60)
    assert "not moving" in cow.parts["modem"].sent_sms[0][2]


def test_a_vehicle_tells_of_a_cut_supply(rig):
    bike = rig("tracker", "s3_tracker", "vehicle").run(60)
    bike.parts["supply"].cut()
    bike.run(15)
    assert "cut from its supply" in bike.parts["modem"].sent_sms[0][2]
