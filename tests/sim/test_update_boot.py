"""The boot loader on real MicroPython: which image starts, whatever was cut or broken in between."""

import pytest
from groundnet.sim.board import OFF, VirtualBoard
from groundnet.sim.boardfs import PowerCut
from groundnet.sim.world import World
from sim import update_rig as rig

SAYS = "import __main__, time\nprint('runs {0}', __main__.trial)\nwhile True:\n    time.sleep(5)\n"
CONFIRMS = """
import esp32, time
print('runs new')
blob = bytearray(85)
nvs = esp32.NVS('groundnet')
count = nvs.get_blob('boot', blob)
blob[1], blob[2] = blob[2], 255
nvs.set_blob('boot', memoryview(blob)[:count])
time.sleep(1000)
"""
KEY = (b"groundnet", b"boot")
OLD, SLOT_B, NONE = 0, 1, 255


def started(new: str, state: bytes, seconds: float = 10.0, cut_at: int = 0, damage=lambda files: None):
    """A board with the old version in slot a and ROM, another in slot b, and a boot state; it ran so long."""
    old, other = rig.tiny(SAYS.format("old")), rig.tiny(new)
    files = rig.flash(old, rig.bundle(old, "0.1.0"))
    files["/slots/b.gnb"] = rig.bundle(other)
    files["/state/identity.0"] = b"identity and keys"
    damage(files)

    def step(which):
        if which.number == cut_at:
            raise PowerCut

    files.on_step = step
    with VirtualBoard(World(3), "board", files=files) as board:
        board.memory.nvs[KEY] = state
        board.power_on()
        board.world.run_for(round(seconds * 1e6))
        if board.state == OFF:
            board.power_on()
            board.world.run_for(round(seconds * 1e6))
        assert files["/state/identity.0"] == b"identity and keys"
        return board.log, board.memory.nvs.get(KEY, b""), files.steps


TRIAL = rig.boot_state(OLD, trial=SLOT_B, tries=1)


def test_a_trial_is_copied_into_rom_and_started_once():
    log, state, _ = started(SAYS.format("new"), TRIAL)
    assert log.split("\n")[:1] == ["runs new True"]
    assert tuple(state[1:5]) == (OLD, SLOT_B, 0, SLOT_B)


def test_power_cut_at_every_step_of_a_trial_starts_the_old_or_the_new_version():
    _, _, steps = started(CONFIRMS, TRIAL)
    seen = set()
    for cut_at in range(1, steps + 1):
        log, state, _ = started(CONFIRMS, TRIAL, cut_at=cut_at)
        last = [line for line in log.split("\n") if line.startswith("runs")][-1]
        seen.add(last)
        assert last == ("runs new" if state[1] == SLOT_B else "runs old False")
        assert state[4] == state[1] and state[2] == NONE
    assert steps >= 7 and seen == {"runs new", "runs old False"}


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("import nothing_of_this_name", b"it restarted before it was confirmed"),
        ("import machine, time\ntime.sleep(3)\nmachine.reset()", b"it restarted before it was confirmed"),
        ("import time\ntime.sleep(3)\n1 // 0", b"it restarted before it was confirmed"),
        ("import time\nwhile True:\n    time.sleep(1)", b"it hung until the watchdog bit"),
        (
            "while True:\n    pass",
            b"it restarted before it was confirmed",
        ),  # the model resets it by its button
    ],
    ids=["crashes at import", "restarts", "crashes later", "hangs", "computes without end"],
)
def test_a_trial_that_does_not_go_well_is_taken_back(new, reason):
    log, state, _ = started(new, TRIAL, seconds=70)
    assert log.rstrip().endswith("runs old False")
    assert tuple(state[1:5]) == (OLD, NONE, 0, OLD)
    assert state[15:21] == bytes((0, 0, 2, 0, 0, 0)) and state[21:] == reason


def test_the_reason_that_a_version_gave_itself_is_kept():
    log, state, _ = started("", rig.boot_state(OLD, SLOT_B, 0, SLOT_B, b"self-test: radio"))
    assert log.startswith("runs old False") and state[21:] == b"self-test: radio"


def cut_short(files):
    files["/slots/b.gnb"] = files["/slots/b.gnb"][:-1]


def one_bit(files):
    data = bytearray(files["/slots/b.gnb"])
    data[-1] ^= 1
    files["/slots/b.gnb"] = bytes(data)


def lost(files):
    del files["/slots/b.gnb"]


def nonsense(files):
    files["/slots/b.gnb"] = b"GNB1" + bytes(range(200)) * 4


@pytest.mark.parametrize("damage", [cut_short, one_bit, lost, nonsense])
def test_a_damaged_slot_is_never_copied(damage):
    log, state, _ = started(SAYS.format("new"), TRIAL, damage=damage)
    assert log.startswith("slot: ") or damage is one_bit
    assert log.endswith("runs old False\n")
    assert tuple(state[1:5]) == (OLD, NONE, 1, OLD) and state[21:] == b"its slot is damaged"
    log, _, _ = started(SAYS.format("new"), rig.boot_state(SLOT_B, rom=NONE), damage=damage)
    assert log.endswith("runs old False\n")  # in force, but lost: the other slot is the way out


def test_without_any_good_slot_what_is_in_rom_runs():
    def all_lost(files):
        del files["/slots"]

    log, _, _ = started("", rig.boot_state(OLD, rom=NONE), damage=all_lost)
    assert log.endswith("runs old False\n")


@pytest.mark.parametrize("state", [b"", b"\x01", bytes(21), b"\xff" * 21, b"\x01" + b"\xff" * 84])
def test_a_boot_state_of_any_form_starts_something(state):
    log, _, _ = started(SAYS.format("new"), state)
    assert "runs old" in log or "runs new" in log
