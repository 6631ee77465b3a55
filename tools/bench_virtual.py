"""What the virtual bench carries: `make bench` prints virtual to wall time, bus transactions, memory per board."""

import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
sys.path.insert(0, str(ROOT / "host"))

from groundnet.bench.sim_bench import SimBench  # noqa: E402 - the clone's own package, found by the line above

PARKED_S, RIDDEN_S = 24 * 3600.0, 600.0


def measure(role: str, what: str, duration_s: float) -> dict:
    """One device parked, or ridden, with its collector."""
    bench = SimBench(1)
    _ = bench.headquarters
    device = bench.device(role)
    bench.run(60)
    if what == "ridden":
        device.motion.does("ride", duration_s)
    board = device.assembled.board
    before, began_s = board.terminals.transactions, time.perf_counter()
    bench.run(duration_s)
    wall_s = time.perf_counter() - began_s
    figures = {
        "role": role,
        "what": what,
        "virtual_to_wall": round(duration_s / wall_s),
        "bus_transactions_per_s": round((board.terminals.transactions - before) / wall_s),
        "board_mib": round(board.memory_bytes() / 2**20, 1),
    }
    bench.close()
    return figures


def main() -> None:
    rows = [
        measure(role, what, duration_s)
        for role in ("tag", "tracker", "base")
        for what, duration_s in (
            ("parked", PARKED_S if role == "tag" else PARKED_S / 24),
            ("ridden", RIDDEN_S),
        )
        if (role, what) != ("base", "ridden")
    ]
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "virtual.json").write_text(json.dumps(rows, indent=1) + "\n")
    for row in rows:
        print(" ".join(f"{name}={value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
