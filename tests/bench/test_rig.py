"""A rig made of what a test can have: SCPI over real sockets, a relay board on a PTY, the pins of a virtual board."""

import ast
import itertools
import json
import os
import subprocess
import sys
import tty

import pytest
from bench.scpi_server import ScpiServer
from groundnet.bench.instruments.line import InstrumentError, Line
from groundnet.bench.instruments.pins import Pins
from groundnet.bench.instruments.relay import Relay
from groundnet.bench.instruments.scpi import Attenuator, Meter, Supply
from groundnet.bench.interface import Lacking
from groundnet.bench.recording import ReplayMismatch, compare
from groundnet.bench.rig_bench import RigBench
from groundnet.errors import GroundnetError
from groundnet.link import prompt

RIG = """
name = "test"
[instruments.supply]
driver = "scpi-supply"
port = "{supply}"
[instruments.attenuator]
driver = "scpi-attenuator"
port = "{attenuator}"
[devices.tag]
role = "tag"
board = "xiao_c3_sx1262"
serial = "/dev/null"
supply = {{ instrument = "supply", channel = 2, volts = "3.6 V", limit = "300 mA" }}
current = {{ instrument = "supply", channel = 2 }}
[devices.base]
role = "base"
board = "heltec_v3"
serial = "/dev/zero"
[[paths]]
between = ["tag", "base"]
instrument = "attenuator"
channel = 3
fixed = "60 dB"
"""


@pytest.fixture
def scpi():
    servers = []

    def make() -> ScpiServer:
        servers.append(ScpiServer())
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def rig(scpi, tmp_path):
    """(path of the description, the supply's instrument, the attenuator's)."""
    supply, attenuator = scpi(), scpi()
    path = tmp_path / "rig.toml"
    path.write_text(RIG.format(supply=supply.url, attenuator=attenuator.url))
    return path, supply.instrument, attenuator.instrument


def test_a_supply_is_set_switched_and_read(scpi):
    server = scpi()
    supply = Supply(Line("supply", server.url, 9600))
    assert supply.identity().startswith("Example")
    supply.set_limit(2, 0.3)
    supply.set_volts(2, 3.6)
    assert supply.measure_volts(2) == 0.0
    supply.switch(2, True)
    assert supply.measure_volts(2) == pytest.approx(3.6)
    assert supply.measure_amperes(2) == pytest.approx(0.012)
    assert (server.instrument.volts, server.instrument.limits_a[2]) == ({1: 0.0, 2: 3.6}, 0.3)
    supply.close()


def test_what_an_instrument_refuses_is_told_in_its_own_words(scpi):
    supply = Supply(Line("supply", scpi().url, 9600))
    with pytest.raises(InstrumentError, match=r"refuses 'VOLT 48\.0000': Data out of range"):
        supply.set_volts(1, 48.0)
    with pytest.raises(InstrumentError, match="refuses 'INST:NSEL 7'"):
        supply.switch(7, True)
    supply.close()


def test_a_meter_and_an_attenuator(scpi):
    server = scpi()
    meter, attenuator = (
        Meter(Line("meter", server.url, 9600)),
        Attenuator(Line("attenuator", server.url, 9600)),
    )
    assert meter.measure_amperes(1) == pytest.approx(0.012)
    attenuator.set_db(2, 31.5)
    assert server.instrument.attenuation_db == {2: 31.5}
    with pytest.raises(InstrumentError, match="out of range"):
        attenuator.set_db(2, 120)
    wrong = Attenuator(Line("attenuator", server.url, 9600), command="ATTN {db}")
    with pytest.raises(InstrumentError, match="Undefined header"):
        wrong.set_db(1, 10)


def test_a_silent_instrument_and_one_that_talks_nonsense_are_named(scpi):
    server = scpi()
    supply = Supply(Line("supply", server.url, 9600, timeout_s=0.1))
    server.instrument.mute = True
    with pytest.raises(InstrumentError, match="supply: does not answer"):
        supply.identity()
    server.instrument.mute = False
    server.instrument.load_a = float("nan")
    server.instrument.answer = lambda command: "hello"
    with pytest.raises(InstrumentError, match="'hello', which is no number"):
        supply.measure_amperes(1)
    with pytest.raises(InstrumentError, match="cannot be opened"):
        Line("nobody", "/dev/does-not-exist", 9600)


def test_a_relay_board_gets_the_four_bytes_of_its_protocol():
    ours, theirs = os.openpty()
    tty.setraw(ours)
    tty.setraw(theirs)
    relay = Relay(Line("relays", os.ttyname(theirs), 9600))
    relay.switch(1, True)
    relay.switch(1, False)
    with open(ours, "rb", buffering=0, closefd=False) as heard:
        said = b"".join(heard.read(4) for _ in range(2))
    assert said == bytes.fromhex("a00101a2 a00100a1")  # from the maker's sheet
    relay.close()
    os.close(ours)
    os.close(theirs)


def test_the_pins_of_a_micropython_board():
    from groundnet.sim.board import VirtualBoard
    from groundnet.sim.pacing import hold_while
    from groundnet.sim.world import World

    world = World(1)
    board = VirtualBoard(world, "pico", files={"/main.py": b""})
    with board:
        port = board.pty_path
        board.power_on()
        pins = Pins("pins", port)

        def talk() -> tuple:
            who = pins.identity()
            pins.switch(5, True)
            return who, pins.level(6)

        board.io.line(6).drive(1)
        who, level = hold_while(world, [board], talk)
        assert "MicroPython 1." in who and level == 1
        assert board.io.line(5).level == 1
        with pytest.raises(InstrumentError, match="beyond a servo's reach"):
            pins.play(15, [[120, 0.1]], 1)


FAKE_PWM = """
import machine, time
seen = []
class PWM:
    def __init__(self, pin, freq, duty_ns):
        seen.append((pin.gpio, freq))
    def duty_ns(self, pulse_ns):
        seen.append((time.ticks_ms(), pulse_ns))
machine.PWM = PWM
"""


def test_a_servo_moves_by_itself_and_a_new_motion_replaces_the_old_one():
    from groundnet.bench.rig_device import RigMotion
    from groundnet.bench.rig_file import Attachment
    from groundnet.sim.board import VirtualBoard
    from groundnet.sim.pacing import hold_while
    from groundnet.sim.world import World

    world = World(1)
    board = VirtualBoard(world, "pico", files={"/main.py": b""})
    with board:
        port = board.pty_path
        board.power_on()
        motion = RigMotion(Pins("pins", port), Attachment("pins", 15), "tag")

        def at_the_prompt(code: bytes) -> str:
            return hold_while(world, [board], lambda: prompt.execute(port, code)).decode()

        at_the_prompt(FAKE_PWM.encode())
        hold_while(world, [board], lambda: motion.does("walk", 60))
        world.run_for(2_000_000)
        hold_while(world, [board], lambda: motion.does("bump"))
        world.run_for(2_000_000)
        turns = ast.literal_eval(at_the_prompt(b"print(seen)"))
        assert turns[0] == (15, 50)
        walk, bump = turns[1 : turns.index((15, 50), 1)], turns[turns.index((15, 50), 1) + 1 :]
        assert 7 <= len(walk) <= 10, "a turn each 0.28 s for two seconds"
        pauses_ms = [after - before for (before, _), (after, _) in itertools.pairwise(walk)]
        assert all(270 <= pause_ms <= 300 for pause_ms in pauses_ms), pauses_ms
        assert [pulse_ns for _, pulse_ns in bump] == [1_588_889, 1_500_000]


def test_a_motion_that_a_servo_cannot_play_is_lacking():
    from groundnet.bench.rig_device import RigMotion
    from groundnet.bench.rig_file import Attachment

    with pytest.raises(Lacking, match="motion 'storm'"):
        RigMotion(None, Attachment("pins", 15), "tag").does("storm")


def test_a_test_runs_on_a_rig_as_it_does_on_virtual_boards(rig):
    path, supply, attenuator = rig
    bench = RigBench.open(path)
    tag, base = bench.device("tag"), bench.device("base")
    assert supply.on[2] and supply.volts[2] == 3.6 and supply.limits_a[2] == 0.3
    bench.set_loss(tag.name, base.name, 90.0)
    assert attenuator.attenuation_db == {3: 30.0}
    assert tag.current.mean_ua(0.2) == pytest.approx(12_000)
    tag.power.cut()
    assert not supply.on[2]
    bench.close()


@pytest.mark.parametrize(
    ("use", "what"),
    [
        (lambda bench, tag: tag.motion, "motion"),
        (lambda bench, tag: tag.sky, "sky"),
        (lambda bench, tag: tag.contact("button"), "button"),
        (lambda bench, tag: tag.sounder("siren"), "siren"),
        (lambda bench, tag: tag.cells(""), "cell environment"),
        (lambda bench, tag: bench.headquarters, "collector"),
        (lambda bench, tag: bench.heard(), "radio sniffer"),
        (lambda bench, tag: bench.device("tracker"), "tracker"),
        (lambda bench, tag: bench.device("tag"), "tag"),  # the only one is taken
    ],
)
def test_what_a_rig_lacks_is_named(rig, use, what):
    bench = RigBench.open(rig[0])
    tag = bench.device("tag")
    with pytest.raises(Lacking, match=f"no {what} for"):
        use(bench, tag)
    bench.close()


def test_a_record_replays_without_the_rig_and_minds_order_arguments_and_results(rig, tmp_path):
    path, supply, _ = rig
    record = tmp_path / "run.jsonl"

    def story(bench, volts: float) -> float:
        tag = bench.device("tag")
        tag.power.set_volts(volts)
        current_ua = tag.current.now_ua
        bench.close()
        return current_ua

    assert story(RigBench.open(path, record=record), 3.3) == pytest.approx(12_000)
    supply.mute = True  # the rig is gone
    assert story(RigBench.open(path, replay=record), 3.3) == pytest.approx(12_000)
    with pytest.raises(ReplayMismatch, match=r"recorded is supply.set_volts\(2, 3.3\), the test asks .*2.9"):
        story(RigBench.open(path, replay=record), 2.9)
    bench = RigBench.open(path, replay=record)
    with pytest.raises(ReplayMismatch, match="the record goes on with supply"):
        bench.close()


def test_a_failure_is_recorded_and_replayed_as_one(rig, tmp_path):
    path, _, _ = rig
    record = tmp_path / "run.jsonl"
    for how in ({"record": record}, {"replay": record}):
        bench = RigBench.open(path, **how)
        tag = bench.device("tag")
        with pytest.raises(InstrumentError, match="Data out of range"):
            tag.power.set_volts(99.0)
        bench.close()


def test_two_records_differ_in_words(rig, tmp_path):
    path, supply, _ = rig
    records = []
    for load_a in (0.012, 0.034):
        supply.load_a = load_a
        records.append(tmp_path / f"{load_a}.jsonl")
        bench = RigBench.open(path, record=records[-1])
        _ = bench.device("tag").current.now_ua
        bench.close()
    told = compare(*records)
    assert len(told) == 2
    assert "is gone: supply.measure_amperes(2) = 0.012" in told[0] and "is new" in told[1]
    assert compare(records[0], records[0]) == []


def test_a_damaged_record_is_named(tmp_path, rig):
    record = tmp_path / "run.jsonl"
    record.write_text(json.dumps({"who": "supply"}) + "\n")
    with pytest.raises(GroundnetError, match=r"line 1 of .* is no exchange"):
        RigBench.open(rig[0], replay=record)


def test_an_instrument_that_fails_frees_the_others(scpi, tmp_path):
    supply, attenuator = scpi(), scpi()
    path = tmp_path / "rig.toml"
    path.write_text(RIG.format(supply=supply.url, attenuator=attenuator.url))
    attenuator.instrument.mute = True
    with pytest.raises(InstrumentError, match="attenuator: does not answer"):
        RigBench.open(path)
    assert "*IDN?" in supply.instrument.log
    assert supply.let_go() and attenuator.let_go()


def test_what_a_rig_lacks_skips_a_test_with_its_name(rig, tmp_path):
    (tmp_path / "test_it.py").write_text(
        "def test_current(tag):\n    assert tag.current.now_ua > 1000\n"
        "def test_sky(tag):\n    tag.sky.becomes('none')\n"
        "def test_faults(faults, tag):\n    pass\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-rs",
        "-q",
        "-p",
        "no:cacheprovider",
        "--bench",
        str(rig[0]),
        "test_it.py",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert "1 passed, 2 skipped" in done.stdout, done.stdout
    assert "the bench has no sky for tag" in done.stdout and "a rig injects no faults" in done.stdout
