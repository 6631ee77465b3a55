"""Energy of a day on real firmware: `make bench` runs this, prints each profile's states and battery lives.

A virtual board plays one day of each profile; the power account multiplies states by datasheet currents. Life is
80 % of the nominal capacity over that day and the cell's self-discharge; cold and the current peaks that a small
cell cannot give are not in it. Writes build/bench/energy.json.
"""

import json
import struct
import sys
from binascii import crc32
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
sys.path.insert(0, str(ROOT / "host"))

from groundnet.image.firmware_image import default_board  # noqa: E402
from groundnet.sim.desk import Desk, device_on  # noqa: E402 - the clone's own package, found by the line above
from groundnet.sim.groundcore_runtime import load  # noqa: E402
from groundnet.sim.motion_profile import MotionProfile  # noqa: E402

DAY_S = 86_400
USABLE_SHARE = 0.8
# Cells that fit a tag: nominal mAh, share lost by itself in a year (makers' data sheets).
BATTERIES = {"ER14505": (2400, 0.01), "CR2477": (1000, 0.01), "LiPo 2000 mAh": (2000, 0.20)}
TARGET_YEARS = 5  # of a vehicle's tag on an ER14505


def vehicle(motion: MotionProfile) -> None:
    """To work and back, 25 minutes each, and a windy rack between."""
    motion.still(7 * 3600).ride(1500).set_down().wind(9 * 3600).ride(1500).set_down()


def livestock(motion: MotionProfile) -> None:
    """Grazes for eight hours: steps for five minutes, then a rest of five."""
    motion.still(6 * 3600)
    for _ in range(48):
        motion.walk(300).still(300)


def wearable(motion: MotionProfile) -> None:
    """Up and about for three hours in walks of ten minutes."""
    motion.still(8 * 3600)
    for _ in range(18):
        motion.walk(600).still(1200)


def sentry(motion: MotionProfile) -> None:
    """Hangs on a wall."""
    motion.still(1)


DAYS: dict[str, Callable[[MotionProfile], None]] = {
    "vehicle": vehicle,
    "livestock": livestock,
    "wearable": wearable,
    "sentry": sentry,
}


def flash_record(data: bytes) -> bytes:
    """A record as drivers/flash_records.py keeps it."""
    body = struct.pack("<I", 1) + data
    return struct.pack("<I", crc32(body)) + body


def measure(profile: str) -> dict:
    """mAh of one day by part and state, of a locked tag with default settings."""
    store = load("store")
    identity = store.Identity("GN-000001", profile, "Bench", bytes(range(32)), True)
    with device_on(Desk("tag", default_board("tag"))) as device:
        device.board.files["/state/identity.0"] = flash_record(store.encode_identity(identity))
        DAYS[profile](device.environment.motion.start(0))
        device.power_on()
        device.board.world.run_for(DAY_S * 1_000_000)
        charge = device.power.charge_uas()
    states = {f"{part} {state}": uas / 3.6e6 for (part, state), uas in charge.items() if uas > 0}
    total_mah = sum(states.values())
    return {
        "mah_per_day": round(total_mah, 3),
        "share": {name: round(mah / total_mah, 3) for name, mah in sorted(states.items(), key=_largest)},
        "life_years": {name: life_years(total_mah, *cell) for name, cell in BATTERIES.items()},
    }


def _largest(item: tuple[str, float]) -> float:
    return -item[1]


def life_years(mah_per_day: float, capacity_mah: float, lost_a_year: float) -> float:
    """Years until 80 % of the capacity are gone."""
    yearly_mah = mah_per_day * 365 + capacity_mah * lost_a_year
    return round(capacity_mah * USABLE_SHARE / yearly_mah, 1)


def main() -> None:
    figures = {profile: measure(profile) for profile in DAYS}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "energy.json").write_text(json.dumps(figures, indent=1) + "\n")
    for profile, found in figures.items():
        lives = ", ".join(f"{name} {years} years" for name, years in found["life_years"].items())
        print(f"energy of a {profile} tag: {found['mah_per_day']} mAh a day; {lives}")
        for name, share in list(found["share"].items())[:8]:
            print(f"  {name:32} {share:6.1%}")
    reached = figures["vehicle"]["life_years"]["ER14505"]
    print(f"a vehicle's tag on an ER14505: {reached / TARGET_YEARS:.1f} x the target of {TARGET_YEARS} years")


if __name__ == "__main__":
    main()
