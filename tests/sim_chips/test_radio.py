"""The medium: airtime, range, capture, orthogonality, half duplex."""

import pytest
from groundnet.sim.modulation import Gfsk, Lora, noise_floor_dbm
from groundnet.sim.radio import Antenna, Medium, Reception, Turns
from groundnet.sim.world import World

SF9 = Lora(470_000_000, 9)

# SF, bandwidth in Hz, coding rate 4/x, preamble, payload, explicit header, CRC -> milliseconds. Origin: the
# first row RADIO.md and the TTN calculator; the others Semtech's "SX1261 LoRa Calculator" as quoted in
# micropython-lib's lora tests (MIT).
AIRTIME = [
    (9, 125_000, 5, 8, 12, True, True, 144.384),
    (12, 500_000, 5, 8, 1, True, True, 206.848),
    (12, 500_000, 5, 12, 64, True, True, 649.216),
    (12, 500_000, 5, 8, 192, True, True, 1476.608),
    (12, 500_000, 5, 12, 16, False, False, 280.576),
    (8, 125_000, 6, 8, 1, True, True, 53.760),
    (8, 125_000, 6, 8, 253, True, False, 827.904),
    (8, 125_000, 6, 12, 10, False, True, 86.528),
    (5, 500_000, 5, 2, 1, True, False, 1.360),
    (5, 500_000, 5, 12, 253, False, True, 34.000),
    (5, 125_000, 8, 12, 253, False, True, 213.568),
    (12, 7_810, 8, 128, 253, True, True, 287_532.907),
    (11, 10_420, 7, 25, 16, False, False, 11_448.752),
]


class Air:
    """Antennas on a line; what each received."""

    def __init__(self, exponent: float = 3.0, shadowing_db: float = 0.0):
        self.world = World(2)
        self.medium = Medium(self.world, exponent, shadowing_db)
        self.heard: dict[str, list[Reception]] = {}

    def add(self, name: str, east_m: float = 0, listening: Lora | Gfsk | None = SF9) -> Antenna:
        received = self.heard.setdefault(name, [])
        antenna = self.medium.attach(name, lambda now_us: (east_m, 0.0), received.append)
        if listening is not None:
            antenna.listen(listening, self.world.now_us, noise_figure_db=6)
        return antenna

    def send(self, antenna: Antenna, payload: bytes = b"payload", modulation: Lora | Gfsk = SF9):
        airtime_us = modulation.airtime_us(len(payload))
        return self.medium.transmit(antenna, payload, modulation, 14, airtime_us)


@pytest.mark.parametrize("sf, hz, rate, preamble, size, header, crc, expected_ms", AIRTIME)
def test_airtime(sf, hz, rate, preamble, size, header, crc, expected_ms):
    lora = Lora(470_000_000, sf, hz, rate, preamble, explicit_header=header, crc=crc)
    assert lora.airtime_us(size) / 1000 == pytest.approx(expected_ms, rel=1e-5)


def test_noise_floor_and_sensitivity():
    noise_dbm = noise_floor_dbm(125_000, 6)
    assert noise_dbm == pytest.approx(-117.0, abs=0.05)
    # Data sheet table 3-10, boosted gain: SF7 -124, SF10 -132 (typ. -134), SF12 -137 dBm
    for sf, typical_dbm in ((7, -124), (9, -129), (12, -137)):
        assert noise_dbm + Lora(470_000_000, sf).required_snr_db == pytest.approx(typical_dbm, abs=1)


def test_range_ends_where_the_link_budget_does():
    received = {}
    for distance_m in (1000, 2500, 4500, 12_000):
        air = Air(exponent=3.3)
        sender = air.add("tag")
        air.add("base", distance_m)
        for _ in range(20):
            air.send(sender)
            air.world.run_for(1_000_000)
        received[distance_m] = sum(reception.intact for reception in air.heard["base"])
    assert received[1000] == received[2500] == 20
    assert received[12_000] == 0


def test_loss_is_the_same_in_both_directions_and_repeats_with_the_seed():
    losses = []
    for _ in range(2):
        air = Air(shadowing_db=6)
        one, two = air.add("one"), air.add("two", 800)
        forth = air.medium.path_loss_db(one, two, 470_000_000)
        assert forth == air.medium.path_loss_db(two, one, 470_000_000)
        losses.append(forth)
    assert losses[0] == losses[1]


def test_equal_frames_destroy_each_other():
    air = Air()
    near, far = air.add("near"), air.add("far", 20)
    air.add("base", 10)
    air.send(near)
    air.world.run_for(60_000)
    air.send(far)
    air.world.run_for(1_000_000)
    (only,) = air.heard["base"]
    assert not only.intact and only.payload != b"payload"


def test_the_stronger_frame_captures_the_receiver():
    for first_near in (True, False):
        air = Air()
        near, far = air.add("near", listening=None), air.add("far", 300, listening=None)
        air.add("base", 30)
        air.send(near if first_near else far, b"one")
        air.world.run_for(4 * 4096)  # within the preamble
        air.send(far if first_near else near, b"two")
        air.world.run_for(1_000_000)
        (only,) = air.heard["base"]
        assert only.intact and only.payload == (b"one" if first_near else b"two")


def test_a_strong_frame_after_the_header_spoils_both():
    air = Air()
    near, far = air.add("near", listening=None), air.add("far", 300, listening=None)
    air.add("base", 30)
    air.send(far, b"far away" * 3)
    air.world.run_for(100_000)
    air.send(near, b"close by")
    air.world.run_for(1_000_000)
    (only,) = air.heard["base"]
    assert not only.intact and only.frame.payload == b"far away" * 3


def test_other_spreading_factors_and_channels_pass_each_other():
    air = Air()
    sf7, high = Lora(470_000_000, 7), Lora(470_400_000, 9)
    one, two, three = (air.add(name, listening=None) for name in ("one", "two", "three"))
    air.add("at sf9", 40)
    air.add("at sf7", 40, sf7)
    air.add("high", 40, high)
    air.send(one)
    air.send(two, b"fast", sf7)
    air.send(three, b"high", high)
    air.world.run_for(1_000_000)
    assert [air.heard[name][0].payload for name in ("at sf9", "at sf7", "high")] == [
        b"payload",
        b"fast",
        b"high",
    ]
    assert all(len(air.heard[name]) == 1 for name in ("at sf9", "at sf7", "high"))


def test_gfsk_is_not_lora():
    air = Air()
    gfsk = Gfsk(470_000_000, 50_000, 25_000, 117_300)
    sender = air.add("sender", listening=None)
    air.add("lora", 20)
    air.add("gfsk", 20, gfsk)
    air.send(sender, b"fsk", gfsk)
    air.world.run_for(1_000_000)
    assert air.heard["lora"] == [] and air.heard["gfsk"][0].payload == b"fsk"


def test_a_radio_that_turns_away_loses_the_frame():
    air = Air()
    sender, base = air.add("tag"), air.add("base", 40)
    air.send(sender)
    air.world.run_for(60_000)
    base.deafen()
    base.listen(SF9, air.world.now_us, 6)
    air.world.run_for(1_000_000)
    assert air.heard["base"] == []


def test_sniffer_and_attenuator():
    air = Air()
    sender = air.add("tag")
    air.add("base", 40)
    frames = []
    air.medium.sniff(frames.append)
    air.medium.set_loss("tag", "base", 160)
    air.send(sender)
    air.world.run_for(1_000_000)
    assert [(frame.sender.name, frame.payload) for frame in frames] == [("tag", b"payload")]
    assert air.heard["base"] == []
    air.medium.set_loss("tag", "base", None)
    air.send(sender)
    air.world.run_for(1_000_000)
    assert len(air.heard["base"]) == 1


def test_the_duty_cycled_receiver_needs_a_long_preamble():
    air = Air()
    long_preamble = Lora(470_000_000, 9, preamble_symbols=64)
    sender, base = air.add("tag", listening=None), air.add("base", 40, None)
    base.listen(SF9, 0, 6, Turns(50_000, 150_000))
    air.world.run_for(60_000)  # it has just gone to sleep
    air.send(sender)
    air.world.run_for(1_000_000)
    assert air.heard["base"] == []
    air.send(sender, modulation=long_preamble)
    air.world.run_for(1_000_000)
    assert len(air.heard["base"]) == 1
