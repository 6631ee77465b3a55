"""The modem driver against the command-level model, with the failures that modems have."""

import pytest
from groundnet.sim.cells import Cell
from groundnet.sim.chips.air780e import Air780e as Chip
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

    def __init__(self, bench):
        self.bench = bench
        io = bench.io
        io.line(KEY).drive(1)
        self.cells = Surroundings()
        self.network = Network(bench.world)
        self.network.serve("collector", 4710, Echo)
        self.chip = Chip(
            bench.world, io.uart(2), bench.power, self.cells, self.network, io.line(KEY), name="modem"
        )
        io.uart(2).attach(self.chip)
        self.module = at_modem(bench)
        self.driver = self.module.AtModem(bench.uart(2), bench.pin(KEY, 1), b"air780e")
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


@pytest.fixture
def modem(bench):
    return Modem(bench)


@pytest.fixture
def online(modem):
    modem.driver.start()
    modem.wait_for(modem.module.READY)
    return modem


def test_switches_on_sets_up_and_registers(modem):
    assert modem.chip.state == "off"
    modem.driver.start()
    modem.wait_for(modem.module.READY, 20)
    modem.run(2)
    assert modem.driver.ready and modem.driver.idle and modem.bench.io.line(KEY).level == 1


def test_modem_that_runs_already_is_found_and_not_switched_off(bench, online):
    second = online.module.AtModem(bench.uart(2), bench.pin(KEY, 1))  # the microcontroller was reset
    online.driver = second
    second.start()
    online.wait_for(online.module.READY, 10)
    assert online.chip.state == "on"


def test_sibling_that_answers_cereg_as_cgreg_registers_too(modem):
    modem.chip.radio.cereg_answers_as_cgreg = True
    modem.driver.start()
    modem.wait_for(modem.module.READY, 20)


def test_bytes_go_to_the_server_and_back_whatever_they_are(online):
    online.driver.connect("collector", 4710)
    online.wait_for(online.module.CONNECTED)
    data = bytes(range(256)) * 2 + b"\r\nOK\r\nERROR\r\n> +IPD,3:\x1a\x00"
    online.driver.send(data)
    online.wait_for(online.module.SENT)
    online.run(1)
    assert online.received() == data[::-1]
    assert online.driver.read_into(bytearray(8)) == 0


def test_more_than_a_segment_is_sent_in_pieces_in_order(online):
    online.driver.connect("collector", 4710)
    online.wait_for(online.module.CONNECTED)
    data = bytes(number % 251 for number in range(3500))
    online.driver.send(data)
    received = b""
    for _ in range(40):
        online.run(0.1)
        received += online.received()
    pieces = [data[:1460], data[1460:2920], data[2920:]]
    assert received == b"".join(piece[::-1] for piece in pieces)


def test_refused_and_closed_connections_are_told(online):
    module = online.module
    online.driver.connect("nobody", 1)
    online.wait_for(module.CLOSED, 90)
    online.driver.connect("collector", 4710)
    online.wait_for(module.CONNECTED)
    online.driver.send(b"close")
    online.wait_for(module.CLOSED)
    assert not online.driver.connected
    with pytest.raises(module.AtModemError, match="not connected"):
        online.driver.send(b"x")
    online.driver.connect("collector", 4710)
    online.wait_for(module.CONNECTED)
    online.driver.close()
    online.wait_for(module.CLOSED)


@pytest.mark.parametrize(
    "text", ["Bike moved: 45.2783,13.7230", "平安卡：车辆被移动", "long " * 60, "长" * 150]
)
def test_texts_arrive_as_written(online, text):
    online.driver.send_sms("+8613800138000", text)
    online.wait_for(online.module.SMS_SENT)
    online.run(5)
    assert [(number, body) for _, number, body in online.chip.sent_sms] == [("+8613800138000", text)]


def test_text_without_network_fails_by_name(online):
    online.cells.cells = []
    online.driver.send_sms("+8613800138000", "hello")
    assert b"+CMS ERROR" in online.wait_for(online.module.SMS_FAILED)


def test_cells_come_with_the_serving_one_first(online):
    online.driver.request_cells()
    cells = online.wait_for(online.module.CELLS)
    assert cells[0] == (460, 0, 10135, 45_493_783, -78)
    assert cells[1:] == [(460, 0, 10135, cell.cell, cell.signal_dbm) for cell in NEIGHBOURS]


def test_quiet_modem_sleeps_and_is_woken_for_a_command(bench, online):
    online.run(60)
    assert bench.power.current_ua() == pytest.approx(500, abs=1)
    for _ in range(3):
        online.run(20)
        online.driver.request_cells()
        assert online.wait_for(online.module.CELLS, 2)
    online.driver.connect("collector", 4710)
    online.wait_for(online.module.CONNECTED)
    online.run(30)
    online.driver.send(b"abc")
    online.run(2)
    assert online.received() == b"cba" and online.module.FAULT not in [kind for kind, _ in online.events]


def test_lost_network_is_told_and_found_again(online):
    module = online.module
    cells, online.cells.cells = online.cells.cells, []
    online.wait_for(module.LOST, 20)
    with pytest.raises(module.AtModemError, match="not registered"):
        online.driver.request_cells()
    online.cells.cells = cells
    online.wait_for(module.READY, 60)


def test_connection_dies_with_the_network(online):
    online.driver.connect("collector", 4710)
    online.wait_for(online.module.CONNECTED)
    online.cells.cells = []
    online.wait_for(online.module.CLOSED, 20)


def test_no_coverage_at_all_restarts_with_growing_rests(modem):
    modem.cells.cells = []
    modem.driver.start()
    for _ in range(3):
        modem.wait_for(modem.module.FAULT, 400)
    modem.cells.cells = [SERVING]
    modem.wait_for(modem.module.READY, 900)


@pytest.mark.parametrize("failure", ["silent", "rubbish"])
def test_modem_that_hangs_or_talks_rubbish_is_restarted(online, failure):
    module = online.module
    setattr(online.chip, failure, True)
    for _ in range(4):
        if online.driver.ready:
            online.driver.request_cells()
        online.run(12)
    assert module.FAULT in [kind for kind, _ in online.events]
    setattr(online.chip, failure, False)
    online.wait_for(module.READY, 900)
    online.driver.request_cells()
    assert online.wait_for(module.CELLS)


def test_missing_modem_is_a_fault_not_a_hang(bench):
    module = at_modem(bench)
    driver = module.AtModem(bench.uart(3), bench.pin(9, 1), b"air780e")
    driver.start()
    faults = 0
    for _ in range(6000):
        event = driver.poll()
        faults += event is not None and event[0] == module.FAULT
        bench.clock.sleep_ms(20)
    assert faults >= 2


def test_power_down_leaves_the_network_first(bench, online):
    online.driver.stop()
    online.run(4)
    assert online.chip.state == "off" and online.driver.due_ms() is None
    online.driver.start()
    online.wait_for(online.module.READY, 30)
