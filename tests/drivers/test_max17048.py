"""The fuel gauge driver against the register-level model."""

import pytest
from groundnet.sim.chips.battery import Battery
from groundnet.sim.chips.max17048 import Max17048 as Chip


@pytest.fixture
def cell(bench):
    return Battery("lipo", None, 1.0, bench.power)


@pytest.fixture
def gauge(bench, cell):
    bench.io.i2c(0).attach(0x36, Chip(bench.world, cell, bench.power))
    return bench.driver("max17048").Max17048(bench.i2c())


def test_voltage_and_charge_follow_the_cell(bench, cell, gauge):
    gauge.check()
    for drawn_mah, volts, permille in ((0, 4.18, 1000), (1000, 3.78, 500), (1800, 3.6, 100)):
        cell.drawn_before_mah = drawn_mah
        bench.seconds(1)
        assert gauge.read_mv() == pytest.approx(volts * 1000, abs=1)
        assert gauge.read_charge_permille() == pytest.approx(permille, abs=1)


def test_a_missing_and_another_chip_are_named(bench):
    driver = bench.driver("max17048")
    with pytest.raises(driver.Max17048Error, match="no answer"):
        driver.Max17048(bench.i2c()).check()

    class Other:
        def i2c_write(self, data):
            pass

        def i2c_read(self, count):
            return bytes((0x00, 0x32))

    bench.io.i2c(0).attach(0x36, Other())
    with pytest.raises(driver.Max17048Error, match="version is 0x0032"):
        driver.Max17048(bench.i2c()).check()


def test_rate_is_the_slope_of_the_charge(bench, cell, gauge):
    bench.power.set_state("load", "on", 200_000)  # 10 % of 2 Ah an hour
    for _ in range(60):
        bench.seconds(60)
        gauge.read_mv()
    assert gauge.read_rate_permille_h() == pytest.approx(-100, abs=4)


def test_alert_comes_at_its_limit(bench, cell, gauge):
    error = bench.driver("max17048").Max17048Error
    for percent in (0, 33):
        with pytest.raises(error):
            gauge.alert_below(percent)
    gauge.alert_below(15)
    cell.drawn_before_mah = 1690
    bench.seconds(1)
    assert gauge.read_charge_permille() > 150 and not gauge.alerted()
    cell.drawn_before_mah = 1710
    bench.seconds(1)
    assert gauge.read_charge_permille() < 150 and gauge.alerted()


def test_a_cell_that_was_taken_out_is_told_once(bench, gauge):
    assert gauge.was_reset() and not gauge.was_reset()
    gauge.alert_below(20)
    gauge.reset()  # the chip does not acknowledge it
    assert gauge.was_reset() and not gauge.was_reset()


def test_hibernation_measures_rarely_and_quick_start_at_once(bench, cell, gauge):
    bench.seconds(400)
    gauge.read_mv()
    assert bench.power.current_ua() == pytest.approx(3)
    cell.drawn_before_mah = 1000
    bench.seconds(1)
    assert gauge.read_mv() > 4000, "the last measurement stands for 45 s"
    gauge.quick_start()
    assert gauge.read_mv() == pytest.approx(3780, abs=1)
