"""The radio driver against the command-level model, which refuses and lists what silicon would refuse."""

from types import SimpleNamespace

import pytest
from groundnet.sim.chips.sx1262 import Sx1262 as Chip
from groundnet.sim.radio import Medium
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GFSK = {"frequency_hz": 868_500_000, "bitrate_bps": 50_000, "deviation_hz": 25_000, "bandwidth_hz": 117_300}
CHANNEL = {"frequency_hz": 868_300_000, "spreading_factor": 9, "bandwidth_hz": 125_000, "power_dbm": 14}


def make_radio(bench, medium, name, east_m, tcxo_mv=1800, first_gpio=0):
    """A chip on its own bus and the driver on it; ``pins`` are busy, dio1, reset, cs."""
    busy, dio1, reset, cs = range(first_gpio, first_gpio + 4)
    io = bench.io
    io.line(cs).drive(1)
    io.line(reset).drive(1)
    chip = Chip(
        bench.world,
        name,
        medium,
        lambda time_us: (east_m, 0.0),
        io.line(busy),
        io.line(dio1),
        io.line(reset),
        bench.power,
        tcxo_mv=1800,
        part=name,
    )
    io.spi(first_gpio).attach(io.line(cs), chip)
    for module in ("sx1262_port", "sx1262_cad", "sx1262_gfsk"):
        bench.driver(module)  # puts the world's clock into them
    driver = bench.driver("sx1262").Sx1262(
        bench.spi(first_gpio),
        bench.pin(cs, 1),
        bench.pin(busy),
        bench.pin(dio1),
        bench.pin(reset, 1),
        tcxo_mv=tcxo_mv,
    )
    return SimpleNamespace(chip=chip, driver=driver, name=name)


@pytest.fixture
def medium(bench):
    return Medium(bench.world)


@pytest.fixture
def pair(bench, medium):
    """A tag and a base 300 m apart, begun and tuned."""
    radios = [
        make_radio(bench, medium, "tag", 0.0, first_gpio=10),
        make_radio(bench, medium, "base", 300.0, first_gpio=20),
    ]
    for radio in radios:
        radio.driver.begin()
        radio.driver.configure(**CHANNEL)
    yield radios
    for radio in radios:
        assert radio.chip.refusals == [], f"{radio.name} did what the silicon refuses"


def wait_for(bench, radio, limit_s=5.0):
    """Poll until something happens."""
    deadline_us = bench.world.now_us + int(limit_s * 1e6)
    while bench.world.now_us < deadline_us:
        what = radio.driver.poll()
        if what:
            return what
        bench.clock.sleep_ms(1)
    return 0


def test_beacon_arrives_with_its_signal_figures(bench, pair):
    tag, base = pair
    sx1262 = bench.driver("sx1262")
    base.driver.receive()
    tag.driver.send(b"twenty-four byte beacon!")
    assert wait_for(bench, tag) == sx1262.SENT
    assert wait_for(bench, base) == sx1262.RECEIVED
    into = bytearray(255)
    assert base.driver.read_into(into) == 24
    assert bytes(into[:24]) == b"twenty-four byte beacon!"
    assert -130 < base.driver.rssi_dbm < -30
    assert base.driver.snr_quarter_db > -80


def test_receiving_goes_on_after_a_frame_and_the_answer_comes_back(bench, pair):
    tag, base = pair
    sx1262 = bench.driver("sx1262")
    base.driver.receive()
    into = bytearray(255)
    for number in range(3):
        tag.driver.send(b"beacon %d" % number)
        assert wait_for(bench, tag) == sx1262.SENT
        tag.driver.receive(260)
        assert wait_for(bench, base) == sx1262.RECEIVED
        assert bytes(into[: base.driver.read_into(into)]) == b"beacon %d" % number
        base.driver.send(b"order %d" % number)
        assert wait_for(bench, base) == sx1262.SENT
        base.driver.receive()
        assert wait_for(bench, tag) == sx1262.RECEIVED
        assert bytes(into[: tag.driver.read_into(into)]) == b"order %d" % number


def test_what_was_told_once_is_not_told_again(bench, pair):
    tag, base = pair
    sx1262 = bench.driver("sx1262")
    base.driver.receive()
    tag.driver.send(b"once")
    assert wait_for(bench, tag) == sx1262.SENT
    assert wait_for(bench, base) == sx1262.RECEIVED
    assert tag.driver.poll() == base.driver.poll() == sx1262.NOTHING


def test_window_closes_on_time_when_nobody_answers(bench, pair):
    tag, _ = pair
    tag.driver.receive(200)
    began_us = bench.world.now_us
    assert wait_for(bench, tag) == bench.driver("sx1262").RX_TIMEOUT
    assert bench.world.now_us - began_us == pytest.approx(205_000, abs=6_000)


def test_frame_with_a_bad_crc_is_counted_and_never_handed_out(bench, medium, pair):
    tag, base = pair
    sx1262 = bench.driver("sx1262")
    answers = []
    for loss_tenth_db in range(1380, 1460):
        medium.set_loss("tag", "base", loss_tenth_db / 10)
        base.driver.receive(1500)
        tag.driver.send(bytes(range(200, 224)))
        assert wait_for(bench, tag) == sx1262.SENT
        answers.append(wait_for(bench, base))
        into = bytearray(255)
        if answers[-1] == sx1262.RECEIVED:
            assert bytes(into[: base.driver.read_into(into)]) == bytes(range(200, 224))
    assert {sx1262.RECEIVED, sx1262.RX_CORRUPT, sx1262.RX_TIMEOUT} == set(answers)
    assert base.driver.corrupt_count == answers.count(sx1262.RX_CORRUPT)


def test_warm_sleep_keeps_the_set_up_and_draws_almost_nothing(bench, pair):
    tag, base = pair
    sx1262 = bench.driver("sx1262")
    tag.driver.sleep()
    bench.seconds(1)
    assert tag.chip.mode == "sleep"
    base.driver.receive()
    tag.driver.begin(warm=True)
    tag.driver.configure(**CHANNEL)
    tag.driver.send(b"awake again")
    assert wait_for(bench, tag) == sx1262.SENT
    assert wait_for(bench, base) == sx1262.RECEIVED


def test_a_warm_start_is_much_shorter_than_a_cold_one(bench, pair):
    """What sleep retained need not be set up again: the wake-up of every beacon."""
    tag, _ = pair
    took_us = {}
    for retain in (True, False):
        tag.driver.sleep(retain)
        bench.seconds(1)
        began_us = bench.world.now_us
        tag.driver.begin(warm=True)
        took_us[retain] = bench.world.now_us - began_us
    assert 3 * took_us[True] < took_us[False]


def test_chip_that_lost_power_in_its_sleep_is_set_up_afresh(bench, pair):
    tag, base = pair
    sx1262 = bench.driver("sx1262")
    tag.driver.sleep()
    bench.seconds(1)
    tag.chip._cold_start()  # what a brown-out of the radio alone does
    bench.seconds(1)
    tag.driver.begin(warm=True)
    tag.driver.configure(**CHANNEL)
    base.driver.receive()
    tag.driver.send(b"still here")
    assert wait_for(bench, tag) == sx1262.SENT
    assert wait_for(bench, base) == sx1262.RECEIVED


def test_listen_before_talk_hears_a_neighbour(bench, pair):
    tag, base = pair
    cad = bench.driver("sx1262_cad")
    assert cad.channel_busy(base.driver) is False
    tag.driver.send(bytes(60))
    bench.clock.sleep_ms(20)
    assert cad.channel_busy(base.driver) is True
    wait_for(bench, tag)


def test_wrong_tcxo_voltage_is_told_not_ignored(bench, medium):
    radio = make_radio(bench, medium, "tag", 0.0, tcxo_mv=1600, first_gpio=10)
    with pytest.raises(bench.driver("sx1262").Sx1262Error, match="calibration"):
        radio.driver.begin()


def test_missing_and_stuck_chips_are_named(bench):
    bench.driver("sx1262_port")
    sx1262 = bench.driver("sx1262")
    pins = [bench.pin(30, 1), bench.pin(31), bench.pin(32), bench.pin(33, 1)]
    with pytest.raises(sx1262.Sx1262Error, match="no answer"):
        sx1262.Sx1262(bench.spi(3), *pins).begin()
    bench.io.line(31).drive(1)
    began_us = bench.world.now_us
    with pytest.raises(sx1262.Sx1262Error, match="busy"):
        sx1262.Sx1262(bench.spi(3), *pins).begin()
    assert bench.world.now_us - began_us < 200_000


@pytest.mark.parametrize(
    "change",
    [
        {"frequency_hz": 100_000_000},
        {"spreading_factor": 13},
        {"bandwidth_hz": 100_000},
        {"coding_rate": 9},
        {"power_dbm": 23},
    ],
)
def test_parameters_out_of_range_are_refused(bench, pair, change):
    with pytest.raises(bench.driver("sx1262").Sx1262Error):
        pair[0].driver.configure(**{**CHANNEL, **change})


@pytest.mark.parametrize("power_dbm", [-9, 0, 10, 14, 15, 17, 20, 22])
def test_output_power_is_what_was_asked(bench, medium, pair, power_dbm):
    sent = []
    medium.sniff(sent.append)
    tag, _ = pair
    tag.driver.configure(**{**CHANNEL, "power_dbm": power_dbm})
    tag.driver.send(b"x")
    assert wait_for(bench, tag) == bench.driver("sx1262").SENT
    assert sent[0].power_dbm == pytest.approx(power_dbm, abs=0.5)


def test_empty_and_oversized_packets_are_refused(bench, pair):
    for size in (0, 256):
        with pytest.raises(bench.driver("sx1262").Sx1262Error):
            pair[0].driver.send(bytes(size))


# --- what goes over the wire, against the worked figures of the data sheet


def spied(bench, first_gpio):
    """What the driver sends: one entry for each selection of the chip."""
    sent, device = [], bench.io.spi(first_gpio)
    real = device.transfer

    def transfer(data):
        if bench.io.line(first_gpio + 3).level == 0:
            sent[-1] += bytes(data)
        return real(data)

    device.transfer = transfer
    bench.io.line(first_gpio + 3).listen(lambda level: None if level else sent.append(b""))
    return sent


# Each with its origin: opcodes and arguments of section 13, the tables it names, and 14.2 for the order.
LORA_GOLDEN = [
    "8000",  # 13.1.2 standby RC
    "8a01",  # 13.4.2 LoRa, before all that depends on it
    "98d7db",  # table 9-2: 863-870 MHz
    "8636433333",  # 13.4.1: 868.2 MHz x 2^25 / 32 MHz
    "9504070001",  # table 13-21: +22 dBm
    "0d08e738",  # 140 mA
    "8e1604",  # 13.4.4: +22, 200 us
    "0d08ac94",  # 9.6: power-saving gain
    "8b0c040101",  # table 13-47..50: SF12, 125 kHz, 4/5, low data rate optimisation on
    "8c000800ff0100",  # table 13-66..: 8 symbols, explicit, 255 bytes, CRC, standard IQ
]


def without_register_reads(sent):
    """Also without the register writes that follow from one: they are checked by what they do."""
    kept = [data.hex() for data in sent]
    return [data for data in kept if not data.startswith(("1d", "0d0889", "0d0736", "0d08d8"))]


def test_lora_is_configured_byte_by_byte_as_the_data_sheet_says(bench, pair):
    sent = spied(bench, 10)
    pair[0].driver.begin()
    sent.clear()
    pair[0].driver.configure(868_200_000, spreading_factor=12, power_dbm=22)
    assert without_register_reads(sent) == LORA_GOLDEN


def test_gfsk_is_configured_byte_by_byte_as_the_data_sheet_says(bench, pair):
    sent = spied(bench, 10)
    bench.driver("sx1262_gfsk").configure(pair[0].driver, **GFSK, preamble_bits=32)
    assert without_register_reads(sent)[-6:] == [
        "8b005000090b006666",  # 13.4.5.1: 32 x 32 MHz / 50 kbit/s, BT 0.5, 117.3 kHz, 25 kHz x 2^25 / 32 MHz
        "0d06c06e4e572d",  # sync word
        "0d06bc1d0f1021",  # CRC-CCITT (table 13-65)
        "0d06b801",  # whitening: the other bits as they were
        "0d06b900",
        "8c002005200001ff0601",  # 32 bits, detector 16, sync 32, no address, variable, 255, CRC, whitening
    ]


def test_bring_up_is_in_the_order_that_the_tcxo_needs(bench, pair):
    sent = spied(bench, 10)
    pair[0].driver.begin()
    assert without_register_reads(sent) == [
        "8000",
        "9601",  # 13.1.11: DC-DC
        "9702000140",  # 13.3.6: 1.8 V, 5 ms
        "070000",  # 13.6.2: the crystal had failed without it
        "897f",  # 13.1.12: calibrate all
        "17000000",  # 13.6.1: look
        "9d01",
        "9320",
        "8f0000",
        "0d07401424",  # private LoRa sync word
        "0d029f0108ac",  # 9.6: keep the gain in warm sleep
    ]


@pytest.mark.parametrize(("mhz", "edges"), [(433.9, "6b6f"), (486, "7581"), (780, "c1c5"), (915, "e1e9")])
def test_a_new_band_is_calibrated_for_its_image_and_an_old_one_not_again(bench, pair, mhz, edges):
    sent = spied(bench, 10)
    tag = pair[0].driver
    tag.configure(round(mhz * 1e6))
    tag.configure(round(mhz * 1e6) + 200_000)
    assert [data.hex() for data in sent if data[0] == 0x98] == ["98" + edges]
    low, high = pair[0].chip.settings.image_band_mhz
    assert low <= mhz <= high


@pytest.mark.parametrize(
    ("power_dbm", "pa", "limit_ma"),
    [(14, "020200", 70), (17, "020300", 90), (20, "030500", 125), (22, "040700", 140)],
)
def test_matched_amplifier_settings_and_current_limit(bench, medium, pair, power_dbm, pa, limit_ma):
    tag, _ = pair
    tag.driver.configure(**{**CHANNEL, "power_dbm": power_dbm})
    assert tag.chip.settings.pa_args.hex() == pa + "01"
    assert tag.chip.settings.registers[0x08E7] * 2.5 == limit_ma
    assert tag.chip.settings.output_dbm == power_dbm


# --- GFSK


def gfsk_pair(bench, pair):
    gfsk = bench.driver("sx1262_gfsk")
    for radio in pair:
        gfsk.configure(radio.driver, **GFSK)
    return pair


def test_gfsk_frames_cross_both_ways_and_say_how_loud_they_were(bench, pair):
    tag, base = gfsk_pair(bench, pair)
    sx1262 = bench.driver("sx1262")
    into = bytearray(255)
    for sender, receiver in ((tag, base), (base, tag)):
        receiver.driver.receive()
        sender.driver.send(b"twenty-four byte beacon!")
        assert wait_for(bench, sender) == sx1262.SENT
        assert wait_for(bench, receiver) == sx1262.RECEIVED
        assert bytes(into[: receiver.driver.read_into(into)]) == b"twenty-four byte beacon!"
        assert -110 < receiver.driver.rssi_dbm < -60 and receiver.driver.snr_quarter_db == 0


def test_from_gfsk_back_to_lora_and_again(bench, medium, pair):
    tag, base = pair
    gfsk, sx1262 = bench.driver("sx1262_gfsk"), bench.driver("sx1262")
    for turn in range(4):
        for radio in pair:
            if turn % 2:
                gfsk.configure(radio.driver, **GFSK)
            else:
                radio.driver.configure(**CHANNEL)
        base.driver.receive()
        tag.driver.send(b"turn %d" % turn)
        assert wait_for(bench, tag) == sx1262.SENT
        assert wait_for(bench, base) == sx1262.RECEIVED


def test_a_gfsk_frame_with_a_bad_crc_is_never_handed_out(bench, medium, pair):
    tag, base = gfsk_pair(bench, pair)
    sx1262 = bench.driver("sx1262")
    answers = []
    for loss_tenth_db in range(1170, 1300, 2):
        medium.set_loss("tag", "base", loss_tenth_db / 10)
        base.driver.receive(100)
        tag.driver.send(bytes(range(24)))
        assert wait_for(bench, tag) == sx1262.SENT
        answers.append(wait_for(bench, base))
        into = bytearray(255)
        if answers[-1] == sx1262.RECEIVED:
            assert bytes(into[: base.driver.read_into(into)]) == bytes(range(24))
    assert {sx1262.RECEIVED, sx1262.RX_CORRUPT, sx1262.RX_TIMEOUT} == set(answers)


def test_gfsk_listens_before_it_talks_by_level(bench, medium, pair):
    tag, base = gfsk_pair(bench, pair)
    gfsk = bench.driver("sx1262_gfsk")
    medium.set_loss("tag", "base", 90)
    assert gfsk.channel_busy(base.driver, -85) is False
    tag.driver.send(bytes(200))
    bench.clock.sleep_ms(5)
    assert gfsk.channel_busy(base.driver, -85) is True
    assert gfsk.channel_busy(base.driver, -60) is False
    wait_for(bench, tag)


@pytest.mark.parametrize(
    "change",
    [{"bitrate_bps": 500}, {"deviation_hz": 100_000}, {"bandwidth_hz": 500_000}, {"preamble_bits": 8}],
)
def test_gfsk_parameters_out_of_range_are_refused(bench, pair, change):
    with pytest.raises(bench.driver("sx1262").Sx1262Error):
        bench.driver("sx1262_gfsk").configure(pair[0].driver, **{**GFSK, **change})


# --- activity, watching, sleeping


@pytest.mark.parametrize(
    ("factor", "bandwidth_hz", "golden"),
    [
        (7, 125_000, "8801160a00000000"),  # AN1200.48, 125 kHz: 2 symbols, peak 22
        (9, 125_000, "8802170a00000000"),
        (12, 125_000, "88021c0a00000000"),
        (7, 500_000, "8802150a00000000"),  # 500 kHz: 4 symbols, peak 21
        (12, 500_000, "88031d0a00000000"),
    ],
)
def test_activity_detection_uses_the_application_notes_figures(bench, pair, factor, bandwidth_hz, golden):
    tag = pair[0]
    tag.driver.configure(868_300_000, factor, bandwidth_hz)
    sent = spied(bench, 10)
    assert bench.driver("sx1262_cad").channel_busy(tag.driver) is False
    assert golden in [data.hex() for data in sent]


def watching(bench, base, preamble=64):
    base.driver.configure(**CHANNEL, preamble_symbols=preamble)
    bench.driver("sx1262_watch").watch(base.driver, preamble)


def test_a_watch_hears_long_preambles_at_any_moment_and_is_asleep_most_of_the_time(bench, pair):
    tag, base = pair
    sx1262 = bench.driver("sx1262")
    tag.driver.configure(**CHANNEL, preamble_symbols=64)
    into = bytearray(255)
    watching(bench, base)
    bench.seconds(100)
    mean_ua = bench.power.charge_uas()["base", "receive in turns"] / 100
    assert mean_ua < 0.25 * 4_600
    for number in range(25):
        bench.clock.sleep_ms(31 * number)
        tag.driver.send(b"here %d" % number)
        assert wait_for(bench, tag) == sx1262.SENT
        assert wait_for(bench, base, 1) == sx1262.RECEIVED, number
        assert bytes(into[: base.driver.read_into(into)]) == b"here %d" % number
        watching(bench, base)


def test_a_watch_misses_short_preambles_now_and_then(bench, pair):
    tag, base = pair
    sx1262 = bench.driver("sx1262")
    tag.driver.configure(**CHANNEL)
    answers = []
    for number in range(25):
        watching(bench, base)
        bench.clock.sleep_ms(17 * number)
        tag.driver.send(b"short")
        assert wait_for(bench, tag) == sx1262.SENT
        answers.append(wait_for(bench, base, 0.3))
    assert set(answers) == {sx1262.RECEIVED, 0}


def test_the_periods_of_a_watch_keep_13_1_7(bench, pair):
    watch, tag = bench.driver("sx1262_watch"), pair[0].driver
    for factor in (7, 9, 12):
        tag.configure(868_300_000, factor)
        for preamble in (40, 64, 200):
            listen_us, sleep_us = watch.periods_us(tag, preamble)
            frame_us = (preamble + 4.25 + 8) * tag.symbol_us
            assert frame_us <= 2 * listen_us + sleep_us
            assert sleep_us + 12 * tag.symbol_us <= preamble * tag.symbol_us
    with pytest.raises(bench.driver("sx1262").Sx1262Error, match="too short"):
        watch.periods_us(tag, 8)


def test_a_watch_ends_when_something_else_is_asked(bench, pair):
    tag, base = pair
    watching(bench, base)
    bench.seconds(1)
    base.driver.standby()
    assert base.chip.mode == "standby"
    watching(bench, base)
    bench.seconds(0.2)
    base.driver.receive()
    tag.driver.configure(**CHANNEL)
    tag.driver.send(b"x")
    assert wait_for(bench, base) == bench.driver("sx1262").RECEIVED


def test_cold_sleep_draws_least_and_needs_a_new_begin(bench, pair):
    tag, _ = pair
    tag.driver.sleep(retain=False)
    bench.seconds(10)
    assert bench.power.charge_uas()["tag", "sleep"] == pytest.approx(10 * 0.16, rel=0.01)
    tag.driver.begin(warm=True)  # wakes it, finds nothing kept, and begins afresh
    tag.driver.configure(**CHANNEL)
    tag.driver.send(b"x")
    assert wait_for(bench, tag) == bench.driver("sx1262").SENT


def test_a_switch_with_a_second_line_is_led(bench, pair):
    tag, _ = pair
    switch = bench.io.line(60)
    tag.driver._rx_enable = bench.pin(60, 0)
    tag.driver.receive(50)
    assert switch.level == 1
    tag.driver.send(b"x")
    assert switch.level == 0
    wait_for(bench, tag)
    tag.driver.receive(50)
    tag.driver.sleep()
    assert switch.level == 0


# --- faults


def test_a_chip_that_stays_busy_raises_in_time_and_works_again_after_a_begin(bench, pair):
    tag, base = pair
    sx1262, port = bench.driver("sx1262"), bench.driver("sx1262_port")
    tag.chip._port.hold_busy_until_woken()
    began_us = bench.world.now_us
    with pytest.raises(port.Sx1262Busy):
        tag.driver.send(b"x")
    assert bench.world.now_us - began_us < 200_000
    tag.driver.begin()
    tag.driver.configure(**CHANNEL)
    base.driver.receive()
    tag.driver.send(b"again")
    assert wait_for(bench, base) == sx1262.RECEIVED


@pytest.mark.parametrize("level", [0x00, 0xFF])
def test_a_data_line_that_is_stuck_is_no_answer(bench, pair, level):
    tag, _ = pair
    bus = bench.io.spi(10)
    real = bus.transfer
    bus.transfer = lambda data: bytes([level]) * len(real(data))
    with pytest.raises(bench.driver("sx1262").Sx1262Error, match="no answer"):
        tag.driver.begin()
    with pytest.raises(bench.driver("sx1262").Sx1262Error, match="no answer"):
        tag.driver.errors()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rubbish=st.binary(min_size=64, max_size=64))
def test_rubbish_on_the_data_line_ends_in_an_answer_or_in_the_drivers_own_error(bench_of_seed, rubbish):
    bench = bench_of_seed(5)
    radio = make_radio(bench, Medium(bench.world), "tag", 0.0, first_gpio=10)
    radio.driver.begin()
    radio.driver.configure(**CHANNEL)
    radio.driver.receive()
    bus, drawn = bench.io.spi(10), iter(rubbish * 100)
    bus.transfer = lambda data: bytes(next(drawn) for _ in data)
    bench.io.line(11).drive(1)  # DIO1
    into = bytearray(32)
    for _ in range(10):
        try:
            what = radio.driver.poll()
            assert what in range(6)
            if what == bench.driver("sx1262").RECEIVED:
                assert 0 <= radio.driver.read_into(into) <= 32
        except bench.driver("sx1262").Sx1262Error:
            continue


@pytest.mark.parametrize("modulation", ["LoRa", "GFSK"])
def test_a_receiver_that_takes_turns_knows_when_a_frame_has_begun(bench, pair, modulation):
    tag, base = pair
    sx1262, turns = bench.driver("sx1262"), bench.driver("sx1262_turns")
    if modulation == "GFSK":
        gfsk_pair(bench, pair)
    turns.receive(base.driver)
    bench.clock.sleep_ms(20)
    assert not turns.frame_begun(base.driver), "noise is no frame"
    tag.driver.send(b"twenty-four byte beacon!")
    begun = []
    while not base.driver.poll():
        begun.append(turns.frame_begun(base.driver))
        bench.clock.sleep_ms(1)
    assert any(begun), "told while it comes in, and before it is there"
    assert wait_for(bench, tag) == sx1262.SENT
