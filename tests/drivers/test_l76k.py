"""The GNSS driver against the receiver's model."""

import re

import pytest
from groundnet.sim.chips.l76k import L76k as Chip
from groundnet.sim.sky import Journey, Sky

WAKEUP, RESET = 33, 34


def checksum(body: bytes) -> bytes:
    """NMEA 0183: the exclusive or of all characters between $ and *."""
    total = 0
    for byte in body:
        total ^= byte
    return b"%02X" % total


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


def test_rate_sentences_and_systems_are_settings_and_survive_a_reset(receiver):
    module = receiver.bench.driver("l76k")
    receiver.driver.configure(500, ("RMC",), module.BEIDOU)
    receiver.driver.run()
    for _ in range(2):
        receiver.listen(3)
        lines = [line for line in receiver.listen(10).split(b"\r\n") if line.startswith(b"$")]
        assert {line[:6] for line in lines} == {b"$GNRMC"} and 19 <= len(lines) <= 21
        receiver.driver.hardware_reset()


@pytest.mark.parametrize(
    "wrong", [{"interval_ms": 300}, {"sentences": ("XYZ",)}, {"systems": 0}, {"systems": 8}]
)
def test_settings_that_it_does_not_have_are_refused(receiver, wrong):
    with pytest.raises(receiver.bench.driver("l76k").L76kError):
        receiver.driver.configure(**wrong)


@pytest.mark.parametrize("seconds", [0, -1, 65536])
def test_a_standby_that_it_does_not_have_is_refused(receiver, seconds):
    receiver.driver.run()
    receiver.listen(1)
    with pytest.raises(receiver.bench.driver("l76k").L76kError):
        receiver.driver.standby(seconds)
    assert receiver.chip.running


def test_after_standby_it_is_told_its_sentences_again(bench, receiver):
    receiver.driver.run()
    receiver.listen(3)
    receiver.driver.standby(60)
    receiver.listen(2)
    sent = bytearray()
    transmit = bench.io.uart(1).transmit
    bench.io.uart(1).transmit = lambda data: (sent.extend(data), transmit(data))
    receiver.driver.run()
    receiver.listen(3)
    assert b"$PCAS03," in sent, "a part that lost its backup supply has forgotten them"


@pytest.mark.parametrize("kind, at_least_s, at_most_s", [(0, 1, 9), (1, 15, 35), (2, 30, 56)])
def test_restart_hot_warm_and_cold(receiver, kind, at_least_s, at_most_s):
    receiver.driver.run()
    receiver.seconds_to_fix(70)
    receiver.listen(30)
    receiver.driver.restart(kind)
    receiver.listen(1)
    assert at_least_s <= receiver.seconds_to_fix(70) + 1 <= at_most_s


def test_every_command_has_the_checksum_of_nmea(bench, receiver):
    sent = bytearray()
    transmit = bench.io.uart(1).transmit
    bench.io.uart(1).transmit = lambda data: (sent.extend(data), transmit(data))
    receiver.driver.run()
    receiver.listen(2)
    receiver.driver.standby(60)
    lines = bytes(sent).split(b"\r\n")[:-1]
    assert len(lines) == 4
    assert all(line[:1] == b"$" and line[-2:] == checksum(line[1:-3]) for line in lines)
    assert lines[-1] == b"$PCAS12,60*28", "worked out by hand"


def test_timed_standby_ends_by_itself_when_the_pin_is_not_wired(bench):
    io = bench.io
    io.uart(1).baudrate = 9600
    sky = Sky(bench.world, "sky", Journey.parked(25.09, 104.9))
    chip = Chip(bench.world, "gnss", io.uart(1), sky, bench.power)
    io.uart(1).attach(chip)
    driver = bench.driver("l76k").L76k(bench.uart(1))
    driver.run()
    bench.seconds(3)
    driver.read_into(bytearray(512))
    bench.seconds(1)
    driver.standby(30)
    bench.seconds(2)
    assert chip.state == "standby"
    bench.seconds(30)
    assert chip.running


def test_receiver_that_hangs_is_seen_and_brought_back(receiver):
    receiver.driver.run()
    receiver.listen(5)
    assert receiver.driver.silent_ms() < 1500
    receiver.chip.silent = True
    receiver.listen(12)
    assert receiver.driver.silent_ms() > 10_000
    receiver.driver.hardware_reset()
    receiver.driver.run()
    receiver.listen(3)
    assert receiver.driver.silent_ms() < 1500
    receiver.driver.standby()
    assert receiver.driver.silent_ms() == 0
