"""SX1262 model: GFSK, receiving in turns, level of the channel, and the errata of section 15."""

import pytest
from groundnet.sim.radio import Medium
from groundnet.sim.radio_noise import NoiseRain, Weather
from groundnet.sim.world import World
from sim_chips.sx1262_rig import Node

TX_DONE, RX_DONE, PREAMBLE, SYNC, CRC_ERROR, TIMEOUT = 0x01, 0x02, 0x04, 0x08, 0x40, 0x200
FIFTY_KBIT = "00500009" + "0b" + "006666"  # 32 x 32 MHz / 20480, BT 0.5, 117.3 kHz, 25 kHz
WHITENED = 1


class Pair:
    """Two radios with so much loss between them, begun as GFSK at 470 MHz."""

    def __init__(self, loss_db: float = 100.0, modulation: str = FIFTY_KBIT):
        self.world = World(3)
        self.medium = Medium(self.world)
        self.medium.set_loss("a", "b", loss_db)
        self.a = Node(self.world, self.medium, "a").begin()
        self.b = Node(self.world, self.medium, "b").begin()
        for node in (self.a, self.b):
            node.do("8a00")
            node.do("8b" + modulation)
            packet(node)
            node.do("08ffffffff00000000")

    def ms(self, duration_ms: float) -> None:
        self.world.run_for(int(duration_ms * 1000))

    def send(self, payload: bytes, **options: int) -> None:
        packet(self.a, len(payload), **options)
        self.a.do("0e00", payload)
        self.a.do("83000000")
        self.ms(len(payload) + 40)

    def refusals(self) -> list[str]:
        return [reason for node in (self.a, self.b) for _, reason in node.chip.refusals]


def packet(node: Node, length: int = 255, crc: int = 6, whitening: int = WHITENED, variable: int = 1) -> None:
    node.do("8c", bytes((0, 32, 5, 32, 0, variable, length, crc, whitening)))


def listen(node: Node, timeout: int = 0xFFFFFF) -> None:
    packet(node)
    node.do("02ffff")
    node.do("82", timeout.to_bytes(3, "big"))
    node.wait()


def test_interrupts_and_status_of_a_gfsk_packet():
    pair = Pair()
    listen(pair.b)
    pair.send(b"good")
    assert pair.b.irq() == RX_DONE | PREAMBLE | SYNC, "no header interrupt in GFSK (table 13-29)"
    status, at_sync, average = pair.b.do("14", read=4)[1:]
    assert status == 0x02 and -average / 2 == pytest.approx(14 - 100, abs=0.5) and at_sync == average
    assert pair.refusals() == []


@pytest.mark.parametrize("options", [{"whitening": 0}, {"crc": 1}, {"variable": 0}])
def test_a_packet_of_another_format_fails_its_crc(options):
    pair = Pair()
    listen(pair.b)
    pair.send(b"other", **options)
    assert pair.b.irq() & CRC_ERROR
    assert pair.b.do("14", read=4)[1] == 0x12


def test_a_packet_longer_than_allowed_is_dropped_with_a_length_error():
    pair = Pair()
    listen(pair.b)
    packet_before = pair.b.irq()
    pair.b.do("8000")
    packet(pair.b, 8)
    pair.b.do("82ffffff")
    pair.send(bytes(9))
    assert packet_before == 0 and not pair.b.irq() & RX_DONE
    assert pair.b.do("14", read=4)[1] == 0x08


def test_the_timer_stops_at_the_sync_word():
    pair = Pair()
    listen(pair.b, 64 * 20)  # 20 ms: strikes in the middle of a packet of 33 ms
    pair.ms(8)
    pair.send(bytes(200))
    assert pair.b.irq() & RX_DONE and not pair.b.irq() & TIMEOUT


@pytest.mark.parametrize(
    "modulation, name",
    [
        ("00500009" + "0c" + "006666", "a filter of 58.6 kHz is too narrow"),
        ("00a00009" + "0b" + "006666", "half the bit rate"),
        ("00500009" + "0b" + "001999", "a quarter of the deviation"),
    ],
)
def test_a_receiver_set_otherwise_hears_nothing(modulation, name):
    pair = Pair()
    pair.b.do("8b" + modulation)
    listen(pair.b)
    pair.send(b"unheard")
    assert pair.b.irq() == 0, name


def test_sensitivity_is_that_of_table_3_8():
    """38.4 kbit/s, 40 kHz deviation, 156.2 kHz filter, boosted: -109 dBm."""
    received = {}
    for level_dbm in (-106, -109.5, -113):
        pair = Pair(14 - level_dbm, "00682a09" + "1a" + "00a3d7")
        pair.b.do("0d08ac96")
        listen(pair.b)
        for _ in range(40):
            pair.send(bytes(8))
        received[level_dbm] = int.from_bytes(pair.b.do("10", read=7)[1:3], "big") - int.from_bytes(
            pair.b.do("10", read=7)[3:5], "big"
        )
    assert received[-106] == 40 and received[-113] == 0 and 10 < received[-109.5] < 40


def test_nothing_is_sent_or_heard_before_a_packet_type_is_told():
    world = World(3)
    node = Node(world, Medium(world), "a", tcxo_mv=0)
    node.do("861d600000")
    node.do("8b" + FIFTY_KBIT)
    packet(node)
    node.do("82ffffff")
    assert [reason for _, reason in node.chip.refusals] == ["SetRx: no packet type"]
    assert node.do("c0", read=1)[0] >> 1 & 7 == 5, "command failed to execute"


# --- the level of the channel


def test_instant_rssi_shows_interferers_and_their_absence():
    pair = Pair()
    rain = NoiseRain(pair.medium, Weather(50.0, 20_000, 469_950_000, 470_050_000, 100_000, (14.0, 14.0)))
    pair.medium.set_loss("noise", "b", 100)
    listen(pair.b)
    quiet = [-pair.b.do("15", read=2)[1] / 2 for _ in range(40)]
    assert max(quiet) < -112 and 0 < max(quiet) - min(quiet) < 5
    rain.start()
    readings = []
    for _ in range(300):
        pair.ms(3)
        readings.append(-pair.b.do("15", read=2)[1] / 2)
    assert max(readings) > -92 and min(readings) < -112
    rain.stop()
    pair.ms(100)
    assert max(-pair.b.do("15", read=2)[1] / 2 for _ in range(20)) < -112


def test_a_band_without_its_image_calibration_hears_less():
    counts = []
    for band in ("7581", "e1e9"):
        pair = Pair(14 + 106)
        pair.b.do("98" + band)
        listen(pair.b)
        for _ in range(20):
            pair.send(bytes(8))
        counts.append(int.from_bytes(pair.b.do("10", read=7)[1:3], "big"))
    assert counts == [20, 0]


# --- receiving in turns (13.1.7), LoRa SF9


class Turns:
    """A sender with a preamble of so many symbols, and a receiver that listens 90 ms and sleeps 130."""

    def __init__(self, preamble: int = 64, listen_ms: int = 90, sleep_ms: int = 130):
        self.world = World(3)
        self.medium = Medium(self.world)
        self.medium.set_loss("a", "b", 100.0)
        self.a = Node(self.world, self.medium, "a").begin()
        self.b = Node(self.world, self.medium, "b").begin()
        self.a.do("8c", bytes((0, preamble, 0, 4, 1, 0)))
        self.periods = (listen_ms * 64).to_bytes(3, "big") + (sleep_ms * 64).to_bytes(3, "big")

    def watch(self) -> None:
        self.b.do("02ffff")
        self.b.do("94", self.periods)

    def send_after(self, delay_ms: int) -> int:
        self.world.run_for(delay_ms * 1000)
        self.a.do("0e00", b"wake")
        self.a.do("83000000")
        self.world.run_for(700_000)
        return self.b.chip.irq


def test_long_preambles_are_caught_in_any_turn_and_end_the_loop():
    turns = Turns()
    for delay_ms in range(0, 220, 11):
        turns.watch()
        assert turns.send_after(delay_ms) & RX_DONE, delay_ms
        assert turns.b.busy.level == 0 and turns.b.packet_read() == b"wake"
        assert turns.b.do("c0", read=1)[0] >> 4 == 2, "standby RC"
        turns.b.do("0d090200")
    assert turns.b.chip.refusals == []


def test_short_preambles_are_missed_while_it_sleeps():
    turns = Turns(preamble=8)
    caught = []
    for delay_ms in range(0, 220, 11):
        turns.watch()
        caught.append(bool(turns.send_after(delay_ms) & RX_DONE))
        turns.b.raw("00")
        turns.b.do("8000")
    assert 0 < sum(caught) < len(caught)


def test_a_turn_too_short_for_preamble_and_header_loses_the_frame():
    turns = Turns(listen_ms=40, sleep_ms=40)  # 2 x 40 + 40 ms; preamble and header are 310 ms
    turns.watch()
    assert not turns.send_after(0) & RX_DONE


def test_while_it_takes_turns_it_must_be_woken_first():
    turns = Turns()
    turns.watch()
    turns.world.run_for(500_000)
    assert turns.b.busy.level == 1
    turns.b.raw("8000")  # the falling edge wakes it, the command is lost
    assert turns.b.wait() == 340 and turns.b.chip.mode == "receive"
    turns.b.do("8000")
    assert turns.b.chip.mode == "standby" and turns.b.chip.refusals == []


def test_only_standby_rc_can_begin_a_loop():
    turns = Turns()
    turns.b.do("8001")
    turns.b.do("94", turns.periods)
    assert [reason for _, reason in turns.b.chip.refusals] == ["SetRxDutyCycle in standby xosc"]


@pytest.mark.parametrize("stopped", [False, True])
def test_the_timer_of_a_loop_ends_a_later_reception_unless_it_is_stopped(stopped):
    turns = Turns()
    turns.watch()
    turns.a.do("0e00", b"wake")
    turns.a.do("83000000")
    for _ in range(600):
        turns.world.run_for(1_000)
        if turns.b.chip.irq & RX_DONE:
            break
    if stopped:
        turns.b.do("0d090200")  # 15.3
    turns.b.receive()
    turns.world.run_for(1_000_000)
    assert bool(turns.b.irq() & TIMEOUT) != stopped


def test_turns_draw_the_mean_of_listening_and_sleeping():
    turns = Turns()
    turns.watch()
    turns.world.run_for(20_000_000)
    mean_ua = turns.b.power.charge_uas()["radio", "receive in turns"] / 20
    assert mean_ua == pytest.approx(4_600 * 90 / (220 + 0.34 + 5), rel=0.02)


# --- errata and limits


def test_bad_modulation_quality_is_noted():
    pair = Pair()
    pair.a.do("0d088901")
    pair.send(b"x")
    assert pair.refusals() == ["SetTx: modulation quality, see 15.1"]


@pytest.mark.parametrize("clamp, lost_db", [("c8", 6), ("de", 0)])
def test_a_mismatched_antenna_costs_power_without_errata_15_2(clamp, lost_db):
    pair = Pair()
    pair.a.chip.mismatch_db = 6
    pair.a.do("0d08d8" + clamp)
    sent = []
    pair.medium.sniff(sent.append)
    pair.send(b"x")
    assert sent[0].power_dbm == 14 - lost_db


def test_the_over_current_limit_cuts_the_power_and_setpaconfig_resets_it():
    pair = Pair()
    pair.a.do("9504070001")
    assert pair.a.chip.settings.output_dbm == 22
    pair.a.do("0d08e718")  # 60 mA
    assert 17 < pair.a.chip.settings.output_dbm < 18
    pair.a.do("9504070001")
    assert pair.a.chip.settings.output_dbm == 22
