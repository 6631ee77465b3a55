"""SX1262 model driven by its commands: what it does, and what it refuses."""

import pytest
from groundnet.sim.radio import Medium
from groundnet.sim.world import World
from sim_chips.sx1262_rig import Node

TX_DONE, RX_DONE, HEADER_ERROR, CRC_ERROR, TIMEOUT = 0x01, 0x02, 0x20, 0x40, 0x200
CAD_DONE, CAD_DETECTED = 0x80, 0x100


class Pair:
    """Two radios with 100 dB between them."""

    def __init__(self, loss_db: float = 100.0):
        self.world = World(3)
        self.medium = Medium(self.world)
        self.medium.set_loss("a", "b", loss_db)
        self.a = Node(self.world, self.medium, "a")
        self.b = Node(self.world, self.medium, "b")

    def begin(self) -> "Pair":
        self.a.begin()
        self.b.begin()
        return self

    def ms(self, duration_ms: float) -> None:
        self.world.run_for(int(duration_ms * 1000))

    def refusals(self) -> list[str]:
        return [reason for node in (self.a, self.b) for _, reason in node.chip.refusals]


def test_start_takes_3_5_ms_and_misses_the_tcxo():
    pair = Pair()
    assert pair.a.wait() == 3500
    assert pair.a.errors() == 0x3C, "crystal, PLL, ADC and image: no TCXO supply yet"
    crystal = Node(pair.world, pair.medium, "c", tcxo_mv=0)
    assert crystal.errors() == 0


def test_bring_up_clears_the_errors_and_refuses_nothing():
    pair = Pair().begin()
    assert pair.a.errors() == 0
    assert pair.refusals() == []
    assert pair.a.do("c0", read=1)[0] >> 4 == 2, "standby on the RC oscillator"


def test_a_packet_crosses():
    pair = Pair().begin()
    pair.b.receive()
    pair.a.send(b"twelve bytes")
    pair.a.wait()
    started_us = pair.world.now_us
    while not pair.a.dio1.level:
        pair.world.step()
    assert pair.world.now_us - started_us == 144_384
    assert pair.a.irq() == TX_DONE and pair.b.irq() & ~0x1C == RX_DONE
    assert pair.b.packet_read() == b"twelve bytes"
    rssi, snr, signal = pair.b.do("14", read=4)[1:]
    assert -rssi / 2 == pytest.approx(14 - 100, abs=0.5) and -signal / 2 == pytest.approx(-86, abs=0.5)
    assert snr == 14 * 4
    assert pair.refusals() == []


def test_packets_of_one_reception_lie_one_behind_the_other():
    pair = Pair().begin()
    pair.b.receive()
    for payload in (b"first", b"second one"):
        pair.a.send(payload)
        pair.ms(300)
    assert pair.b.do("13", read=3)[1:] == bytes((10, 5))
    assert pair.b.packet_read() == b"second one"
    pair.b.receive()
    pair.a.send(b"third")
    pair.ms(300)
    assert pair.b.do("13", read=3)[1:] == bytes((5, 0))


def test_rx_timeout_in_steps_of_15_625_us():
    pair = Pair().begin()
    pair.b.receive(64_000)  # one second
    pair.ms(999)
    assert pair.b.dio1.level == 0
    pair.ms(2)
    assert pair.b.irq() == TIMEOUT
    assert pair.b.do("c0", read=1)[0] >> 4 == 2


def test_the_timer_stops_at_the_header():
    pair = Pair().begin()
    pair.b.receive(100 * 64)
    pair.a.send(bytes(24))
    pair.ms(300)
    assert pair.b.irq() & RX_DONE, "the frame ends 200 ms after the timeout would have struck"
    assert not pair.b.irq() & TIMEOUT


def test_a_receiver_that_starts_after_the_preamble_hears_nothing():
    pair = Pair().begin()
    pair.a.send(bytes(24))
    pair.a.wait()
    pair.ms(60)
    pair.b.receive()
    pair.ms(400)
    assert pair.b.irq() == 0


def test_single_reception_falls_back_to_standby():
    pair = Pair().begin()
    pair.b.receive(0)
    pair.a.send(b"one")
    pair.ms(300)
    assert pair.b.irq() & RX_DONE
    assert pair.b.do("c0", read=1)[0] >> 4 == 2


def test_transmit_timeout_cuts_the_frame_off():
    pair = Pair().begin()
    pair.b.receive()
    pair.a.packet(24)
    pair.a.do("0e00", bytes(24))
    pair.a.do("83000640")  # 25 ms
    pair.ms(400)
    assert pair.a.irq() == TIMEOUT
    assert not pair.b.irq() & RX_DONE or pair.b.irq() & CRC_ERROR


def test_weak_frames_end_as_crc_errors_then_as_nothing():
    counts = {}
    for loss_db in (140.0, 144.5, 150.0):
        pair = Pair(loss_db).begin()
        pair.b.do("0d08ac96")
        pair.b.receive()
        for _ in range(30):
            pair.a.send(b"weak")
            pair.ms(300)
        counts[loss_db] = tuple(
            int.from_bytes(pair.b.do("10", read=7)[1 + i : 3 + i], "big") for i in (0, 2, 4)
        )
    assert counts[140.0][0] == 30 and counts[140.0][1] == 0
    assert counts[144.5][1] > 5, "around the sensitivity many CRC errors"
    assert counts[150.0] == (0, 0, 0)


def test_without_crc_a_damaged_packet_looks_fine():
    pair = Pair(142.5).begin()
    pair.b.receive()
    damaged = 0
    for _ in range(40):
        pair.a.packet(20, crc=0)
        pair.a.do("0e00", bytes(20))
        pair.a.do("83000000")
        pair.ms(300)
        if pair.b.irq() & RX_DONE and not pair.b.irq() & CRC_ERROR:
            damaged += pair.b.packet_read() != bytes(20)
        pair.b.do("02ffff")
    assert damaged > 0


def test_cad_hears_a_frame_and_silence():
    pair = Pair().begin()
    pair.b.do("8802160a00000000")
    pair.b.do("c5")
    pair.ms(40)
    assert pair.b.irq() == CAD_DONE
    pair.b.do("02ffff")
    pair.a.send(bytes(24))
    pair.ms(20)
    pair.b.do("c5")
    pair.ms(40)
    assert pair.b.irq() == CAD_DONE | CAD_DETECTED


def test_instant_rssi_shows_the_channel():
    pair = Pair().begin()
    pair.b.receive()
    quiet = -pair.b.do("15", read=2)[1] / 2
    pair.a.send(bytes(24))
    pair.ms(50)
    loud = -pair.b.do("15", read=2)[1] / 2
    assert quiet == pytest.approx(-115, abs=1) and loud == pytest.approx(-86, abs=0.5)


def test_inverted_iq_needs_errata_15_4():
    pair = Pair().begin()
    for node in (pair.a, pair.b):
        node.packet(255, inverted=1)
    for fixed in (False, True):
        if fixed:
            for node in (pair.a, pair.b):
                node.do("0d073609")
        pair.b.do("82ffffff")
        pair.a.packet(4, inverted=1)
        pair.a.do("0e00", b"iqiq")
        pair.a.do("83000000")
        pair.ms(300)
        assert bool(pair.b.irq() & CRC_ERROR) == (not fixed)
        pair.b.do("02ffff")


def test_warm_sleep_keeps_settings_but_not_gain_nor_buffer():
    pair = Pair().begin()
    pair.a.do("0d08ac96")
    pair.a.do("0e00", b"buffered")
    pair.a.do("8404")
    pair.ms(1)
    assert pair.a.busy.level == 1, "asleep"
    pair.a.raw("c000")
    assert pair.a.wait() == 340
    assert pair.a.do("1d074000", read=1) == b"\x14"
    assert pair.a.do("1d08ac00", read=1) == b"\x94"
    assert pair.a.do("1e0000", read=4) == bytes(4)
    pair.a.do("0d029f0108ac")
    pair.a.do("0d08ac96")
    pair.a.do("8404")
    pair.ms(1)
    pair.a.raw("c000")
    assert pair.a.do("1d08ac00", read=1) == b"\x96", "on the retention list"
    pair.b.receive()
    pair.a.send(b"after sleep")
    pair.ms(300)
    assert pair.b.packet_read() == b"after sleep"
    assert pair.refusals() == []


def test_cold_sleep_forgets_everything():
    pair = Pair().begin()
    pair.a.do("8400")
    pair.ms(1)
    pair.a.raw("c000")
    assert pair.a.wait() == 3500
    pair.a.do("83000000")
    assert pair.refusals() == ["SetTx: no frequency"]


@pytest.mark.parametrize(
    "command, reason",
    [
        ("99", "unknown opcode 0x99"),
        ("8301", "SetTx with 1 argument bytes"),
        ("8b0d040100", "SetModulationParams: modulation 0d040100 for packet type 1"),
        ("8e1704", "SetTxParams: transmit parameters 1704"),
        ("9504070101", "SetPaConfig: amplifier settings 04070101"),
        ("8600000001", "SetRfFrequency: 1 Hz"),
    ],
)
def test_refuses_nonsense(command, reason):
    pair = Pair().begin()
    pair.a.do(command)
    assert pair.refusals() == [reason]
    assert pair.a.do("c0", read=1)[0] >> 1 & 7 == 5, "command failed to execute"


def test_refuses_what_the_mode_forbids():
    pair = Pair().begin()
    pair.a.receive()
    for command in ("8404", "897f", "8b09040100", "861d600000"):
        pair.a.do(command)
    assert pair.refusals() == [
        "SetSleep in receive",
        "Calibrate in receive",
        "SetModulationParams in receive",
        "SetRfFrequency in receive",
    ]


def test_refuses_a_command_while_busy():
    pair = Pair().begin()
    pair.a.wait()
    pair.a.raw("897f")
    pair.a.raw("8e0004")
    assert pair.refusals() == ["command while busy"]


def test_refuses_to_run_without_tcxo_or_calibration():
    pair = Pair()
    pair.a.do("8a01")
    pair.a.do("861d600000")
    pair.a.lora(9)
    pair.a.do("82ffffff")
    assert pair.refusals() == ["SetRx: no crystal"]
    pair.a.do("9702000140")
    pair.a.do("070000")
    pair.a.do("82ffffff")
    assert pair.refusals()[1:] == ["SetRx: PLL not calibrated"]
    assert pair.a.errors() == 0x40
    pair.a.do("897f")
    pair.a.do("82ffffff")
    assert len(pair.refusals()) == 2


def test_a_short_tcxo_delay_does_not_start_the_crystal():
    pair = Pair()
    pair.a.do("9702000010")  # 250 us
    pair.a.do("070000")
    pair.a.do("897f")
    assert pair.a.errors() & 0x20


def test_a_forgotten_antenna_switch_costs_40_db():
    pair = Pair(100).begin()
    pair.a.do("9d00")
    pair.b.receive()
    pair.a.send(b"faint")
    pair.ms(300)
    assert -pair.b.do("14", read=4)[3] / 2 == pytest.approx(-126, abs=0.5)


def test_reset_pulse():
    pair = Pair().begin()
    pair.a.wait()
    pair.a.reset.drive(0)
    pair.ms(0.05)
    pair.a.reset.drive(1)
    assert pair.refusals() == ["reset pulse under 100 us"]
    pair.a.reset.drive(0)
    pair.ms(1)
    pair.a.reset.drive(1)
    assert pair.a.wait() == 3500
    assert pair.a.do("11", read=2)[1] == 0, "GFSK again"


def test_gfsk_packet():
    pair = Pair().begin()
    for node in (pair.a, pair.b):
        node.do("8a00")
        node.do("8b", bytes.fromhex("005000000b006666"))  # 50 kbit/s, 117.3 kHz, 25 kHz deviation
        node.do("8c", bytes.fromhex("002005200001ff0201"))
        node.do("08ffffffff00000000")
    pair.b.do("82ffffff")
    pair.b.wait()
    pair.a.do("8c", bytes.fromhex("0020052000011e0201"))
    pair.a.do("0e00", bytes(range(30)))
    pair.a.do("83000000")
    pair.a.wait()
    started_us = pair.world.now_us
    while not pair.a.dio1.level:
        pair.world.step()
    assert pair.world.now_us - started_us == (4 + 4 + 1 + 30 + 2) * 8 * 20
    assert pair.b.packet_read() == bytes(range(30))
    assert pair.refusals() == []


def test_currents_of_the_states():
    pair = Pair().begin()
    pair.a.wait()
    pair.a.do("8404")
    pair.ms(1000)
    charge = pair.a.power.charge_uas()
    assert charge["radio", "sleep"] == pytest.approx(0.6, rel=0.01)
    pair.a.raw("c000")
    pair.a.send(b"twelve bytes")
    pair.ms(300)
    airtime_s = 0.144384 + 0.0002 + 0.005126
    assert pair.a.power.charge_uas()["radio", "transmit +14 dBm"] == pytest.approx(
        45_000 * airtime_s, rel=0.01
    )
    pair.b.receive()
    before = pair.b.power.charge_uas()["radio", "receive"]
    pair.ms(1000)
    assert pair.b.power.charge_uas()["radio", "receive"] - before == pytest.approx(4600)


def test_a_listening_radio_costs_no_events():
    pair = Pair().begin()
    pair.a.wait()
    pair.b.receive()
    assert pair.world.next_event_us() is None
