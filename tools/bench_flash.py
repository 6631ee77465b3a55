"""Sixteen blank boards on one tray, flashed at once, with and without cables that are pulled: `make bench` runs this.

Real MicroPython behind PTYs, one world for all; MicroPython itself is on the boards already. The peer is one board,
sixteen times: what a tool that flashes one board after the other takes. Writes build/bench/flash.json.
"""

import json
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
sys.path[:0] = [str(ROOT / "host"), str(ROOT / "tests")]

from flash.tray_rig import Tray  # noqa: E402 - the clone's own modules, found by the line above
from groundnet.flash import application  # noqa: E402
from groundnet.flash.one_board import Plan  # noqa: E402
from groundnet.flash.report import TrayReport  # noqa: E402
from groundnet.flash.tray import flash  # noqa: E402

BOARDS = 16
SEEDS = 5
PULLED_BOARDS = 4
PULL_US, AWAY_US = (500_000, 6_000_000), 400_000


def flash_tray(tag: application.Application, count: int, seed: int | None = None) -> TrayReport:
    """A tray of blank boards; with a seed each loses its cable once, at a random moment."""
    moments = random.Random(seed)

    def pull_each_once(world, tray: Tray) -> None:
        if seed is not None:
            for socket in tray.sockets:
                tray.pull(socket, moments.randrange(*PULL_US), AWAY_US)

    with (
        tempfile.TemporaryDirectory(prefix="groundnet-") as folder,
        Tray(Path(folder), count, plan=pull_each_once) as tray,
    ):
        return flash(tray.ports, Plan(tag, retries=3, locks=Path(folder) / "boards.db"))


def main() -> None:
    tag = application.load("tag")
    one = flash_tray(tag, 1)
    tray = flash_tray(tag, BOARDS)
    pulled = [flash_tray(tag, PULLED_BOARDS, seed) for seed in range(SEEDS)]
    boards = [board for report in pulled for board in report.boards]
    figures = {
        "bytes_per_board": sum(len(data) for data in tag.files.values()),
        "one_board_s": round(one.duration_s, 2),
        "tray_of_16_s": round(tray.duration_s, 2),
        "sixteen_one_after_the_other_s": round(BOARDS * one.duration_s, 2),
        "times_faster": round(BOARDS * one.duration_s / tray.duration_s, 1),
        "passed": sum(board.verdict == "passed" for board in tray.boards),
        "pulled_cables": len(boards),
        "passed_after_a_pulled_cable": sum(board.verdict == "passed" for board in boards),
        "begun_again": sum(board.tries > 1 for board in boards),
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "flash.json").write_text(json.dumps(figures, indent=1))
    print("flash", " ".join(f"{name}={value}" for name, value in figures.items()))
    if not (one.passed and tray.passed and all(report.passed for report in pulled)):
        sys.exit("error: a board did not pass; read build/bench/flash.json")


if __name__ == "__main__":
    main()
