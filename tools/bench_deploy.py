"""The same tree onto the same virtual board, by `groundnet deploy` and by `mpremote fs cp -r` as it is shipped.

All times are virtual and repeat on any computer: of a UART at 115200 baud or of USB, of the flash (60 ms per block of
4 KiB, 3 ms per change, sim/memory.py), and of the 10 ms sleeps in which mpremote looks for an answer. The processor
time of the two hosts is told beside them. `make bench` runs this; it writes build/bench/deploy.json.
"""

import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
sys.path.insert(0, str(ROOT / "host"))

import mpremote.main  # noqa: E402 - the clone's own modules, found by the line above
import mpremote.transport_serial  # noqa: E402
from groundnet.flash.deploy import deploy  # noqa: E402
from groundnet.image import firmware_image  # noqa: E402
from groundnet.sim.board import VirtualBoard  # noqa: E402
from groundnet.sim.boardfs import BoardFs, FlashStep  # noqa: E402
from groundnet.sim.line_rate import USB, LineRate, uart  # noqa: E402
from groundnet.sim.virtual_port import VirtualPort  # noqa: E402
from groundnet.sim.world import World  # noqa: E402

ROLE = "tracker"
CHANGED = f"/apps/{ROLE}"
RATES = {"115200": uart(115_200), "usb": USB}
COLD, ONE_FILE, NOTHING = "cold", "one file", "nothing"
TARGETS = {COLD: 5, ONE_FILE: 20}
BOOT_US = 500_000
PROGRAM_S, CHANGE_S = 0.060, 0.003  # sim/memory.py
Tree = Mapping[str, bytes]


class TimedPort(VirtualPort):
    """Knows the processor time that was spent in it, on the world: the rest is the program's own."""

    inside_s = 0.0
    slept_s = 0.0  # virtual

    def read(self, size: int = 1) -> bytes:
        with self._inside():
            return super().read(size)

    def write(self, data: bytes) -> int:
        with self._inside():
            return super().write(data)

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        with self._inside():
            super().sleep(seconds)

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        began_s = time.thread_time()
        yield
        self.inside_s += time.thread_time() - began_s


@dataclass(frozen=True)
class Run:
    """Seconds; line and flash may work at the same time. ``slept_s``: naps of the host, also while the line is busy."""

    total_s: float
    wire_s: float
    flash_s: float
    slept_s: float
    host_processor_s: float

    def figures(self) -> dict[str, float]:
        """Shares of the whole; the host has what it slept while nothing else happened, the device all that is left."""
        rest_s = max(0.0, self.total_s - self.wire_s - self.flash_s)
        host_s = min(rest_s, self.slept_s)
        return {
            "total_s": round(self.total_s, 3),
            "wire_share": round(self.wire_s / self.total_s, 2),
            "device_share": round((self.flash_s + rest_s - host_s) / self.total_s, 2),
            "host_share": round(host_s / self.total_s, 2),
            "host_processor_s": round(self.host_processor_s, 3),
        }


class Contest:
    """One contender with a board of its own."""

    def __init__(self, rate: LineRate, put: Callable[[TimedPort, Tree], None]) -> None:
        self._put = put
        self._flash_s = 0.0
        self._files = BoardFs({})
        self._files.on_step = self._count
        self._board = VirtualBoard(World(1), "board", files=self._files)
        self._board.console.limit(self._board.world, rate)
        self._board.power_on()
        self._board.world.run_for(BOOT_US)

    def run(self, tree: Tree) -> Run:
        board = self._board
        port = TimedPort(board)
        self._flash_s = 0.0
        began_us, wire_us, began_s = board.world.now_us, board.console.busy_us, time.thread_time()
        self._put(port, tree)
        total_us, used_s = board.world.now_us - began_us, time.thread_time() - began_s
        port.close()
        assert {path: self._files[path] for path in self._files.paths()} == tree, (
            "the board holds something else"
        )
        board.world.run_for(BOOT_US)
        wire_s = (board.console.busy_us - wire_us) / 1e6
        return Run(total_us / 1e6, wire_s, self._flash_s, port.slept_s, used_s - port.inside_s)

    def close(self) -> None:
        self._board.close()

    def _count(self, step: FlashStep) -> None:
        self._flash_s += PROGRAM_S if step.kind == "program" else CHANGE_S


def put_by_groundnet(port: TimedPort, tree: Tree) -> None:
    deploy(port, tree, clock=port.monotonic)


def put_by_mpremote(port: TimedPort, tree: Tree) -> None:
    """The command as a person types it, in the folder of the tree."""
    with tempfile.TemporaryDirectory(prefix="groundnet-") as folder:
        for path, data in tree.items():
            file = Path(folder + path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        sources = [str(path) for path in sorted(Path(folder).iterdir())]
        command = ["mpremote", "connect", "virtual", "fs", "cp", "-r", *sources, ":"]
        with (
            mock.patch("serial.serial_for_url", lambda *_, **__: port),
            mock.patch.object(mpremote.transport_serial, "time", port),
            mock.patch.object(sys, "argv", command),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            if mpremote.main.main():
                sys.exit("error: mpremote failed; run it by hand on `groundnet sim board --blank`")


def trees() -> dict[str, Tree]:
    """What a developer of the tracker deploys: its modules, compiled or as they are."""
    compiled = firmware_image.build(ROLE, firmware_image.default_board(ROLE))
    sources = {}
    for path in compiled:
        room = "protocol" if path.startswith("/groundwire/") else "firmware"
        source = ROOT / room / path.lstrip("/").replace(".mpy", ".py")
        if source.is_file():
            sources[path.replace(".mpy", ".py")] = source.read_bytes()
    return {"bytecode": compiled, "sources": sources}


def changed(tree: Tree) -> Tree:
    path = next(path for path in tree if path.startswith(CHANGED))
    middle = len(tree[path]) // 2
    return {**tree, path: tree[path][:middle] + b"# changed\n" + tree[path][middle:]}


def compare(tree: Tree, rate: LineRate) -> dict[str, dict]:
    steps = {COLD: tree, NOTHING: tree, ONE_FILE: changed(tree)}
    ours, theirs = Contest(rate, put_by_groundnet), Contest(rate, put_by_mpremote)
    with contextlib.closing(ours), contextlib.closing(theirs):
        return {name: _ratios(ours.run(wanted), theirs.run(wanted)) for name, wanted in steps.items()}


def _ratios(ours: Run, theirs: Run) -> dict:
    return {
        "groundnet": ours.figures(),
        "mpremote": theirs.figures(),
        "times_faster": round(theirs.total_s / ours.total_s, 1),
        "times_faster_without_flash": round(
            (theirs.total_s - theirs.flash_s) / max(ours.total_s - ours.flash_s, ours.wire_s), 1
        ),
    }


def main() -> None:
    figures = {}
    for name, tree in trees().items():
        about = {"files": len(tree), "bytes": sum(map(len, tree.values()))}
        print(f"deploy {name}: {about['files']} files, {about['bytes']} bytes")
        runs = {rate: compare(tree, speed) for rate, speed in RATES.items()}
        for rate, steps in runs.items():
            for step, run in steps.items():
                _tell(f"{rate} {step}", run, TARGETS.get(step))
        figures[name] = about | runs
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "deploy.json").write_text(json.dumps(figures, indent=1))


def _tell(what: str, run: dict, target: int | None) -> None:
    goal = f" (target {target})" if target else ""
    print(f"  {what}: {run['times_faster']} x faster than mpremote{goal},", end=" ")
    print(f"{run['times_faster_without_flash']} x without the flash")
    for who in ("groundnet", "mpremote"):
        print(f"    {who}", " ".join(f"{key}={value}" for key, value in run[who].items()))


if __name__ == "__main__":
    main()
