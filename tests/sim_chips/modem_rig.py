"""A modem driver on a modem's model, with a server behind it."""

from groundnet.sim.cells import Cell
from groundnet.sim.chips.air780e import Air780e
from groundnet.sim.network import Network

KEY = 7
SERVING = Cell("LTE", 460, 0, 10135, 45_493_783, -78)
NEIGHBOURS = [Cell("LTE", 460, 0, 10135, 45_493_784 + place, -85 - 4 * place) for place in range(4)]


class Surroundings:
    """What the antenna hears; tests take cells away."""

    def __init__(self):
        self.cells = [SERVING, *NEIGHBOURS]

    def heard(self, unix_ms):
        return self.cells


class Echo:
    """A server that answers every piece with itself in reverse; b"close" makes it close."""

    def receive(self, data):
        if data == b"close":
            raise ConnectionResetError("closed")
        return data[::-1]

    def close(self):
        pass


def at_modem(bench):
    """The driver's module, every part of it on the world's clock."""
    for name in ("at_reader", "at_port", "modem_life", "modem_network"):
        bench.driver(name)
    return bench.driver("at_modem")


class Modem:
    """Driver and model on one UART, and the events that came."""

    def __init__(self, bench, make_chip=Air780e, model: bytes | None = b"air780e"):
        self.bench = bench
        io = bench.io
        io.line(KEY).drive(1)
        self.cells = Surroundings()
        self.network = Network(bench.world)
        self.network.serve("collector", 4710, Echo)
        self.chip = make_chip(
            bench.world, io.uart(2), bench.power, self.cells, self.network, io.line(KEY), name="modem"
        )
        io.uart(2).attach(self.chip)
        self.module = at_modem(bench)
        self.driver = self.module.AtModem(bench.uart(2), bench.pin(KEY, 1), model)
        self.events = []

    def run(self, duration_s: float) -> list:
        """Poll as the run loop does; the events of this time."""
        before = len(self.events)
        end_us = self.bench.world.now_us + int(duration_s * 1e6)
        while self.bench.world.now_us < end_us:
            while (event := self.driver.poll()) is not None:
                self.events.append(event)
            due_ms = self.driver.due_ms()
            self.bench.clock.sleep_ms(20 if due_ms is None else max(1, min(20, due_ms)))
        return self.events[before:]

    def wait_for(self, kind: int, limit_s: float = 60.0):
        """The value of the next event of a kind."""
        for _ in range(int(limit_s * 10)):
            for found, value in self.run(0.1):
                if found == kind:
                    return value
        raise AssertionError(f"event {kind} never came; there were {self.events}")

    def received(self) -> bytes:
        into = bytearray(4096)
        return bytes(into[: self.driver.read_into(into)])
