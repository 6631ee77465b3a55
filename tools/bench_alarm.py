"""Time from the first movement to beacon, chirp, siren and report: `make bench` runs this over 50 seeds a profile.

The tracker's core under CPython on the motion profiles, with samples handed over as its FIFO gives them; what the
radio and the modem need after that is not in it. Writes build/bench/alarm.json.
"""

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
sys.path.insert(0, str(ROOT / "host"))

from groundnet.sim.groundcore_runtime import load  # noqa: E402 - the clone's own package, found by the line above
from groundnet.sim.motion_profile import MotionProfile  # noqa: E402
from groundnet.sim.motion_segment import Tilt  # noqa: E402

SEEDS = 50
LEAD_S = 15  # stands still and learns its mount
NOISE_MG = 4.5  # LIS2DW12 low-power mode 1, datasheet table 3
SAMPLE_US = 40_000
TARGET_S = 3.0
THEFTS: dict[str, Callable[[MotionProfile], object]] = {
    "lifted and pushed": lambda profile: profile.lift().walk(25),
    "pushed": lambda profile: profile.walk(25),
    "ridden": lambda profile: profile.ride(25),
}


def first_times(seed: int, build: Callable[[MotionProfile], object]) -> dict[str, float]:
    """Seconds from the first movement to the first action of each kind."""
    events, store, tracker = load("events"), load("store"), load("tracker")
    stream = random.Random(seed)
    profile = MotionProfile(stream, Tilt(stream.uniform(-8, 8), stream.uniform(-8, 8))).still(LEAD_S)
    build(profile)
    identity = store.Identity("GN-000001", "vehicle", "Bench", bytes(range(32)), True)
    core = tracker.Tracker(bytes(8), {store.IDENTITY: store.encode_identity(identity)}, bytes)
    core.handle((events.BOOT, events.BOOT_POWER_ON), 0)
    names = {events.RADIO_SEND: "beacon", events.CHIRP: "chirp", events.SIREN: "siren"}
    found: dict[str, float] = {}
    offset_us = stream.randrange(SAMPLE_US)
    for piece in range(profile.end_us // (8 * SAMPLE_US)):
        times_us = [offset_us + (8 * piece + index) * SAMPLE_US for index in range(8)]
        now_ms = times_us[-1] // 1000 + 1
        actions = _answer_radio(core, events, now_ms)
        values = [v * 1000 + stream.gauss(0, NOISE_MG) for t in times_us for v in profile.acceleration_g(t)]
        actions += core.handle((events.SAMPLES, [round(value) for value in values], 8), now_ms)
        if now_ms > LEAD_S * 1000:
            for action in actions:
                if action[0] in names:
                    found.setdefault(names[action[0]], now_ms / 1000 - LEAD_S)
            if core.mode == "alarm":  # its report is in the queue in the same call
                found.setdefault("report", now_ms / 1000 - LEAD_S)
    return found


def _answer_radio(core, events, now_ms: int) -> list:
    """A radio that sends and hears nothing; the TICK when it is due."""
    core.handle((events.RADIO_SENT,), now_ms)
    core.handle((events.RADIO_SILENT,), now_ms)
    due_ms = core.next_deadline()
    return core.handle((events.TICK,), now_ms) if due_ms is not None and due_ms <= now_ms else []


def summary(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"median_s": round(ordered[len(ordered) // 2], 2), "worst_s": round(ordered[-1], 2)}


def main() -> None:
    figures = {}
    for name, build in THEFTS.items():
        runs = [first_times(seed, build) for seed in range(SEEDS)]
        figures[name] = {
            what: {"reached": len(reached), **summary(reached)}
            for what in ("report", "beacon", "chirp", "siren")
            if (reached := [run[what] for run in runs if what in run])
        }
        parts = [
            f"{what} {found['median_s']} s, worst {found['worst_s']} s ({found['reached']} of {SEEDS})"
            for what, found in figures[name].items()
        ]
        print(f"from the first movement, {name}: " + "; ".join(parts))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "alarm.json").write_text(json.dumps(figures, indent=1) + "\n")
    worst_s = max(found["report"]["worst_s"] for found in figures.values())
    print(f"slowest report: {worst_s / TARGET_S:.2f} x the target of {TARGET_S} s")
    if worst_s > TARGET_S or any(found["report"]["reached"] < SEEDS for found in figures.values()):
        sys.exit("error: an alarm came late or not at all; see the lines above")


if __name__ == "__main__":
    main()
