"""Each profile on the board it is made for: real MicroPython, real drivers, the real core, only settings differ."""

import pytest
from groundnet.image import firmware_image
from groundnet.sim import groundcore_runtime
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.cells import Cells, Tower
from groundnet.sim.desk import quiet_place
from groundnet.sim.network import Network
from groundnet.sim.roles import make_device
from groundnet.sim.state_files import record
from groundnet.sim.world import World
from groundwire import beacon

store = groundcore_runtime.load("store")
settings = groundcore_runtime.load("settings")
PHONE = "+385911234567"
PLACE = (45.28, 13.72)


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


@pytest.mark.parametrize("before_s", [0, 6], ids=["standing", "walking"])
def test_a_wristband_feels_a_fall_out_of_deep_sleep_asks_and_calls(rig, before_s):
    band = rig("tag", "wsl3_wearable", "wearable").run(60)
    assert band.board.state == "deep sleep"
    motion = band.device.environment.motion.start(band.world.now_us)
    (motion.walk(before_s) if before_s else motion).collapse(60)
    band.run(before_s + 15)
    assert len(band.parts["vibration"].bursts) == 8, "is all well?"
    assert not any(one.flags & beacon.SOS_ACTIVE for one in band.aired)
    assert band.board.state == "deep sleep"
    band.run(20)
    assert band.aired[-1].flags & beacon.SOS_ACTIVE and band.aired[-1].type == beacon.SOS
    assert len(band.parts["vibration"].bursts) == 10


def test_a_wristband_that_fell_calls_nobody_when_the_wearer_presses(rig):
    band = rig("tag", "wsl3_wearable", "wearable").run(60)
    band.device.environment.motion.start(band.world.now_us).walk(6).collapse(60)
    band.run(21)
    assert len(band.parts["vibration"].bursts) == 8
    band.parts["button"].close()
    band.run(3)
    band.parts["button"].open()
    band.run(60)
    assert not any(one.flags & beacon.SOS_ACTIVE for one in band.aired)
    assert len(band.parts["vibration"].bursts) == 10


@pytest.mark.parametrize(("volts", "low"), [(3.55, True), (3.7, False)])
def test_a_wristband_knows_the_voltages_of_its_own_cell(rig, volts, low):
    band = rig("tag", "wsl3_wearable", "wearable")
    band.parts["battery"].battery.forced_volts = volts
    band.run(2100)  # the first beacon goes out before the gauge has answered
    assert bool(band.aired[-1].flags & beacon.LOW_BATTERY) == low


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


def mean_ua(device, duration_s):
    account = device.device.power
    before_uas = sum(account.charge_uas().values())
    device.run(duration_s)
    return (sum(account.charge_uas().values()) - before_uas) / duration_s


def test_a_vehicle_that_waits_for_its_owners_fob_sleeps_between_long_preambles(rig):
    """Parked, everything on the board: 0.8 mA alone, 29 mA with a receiver that is always on, 1.8 mA in turns."""
    fob = {"fob_key": "5a" * 32}
    always = rig("tracker", "s3_tracker", "vehicle", **fob).run(330)
    turns = rig("tracker", "s3_tracker", "vehicle", **fob, fob_long_preamble=1).run(330)
    assert mean_ua(always, 60) == pytest.approx(29_130, rel=0.05)
    assert mean_ua(turns, 60) == pytest.approx(1_765, rel=0.05)
    radio = turns.parts["radio"]
    modulation = radio.settings.modulation()
    sender = radio._medium.attach("fob", lambda time_us: (30.0, 0.0), lambda reception: None)
    stranger = bytearray(15)
    beacon.encode_into(stranger, beacon.PLAIN, 1, 0, 12, 5, bytes(6))
    for _ in range(3):
        turns.run(0.7)
        radio._medium.transmit(sender, bytes(stranger), modulation, 14, modulation.airtime_us(15))
        turns.run(1)
        assert radio.mode == "receive in turns", "woken by the frame, it goes on"


def test_the_receiver_of_a_parked_vehicle_rests_as_soon_as_the_place_is_told(rig):
    """29-40 mA for three minutes before, for the first fix of a cold receiver now; then 20 uA of standby."""
    bike = rig("tracker", "s3_tracker", "vehicle").run(600)
    charge = bike.device.power.charge_uas()
    on_s = charge["gnss", "acquiring"] / 40_000 + charge["gnss", "tracking"] / 29_000
    assert 30 < on_s < 75
    assert charge["gnss", "standby"] / 20 > 500


def test_a_vehicle_tells_of_a_cut_supply(rig):
    bike = rig("tracker", "s3_tracker", "vehicle").run(60)
    bike.parts["supply"].cut()
    bike.run(15)
    assert "cut from its supply" in bike.parts["modem"].sent_sms[0][2]
