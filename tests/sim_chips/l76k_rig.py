"""One L76K model under its sky, and what comes out of it."""

from groundnet.sim import groundcore_runtime
from groundnet.sim.chips.l76k import L76k
from groundnet.sim.chips.l76k_sentences import body_of, sentence
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import Line, Uart
from groundnet.sim.sky import Journey, Sky
from groundnet.sim.world import US_PER_S, World

START_MS = 1_608_272_150_000  # 2020-12-18T06:15:50Z, the first point of the recorded journey
LAT, LON = 25.5, 103.8


class Rig:
    def __init__(self, journey=None, recording=None, wakeup=1, timed_standby=True, seed=4, start_ms=START_MS):
        self.world = World(seed, start_ms)
        self.uart = Uart(1 << 20)
        self.uart.baudrate = 9600
        self.sky = Sky(self.world, "bike", journey or Journey.parked(LAT, LON, 1900))
        self.wakeup, self.reset = Line("wakeup", wakeup), Line("reset", 1)
        self.power = PowerAccount(self.world)
        lines = (self.wakeup, self.reset)
        self.chip = L76k(
            self.world,
            "bike",
            self.uart,
            self.sky,
            self.power,
            *lines,
            recording,
            timed_standby=timed_standby,
        )
        self.uart.attach(self.chip)

    def run_raw(self, seconds: float) -> bytes:
        self.uart.received.clear()
        self.world.run_for(round(seconds * US_PER_S))
        return bytes(self.uart.received)

    def run(self, seconds: float) -> list[str]:
        """Bodies of the sentences that arrived."""
        return [body for line in self.run_raw(seconds).splitlines() if (body := body_of(line)) is not None]

    def until_fix(self, limit_s: int = 400) -> int:
        """Seconds until RMC says A; -1 when it does not within the limit."""
        for second in range(limit_s):
            if any(body.startswith("GNRMC") and ",A," in body for body in self.run(1)):
                return second
        return -1

    def fixes(self, seconds: float) -> list:
        """What the firmware's reader makes of the next seconds."""
        reader = groundcore_runtime.load("gnss").GnssReader()
        return [*reader.feed(self.run_raw(seconds)), *reader.flush()]

    def command(self, body: str) -> None:
        """Tell it something, once it listens."""
        self.run(1)
        self.uart.transmit(sentence(body))


def kinds(bodies: list[str]) -> set[str]:
    return {body.split(",")[0] for body in bodies}


def place(fix) -> tuple[float, float]:
    return fix.lat_e7 / 1e7, fix.lon_e7 / 1e7
