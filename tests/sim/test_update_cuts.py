"""The supply is cut at every step at the flash chip from an update's first block to its confirmation."""

import random
import struct

import pytest
from groundnet.image import firmware_image, romfs
from groundnet.sim.board import OFF, VirtualBoard
from groundnet.sim.boardfs import PowerCut
from groundnet.sim.world import World
from sim import update_rig as rig

# Stands for a device and its host in one: the bundle lies in flash, and is handed over block by block.
START = """
import __main__, machine, time
from hashlib import sha256
from apps import trial
from apps.update import Updates

VERSION = {version!r}
CUT_AT = -1
if machine.reset_cause() == machine.PWRON_RESET:
    try:
        with open("/cut_at") as file:
            CUT_AT = int(file.read())
    except OSError:
        pass
DEVICE = {{"role": "tag", "board": "xiao_c3_sx1262", "product": "groundnet tag", "hardware_revision": 1}}
updates = Updates(DEVICE)
state = updates.handle("update_read", {{}})
print("runs", VERSION, state["state"], state["next_offset_bytes"])
if __main__.trial:
    trial.passed = True
    updates.handle("update_confirm", {{}})
elif VERSION == "0.1.0":
    with open("/bundle", "rb") as file:
        data = file.read()
    begin = {{"product": "groundnet tag", "version": "0.2.0", "hardware_revision": 0, "security_counter": 4}}
    begin.update({{"size_bytes": len(data), "sha256": sha256(data).digest()}})
    at = updates.handle("update_begin", begin)["next_offset_bytes"]
    while at < len(data):
        if at == state["next_offset_bytes"] + CUT_AT:
            machine.reset()
        block = {{"offset_bytes": at, "data": data[at : at + 240]}}
        at = updates.handle("update_block", block)["next_offset_bytes"]
    updates.handle("update_finish", {{"signature_bytes": 2969}})
    machine.reset()
print("done")
time.sleep(1000)
"""
NEEDED = (
    *(f"/apps/{name}.mpy" for name in ("boot_state", "clock", "run_loop", "self_test", "trial", "update")),
    *(f"/groundcore/{name}.mpy" for name in ("__init__", "bundle", "events", "lms", "store", "update")),
    *(f"/groundwire/{name}.mpy" for name in ("__init__", "constant", "errors", "keys")),
    "/drivers/flash_records.mpy",
    "/trust.mpy",
)
BEGUN = (b"groundnet", b"part")
BLOCK_BYTES = 240
PIECE_BYTES = 4096  # that outlive a power cut
STATE = {"/state/identity.0": b"identity and keys", "/state/state.1": b"counters"}


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        yield rig.Signer(folder)


@pytest.fixture(scope="module")
def images(signer):
    """The image in ROM, and the signed bundle with another one."""
    built = firmware_image.build("tag", "xiao_c3_sx1262", (signer.root,))
    modules = {path: built[path] for path in NEEDED if path in built}  # constants are no modules any more
    old, new = (
        romfs.image(
            modules | {"/start.mpy": firmware_image.compile_text(START.format(version=version), "start")}
        )
        for version in ("0.1.0", "0.2.0")
    )
    return old, signer.sign(rig.bundle(new, "0.2.0", security_counter=4, least_version="0.1.1"))


class Bench:
    """One board, made new for each case in the same process."""

    def __init__(self, board, images):
        self.board = board
        self._old, self.bundle = images
        self._read = 0  # of the log

    def renew(self, **more):
        """Flash as a tray left it, and what the device has kept since."""
        self.board.power_off()
        self.board.memory.nvs.clear()
        files = rig.flash(self._old, rig.bundle(self._old, "0.1.0"))
        for path, data in (STATE | {"/bundle": self.bundle} | more).items():
            files[path] = data
        self.board.files = files
        return files

    def run(self, seconds):
        """Switch on; the versions that ran, each with the state of its update and the next offset."""
        self._read = len(self.board.log)
        self.board.power_on()
        self.board.world.run_for(round(seconds * 1e6))
        return self.ran()

    def ran(self):
        lines = [line.split() for line in self.board.log[self._read :].split("\n") if line.startswith("runs")]
        return [(version, state, int(at)) for _, version, state, at in lines]

    def check_kept(self):
        assert {path: self.board.files[path] for path in STATE} == STATE

    def check_end(self):
        """The new version runs, is confirmed, and nothing else has changed."""
        assert self.ran()[-1][0] == "0.2.0" and self.board.log.endswith("done\n")
        state = self.board.memory.nvs[rig.BOOT]
        assert tuple(state[1:5]) == (1, 255, 0, 1) and struct.unpack_from("<IHHH", state, 5) == (4, 0, 1, 1)
        assert self.board.files["/slots/b.gnb"] == self.bundle
        assert BEGUN not in self.board.memory.nvs and "/slots/x.part" not in self.board.files
        self.check_kept()


@pytest.fixture(scope="module")
def bench(images):
    with VirtualBoard(World(3), "board") as board:
        yield Bench(board, images)


def cut(files, *steps):
    """Cut the supply before each of these steps, counted from the first that flash does."""

    def step(which):
        if which.number in steps:
            raise PowerCut

    files.on_step = step


def test_without_a_cut_every_kind_of_step_is_seen(bench):
    files, seen = bench.renew(), []
    files.on_step = lambda step: seen.append(
        (step.kind, step.path.split("/")[1 if step.path[0] == "/" else 0])
    )
    assert bench.run(20) == [("0.1.0", "idle", 0), ("0.2.0", "trial", 0)]
    bench.check_end()
    kinds = {kind for kind, _ in seen}
    assert kinds == {"nvs", "commit", "program", "rename", "erase", "write"} and files.steps > 30


def test_every_step_may_be_the_last_one_before_the_power_goes(bench):
    dice, at, seen = random.Random(5), 0, set()
    while True:
        at += 1
        files = bench.renew()
        cut(files, at, at + dice.randrange(1, 12))  # the second falls into what mends the first
        bench.run(20)
        if bench.board.state != OFF:
            break
        while bench.board.state == OFF:
            seen.update(version for version, _, _ in bench.run(20)[:1])
            bench.check_kept()
        bench.check_end()
    assert at > 30 and seen == {"0.1.0", "0.2.0"}


def test_between_any_two_blocks_the_power_may_go_and_what_is_in_flash_need_not_be_sent_again(bench):
    for at in range(0, len(bench.bundle), BLOCK_BYTES):
        bench.renew(**{"/cut_at": b"%d" % at})
        there = at // PIECE_BYTES * PIECE_BYTES
        state = "receiving" if there < len(bench.bundle) else "complete"
        assert bench.run(20) == [("0.1.0", "idle", 0), ("0.1.0", state, there), ("0.2.0", "trial", 0)]
        bench.check_end()
