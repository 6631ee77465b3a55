"""`make bench`: measure, print ratios against named peers of the same run, write build/bench/*.json."""

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
sys.path.insert(0, str(ROOT / "host"))

from groundnet.image import firmware_image  # noqa: E402 - the clone's own package, found by the line above
from groundnet.sim.desk import Desk, device_on  # noqa: E402
from groundnet.sim.state_files import state_files  # noqa: E402

HEAP_BUDGET_BYTES, BYTECODE_BUDGET_BYTES = 48 * 1024, 64 * 1024
HOUR_US = 3_600_000_000


def heap_at_work(role: str, board: str) -> int:
    """Heap of a device that has its identity and works for the `vehicle` profile."""
    with device_on(Desk(role, board)) as device:
        for path, data in state_files("bench", "vehicle", "bench", bytes(range(32)), {}).items():
            device.board.files[path] = data
        device.power_on()
        device.board.world.run_for(3_000_000)
        return device.board.measure_heap()


def measure_role(role: str) -> dict:
    """Bytecode, heap after boot, and how fast an hour of a blank board's life passes."""
    board = firmware_image.default_board(role)
    image = firmware_image.build(role, board)
    with device_on(Desk(role, board)) as device:
        began_s = time.perf_counter()
        device.power_on()
        device.board.world.run_for(3_000_000)
        boot_s = time.perf_counter() - began_s
        heap = device.board.measure_heap()
        memory = device.board.memory_bytes()
        began_s = time.perf_counter()
        device.board.world.run_for(HOUR_US)
        hour_s = time.perf_counter() - began_s
    return {
        "bytecode_bytes": firmware_image.bytecode_bytes(image),
        "bytecode_of_budget": round(firmware_image.bytecode_bytes(image) / BYTECODE_BUDGET_BYTES, 2),
        "heap_bytes": heap,
        "heap_of_budget": round(heap / HEAP_BUDGET_BYTES, 2),
        "heap_at_work_bytes": heap_at_work(role, board),
        "process_mib": round(memory / 2**20, 1),
        "first_3_s_wall_s": round(boot_s, 2),
        "virtual_to_wall": round(3600 / hour_s),
    }


def bench_firmware() -> None:
    figures = {role: measure_role(role) for role in firmware_image.ROLES}
    (OUT / "firmware.json").write_text(json.dumps(figures, indent=1))
    for role, values in figures.items():
        print(role, " ".join(f"{name}={value}" for name, value in values.items()))


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    bench_firmware()
    failed = []  # every bench has its turn, then the failure is told
    for script in sorted((ROOT / "tools").glob("bench_*.py")):
        if subprocess.run([sys.executable, str(script)], check=False).returncode:
            failed.append(script.name)
    if failed:
        sys.exit(f"error: {', '.join(failed)} failed; read what it printed above")
