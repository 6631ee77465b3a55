"""The radio driver against the command-level model, which refuses and lists what silicon would refuse."""

from types import SimpleNamespace

import pytest
from groundnet.sim.chips.sx1262 import Sx1262 as Chip
from groundnet.sim.radio import Medium

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
