"""LIS2DW12 model driven over its bus, by the datasheet."""

import struct

import pytest
from groundnet.sim.chips.lis2dw12 import Lis2dw12
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.motion_segment import Tilt
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import Line
from groundnet.sim.world import World

NIGHT_US = 8 * 3600 * 1_000_000


class Rig:
    def __init__(self, seed: int = 1, mount: Tilt | None = None):
        self.world = World(seed)
        self.motion = MotionProfile(self.world.random("motion"), mount)
        self.int1 = Line("int1")
        self.power = PowerAccount(self.world)
        self.chip = Lis2dw12(self.world, "tag", self.motion, self.int1, self.power)
        self.rises: list[int] = []
        self.int1.listen(lambda level: self.rises.append(self.world.now_us) if level else None)

    def write(self, address: int, *values: int) -> None:
        self.chip.i2c_write(bytes((address, *values)))

    def read(self, address: int, count: int = 1) -> bytes:
        self.chip.i2c_write(bytes((address,)))
        return self.chip.i2c_read(count)

    def run(self, seconds: float) -> None:
        self.world.run_for(int(seconds * 1e6))

    def arm(self, threshold: int = 2, duration: int = 0, latched: bool = True, odr: int = 0x20) -> None:
        """Low power, FIFO continuous, wake-up on INT1; past the first sample's step from zero."""
        self.write(0x22, 0x10 if latched else 0)
        self.write(0x2E, 0xC0)
        self.write(0x20, odr)
        self.run(0.2)
        self.write(0x34, threshold, duration << 5)
        self.write(0x23, 0x20)
        self.write(0x3F, 0x20)
        self.rises.clear()

    def samples_g(self, count: int) -> list[tuple[float, float, float]]:
        words = struct.unpack(f"<{3 * count}h", self.read(0x28, 6 * count))
        values = [word / 32768 * 2 for word in words]
        return list(zip(values[0::3], values[1::3], values[2::3], strict=True))


def test_identity_and_reset_values():
    rig = Rig()
    assert rig.read(0x0F) == b"\x44"
    assert rig.read(0x20, 8) == bytes.fromhex("0004000000000000")


def test_read_only_registers_ignore_writes_and_soft_reset_clears():
    rig = Rig()
    rig.write(0x0F, 0x00)
    rig.write(0x34, 0x3F)
    assert rig.read(0x0F) == b"\x44" and rig.read(0x34) == b"\x3f"
    rig.write(0x21, 0x40)
    assert rig.read(0x21) == b"\x04" and rig.read(0x34) == b"\x00"


@pytest.mark.parametrize("odr, per_second", [(0x10, 1.6), (0x20, 12.5), (0x30, 25), (0x44, 50)])
def test_data_rate_counts_samples(odr, per_second):
    rig = Rig()
    rig.write(0x2E, 0xC0)
    rig.write(0x20, odr)
    rig.run(0.625)
    assert rig.read(0x2F)[0] & 0x3F == int(0.625 * per_second)


def test_gravity_at_every_scale():
    for code, scale in enumerate((2, 4, 8, 16)):
        rig = Rig()
        rig.write(0x25, code << 4)
        rig.write(0x20, 0x44)  # high performance
        rig.run(0.1)
        x, y, z = struct.unpack("<3h", rig.read(0x28, 6))
        assert [x / 32768 * scale, y / 32768 * scale, z / 32768 * scale] == pytest.approx([0, 0, 1], abs=0.01)
        assert x & 3 == 0, "14 bits, left-justified"


def test_fifo_keeps_the_newest_32_and_tells_the_overrun():
    rig = Rig()
    rig.motion.still(1).lift(30, 2)
    rig.write(0x2E, 0xC0)
    rig.write(0x20, 0x20)
    rig.run(10)
    assert rig.read(0x2F)[0] == 0x80 | 0x40 | 32
    samples = rig.samples_g(32)
    assert rig.read(0x2F)[0] & 0x3F == 0
    assert samples[-1][0] == pytest.approx(-0.5, abs=0.02), "tilted by 30 degrees"


def test_fifo_mode_stops_when_full():
    rig = Rig()
    rig.motion.still(5).lift(30)
    rig.write(0x2E, 0x20)
    rig.write(0x20, 0x20)
    rig.run(20)
    samples = rig.samples_g(32)
    assert all(abs(x) < 0.02 for x, _, _ in samples), "the first 2.56 s, before the lift"
    assert rig.read(0x2F)[0] & 0x3F == 0


def test_self_test_deflects_within_the_datasheet_range():
    rig = Rig()
    rig.write(0x20, 0x44)
    rig.run(0.1)
    (before,) = rig.samples_g(1)
    rig.write(0x22, 0x40)
    rig.run(0.1)
    (after,) = rig.samples_g(1)
    assert all(0.07 <= b - a <= 1.5 for a, b in zip(before, after, strict=True))


def test_an_armed_chip_that_starts_gives_one_false_wake_up():
    rig = Rig()
    rig.write(0x22, 0x10)
    rig.write(0x34, 2)
    rig.write(0x23, 0x20)
    rig.write(0x3F, 0x20)
    rig.write(0x20, 0x20)
    rig.run(60)
    assert rig.rises == [80_000]
    assert rig.read(0x38)[0] & 0x0F == 0x09, "z steps from zero to one g"
    rig.run(60)
    assert rig.rises == [80_000]


def test_latched_wake_up_holds_until_its_source_is_read():
    rig = Rig()
    rig.motion.still(10).bump()
    rig.arm()
    rig.run(20)
    assert len(rig.rises) == 1 and rig.int1.level == 1
    assert 10_000_000 < rig.rises[0] < 10_300_000
    assert rig.read(0x27)[0] & 0x40, "status does not release it"
    assert rig.int1.level == 1
    assert rig.read(0x38)[0] & 0x08
    assert rig.int1.level == 0
    assert rig.read(0x38)[0] == 0


def test_pulsed_wake_up_follows_the_movement():
    rig = Rig()
    rig.motion.still(10).bump()
    rig.arm(latched=False)
    rig.run(20)
    assert rig.rises and rig.int1.level == 0


def test_duration_asks_for_consecutive_samples():
    short, long = Rig(), Rig()
    for rig, duration in ((short, 0), (long, 3)):
        rig.motion.still(5).ride(60)
        rig.arm(duration=duration)
        rig.run(70)
    assert short.rises[0] < long.rises[0] - 3 * 80_000 + 1
    assert long.rises, "a ride lasts long enough"


def test_interrupt_polarity():
    rig = Rig()
    rig.write(0x22, 0x18)
    assert rig.int1.level == 1
    rig.motion.still(5).bump()
    rig.write(0x20, 0x20)
    rig.run(1)
    rig.write(0x34, 2)
    rig.write(0x23, 0x20)
    rig.write(0x3F, 0x20)
    rig.run(10)
    assert rig.int1.level == 0


def test_falling_over_changes_the_6d_position():
    rig = Rig()
    rig.motion.still(5).fall()
    rig.write(0x22, 0x10)
    rig.write(0x30, 0x40)
    rig.write(0x20, 0x20)
    rig.run(1)
    rig.write(0x23, 0x80)
    rig.write(0x3F, 0x20)
    rig.rises.clear()
    rig.run(20)
    assert len(rig.rises) == 1 and 5_000_000 < rig.rises[0] < 7_000_000
    rig.run(5)
    assert rig.read(0x3A)[0] & 0x40
    rig.run(5)
    assert rig.int1.level == 0
    assert rig.read(0x3A)[0] == 0x08, "y is up and nothing is pending"


def test_a_night_of_wind_without_an_alarm_costs_few_events():
    rig = Rig()
    rig.motion.wind(NIGHT_US / 1e6, strength=0.6)
    rig.arm(threshold=3, duration=2)
    events = 0
    while (next_us := rig.world.next_event_us()) is not None and next_us < NIGHT_US:
        rig.world.step()
        events += 1
    assert rig.rises == [] and events <= 10


@pytest.mark.parametrize("activity", [False, True])
def test_skipping_finds_what_stepping_finds(activity):
    rig = Rig(seed=5)
    rig.motion.still(40).wind(200, 1.5).truck(2).still(30).bump(0.4).still(20).lift().ride(20)
    rig.arm(threshold=2, duration=1)
    if activity:
        rig.write(0x34, 0x40 | 2)
    engine = rig.chip._engine
    engine.configure(2)
    last = rig.motion.end_us // 80_000
    stepped = [number for number in range(3, last + 1) if engine.step()]
    engine.configure(2)
    found = []
    while (hit := engine.find(rig.motion.end_us)).signals:
        engine.accept(hit)
        found.append(hit.number)
    assert found == stepped and len(found) > 5


def test_sleep_state_is_a_level_on_int1_when_asked_for():
    rig = Rig()
    rig.motion.still(30).ride(10)
    rig.write(0x20, 0x20)
    rig.run(0.2)
    rig.write(0x34, 0x40 | 2, 0x10)  # SLEEP_ON; STATIONARY, 16 samples
    rig.write(0x24, 0x80)  # INT2_SLEEP_STATE
    rig.write(0x3F, 0x60)  # INT2_ON_INT1
    rig.run(0.2)
    levels = []
    rig.int1.listen(lambda level: levels.append((rig.world.now_us / 1e6, level)))
    rig.run(60)
    assert [level for _, level in levels] == [1, 0, 1]
    assert levels[0][0] == pytest.approx(0.2 + 16 * 0.08, abs=0.1)
    assert 30 <= levels[1][0] < 31 and 41 < levels[2][0] < 42
    assert rig.read(0x27)[0] & 0x20 and rig.read(0x38)[0] & 0x10


def test_a_movement_that_starts_now_is_felt():
    rig = Rig()
    rig.arm()
    rig.run(3600)
    rig.motion.start(rig.world.now_us).bump()
    rig.run(2)
    assert len(rig.rises) == 1


def test_current_follows_the_rate():
    rig = Rig()
    rig.run(100)
    rig.write(0x20, 0x20)
    rig.run(100)
    charge = rig.power.charge_uas()
    assert charge["accelerometer", "power down"] == pytest.approx(5.0)
    assert charge["accelerometer", "measuring"] == pytest.approx(100.0)


def test_data_ready_and_fifo_threshold_reach_the_pad():
    rig = Rig()
    rig.write(0x23, 0x01)
    rig.write(0x20, 0x20)
    rig.run(0.1)
    assert rig.int1.level == 1
    rig.read(0x28, 6)
    assert rig.int1.level == 0
    rig.write(0x2E, 0xC0 | 25)
    rig.write(0x23, 0x02)
    rig.run(1.9)
    assert rig.int1.level == 0
    rig.run(0.2)
    assert rig.int1.level == 1
    rig.read(0x28, 25 * 6)
    assert rig.int1.level == 0
