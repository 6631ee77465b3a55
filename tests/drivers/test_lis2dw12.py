"""The accelerometer driver against the register-level model."""

from array import array

import pytest
from groundnet.sim.chips.lis2dw12 import Lis2dw12 as Chip
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.motion_segment import Tilt
from groundnet.sim.signals import BusError

INT1 = 5


@pytest.fixture
def motion(bench):
    return MotionProfile(bench.world.random("motion"), Tilt(roll_deg=30))


@pytest.fixture
def accelerometer(bench, motion):
    chip = Chip(bench.world, "chip", motion, bench.io.line(INT1), bench.power)
    bench.io.i2c(0).attach(0x19, chip)
    return bench.driver("lis2dw12").Lis2dw12(bench.i2c(), 0x19)


def test_missing_chip_is_named(bench):
    driver = bench.driver("lis2dw12")
    with pytest.raises(driver.Lis2dw12Error, match="no answer"):
        driver.Lis2dw12(bench.i2c(), 0x18).check()


class Flaky:
    """A chip behind wires that lose the first of every ``every`` transactions."""

    def __init__(self, chip, every):
        self._chip, self._every, self._count = chip, every, 0

    def _acknowledge(self):
        self._count += 1
        if self._count % self._every == 1:
            raise BusError(5, "not acknowledged")

    def i2c_write(self, data):
        self._acknowledge()
        self._chip.i2c_write(data)

    def i2c_read(self, count):
        return self._chip.i2c_read(count)


def test_a_lost_acknowledge_is_made_up_for(bench, accelerometer):
    bus = bench.io.i2c(0)
    bus.devices[0x19] = Flaky(bus.devices[0x19], 2)
    accelerometer.configure()
    accelerometer.check()
    bench.seconds(1)
    assert accelerometer.read_fifo_mg(array("h", [0] * 96)) > 0


def test_parameters_out_of_range_are_refused(bench, accelerometer):
    error = bench.driver("lis2dw12").Lis2dw12Error
    with pytest.raises(error):
        accelerometer.configure(rate_mhz=13000)
    accelerometer.configure()
    for threshold_mg, samples in ((0, 1), (5000, 1), (90, 4), (90, -1)):
        with pytest.raises(error):
            accelerometer.arm_wake_up(threshold_mg, samples)


@pytest.mark.parametrize("scale_mg", [2000, 4000, 8000, 16000])
def test_fifo_shows_gravity_in_milli_g(bench, accelerometer, scale_mg):
    accelerometer.configure(12500, scale_mg)
    bench.seconds(1)
    into = array("h", [0] * 96)
    count = accelerometer.read_fifo_mg(into)
    assert 12 <= count <= 15
    for sample in range(count):
        x, y, z = into[3 * sample : 3 * sample + 3]
        assert abs(x) < 40 and abs(y - 500) < 40 and abs(z - 866) < 40  # 30 degrees of roll
    assert accelerometer.read_fifo_mg(into) == 0


def test_fifo_keeps_the_newest_32_and_respects_a_smaller_array(bench, accelerometer):
    accelerometer.configure()
    bench.seconds(60)
    assert accelerometer.read_fifo_mg(array("h", [0] * 96)) == 32
    bench.seconds(60)
    assert accelerometer.read_fifo_mg(array("h", [0] * 30)) == 10


def test_wake_up_fires_on_a_ride_and_is_released_by_reading(bench, accelerometer, motion):
    accelerometer.configure()
    accelerometer.arm_wake_up(62, 1)
    bench.seconds(3600)
    assert bench.io.line(INT1).level == 0, "a still bike woke the board"
    motion.start(bench.world.now_us).ride(5)
    bench.seconds(2)
    assert bench.io.line(INT1).level == 1
    source = accelerometer.wake_source()
    assert source & 0x08 and source & 0x07
    bench.seconds(30)
    accelerometer.wake_source()
    bench.seconds(3600)
    assert bench.io.line(INT1).level == 0


def test_disarmed_chip_stays_silent(bench, accelerometer, motion):
    accelerometer.configure()
    accelerometer.arm_wake_up(62, 0)
    accelerometer.disarm()
    motion.start(bench.world.now_us).ride(10)
    bench.seconds(10)
    assert bench.io.line(INT1).level == 0


def chip_of(bench) -> Chip:
    return bench.io.i2c(0).device(0x19)


def test_activity_is_told_when_it_begins_and_when_it_has_ended(bench, accelerometer, motion):
    driver = bench.driver("lis2dw12")
    accelerometer.configure()
    accelerometer.watch_activity(62, 1)
    line, rises = bench.io.line(INT1), []
    line.listen(lambda level: rises.append(bench.world.now_us / 1e6) if level else None)
    bench.seconds(60)
    assert len(rises) == 1 and 39 < rises[0] < 44, "512 samples at 12.5 Hz"
    assert accelerometer.wake_source() & driver.INACTIVE and line.level == 0
    began_s = bench.world.now_us / 1e6
    motion.start(bench.world.now_us).ride(20)
    bench.seconds(5)
    assert 0 < rises[1] - began_s < 1
    assert not accelerometer.wake_source() & driver.INACTIVE and line.level == 0
    bench.seconds(80)
    assert len(rises) == 3 and 20 + 39 < rises[2] - began_s < 20 + 44
    assert accelerometer.wake_source() & driver.INACTIVE
    bench.seconds(3600)
    assert len(rises) == 3


def test_the_rate_of_samples_stays_when_nothing_moves(bench, accelerometer):
    accelerometer.configure(25000)
    accelerometer.watch_activity(62, 0)
    assert chip_of(bench).registers[0x35] & 0x10, (
        "STATIONARY: without it the silicon falls to 12.5 Hz (not modelled)"
    )
    bench.seconds(10)
    accelerometer.wake_source()
    into = array("h", [0] * 96)
    accelerometer.read_fifo_mg(into)
    bench.seconds(1)
    assert accelerometer.read_fifo_mg(into) in (25, 26)


def test_still_time_is_rounded_and_limited(bench, accelerometer):
    assert [accelerometer.still_steps(seconds, 12500) for seconds in (0, 20, 41, 82, 9999)] == [
        0,
        0,
        1,
        2,
        15,
    ]
    assert accelerometer.still_steps(41, 25000) == 2
    accelerometer.configure()
    for threshold_mg, steps in ((62, 16), (62, -1), (0, 1), (3000, 1)):
        with pytest.raises(bench.driver("lis2dw12").Lis2dw12Error):
            accelerometer.watch_activity(threshold_mg, steps)


@pytest.mark.parametrize(
    ("roll_deg", "pitch_deg", "side"),
    [
        (0, 0, "Z_UP"),
        (180, 0, "Z_DOWN"),
        (90, 0, "Y_UP"),
        (-90, 0, "Y_DOWN"),
        (0, 90, "X_DOWN"),
        (0, -90, "X_UP"),
    ],
)
def test_six_sides_are_told_apart(bench, roll_deg, pitch_deg, side):
    profile = MotionProfile(bench.world.random("motion"), Tilt(roll_deg, pitch_deg))
    bench.io.i2c(0).attach(0x19, Chip(bench.world, "chip", profile, bench.io.line(INT1), bench.power))
    driver = bench.driver("lis2dw12")
    accelerometer = driver.Lis2dw12(bench.i2c(), 0x19)
    accelerometer.configure()
    accelerometer.arm_6d()
    bench.seconds(1)
    assert accelerometer.side_up() == getattr(driver, side)
    assert bench.io.line(INT1).level == 0, "the first side is no change"


def test_turning_the_thing_over_raises_6d(bench, accelerometer, motion):
    accelerometer.configure()
    accelerometer.arm_wake_up(1900, 3)  # nothing but 6D can fire
    accelerometer.arm_6d()
    accelerometer.side_up()
    motion.start(bench.world.now_us).lift(90, 4.0)
    bench.seconds(10)
    assert bench.io.line(INT1).level == 1
    accelerometer.side_up()
    assert bench.io.line(INT1).level == 0


def test_self_test_measures_the_deflection(accelerometer):
    passed, dx, dy, dz = accelerometer.self_test()
    assert passed
    assert all(70 <= abs(change) <= 1500 for change in (dx, dy, dz))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_self_test_finds_an_axis_that_does_not_move(bench, accelerometer, axis):
    chip_of(bench).stuck_axis = axis
    passed, *changes = accelerometer.self_test()
    assert not passed
    assert [abs(change) < 70 for change in changes] == [index == axis for index in range(3)]


def test_self_test_of_a_dead_chip_ends_in_an_error(bench, accelerometer):
    accelerometer.configure()
    chip_of(bench).silent = True
    with pytest.raises(bench.driver("lis2dw12").Lis2dw12Error, match="no answer"):
        accelerometer.self_test()


def test_self_test_leaves_nothing_behind(bench, accelerometer, motion):
    accelerometer.self_test()
    accelerometer.configure()
    bench.seconds(1)
    into = [0, 0, 0]
    accelerometer.read_mg(into)
    assert abs(into[0]) < 40 and abs(into[2] - 866) < 40, "the deflection is still on"


def test_power_down_stops_the_current(bench, accelerometer):
    accelerometer.configure()
    assert bench.power.current_ua() == pytest.approx(1.0)
    accelerometer.power_down()
    assert bench.power.current_ua() < 0.1


@pytest.mark.parametrize("samples", [0, 33])
def test_a_free_fall_out_of_range_is_refused(bench, accelerometer, samples):
    accelerometer.configure(25000)
    with pytest.raises(bench.driver("lis2dw12").Lis2dw12Error):
        accelerometer.arm_free_fall(samples)


def test_a_free_fall_raises_int1_with_the_wake_up_off_and_the_fifo_holds_it(bench, accelerometer, motion):
    driver = bench.driver("lis2dw12")
    accelerometer.configure(25000)
    accelerometer.disarm()
    accelerometer.arm_free_fall(5)
    motion.start(bench.world.now_us).walk(3).collapse(5)
    bench.seconds(3)
    assert bench.io.line(INT1).level == 0, "nobody who walks is without weight for 0.2 s"
    bench.seconds(0.9)
    assert bench.io.line(INT1).level == 1
    into = array("h", [0] * 96)
    count = accelerometer.read_fifo_mg(into)
    sizes = [sum(axis * axis for axis in into[at : at + 3]) for at in range(0, 3 * count, 3)]
    assert count == 32 and min(sizes) < 250_000 and max(sizes) > 2_560_000, "the fall and the blow"
    assert accelerometer.wake_source() & driver.FREE_FALL
    assert bench.io.line(INT1).level == 0
