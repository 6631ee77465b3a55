"""Inputs, supply, vibration and display on virtual boards: real MicroPython, real drivers, events at the core."""

import pytest
from groundnet.image import firmware_image
from groundnet.sim import groundcore_runtime
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.desk import quiet_place
from groundnet.sim.network import Network
from groundnet.sim.roles import make_device
from groundnet.sim.state_files import record
from groundnet.sim.world import World
from groundwire import frame, messages

BUTTON, STRAP, CASE, PIR = 1, 2, 3, 4  # groundcore.events.INPUT_...

store, numbers = groundcore_runtime.load("store"), groundcore_runtime.load("events")
# An image holds events as numbers, without their names.
EVENTS = "class events:\n" + "".join(
    f"    {name} = {number}\n" for name, number in vars(numbers).items() if name.isupper()
)

# A core that prints what it hears, and does what is typed into flash: everything else of the app is the real one.
CORE = (
    EVENTS
    + """
class Core:
    plan = None  # it never transmits

    def __init__(self):
        self.asked = [%s]
    def handle(self, event, now_ms):
        if event[0] in (events.INPUT, events.SUPPLY):
            print("heard", event[0], event[1], event[2] if len(event) > 2 else "")
        actions, self.asked = self.asked, []
        return actions
    def next_deadline(self):
        return None
    def snapshot(self):
        return b"snapshot"
    def __getattr__(self, name):  # the region's plan and what else an app asks a core for
        return None
"""
)
TAG_MAIN = (
    CORE
    + """
import apps.tag as app
app.Tag = lambda records, draw: Core()
app.restore = lambda data, draw: Core()
app.main()
"""
)
TRACKER_MAIN = (
    CORE
    + """
import apps.tracker as app
app.Tracker = lambda device_id, records, draw: Core()
app.main()
"""
)


# The app's parts are made twice, as by its supervisor, before the core asks for chirps.
AGAIN = (
    CORE % "(events.CHIRP, 2)"
    + """
import apps.tracker as app
app.Tracker = lambda device_id, records, draw: Core()
loops = []
class Kept(app.Supervisor):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        loops.append(self)
app.Supervisor = Kept
class Twice(app.TrackerApp):
    def __init__(self):
        super().__init__()
        loop = loops[-1]
        made, add, again = loop.parts.copy(), loop.add, []
        loop.add = lambda name, make, errors=(): again.append((name, make))
        app.add_extras(loop, app.Hardware(app.BOARD))
        loop.add = add
        for name, make in again:
            add(name, make)
app.TrackerApp = Twice
app.main()
"""
)


IDENTITY = record(store.encode_identity(store.Identity("T1", "vehicle", "here", bytes(range(32)), True)))
UNLOCKED = record(store.encode_identity(store.Identity("T1", "vehicle", "here", bytes(range(32)), False)))


class Rig:
    def __init__(self, role, board, actions="", main=None):
        self.world = World(5)
        place = quiet_place(self.world, Network(self.world))
        main = main or (TAG_MAIN if role == "tag" else TRACKER_MAIN) % actions
        files = firmware_image.build(role, board) | {"/main.py": main.encode()}
        self.device = make_device(self.world, role, role, place, b"\x01", board, BoardFs(files))
        self.board = self.device.board
        self.parts = self.device.parts
        self.device.power_on()

    def run(self, duration_s: float) -> "Rig":
        self.world.run_for(int(duration_s * 1e6))
        return self

    def heard(self) -> list[tuple[int, ...]]:
        """(event, value, ...) of every line that the core printed."""
        lines = self.board.log.splitlines()
        return [tuple(map(int, line.split()[1:])) for line in lines if line.startswith("heard ")]

    def inputs(self) -> list[tuple[int, ...]]:
        return [line[1:] for line in self.heard() if line[0] == 20]

    def supplies(self) -> list[int]:
        return [line[1] for line in self.heard() if line[0] == 19]


@pytest.fixture
def rig():
    rigs = []

    def make(*args, **kwargs) -> Rig:
        rigs.append(Rig(*args, **kwargs))
        return rigs[-1]

    yield make
    for made in rigs:
        made.board.close()
        assert "Traceback" not in made.board.log and "error" not in made.board.log


# --- wearable tag: deep sleep between everything


def test_a_long_press_wakes_a_sleeping_tag_and_is_told_while_it_is_held(rig):
    tag = rig("tag", "wsl3_wearable").run(20)
    assert tag.board.state == "deep sleep"
    tag.parts["button"].close()
    tag.run(2.5)
    assert tag.inputs() == [(BUTTON, 1)]
    tag.run(5)
    tag.parts["button"].open()
    tag.run(15)
    assert tag.board.state == "deep sleep"


def test_a_short_press_wakes_but_is_no_sos(rig):
    tag = rig("tag", "wsl3_wearable").run(20)
    boots = tag.board.boots
    tag.parts["button"].close()
    tag.run(0.8)
    tag.parts["button"].open()
    tag.run(20)
    assert tag.inputs() == [] and tag.board.boots == boots + 1
    assert tag.board.state == "deep sleep"


def test_an_opened_strap_is_told_once_and_does_not_keep_the_tag_awake(rig):
    tag = rig("tag", "wsl3_wearable").run(20)
    tag.parts["strap"].close()
    tag.run(2)
    assert tag.inputs() == [(STRAP, 1)]
    boots = tag.board.boots
    tag.run(3600)
    assert tag.inputs() == [(STRAP, 1)] and tag.board.boots == boots, "a strap that hangs open wakes again"
    assert tag.board.state == "deep sleep"
    tag.parts["strap"].open()
    tag.parts["button"].close()  # any wake-up looks at the strap, too
    tag.run(3)
    assert (STRAP, 0) in tag.inputs()
    tag.parts["button"].open()
    tag.run(20)
    tag.parts["strap"].close()
    tag.run(2)
    assert tag.inputs().count((STRAP, 1)) == 2


def test_buzz_moves_the_motor_and_leaves_it_at_rest(rig):
    tag = rig("tag", "wsl3_wearable", "(events.BUZZ, 3)").run(20)
    bursts = tag.parts["vibration"].bursts
    assert len(bursts) >= 3 and all(end is not None for _, end in bursts)
    assert all(300_000 < end - start < 500_000 for start, end in bursts[:3])
    assert tag.device.power.charge_uas()["vibration", "sounding"] > 0


def test_the_usual_tag_carries_none_of_it():
    files = firmware_image.build("tag", "xiao_c3_sx1262")
    extra = {
        "/apps/extras.mpy",
        "/apps/inputs.mpy",
        "/drivers/contact.mpy",
        "/drivers/siren.mpy",
        "/apps/vibration.mpy",
    }
    assert not extra & files.keys()
    assert extra <= firmware_image.build("tag", "wsl3_wearable").keys()


# --- sentry and tracker: light sleep


def test_movement_in_a_shop_is_told_after_the_warm_up_and_once(rig):
    sentry = rig("tracker", "sentry_s3").run(75)
    assert (PIR, 1) not in sentry.inputs(), "false triggers of the warm-up"
    for _ in range(4):
        sentry.parts["pir"].see()
        sentry.run(6)
    sentry.run(20)
    assert sentry.inputs() == [(PIR, 1), (PIR, 0)]


def test_a_case_that_is_opened_is_told_within_half_a_second(rig):
    sentry = rig("tracker", "sentry_s3").run(60)
    sentry.parts["case"].close()
    sentry.run(0.5)
    assert sentry.inputs() == [(CASE, 1)]
    sentry.parts["case"].open()  # no sleep ends by a low level: it is seen at the next turn
    sentry.run(10.5)
    assert sentry.inputs() == [(CASE, 1), (CASE, 0)]


@pytest.mark.parametrize(("board", "nominal_mv"), [("s3_tracker", 51_200), ("sentry_s3", 12_000)])
def test_a_cut_supply_is_told_within_a_second_also_from_light_sleep(rig, board, nominal_mv):
    tracker = rig("tracker", board).run(40)
    assert tracker.supplies() == [pytest.approx(nominal_mv, rel=0.02)]
    tracker.parts["supply"].cut()
    tracker.run(1)
    assert tracker.supplies()[1:] == [0]
    tracker.run(30)
    tracker.parts["supply"].restore()
    tracker.run(12)
    assert tracker.supplies()[2:] == [pytest.approx(nominal_mv, rel=0.02)]


def test_chirps_of_a_sentry_come_from_the_buzzer_and_alarms_from_the_siren(rig):
    sentry = rig("tracker", "sentry_s3", "(events.CHIRP, 2), (events.SIREN, 3000)").run(20)
    assert len(sentry.parts["buzzer"].bursts) == 2
    ((start_us, end_us),) = sentry.parts["siren"].bursts
    assert end_us - start_us == pytest.approx(3_000_000, rel=0.05)


def test_a_part_that_is_made_anew_goes_on_telling(rig):
    """The supervisor may make any part again, long after the app's start; each must find its own pins then."""
    sentry = rig("tracker", "sentry_s3", main=AGAIN).run(75)
    sentry.parts["case"].close()
    sentry.run(1)
    sentry.parts["pir"].see()
    sentry.run(70)
    assert (CASE, 1) in sentry.inputs() and len(sentry.parts["buzzer"].bursts) == 2
    assert sentry.parts["siren"].bursts == []


# --- the real cores


@pytest.mark.parametrize(("role", "board"), [("tag", "wsl3_wearable"), ("tracker", "sentry_s3")])
def test_the_real_core_lives_with_everything_that_the_board_tells(role, board):
    world = World(5)
    place = quiet_place(world, Network(world))
    files = firmware_image.build(role, board) | {"/state/identity.0": IDENTITY}
    device = make_device(world, role, role, place, b"\x01", board, BoardFs(files))
    with device.board:
        device.power_on()
        world.run_for(90_000_000)
        for act in ("close", "open"):
            for name in ("button", "strap", "case"):
                if name in device.parts:
                    getattr(device.parts[name], act)()
                    world.run_for(5_000_000)
        if "supply" in device.parts:
            device.parts["supply"].cut()
            device.parts["pir"].see()
            world.run_for(30_000_000)
        assert "Traceback" not in device.board.log
        complaints = {line for line in device.board.log.splitlines() if line.startswith("error ")}
        assert complaints <= {"error modem: not registered"}, "there is no tower on a desk"
        assert device.board.reset_cause in (1, 4), "power-on, or the end of a deep sleep"


def self_test(device) -> dict[str, dict]:
    """Results by part, over the service link of a device that has just been switched on."""
    output = bytearray()
    device.board.console.listeners.append(output.extend)
    for data in (b"\0", frame.encode(*messages.encode("self_test", {"parts": []}), 7)):
        device.board.console.feed(data)
        device.board.world.run_for(4_000_000 if len(data) > 1 else 300_000)
    decoder = frame.Decoder(8192, frame.REPLIES)
    decoder.feed(bytes(output))
    while not isinstance(reply := decoder.next(), frame.Frame):
        assert reply is not frame.NEED_MORE, output
    tests = messages.decode(reply.kind, reply.payload).values["tests"]
    return {test["part"]: test for test in tests}


def test_a_bench_is_told_what_is_broken_and_the_tag_guards_on():
    world = World(5)
    place = quiet_place(world, Network(world))
    files = firmware_image.build("tag", "wsl3_wearable") | {"/state/identity.0": UNLOCKED}
    device = make_device(world, "tag", "tag", place, b"\x01", "wsl3_wearable", BoardFs(files))
    chip = device.parts["accelerometer"]
    with device.board:
        device.power_on()
        world.run_for(2_000_000)
        armed = chip.registers[0x23], chip.registers[0x34], chip.registers[0x3F]
        well = self_test(device)
        assert (
            well["accelerometer"]["result"]
            == well["strap"]["result"]
            == well["battery"]["result"]
            == "passed"
        )
        assert 70 <= well["accelerometer"]["measured"] <= 1500
        assert (chip.registers[0x23], chip.registers[0x34], chip.registers[0x3F]) == armed and armed[1] > 0
        chip.stuck_axis = 1
        device.parts["strap"].close()
        world.run_for(1_000_000)
        broken = self_test(device)
        assert broken["accelerometer"]["result"] == broken["strap"]["result"] == "failed"
        assert broken["accelerometer"]["measured"] < 70 and " y 0 " in broken["accelerometer"]["text"]
        assert broken["button"]["result"] == "passed"


# --- finder


PICTURE = """
import framebuf
from apps.hardware import Hardware
from board import BOARD
from drivers.ssd1306 import Ssd1306, WIDTH, HEIGHT
hardware = Hardware(BOARD)
entry = hardware.part("display")
power = hardware.output(entry["enable"], 1 - entry["enable_level"])
display = Ssd1306(hardware.i2c(entry["i2c"]), entry["address"], hardware.output(entry["reset"], 1), power, 0)
picture = framebuf.FrameBuffer(display.buffer, WIDTH, HEIGHT, framebuf.MONO_VLSB)
picture.rect(0, 0, WIDTH, HEIGHT, 1)
picture.text("GN", 8, 16)
display.wake()
"""


def test_what_a_board_draws_can_be_read_back(tmp_path):
    """The finder's app is still to come; its display, board literal and drivers are here."""
    world = World(1)
    place = quiet_place(world, Network(world))
    image = firmware_image.build("tracker", "sentry_s3")
    files = {
        name: data for name, data in image.items() if name.startswith(("/apps", "/groundcore", "/groundwire"))
    }
    files["/board.py"] = firmware_image.board_file("heltec_v3_finder").read_bytes()
    driver = firmware_image.firmware_folder() / "drivers" / "ssd1306.py"
    files["/drivers/ssd1306.mpy"] = firmware_image.compile_module(driver, "drivers.ssd1306")
    files["/main.py"] = PICTURE.encode()
    device = make_device(world, "finder", "finder", place, b"\x01", "heltec_v3_finder", BoardFs(files))
    with device.board:
        device.power_on()
        world.run_for(2_000_000)
        assert "Traceback" not in device.board.log
        rows = device.parts["display"].rows()
        (tmp_path / "finder.png").write_bytes(device.parts["display"].png())
    assert rows[0] == rows[63] == "#" * 128
    assert all(row[0] == row[127] == "#" for row in rows)
    letters = [row[8:24] for row in rows[16:24]]
    assert letters[0] == "..####...##..##." and letters[3] == ".##.###..######.", "\n".join(letters)
    assert (tmp_path / "finder.png").stat().st_size > 200
