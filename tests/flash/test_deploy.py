"""Files arrive as they are and once, nothing else is touched: real MicroPython, a line in virtual time."""

import random

import pytest
from flash.deploy_rig import KEYS, Desk
from groundnet.flash.deploy import BadName, FlashFull, InTheWay, deploy
from groundnet.flash.orders import PART
from groundnet.link.errors import NoAnswer
from groundnet.sim.desk import Desk as Device
from groundnet.sim.desk import device_on
from groundnet.sim.line_rate import uart
from groundnet.sim.virtual_port import VirtualPort

RANDOM = random.Random(3)
FILES = {
    "/lib/keys.bin": KEYS,
    "/lib/empty": b"",
    "/lib/deep/er/page": RANDOM.randbytes(1024),
    "/lib/deep/pages": RANDOM.randbytes(4096 * 2),
    "/lib/deep/pages_and_one": bytes(4097),
    "/字/文件.txt": "平安\n".encode() * 90,
    "/main.py": b"print('started')\n",
}


# What a board before MicroPython 1.21 answers to `import deflate`.
NO_DEFLATE = b"""import sys
class Missing:
    def __getattr__(self, name):
        raise ImportError("no module named 'deflate'")
sys.modules["deflate"] = Missing()
"""


@pytest.fixture(scope="module")
def desk():
    with Desk() as made:
        yield made


def test_files_arrive_as_they_are_and_are_sent_once(desk):
    shares = []
    desk.restart({})
    first = desk.deploy(FILES, progress=shares.append)
    assert desk.content() == FILES
    assert first.sent == tuple(FILES) and first.bytes == sum(map(len, FILES.values()))
    assert shares == sorted(shares) and shares[-1] == 1.0
    steps = desk.files.steps
    second = desk.deploy(FILES)
    assert (second.sent, second.bytes, set(second.skipped)) == ((), 0, set(FILES))
    assert desk.files.steps == steps  # the flash is not worn either


def test_one_changed_file_is_sent_alone(desk):
    desk.restart(FILES)
    changed = FILES | {"/lib/keys.bin": KEYS[::-1]}
    report = desk.deploy(changed)
    assert report.sent == ("/lib/keys.bin",) and desk.content() == changed
    assert report.wire_bytes < 4000


def test_what_is_beside_the_files_stays(desk):
    others = {"/state/identity": b"\x01", "/lib/other.py": b"x", "/main.py": b"old"}
    desk.restart(others)
    report = desk.deploy(FILES)
    assert desk.content() == others | FILES and report.removed == ()


def test_pruning_removes_what_is_in_its_folder_and_nothing_else(desk):
    others = {"/lib/old/er/file": b"1", "/lib/old.py": b"2", "/library/file": b"3", "/state/identity": b"4"}
    desk.restart(others)
    report = desk.deploy(FILES, prune="/lib")
    assert set(report.removed) == {"/lib/old/er/file", "/lib/old.py", "/lib/old/er/", "/lib/old/"}
    assert desk.content() == FILES | {path: others[path] for path in ("/library/file", "/state/identity")}
    assert "/lib/old" not in desk.files
    assert desk.deploy({}, prune="/lib").removed and set(desk.content()) == {
        "/library/file",
        "/state/identity",
        "/字/文件.txt",
        "/main.py",
    }


def test_a_part_that_a_cut_left_goes_with_the_next_deploy(desk):
    desk.restart(FILES | {"/main.py" + PART: b"half"})
    assert desk.deploy(FILES).removed == ("/main.py" + PART,)
    assert desk.content() == FILES


def test_a_board_that_cannot_inflate_gets_plain_files(desk):
    desk.restart({"/boot.py": NO_DEFLATE})
    report = desk.deploy(FILES)
    assert desk.content() == FILES | {"/boot.py": NO_DEFLATE}
    assert report.wire_bytes > report.bytes


def test_a_running_program_is_interrupted_and_not_restarted(desk):
    desk.restart({"/main.py": b"import time\nwhile True:\n time.sleep(1)\n"})
    port = desk.port()
    boots = desk.board.boots
    desk.deploy({"/main.py": b"new = 1\n"}, port)
    assert desk.content() == {"/main.py": b"new = 1\n"} and desk.board.boots == boots


def test_a_running_device_gets_files_and_keeps_its_own():
    with device_on(Device("tag", "xiao_c3_sx1262")) as device:
        device.power_on()
        device.board.world.run_for(5_000_000)
        before = {path: device.board.files[path] for path in device.board.files.paths()}
        deploy(VirtualPort(device.board), FILES | {"/main.py": before["/main.py"]})
        after = {path: device.board.files[path] for path in device.board.files.paths()}
        assert after == FILES | before


def test_the_slow_line_never_overflows_the_receive_buffer():
    with Desk(rate=uart(115_200)) as desk:
        report = desk.deploy(FILES)
        assert desk.content() == FILES and desk.board.console.lost == 0
        assert report.shares["wire"] > 0.5 and sum(report.shares.values()) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("window_bytes", [32, 64, 1000])
def test_any_window_does(desk, window_bytes):
    desk.restart({})
    desk.deploy(FILES, window_bytes=window_bytes)
    assert desk.content() == FILES


def test_a_full_flash_is_told_leaves_the_old_file_and_no_part():
    with Desk({"/main.py": b"old"}, capacity_bytes=40 * 1024) as desk:
        with pytest.raises(FlashFull, match="--prune"):
            desk.deploy({"/main.py": RANDOM.randbytes(60_000)})
        assert desk.content() == {"/main.py": b"old"}
        assert desk.deploy({"/main.py": b"new"}).bytes == 3


def test_a_file_where_a_folder_is_wanted_is_told_or_pruned(desk):
    desk.restart({"/lib": b"a file"})
    with pytest.raises(InTheWay, match="/lib"):
        desk.deploy(FILES)
    assert desk.content() == {"/lib": b"a file"}
    desk.deploy(FILES, prune="/")
    assert desk.content() == FILES


def test_who_stops_it_leaves_the_board_at_its_prompt(desk):
    class Enough(Exception):
        pass

    def stop(share):
        if share > 0.3:
            raise Enough

    desk.restart({"/main.py": b"old"})
    with pytest.raises(Enough):
        desk.deploy({"/main.py": RANDOM.randbytes(9000)}, progress=stop)
    assert desk.content() == {"/main.py": b"old"}
    port = desk.port()
    port.timeout = 1.0
    port.write(b"\r\x03")
    assert port.read(1000).endswith(b">>> ")


def test_a_board_without_an_answer_is_named(desk):
    desk.restart({})
    port = desk.port()
    desk.board.power_off()
    with pytest.raises(NoAnswer):
        deploy(port, FILES)


@pytest.mark.parametrize(
    "path", ["main.py", "/", "//a", "/a/../b", "/a/", "/x.part", "/" + "n" * 201, "/a\0"]
)
def test_a_path_that_no_board_holds_is_refused_before_the_first_byte(path):
    with pytest.raises(BadName):
        deploy("/dev/no-such", {path: b""})
