"""The GNSS driver against the receiver's model."""

import re

import pytest
from groundnet.sim.chips.l76k import L76k as Chip
from groundnet.sim.sky import Journey, Sky

WAKEUP, RESET = 33, 34


class Receiver:
    """Driver and model on one UART, and what the core would get."""

    def __init__(self, bench):
        self.bench = bench
        io = bench.io
        for gpio in (WAKEUP, RESET):
            io.line(gpio).drive(1)
        io.uart(1).baudrate = 9600
        sky = Sky(bench.world, "sky", Journey.parked(25.09, 104.9))
        self.chip = Chip(bench.world, "gnss", io.uart(1), sky, bench.power, io.line(WAKEUP), io.line(RESET))
        io.uart(1).attach(self.chip)
        self.driver = bench.driver("l76k").L76k(bench.uart(1), bench.pin(WAKEUP, 0), bench.pin(RESET, 1))
        self.heard = b""

    def listen(self, duration_s: float) -> bytes:
        """Poll as the run loop does; what came meanwhile."""
        into = bytearray(512)
        heard = b""
        for _ in range(int(duration_s * 10)):
            while count := self.driver.read_into(into):
                heard += into[:count]
            self.bench.clock.sleep_ms(100)
        return heard

    def seconds_to_fix(self, limit_s: int) -> int:
        for second in range(limit_s):
            if re.search(rb"RMC,[0-9.]+,A,", self.listen(1)):
                return second
        raise AssertionError("no fix")


@pytest.fixture
def receiver(bench):
    return Receiver(bench)


def test_stays_silent_until_it_is_run(receiver):
    receiver.listen(2)
    assert receiver.listen(5) == b"" and not receiver.driver.running


def test_sends_only_the_sentences_that_the_core_reads(receiver):
    receiver.driver.run()
    receiver.listen(3)
    kinds = {line[3:6] for line in receiver.listen(5).split(b"\r\n") if line.startswith(b"$G")}
    assert kinds == {b"GGA", b"GSA", b"RMC"}


def test_standby_saves_current_and_the_next_fix_comes_fast(bench, receiver):
    receiver.driver.run()
    assert 40 <= receiver.seconds_to_fix(70) <= 55
    receiver.listen(60)  # until the ephemerides are in
    receiver.driver.standby()
    receiver.listen(2)
    assert bench.power.current_ua() == pytest.approx(20)
    bench.seconds(1800)
    receiver.driver.run()
    assert receiver.seconds_to_fix(20) <= 9


def test_hardware_reset_brings_a_cold_start_with_the_settings_back(bench, receiver):
    receiver.driver.run()
    receiver.seconds_to_fix(70)
    receiver.driver.hardware_reset()
    receiver.driver.run()
    assert receiver.seconds_to_fix(70) >= 40
    assert b"GSV" not in receiver.listen(5)
