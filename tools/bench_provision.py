"""A thousand tags in a row, each from the scan to its lock: `make bench` runs this. Target: at most 2 s for each.

Rows of a delivery's file are given to real MicroPython behind a PTY, with the real registry on the disk. A thousand
interpreters at once would measure this computer's memory, so one virtual board is every tag in turn: between two its
power is cut, its flash is as production leaves it again, and its chip gets the next number.

Three figures for each tag, over a console of 115200 baud. `virtual`: the tag's own time, in which line, buses, flash
and sleep count but bytecode does not. `wall`: this computer's time while virtual time jumps, in which it is the other
way round. `real_speed`: virtual time held to the clock of the wall, so that both count and nothing jumps; of every 40th
tag, as it takes longer. `both_sums` is virtual and wall added, more than any tag needs. Each is counted with the tag's
self-test. Writes build/bench/provision.json.
"""

import contextlib
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
sys.path.insert(0, str(ROOT / "host"))

from groundnet.image.firmware_image import default_board  # noqa: E402 - the clone's own, found by the line above
from groundnet.provision import batch_file  # noqa: E402
from groundnet.provision.batch import Bench, compare  # noqa: E402
from groundnet.provision.batch_journal import BatchJournal  # noqa: E402
from groundnet.provision.registry import Registry  # noqa: E402
from groundnet.sim.desk import Desk, device_on  # noqa: E402
from groundnet.sim.line_rate import uart  # noqa: E402
from groundnet.sim.pacing import hold_while, run_paced  # noqa: E402
from groundnet.sim.roles import Device, production_flash  # noqa: E402

TAGS = 1000
TARGET_S = 2.0
PACED_EVERY = 40
BAUDRATE = 115_200
PATIENCE_S = 30.0  # a busy disk may hold the program up; the tag's time stands still meanwhile
SETTLE_US = 500_000  # from power to a tag that waits for its link


@contextlib.contextmanager
def stores(folder: Path) -> Iterator[tuple[Registry, BatchJournal]]:
    registry, journal = Registry(folder / "registry.db"), BatchJournal(folder / "batches.db", "bench")
    try:
        yield registry, journal
    finally:
        registry.close()
        journal.close()


def delivery(count: int) -> bytes:
    """A dealer's file, as a spreadsheet in China writes it."""
    rows = "".join(f"电动车,云A{number:05d},138{number:08d}\r\n" for number in range(count))
    return f"用途,车牌号,手机号\r\n{rows}".encode("gb18030")


def become(device: Device, factory: dict[str, bytes], number: int) -> None:
    """The same board as the next tag: without power, with the flash of production, with another number."""
    device.power_off()
    files = device.board.files
    for path in files.paths():
        if path not in factory:
            del files[path]
    for path, data in factory.items():
        files[path] = data
    device.board.memory.unique_id = number.to_bytes(6, "big")
    device.power_on()
    device.board.world.run_for(SETTLE_US)


def one_tag(
    device: Device, folder: Path, rows: list[batch_file.Row], paced: bool = False
) -> tuple[float, float]:
    """Virtual and wall seconds from the scan to the lock: open, look, test, write, read back, prove, lock, record."""
    world = device.board.world

    def job() -> float:
        with stores(folder) as (registry, journal):
            bench = Bench(rows, registry, journal)
            began_s = time.perf_counter()
            line = bench.serve(device.board.pty_path)
            took_s = time.perf_counter() - began_s
        if line is None or line.result != "done":
            raise RuntimeError(f"a tag was not provisioned: {line}")
        return took_s

    began_us = world.now_us
    wall_s = (
        _at_real_speed(device, job)
        if paced
        else hold_while(world, [device.board], job, patience_s=PATIENCE_S)
    )
    return (world.now_us - began_us) / 1e6, wall_s


def _at_real_speed(device: Device, job: Callable[[], float]) -> float:
    with ThreadPoolExecutor(1) as program:
        took_s = program.submit(job)
        run_paced(device.board.world, [device.board], took_s.done)
        return took_s.result()


def spread(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "median_s": round(statistics.median(ordered), 3),
        "p95_s": round(ordered[math.ceil(0.95 * len(ordered)) - 1], 3),
        "worst_s": round(ordered[-1], 3),
    }


def measure(count: int) -> dict:
    """Every figure, and whether every tag is there exactly once."""
    board = default_board("tag")
    blank = production_flash("tag", board)
    factory = {path: blank[path] for path in blank.paths()}
    began_s = time.perf_counter()
    rows = batch_file.check(delivery(count)).wanted
    with tempfile.TemporaryDirectory(prefix="groundnet-") as name, device_on(Desk("tag", board)) as device:
        folder = Path(name)
        with stores(folder) as (registry, journal):
            problems = list(compare(rows, registry, journal, 1))
        checked_s = time.perf_counter() - began_s
        device.board.console.limit(device.board.world, uart(BAUDRATE))
        times, real = [], []
        for number in range(count):
            become(device, factory, number + 1)
            if number % PACED_EVERY == PACED_EVERY - 1:
                real.append(one_tag(device, folder, rows, paced=True)[1])
            else:
                times.append(one_tag(device, folder, rows))
        with stores(folder) as (registry, journal):
            records = list(registry.devices())
            done = sum(entry.done for entry in journal.entries().values())
    virtual, wall = ([pair[which] for pair in times] for which in (0, 1))
    whole = len({record.tag_id for record in records}) == len({record.plate for record in records}) == count
    return {
        "tags": count,
        "every_tag_once": whole and done == count and not problems,
        "file_checked_s": round(checked_s, 3),
        "virtual": spread(virtual),
        "wall": spread(wall),
        "real_speed": {"tags": len(real), **spread(real)},
        "median_of_target": round(statistics.median(real) / TARGET_S, 2),
        "both_sums_within_target": sum(both <= TARGET_S for both in [*map(sum, times), *real]),
        "whole_run_wall_s": round(time.perf_counter() - began_s, 1),
    }


def main(count: int) -> None:
    figures = measure(count)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "provision.json").write_text(json.dumps(figures, indent=1))
    print("provision", " ".join(f"{name}={value}" for name, value in figures.items()))
    if not figures["every_tag_once"]:
        sys.exit("error: a tag is missing, doubled or unfinished; read build/bench/provision.json")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TAGS)
