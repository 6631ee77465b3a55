"""The supply is cut at every step at the flash chip while an application is laid down: files stay whole."""

import hashlib

import pytest
from flash.test_rom_copy import bundle
from groundnet.flash.laying import lay
from groundnet.flash.rom_copy import CopyFailed, copy
from groundnet.link.errors import LinkError
from groundnet.sim.board import OFF, VirtualBoard
from groundnet.sim.boardfs import BoardFs, PowerCut
from groundnet.sim.pacing import hold_while
from groundnet.sim.world import World

IMAGE = bytes(range(250)) * 20
OLD = {"/slots/a.gnb": bundle(b"the old image"), "/main.py": b"old = True\n"}
NEW = {"/slots/a.gnb": bundle(IMAGE), "/main.py": b"new = True\n"}


class Bench:
    """One board, whose cable goes with its supply."""

    def __init__(self):
        self.files = BoardFs(OLD)
        self.board = VirtualBoard(World(1), "board", files=self.files)
        self.cut_at = 0

    def __enter__(self):
        self.files.on_step = self._step
        return self

    def __exit__(self, *_):
        self.board.close()

    def _step(self, step):
        if step.number == self.cut_at:
            self.board.console.close()
            raise PowerCut

    def flash(self):
        self.board.power_on()
        self.board.world.run_for(500_000)

        def work():
            lay(self.board.pty_path, NEW, lambda share: None)
            copy(self.board.pty_path, hashlib.sha256(IMAGE).hexdigest())

        hold_while(self.board.world, [self.board], work)

    def whole(self):
        return all(self.files[path] in (OLD[path], NEW[path]) for path in OLD)

    def boot_state(self):
        return self.board.memory.nvs.get((b"groundnet", b"boot"), b"")[:5]


def test_every_step_may_be_the_last_one_before_the_power_goes():
    with Bench() as bench:
        bench.flash()
        steps = bench.files.steps
        assert bench.files.rom.startswith(IMAGE)
    assert steps >= 10
    for step in range(1, steps + 1):
        with Bench() as bench:
            bench.cut_at = step
            with pytest.raises((OSError, LinkError, CopyFailed)):
                bench.flash()
            assert bench.board.state == OFF and bench.whole(), step
            in_rom = bench.files.rom.startswith(IMAGE)
            assert in_rom or bench.boot_state() in (b"", bytes((1, 0, 255, 0, 255))), step
            bench.flash()
            assert bench.files.rom.startswith(IMAGE) and bench.boot_state() == bytes((1, 0, 255, 0, 0))
            assert {path: bench.files[path] for path in NEW} == NEW
