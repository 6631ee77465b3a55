"""The medium: airtime, range, capture, orthogonality, half duplex."""

import math

import pytest
from groundnet.sim.antenna import Antenna, Reception, Turns
from groundnet.sim.modulation import Gfsk, Lora, noise_floor_dbm
from groundnet.sim.radio import Medium
from groundnet.sim.radio_noise import NoiseRain, Weather
from groundnet.sim.world import World
from hypothesis import given
from hypothesis import strategies as st

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


# --- GFSK and noise

FIFTY_KBIT = Gfsk(868_500_000, 50_000, 25_000, 117_300, sync_word=b"four")


@given(st.integers(600, 300_000), st.integers(0, 255), st.integers(16, 500), st.integers(1, 8))
def test_gfsk_airtime_is_its_bits(bitrate_bps, size, preamble_bits, sync_bytes):
    gfsk = Gfsk(868_500_000, bitrate_bps, 25_000, 467_000, preamble_bits, bytes(sync_bytes))
    bits = preamble_bits + 8 * (sync_bytes + 1 + size + 2)
    assert gfsk.airtime_us(size) == pytest.approx(bits / bitrate_bps * 1e6, abs=1)


@given(
    st.integers(5, 12),
    st.sampled_from([62_500, 125_000, 250_000, 500_000]),
    st.integers(5, 8),
    st.integers(6, 500),
    st.integers(1, 255),
    st.booleans(),
    st.booleans(),
)
def test_lora_airtime_is_that_of_the_data_sheet(sf, hz, rate, preamble, size, header, crc):
    """6.1.4, written down from its text: the number of symbols for SF5, SF6, for SF7 and up, and with optimisation."""
    slow = 2**sf / hz >= 0.016
    more = 6.25 if sf < 7 else 4.25
    numerator = 8 * size + (16 if crc else 0) - 4 * sf + (8 if sf >= 7 else 0) + (20 if header else 0)
    blocks = math.ceil(max(numerator, 0) / (4 * (sf - 2) if slow else 4 * sf))
    seconds = (preamble + more + 8 + blocks * rate) * 2**sf / hz
    lora = Lora(470_000_000, sf, hz, rate, preamble, explicit_header=header, crc=crc)
    assert lora.airtime_us(size) == pytest.approx(seconds * 1e6, abs=1)


@pytest.mark.parametrize(
    "bitrate_bps, deviation_hz, bandwidth_hz, typical_dbm",
    [
        (600, 800, 4_800, -125),
        (1200, 5000, 19_500, -123),
        (4800, 5000, 19_500, -118),
        (38_400, 40_000, 156_200, -109),
    ],
)
def test_gfsk_sensitivity_is_near_table_3_8(bitrate_bps, deviation_hz, bandwidth_hz, typical_dbm):
    gfsk = Gfsk(868_500_000, bitrate_bps, deviation_hz, bandwidth_hz)
    assert noise_floor_dbm(bandwidth_hz, 6) + gfsk.required_snr_db == pytest.approx(typical_dbm, abs=1.1)


def test_gfsk_frames_of_two_collide_and_the_much_stronger_one_captures():
    for far_m, expected in ((12, [False]), (100, [True])):
        air = Air()
        near, far = air.add("near", 10, None), air.add("far", -far_m, None)
        air.add("base", 0, FIFTY_KBIT)
        air.send(near, b"near", FIFTY_KBIT)
        air.world.run_for(1_400)  # behind the sync word
        air.send(far, b"far!", FIFTY_KBIT)
        air.world.run_for(1_000_000)
        assert [reception.intact for reception in air.heard["base"]] == expected


def rainy(seed: int, bursts_per_s: float) -> tuple[list[bool], int]:
    """(which of 100 frames arrived, bursts fallen) through a rain of noise."""
    world = World(seed)
    medium = Medium(world, shadowing_db=0)
    received: list[bool] = []
    sender = medium.attach("tag", lambda now_us: (0.0, 0.0), lambda reception: None)
    base = medium.attach(
        "base", lambda now_us: (200.0, 0.0), lambda reception: received.append(reception.intact)
    )
    base.listen(FIFTY_KBIT, 0, 6)
    weather = Weather(
        max(bursts_per_s, 0.001), 20_000, 868_300_000, 868_700_000, 200_000, (0, 14), (250.0, 0.0)
    )
    rain = NoiseRain(medium, weather)
    if bursts_per_s:
        rain.start()
    for _ in range(100):
        medium.transmit(sender, bytes(24), FIFTY_KBIT, 14, FIFTY_KBIT.airtime_us(24))
        world.run_for(50_000)
    rain.stop()
    return received, rain.count


def test_a_rain_of_noise_spoils_some_frames_and_repeats_with_its_seed():
    dry, no_bursts = rainy(1, 0)
    assert dry == [True] * 100 and no_bursts == 0
    wet, bursts = rainy(1, 20)
    assert 20 < sum(wet) < 95 and 50 < bursts < 150
    assert rainy(1, 20) == (wet, bursts)
    assert rainy(2, 20) != (wet, bursts)
    assert sum(rainy(1, 60)[0]) < sum(wet)


def test_noise_beside_the_channel_disturbs_nobody():
    air = Air()
    sender, base = air.add("tag", listening=None), air.add("base", 40)
    storm = NoiseRain(air.medium, Weather(200.0, 40_000, 471_000_000, 472_000_000, 200_000, (14.0, 14.0)))
    storm.start()
    for _ in range(5):
        air.send(sender)
        air.world.run_for(500_000)
    assert [reception.intact for reception in air.heard["base"]] == [True] * 5
    assert air.medium.channel_dbm(base, SF9, 6) == pytest.approx(noise_floor_dbm(125_000, 6))
