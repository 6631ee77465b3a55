"""Everything goes wrong at once, seeded: the driver neither blocks nor gives up, and the alarm gets through."""

import pytest
from groundnet.sim.chips.a7670 import A7670
from groundnet.sim.chips.air780e import Air780e
from groundnet.sim.chips.air780e_faults import KINDS
from groundnet.sim.chips.ec800 import Ec800
from sim_chips.modem_rig import Modem

ALARM = b"\x00alarm: rolling, 25.4901 103.7962\x00"
FAMILIES = (Air780e, A7670, Ec800)
SEEDS_PER_TEST = 20
BAD_S = 90
GOOD_S = 1500  # three failures in a row rest for 10, 20 and 40 s, and each start takes half a minute
RETRY_MS = 5000
STEP_MS = 50


class Inbox:
    """Every connection to this server keeps what it hears, and says so."""

    def __init__(self):
        self.heard = b""

    def receive(self, data: bytes) -> bytes:
        self.heard += data
        return b"\x00ack\x00"

    def close(self) -> None:
        pass


class Reporter:
    """Brings one alarm to the server as the core's uplink does: connect, send, wait, and again after a pause."""

    def __init__(self, rig: Modem):
        self.rig, self.clock = rig, rig.bench.clock
        self.servers: list[Inbox] = []
        rig.network.serve("collector", 4711, self._serve)
        self.retry_ms = 0
        self.asked_ms = 0
        self.opening = False

    def _serve(self) -> Inbox:
        self.servers.append(Inbox())
        return self.servers[-1]

    @property
    def through(self) -> bool:
        return any(ALARM in server.heard for server in self.servers)

    def step(self) -> None:
        """One turn of the run loop; it must not take virtual time beyond looking at clock and UART."""
        driver, module, now_ms = self.rig.driver, self.rig.module, self.rig.bench.world.now_us // 1000
        while (event := driver.poll()) is not None:
            self.rig.events.append(event)
            if event[0] == module.CONNECTED:
                driver.send(ALARM)
            elif event[0] in (module.CLOSED, module.LOST):
                self.opening, self.retry_ms = False, now_ms + RETRY_MS
        driver.read_into(bytearray(64))
        if driver.ready and not self.opening and not driver.connected and now_ms >= self.retry_ms:
            self.opening, self.asked_ms = True, now_ms
            driver.connect("collector", 4711)
        elif self.opening and now_ms - self.asked_ms > 90_000:
            self.opening, self.retry_ms = False, now_ms + RETRY_MS
            driver.close()
        assert self.rig.bench.world.now_us // 1000 - now_ms <= 5, "poll must not block"

    def run(self, duration_s: float, until_through: bool = False) -> None:
        end_us = self.rig.bench.world.now_us + int(duration_s * 1e6)
        while self.rig.bench.world.now_us < end_us and not (until_through and self.through):
            self.step()
            due_ms = self.rig.driver.due_ms()
            self.clock.sleep_ms(STEP_MS if due_ms is None else max(2, min(STEP_MS, due_ms)))


@pytest.mark.parametrize("first_seed", range(0, 200, SEEDS_PER_TEST))
def test_alarm_gets_through_whatever_went_wrong(bench_of_seed, first_seed):
    counts = dict.fromkeys(KINDS, 0)
    for seed in range(first_seed, first_seed + SEEDS_PER_TEST):
        rig = Modem(bench_of_seed(seed), FAMILIES[seed % 3], None)
        reporter = Reporter(rig)
        rig.chip.faults.rate = 0.15 if seed % 2 else 0.4
        rig.driver.start()
        reporter.run(BAD_S)
        rig.chip.faults.heal()
        for server in reporter.servers:
            server.heard = b""  # only what comes now counts
        if rig.driver.connected:
            rig.driver.close()
        reporter.run(GOOD_S, until_through=True)
        assert reporter.through, f"seed {seed}: {rig.events}"
        for kind, count in rig.chip.faults.counts.items():
            counts[kind] += count
    assert min(counts.values()) >= 3, f"every fault happens: {counts}"
