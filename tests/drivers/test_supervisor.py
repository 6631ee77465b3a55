"""The supervisor on real MicroPython with parts that fail, block and fall silent; then with real ones."""

import pytest
from drivers.test_apps import BACKHAUL, UNLOCKED, Collector, Rig, make_device, tag_files

PROGRAM = """
import machine, time
from apps.clock import Clock
from apps.hardware import boot_cause
from apps.run_loop import Part
from apps.supervisor import Supervisor

class events:  # an image holds them as numbers
    BOOT, MOTION = 1, 3
    LIGHT = 50

class Core:
    def handle(self, event, now_ms):
        print(now_ms // 1000, "event", *event)
        return [(events.LIGHT, 7)] if event[0] == events.BOOT else []

    def next_deadline(self):
        return None

class Steady(Part):
    polls = 0

    def poll(self):
        Steady.polls += 1

class Doubtful(Part):
    actions = ((events.LIGHT, "show"),)
    made = 0

    def __init__(self):
        Doubtful.made += 1
        self.number = Doubtful.made
        print(clock.now_ms() // 1000, "made", self.number)

    def show(self, pattern):
        print("shown", pattern, "by", self.number)
%s
clock = Clock(time.time_ns() // 1_000_000)
cause = boot_cause()
loop = Supervisor(Core(), clock)
loop.add("doubtful", Doubtful)
loop.add("steady", Steady)
loop.post(events.BOOT, cause)
end_ms = %d * 1000
while clock.now_ms() < end_ms:
    loop.step()
    loop.doze(min(1000, loop.due_ms()))
print("polls", Steady.polls)
while True:
    loop.step()
    loop.doze(1000)
"""


@pytest.fixture
def rig():
    rigs = []

    def make(*args, **kwargs) -> Rig:
        rigs.append(Rig(*args, **kwargs))
        return rigs[-1]

    yield make
    for made in rigs:
        made.board.close()


def run(rig, body: str, duration_s: int) -> tuple[Rig, list[str]]:
    """The program with this method of the doubtful part; the board and what it said."""
    indented = "\n".join("    " + line for line in body.strip().splitlines())
    base = rig("base", main=(PROGRAM % (indented, duration_s)).encode())
    base.run(duration_s + 5)
    return base, base.board.log.replace("\r", "").split("\n")


def at(lines: list[str], word: str) -> list[int]:
    """When lines with a word were said, seconds."""
    return [int(line.split()[0]) for line in lines if word in line and line[0].isdigit()]


def test_a_part_that_keeps_failing_is_made_anew_with_growing_pauses(rig):
    _, lines = run(
        rig,
        """
def poll(self):
    if self.number < 4:
        raise OSError("no answer")
""",
        400,
    )
    made = at(lines, "made")
    assert made[0] <= 1 and [later - made[1] for later in made[1:]] == pytest.approx([0, 60, 180], abs=3)
    assert 29 <= made[1] <= 32
    faults = [line.split(" ", 1)[1] for line in lines if "event 21" in line]
    assert faults == ["event 21 doubtful no answer", "event 21 doubtful "], "told once, and that it is over"
    polls = int(next(line for line in lines if line.startswith("polls")).split()[1])
    assert polls > 380, "the others went on"


def test_a_part_made_anew_is_told_again_what_stands(rig):
    _, lines = run(rig, "def poll(self):\n    if self.number < 2:\n        raise OSError('no')", 60)
    assert [line for line in lines if line.startswith("shown")] == ["shown 7 by 1", "shown 7 by 2"]


def test_a_single_failure_makes_nothing_anew(rig):
    _, lines = run(
        rig,
        """
def poll(self):
    if 10_000 < clock.now_ms() < 12_000:
        raise OSError("once")
""",
        120,
    )
    assert len(at(lines, "made")) == 1
    assert len(at(lines, "event 21")) == 2


def test_a_part_that_cannot_be_made_is_tried_again(rig):
    _, lines = run(
        rig,
        """
def expects_ms(self):
    if self.number < 0:
        return 1
tries = 0
def __new__(cls):
    Doubtful.tries += 1
    if Doubtful.tries < 3:
        raise OSError("missing")
    return object.__new__(cls)
""",
        200,
    )
    assert at(lines, "made") == pytest.approx([90], abs=3)
    assert at(lines, "event 21 doubtful missing") == [0]


def test_a_part_that_falls_silent_is_made_anew(rig):
    _, lines = run(
        rig,
        """
def expects_ms(self):
    return 5000
def poll(self):
    if self.number == 2 or clock.now_ms() < 20_000:
        loop.post(events.MOTION)
""",
        120,
    )
    assert at(lines, "silent for 5 s") == pytest.approx([25], abs=2)
    assert at(lines, "made")[1:] == pytest.approx([55], abs=3)
    assert [line for line in lines if "event 21" in line][-1].endswith("event 21 doubtful ")


def test_a_mistake_in_a_part_is_written_down_and_does_not_stop_the_device(rig):
    base, lines = run(rig, "def poll(self):\n    return None + 1", 100)
    assert base.board.boots == 1
    assert base.files["/state/crash.log"].count(b"TypeError") == 1
    assert any(line.startswith("polls") for line in lines)


def test_a_part_that_blocks_ends_in_a_reset_and_then_waits_its_turn(rig):
    body = """
def busy(self):
    return True
def poll(self):
    if clock.now_ms() > 5000:
        while True:
            time.sleep(1)
"""
    base, lines = run(rig, body, 200)
    assert base.board.boots >= 2
    told = next(index for index, line in enumerate(lines) if "blocked until the watchdog bit" in line)
    second = lines[told:]
    assert "0 event 21 doubtful blocked until the watchdog bit" in second
    waited = at(second, "made")
    assert waited and 55 <= waited[0] <= 65, "the device works for a minute before it tries again"


def test_a_part_that_blocks_for_a_while_is_told(rig):
    _, lines = run(rig, "def poll(self):\n    if clock.now_ms() < 20_000:\n        time.sleep(8)", 60)
    assert len(at(lines, "event 21 doubtful blocked the device")) == 1
    assert [line for line in lines if "event 21" in line][-1].endswith("event 21 doubtful ")


# --- real devices


def test_base_whose_radio_was_dead_hears_again_when_it_is_back(rig):
    base = rig("base", changed=BACKHAUL)
    collector = Collector()
    base.network.serve("collector", 4710, lambda: collector)
    radio = base.device.parts["radio"]
    working = radio.spi_transfer
    radio.spi_transfer = lambda data: bytes(len(data))  # a cold solder joint
    tag = make_device(base.world, "tag", "tag", base.place, b"\x09", files=tag_files())
    base.run(100)
    assert "error radio: " in base.board.log and base.board.boots == 1
    assert collector.names().count("station_health") >= 1, "the rest of the station works"
    radio.spi_transfer = working
    base.run(400)
    with tag.board:
        tag.power_on()
        base.run(30)
    assert "info radio: works again" in base.board.log
    assert "sightings" in collector.names()


def test_tracker_whose_receiver_fell_silent_tells_and_goes_on(rig):
    tracker = rig("tracker")
    tracker.board.io.uart(1).send = lambda data: None  # the receiver's wire is broken
    tracker.run(60)
    assert "error gnss: silent for 10 s" in tracker.board.log
    assert tracker.board.boots == 1 and tracker.aired


@pytest.mark.parametrize(
    ("stop", "cause"),
    [
        (lambda rig: rig.board.reset(1), "5"),  # a dip of the supply: the memory of the RTC survives
        (lambda rig: (rig.device.power_off(), rig.device.power_on()), "0"),
        (lambda rig: rig.board.reset(2), "1"),
        (lambda rig: rig.board.reset(3), "2"),
    ],
)
def test_a_brown_out_is_told_from_a_power_on(rig, stop, cause):
    base = rig("base", UNLOCKED, main=(PROGRAM % ("", 10)).encode())
    base.run(5)
    stop(base)
    base.run(5)
    boots = [line for line in base.board.log.replace("\r", "").split("\n") if "event 1 " in line]
    assert [line.split()[-1] for line in boots] == ["0", {"5": "4"}.get(cause, cause)]
