"""Air780E model: its dialect, its state machines, its currents and its failures."""

import pytest
from groundnet.sim.cells import Cell
from groundnet.sim.chips.air780e import Air780e
from groundnet.sim.chips.sms_decode import PduError, decode_submit, join
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import Line, Uart
from groundnet.sim.world import World

START_MS = 1_780_563_858_000  # 2026-06-04T09:04:18Z
SERVING = Cell("LTE", 460, 0, 10135, 45_493_783, -78)
NEIGHBOURS = [Cell("LTE", 460, 0, 10135, 45_493_784 + place, -85 - 4 * place) for place in range(7)]
# One text from another implementation's documentation (smslib): "hellohello" to +46708251358.
HELLO = "0011000B916407281553F80000AA0AE8329BFD4697D9EC37"


class FakeCells:
    def __init__(self) -> None:
        self.cells = [SERVING, Cell("GSM", 460, 0, 1, 2, -80), *NEIGHBOURS]

    def heard(self, unix_ms: int) -> list[Cell]:
        return self.cells


class FakeConnection:
    def __init__(self, place, on_open, on_receive, on_close) -> None:
        self.place, self.on_open, self.on_receive, self.on_close = place, on_open, on_receive, on_close
        self.sent, self.closed = b"", False

    def send(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True


class FakeNetwork:
    def __init__(self, world: World) -> None:
        self.world, self.connections, self.refuse = world, [], False

    def connect(self, host, port, on_open, on_receive, on_close) -> FakeConnection:
        connection = FakeConnection((host, port), on_open, on_receive, on_close)
        self.connections.append(connection)
        self.world.after(90_000, (lambda: on_close("refused")) if self.refuse else on_open)
        return connection


class Rig:
    def __init__(self, key: bool = True) -> None:
        self.world = World(3, START_MS)
        self.uart = Uart(1 << 16)
        self.power = PowerAccount(self.world)
        self.cells = FakeCells()
        self.network = FakeNetwork(self.world)
        self.key = Line("power_key") if key else None
        self.chip = Air780e(self.world, self.uart, self.power, self.cells, self.network, self.key)
        self.uart.attach(self.chip)

    def run(self, seconds: float) -> bytes:
        """What arrived meanwhile."""
        self.uart.received.clear()
        self.world.run_for(int(seconds * 1e6))
        return bytes(self.uart.received)

    def press(self, seconds: float) -> None:
        self.key.drive(0)
        self.run(seconds)
        self.key.drive(1)

    def ask(self, command: str, seconds: float = 0.5) -> list[str]:
        """Lines of the answer."""
        self.uart.transmit(command.encode() + b"\r\n")
        return [line for line in self.run(seconds).decode("latin-1").splitlines() if line]

    def registered(self) -> "Rig":
        self.press(1.1)
        self.run(12)
        assert self.ask("ATE0") == ["ATE0", "OK"]
        return self

    def connected(self) -> "Rig":
        self.registered()
        assert self.ask("AT+CIPQSEND=1") == self.ask("AT+CIPHEAD=1") == ["OK"]
        assert self.ask('AT+CIPSTART="TCP","collect.example",7000', 1) == ["OK", "CONNECT OK"]
        return self

    @property
    def connection(self) -> FakeConnection:
        return self.network.connections[-1]


# --- power and boot


def test_a_short_press_does_nothing_and_a_long_one_boots():
    rig = Rig()
    rig.press(0.9)
    assert rig.run(20) == b"" and rig.chip.state == "off"
    rig.press(1.1)
    assert b"\r\nRDY\r\n" in rig.run(2) and rig.chip.state == "on"
    news = rig.run(9)
    for line in (b"^MODE: 17,17", b"+E_UTRAN Service", b"+CGEV: ME PDN ACT 1", b"+NITZ: 26/06/04,09:04:"):
        assert line in news


def test_it_is_deaf_until_ready_and_starts_with_the_supply_when_the_key_is_grounded():
    rig = Rig(key=False)
    (boot_text,) = rig.ask("AT", 1)
    assert boot_text.startswith("^boot.rom") and rig.chip.state == "booting"
    rig.run(2)
    assert rig.ask("AT") == ["AT", "OK"]
    rig.chip.power_off()
    assert rig.run(10) == b"" and rig.power.current_ua() == 0
    rig.chip.power_cycle()
    assert b"RDY" in rig.run(3)


@pytest.mark.parametrize("command", ["AT+CPOWD=1", "AT+CPOWD=0", None])
def test_switching_off(command):
    rig = Rig().registered()
    if command is None:
        rig.press(1.2)
        assert rig.chip.state == "on"
        rig.press(1.6)
    else:
        expected = ["NORMAL POWER DOWN"] if command.endswith("1") else []
        assert rig.ask(command, 1.5) == expected
    rig.run(2)
    assert rig.chip.state == "off" and rig.ask("AT") == [] and rig.world.next_event_us() is None


def test_restart_forgets_the_settings():
    rig = Rig().connected()
    rig.uart.transmit(b"AT+RESET\r\n")
    assert b"RDY" in rig.run(3)
    assert rig.ask("AT+CIPSTATUS") == ["AT+CIPSTATUS", "OK", "STATE: IP INITIAL"]
    assert rig.connection.closed


# --- the command line


def test_lines_echo_and_errors():
    rig = Rig().registered()
    assert rig.ask("at") == ["OK"]
    assert rig.ask("hello") == []
    assert rig.ask("AT+NOSUCH=1") == ["ERROR"]
    assert rig.ask("AT+CIPSEND=5") == ["+CME ERROR: 3"]
    rig.ask("AT+CMEE=2")
    assert rig.ask("AT+CIPSEND=5") == ["+CME ERROR: operation not allowed"]
    rig.ask("AT+CMEE=0")
    assert rig.ask("AT+CIPSEND=5") == ["ERROR"]
    assert rig.ask("AT+CSQ=?") == ["OK"]


def test_commands_wait_for_each_other():
    rig = Rig().registered()
    rig.uart.transmit(b"AT+CCED=0,1\rAT+CG")
    rig.uart.transmit(b"SN\r")
    text = rig.run(0.05)
    assert text == b""
    answer = rig.run(0.5).decode()
    assert answer.index("+CCED") < answer.index("OK") < answer.index("864269060001662")


def test_another_baud_rate_is_not_understood():
    rig = Rig().registered()
    rig.uart.baudrate = 9600
    assert rig.ask("AT") == []


def test_without_sim():
    rig = Rig()
    rig.chip.radio.sim_inserted = False
    rig.registered()
    assert rig.ask("AT+CPIN?") == rig.ask("AT+CIMI") == ["+CME ERROR: 10"]
    assert rig.ask("AT+CEREG?") == ["+CEREG: 0,0", "OK"]
    assert rig.ask("AT+CFUN?") == ["+CFUN: 1", "OK"]


# --- radio


def test_registration_is_reported_as_asked():
    rig = Rig().registered()
    assert rig.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]
    assert rig.ask("AT+CEREG?") == ["+CEREG: 0,1", "OK"]
    rig.ask("AT+CEREG=2")
    rig.ask("AT+CREG=1")
    assert rig.ask("AT+CEREG?") == ['+CEREG: 2,1,"2797","02B62E17",7', "OK"]
    rig.cells.cells = NEIGHBOURS
    assert rig.run(6).split() == [b"+CEREG:", b'1,"2797","02B62E18",7'], "level 1 does not report cells"
    rig.chip.no_network = True
    lost = rig.run(6)
    assert b"+CEREG: 2\r\n" in lost and b"+CREG: 2\r\n" in lost
    assert rig.ask("AT+CSQ") == ["+CSQ: 99,99", "OK"]
    rig.chip.no_network = False
    assert b"+CREG: 1\r\n" in rig.run(16)


def test_the_sibling_that_answers_with_another_name():
    rig = Rig().registered()
    rig.chip.radio.cereg_answers_as_cgreg = True
    assert rig.ask("AT+CEREG?") == ["+CGREG: 0,1", "OK"]


def test_signal_and_cells():
    rig = Rig().registered()
    assert rig.ask("AT+CSQ") == ["+CSQ: 30,0", "OK"]
    assert rig.ask("AT+CESQ") == ["+CESQ: 99,99,255,255,21,63", "OK"]
    (line, end) = rig.ask("AT+CCED=0,1")
    name, text = line.rsplit(":", 1)
    fields = text.split(",")
    assert (name, end) == ("+CCED:LTE current cell", "OK")
    assert fields[:2] == ["460", "00"] and len(fields) == 13
    assert (fields[7], fields[8], fields[10]) == ("45493783", "63", "10135"), "index 63 is -78 dBm"
    *lines, end = rig.ask("AT+CCED=0,2")
    assert len(lines) == 6 and end == "OK", "six LTE neighbours at most"
    fields = lines[0].rsplit(":", 1)[1].split(",")
    assert [fields[place] for place in (0, 1, 3, 4, 6)] == ["460", "00", "45493784", "56", "10135"]
    assert rig.ask("AT+CCED") == ["+CME ERROR: 3"]
    rig.cells.cells = [Cell("GSM", 460, 0, 1, 2, -60)]
    assert rig.ask("AT+CCED=0,1") == ["OK"]


def test_flight_mode_and_back():
    rig = Rig().connected()
    assert "+PDP DEACT" in rig.ask("AT+CFUN=4", 1)
    assert rig.ask("AT+CEREG?") == ["+CEREG: 0,0", "OK"]
    assert rig.connection.closed
    rig.ask("AT+CFUN=1", 10)
    assert rig.ask("AT+CEREG?") == ["+CEREG: 0,1", "OK"]


# --- TCP


def test_the_long_way_to_a_connection():
    rig = Rig().registered()
    assert rig.ask("AT+CIFSR") == ["ERROR"]
    assert rig.ask("AT+CIICR") == ["+CME ERROR: 3"]
    assert rig.ask("AT+CSTT") == ["OK"]
    assert rig.ask("AT+CIICR", 1) == ["OK"]
    (address,) = rig.ask("AT+CIFSR")
    assert address.startswith("10.")
    assert rig.ask("AT+CIPSTATUS") == ["OK", "STATE: IP STATUS"]
    assert rig.ask("AT+CIPMUX=0") == ["+CME ERROR: 3"], "only in IP INITIAL"
    assert rig.ask('AT+CIPSTART=TCP,"collect.example","7000"', 1) == ["OK", "CONNECT OK"]
    assert rig.connection.place == ("collect.example", 7000)
    assert rig.ask('AT+CIPSTART="TCP","collect.example",7000') == ["ALREADY CONNECT"]


def test_sending_by_length_quick_and_slow():
    rig = Rig().connected()
    assert rig.ask("AT+CIPSEND=6") == ["> "]
    rig.uart.transmit(b"\x00a\r")
    assert rig.run(1) == b""
    rig.uart.transmit(b"\x1a\x1bz")
    assert rig.run(1) == b"\r\nDATA ACCEPT:6\r\n"
    assert rig.connection.sent == b"\x00a\r\x1a\x1bz"
    rig.ask("AT+CIPQSEND=0")
    rig.ask("AT+CIPSEND")
    rig.uart.transmit(b"more\x1a")
    assert rig.run(1) == b"\r\nSEND OK\r\n" and rig.connection.sent.endswith(b"zmore")
    assert rig.ask("AT+CIPSEND=1461") == ["+CME ERROR: 3"]


def test_received_data_with_and_without_header():
    rig = Rig().connected()
    rig.connection.on_receive(bytes(1500))
    assert rig.run(1) == b"\r\n+IPD,1460:" + bytes(1460) + b"\r\n+IPD,40:" + bytes(40)
    rig.ask("AT+CIPHEAD=0")
    rig.connection.on_receive(b"OK\r\n")
    assert rig.run(1) == b"OK\r\n"


def test_both_ends_close():
    rig = Rig().connected()
    rig.connection.on_close("bye")
    assert rig.run(1) == b"\r\nCLOSED\r\n"
    assert rig.ask("AT+CIPCLOSE") == ["ERROR"]
    assert rig.ask('AT+CIPSTART="TCP","collect.example",7000', 1) == ["OK", "CONNECT OK"]
    assert rig.ask("AT+CIPCLOSE") == ["CLOSE OK"]
    assert rig.connection.closed
    assert rig.ask("AT+CIPSTATUS") == ["OK", "STATE: TCP CLOSED"]
    assert rig.ask("AT+CIPSHUT") == ["SHUT OK"]


def test_a_refused_and_an_unanswered_connection_fail():
    rig = Rig().registered()
    rig.network.refuse = True
    answer = ["OK", "STATE: TCP CLOSED", "CONNECT FAIL"]
    assert rig.ask('AT+CIPSTART="TCP","collect.example",7000', 2) == answer
    rig.network.world = World()  # whose events never happen
    assert rig.ask('AT+CIPSTART="TCP","collect.example",7000', 74) == ["OK"]
    assert b"CONNECT FAIL" in rig.run(2)
    assert rig.connection.closed


def test_a_closed_attempt_leaves_no_limit_behind():
    rig = Rig().registered()
    start = 'AT+CIPSTART="TCP","collect.example",7000'
    rig.ask(start, 0.01)
    rig.ask("AT+CIPCLOSE", 40)
    assert rig.network.connections == []
    rig.network.world = World()
    rig.ask(start, 40)
    assert b"FAIL" not in rig.run(30) and b"FAIL" in rig.run(10)


def test_a_lost_network_ends_the_context_until_shut():
    rig = Rig().connected()
    rig.chip.no_network = True
    rig.ask("AT+CIPSEND=1", 0.1)
    rig.uart.transmit(b"x")
    assert b"+PDP DEACT" in rig.run(6)
    assert rig.connection.sent == b"" and rig.connection.closed
    rig.chip.no_network = False
    rig.run(16)
    assert rig.ask('AT+CIPSTART="TCP","collect.example",7000', 1) == ["+CME ERROR: 3"]
    assert rig.ask("AT+CIPSHUT") == ["SHUT OK"]
    assert rig.ask('AT+CIPSTART="TCP","collect.example",7000', 1) == ["OK", "CONNECT OK"]


# --- SMS


def submit(rig: Rig, command: str, data: bytes) -> list[str]:
    assert rig.ask(command) == ["> "]
    rig.uart.transmit(data)
    return [line for line in rig.run(5).decode().splitlines() if line]


def test_a_published_pdu_is_read():
    rig = Rig().registered()
    assert submit(rig, "AT+CMGS=23", HELLO.encode() + b"\x1a") == ["+CMGS: 1", "OK"]
    ((unix_ms, number, text),) = rig.chip.sent_sms
    assert (number, text) == ("+46708251358", "hellohello")
    assert 0 < rig.world.unix_ms - unix_ms < 5000


def ucs2_part(reference: int, total: int, part: int, text: str) -> bytes:
    data = bytes((5, 0, 3, reference, total, part)) + text.encode("utf-16-be", "surrogatepass")
    number = bytes.fromhex("0D91683108000000F1")
    return b"\x00" + bytes((0x51, 0)) + number + bytes((0, 8, 0xAA, len(data))) + data


def test_parts_arrive_as_one_text_even_out_of_order():
    rig = Rig().registered()
    for part, text in ((2, "\ude00 in Qujing"), (1, "被盗 \ud83d")):
        pdu = ucs2_part(7, 2, part, text)
        assert rig.chip.sent_sms == []
        assert submit(rig, f"AT+CMGS={len(pdu) - 1}", pdu.hex().encode() + b"\x1a")[-1] == "OK"
    assert [entry[1:] for entry in rig.chip.sent_sms] == [("+8613800000001", "被盗 😀 in Qujing")]


def test_text_mode():
    rig = Rig().registered()
    rig.ask("AT+CMGF=1")
    assert submit(rig, 'AT+CMGS="10086"', b"CXLL\x1a")[-1] == "OK"
    assert rig.ask('AT+CSCS="UCS2"') == ["OK"]
    to = "13800138000".encode("utf-16-be").hex()
    assert submit(rig, f'AT+CMGS="{to}"', "车动了".encode("utf-16-be").hex().encode() + b"\x1a")[-1] == "OK"
    assert [entry[1:] for entry in rig.chip.sent_sms] == [("10086", "CXLL"), ("13800138000", "车动了")]
    assert submit(rig, f'AT+CMGS="{to}"', b"zz\x1a") == ["+CMS ERROR: 305"]
    assert submit(rig, f'AT+CMGS="{to}"', b"\x1b") == ["OK"]
    assert len(rig.chip.sent_sms) == 2


def test_what_the_network_does_not_take():
    rig = Rig().registered()
    assert submit(rig, "AT+CMGS=22", HELLO.encode() + b"\x1a") == ["+CMS ERROR: 304"], "wrong length"
    assert submit(rig, "AT+CMGS=23", HELLO[:-1].encode() + b"\x1a") == ["+CMS ERROR: 304"], "half a byte"
    rig.chip.no_network = True
    assert "+CMS ERROR: 331" in submit(rig, "AT+CMGS=23", HELLO.encode() + b"\x1a")
    assert rig.chip.sent_sms == []


@pytest.mark.parametrize(
    "pdu",
    [
        "",
        "00",
        "0001",
        "0004000B916407281553F800000AE8329BFD4697D9EC37",
        HELLO[:-2],
        HELLO + "00",
        "0011000B91A4",
    ],
)
def test_broken_pdus(pdu):
    with pytest.raises(PduError):
        decode_submit(bytes.fromhex(pdu))


def test_extension_characters_and_fill_bits():
    octets, message = decode_submit(bytes.fromhex("0011000381 21F3 0000AA 02 9B32"))
    assert (octets, message.number, message.text) == (12, "123", "€")
    header = bytes((5, 0, 3, 9, 2, 1))
    septets = int.from_bytes(header, "little") | ord("h") << 49 | ord("i") << 56
    data = septets.to_bytes(8, "little")
    pdu = bytes.fromhex("0051000381 21F3 0000AA 09") + data
    octets, message = decode_submit(pdu)
    assert (octets, message.number, message.text) == (len(pdu) - 1, "123", "hi")
    assert (message.reference, message.total, message.part) == (9, 2, 1)


# --- currents and sleep


def charge(rig: Rig, state: str) -> float:
    return rig.power.charge_uas().get(("modem", state), 0.0)


def test_sleep_saves_current_and_loses_the_bytes_that_wake_it():
    rig = Rig().registered()
    rig.run(20)
    assert rig.power.current_ua() == 12_000
    rig.ask("AT+CSCLK=2")
    rig.run(2)
    assert rig.power.current_ua() == 500
    assert rig.ask("AT") == []
    assert rig.power.current_ua() == 12_000
    assert rig.ask("AT") == ["OK"]
    rig.run(3)
    before = charge(rig, "sleep")
    rig.run(1000)
    assert charge(rig, "sleep") - before == pytest.approx(500_000)


def test_received_data_wakes_it_with_nothing_lost():
    rig = Rig().connected()
    rig.ask("AT+CSCLK=2")
    rig.run(30)
    assert rig.power.current_ua() == 500
    rig.connection.on_receive(b"order")
    assert rig.run(0.5) == b"\r\n+IPD,5:order"
    assert rig.power.current_ua() == 60_000, "connected"
    rig.run(11)
    assert rig.power.current_ua() == 500


def test_psm_plus_forgets_everything_until_the_uart_wakes_it():
    rig = Rig().connected()
    assert rig.ask('AT+POWERMODE="PSM+"', 15) == ["OK"]
    assert rig.power.current_ua() == 3 and rig.connection.closed
    rig.uart.transmit(b"AT\r")
    assert b"RDY" in rig.run(3)


def test_a_transmission_is_a_short_peak_and_a_long_tail():
    rig = Rig().connected()
    rig.run(20)
    before = charge(rig, "transmitting"), charge(rig, "connected")
    rig.ask("AT+CIPSEND=1", 0.1)
    rig.uart.transmit(b"x")
    rig.run(20)
    assert charge(rig, "transmitting") - before[0] == pytest.approx(4_000), "1 A for 4 ms"
    assert charge(rig, "connected") - before[1] == pytest.approx(600_000, rel=0.01), "60 mA for 10 s"


# --- failures


def test_no_network_never_registers_and_searching_costs():
    rig = Rig()
    rig.chip.no_network = True
    rig.registered()
    assert rig.ask("AT+CEREG?") == ["+CEREG: 0,2", "OK"]
    assert rig.power.current_ua() == 55_000
    assert rig.ask('AT+CIPSTART="TCP","collect.example",7000', 10)[-1] == "CONNECT FAIL"
    rig.chip.no_network = False
    rig.run(16)
    assert rig.ask("AT+CEREG?") == ["+CEREG: 0,1", "OK"]


def test_silent_hears_and_says_nothing_but_obeys_the_key():
    rig = Rig().connected()
    rig.chip.silent = True
    rig.connection.on_receive(b"lost")
    assert rig.ask("AT") == []
    rig.press(1.6)
    rig.run(2)
    assert rig.chip.state == "off"
    rig.press(1.1)
    assert rig.run(10) == b""
    rig.chip.silent = False
    assert rig.ask("AT") == ["AT", "OK"]


def test_rubbish_replaces_answers_and_comes_by_itself():
    rig = Rig().registered()
    rig.chip.rubbish = True
    noise = rig.run(30)
    assert len(noise) > 30 and len(set(noise)) > 20
    rig.uart.transmit(b"AT\r")
    assert b"OK" not in rig.run(1)
    rig.chip.rubbish = False
    assert rig.ask("AT") == ["OK"]
    rig.chip.rubbish = True
    rig.chip.power_cycle()
    rig.run(20)
    assert rig.chip.state == "off" and rig.world.next_event_us() is None


def test_join_completes_characters():
    assert join(["a\ud83d", "\ude00b"]) == "a😀b"
