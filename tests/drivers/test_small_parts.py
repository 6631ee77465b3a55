"""Siren, LED, battery gauge and GNSS commands: what leaves the pins."""

import pytest

PIN = 2
ENABLE = 37


@pytest.fixture
def siren(bench):
    return bench.driver("siren").Siren(bench.pin(PIN, 0))


def run(bench, part, duration_s):
    """Poll as the run loop does and return the seconds for which the pin was high."""
    high_ms = 0
    for _ in range(int(duration_s * 10)):
        part.poll()
        high_ms += 100 * bench.io.line(PIN).level
        bench.clock.sleep_ms(100)
    return high_ms / 1000


def test_siren_sounds_as_long_as_asked(bench, siren):
    assert siren.sound(2000) == 2000
    assert run(bench, siren, 10) == pytest.approx(2.0, abs=0.15)


def test_siren_never_exceeds_its_duty_whatever_is_asked(bench, siren):
    high_s = 0.0
    for _ in range(120):
        siren.sound(60_000)
        high_s += run(bench, siren, 5)
    assert 0.45 < high_s / 600 < 0.56


def test_siren_is_cut_after_a_burst_and_cools_as_long(bench, siren):
    assert siren.sound(60_000) == 30_000
    assert run(bench, siren, 31) == pytest.approx(30, abs=0.2)
    assert siren.sound(20_000) == pytest.approx(1000, abs=150)
    run(bench, siren, 21)
    assert siren.sound(20_000) == pytest.approx(20_000, abs=200)


def test_siren_stops_at_once(bench, siren):
    siren.sound(20_000)
    run(bench, siren, 5)
    siren.stop()
    assert bench.io.line(PIN).level == 0 and not siren.sounding
    assert run(bench, siren, 5) == 0


def test_chirps_are_counted_and_do_not_delay_the_siren(bench, siren):
    levels = []
    bench.io.line(PIN).listen(levels.append)
    siren.chirp(3)
    run(bench, siren, 3)
    assert levels == [1, 0, 1, 0, 1, 0]
    siren.chirp(3)
    run(bench, siren, 0.3)
    assert siren.sound(20_000) == 20_000
    assert run(bench, siren, 25) == pytest.approx(20, abs=0.2)


def test_a_vibration_motor_rests_after_two_seconds_and_counts_its_signals(bench):
    driver = bench.driver("siren")
    motor = driver.Siren(bench.pin(PIN, 0), driver.MOTOR_BURST_MS, driver.BUZZ_MS)
    assert motor.sound(60_000) == 2000
    assert run(bench, motor, 10) == pytest.approx(2, abs=0.15)
    levels = []
    bench.io.line(PIN).listen(lambda level: levels.append((bench.world.now_us // 1000, level)))
    motor.chirp(2)
    run(bench, motor, 3)
    assert [level for _, level in levels] == [1, 0, 1, 0]
    assert levels[1][0] - levels[0][0] == pytest.approx(400, abs=110)


def test_led_plays_its_pattern_and_goes_dark(bench):
    led = bench.driver("led")
    lamp = led.Led(bench.pin(PIN, 1), on_level=1)
    assert bench.io.line(PIN).level == 0
    lamp.show(led.NO_NETWORK)
    assert 0.4 < run(bench, lamp, 9) < 0.9  # 200 ms of each 3 s
    lamp.show(led.OFF)
    assert bench.io.line(PIN).level == 0 and lamp.poll() is None


def test_led_that_is_lit_goes_dark_when_it_is_told(bench):
    led = bench.driver("led")
    lamp = led.Led(bench.pin(PIN, 1), on_level=1)
    lamp.show(led.NO_NETWORK)
    lamp.poll()
    assert bench.io.line(PIN).level == 1
    lamp.show(led.OFF)
    assert bench.io.line(PIN).level == 0


def test_battery_is_measured_when_its_divider_has_settled(bench):
    """A divider of megaohms charges the converter's capacitor for a millisecond."""
    enable = bench.io.line(ENABLE)
    connected_us = []
    enable.listen(lambda level: connected_us.append(bench.world.now_us) if level else None)
    settled = lambda: bool(connected_us) and bench.world.now_us - connected_us[-1] >= 1000  # noqa: E731
    bench.io.adc(1).source = lambda: 3.9 / 4.9 if settled() else 0.4
    gauge = bench.driver("battery_adc").BatteryAdc(bench.adc(1), 4.9, bench.pin(ENABLE, 0), enable_level=1)
    assert gauge.read_mv() == pytest.approx(3900, abs=5)


def test_battery_is_measured_through_the_switched_divider(bench):
    enable = bench.io.line(ENABLE)
    bench.io.adc(1).source = lambda: 3.9 / 4.9 if enable.level == 0 else 0.0
    gauge = bench.driver("battery_adc").BatteryAdc(bench.adc(1), 4.9, bench.pin(ENABLE, 0), enable_level=0)
    assert enable.level == 1
    assert gauge.read_mv() == pytest.approx(3900, abs=5)
    assert enable.level == 1, "the divider stays connected and drains the battery"


class Recorder:
    def __init__(self):
        self.data = b""

    def receive(self, data):
        self.data += data


def test_gnss_commands_carry_right_checksums(bench):
    receiver = Recorder()
    bench.io.uart(1).attach(receiver)
    driver = bench.driver("l76k")
    gnss = driver.L76k(bench.uart(1), bench.pin(33, 0), bench.pin(34, 0))
    gnss.run()
    assert bench.io.line(33).level == 1 and bench.io.line(34).level == 1
    bench.io.uart(1).send(b"$GNRMC,")
    gnss.read_into(bytearray(16))
    gnss.standby(600)
    assert bench.io.line(33).level == 0
    sentences = receiver.data.split(b"\r\n")[:-1]
    assert b"$PCAS04,3*1A" in sentences and b"$PCAS02,1000*2E" in sentences  # known answers
    assert sentences[-1].startswith(b"$PCAS12,600*")
    for sentence in sentences:
        body, checksum = sentence[1:].split(b"*")
        value = 0
        for byte in body:
            value ^= byte
        assert int(checksum, 16) == value
    with pytest.raises(driver.L76kError):
        gnss.standby(0)


def test_gnss_bytes_come_out_unchanged(bench):
    gnss = bench.driver("l76k").L76k(bench.uart(1))
    bench.io.uart(1).send(b"$GNRMC,1\r\n\xff\x00")
    into = bytearray(8)
    assert gnss.read_into(into) == 8 and bytes(into) == b"$GNRMC,1"
    assert gnss.read_into(into) == 4 and bytes(into[:4]) == b"\r\n\xff\x00"
    assert gnss.read_into(into) == 0
