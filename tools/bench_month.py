"""Months of one tracker: `make bench` runs this, prints false alarms, missed thefts and times, writes month.json."""

import dataclasses
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
sys.path.insert(0, str(ROOT / "host"))

from groundnet.sim.month.play import play  # noqa: E402 - the clone's own package, found by the line above

SEEDS, DAYS, THEFTS = range(1, 7), 30, 12
ALARM_BUDGET_S, FALSE_ALARMS_BUDGET = 3.0, 1.0  # from the first movement; a month


def main() -> None:
    months, began_s = [], time.perf_counter()
    for seed in SEEDS:
        months.append(play(seed, DAYS, THEFTS))
    wall_s = time.perf_counter() - began_s
    outcomes = [outcome for month in months for outcome in month.thefts]
    first = sorted(min(o.siren_s or 900.0, o.beacon_s or 900.0) for o in outcomes)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "month.json").write_text(
        json.dumps([dataclasses.asdict(month) for month in months], indent=1) + "\n"
    )
    false_alarms = sum(month.false_alarms for month in months) / len(months)
    print(f"{len(months)} months, {len(outcomes)} thefts in {wall_s:.0f} s")
    print(f"missed thefts: {sum(month.missed for month in months)}")
    print(f"false alarms a month: {false_alarms:.2f} (budget {FALSE_ALARMS_BUDGET:.0f})")
    within = sum(value <= ALARM_BUDGET_S for value in first) / len(first)
    middle = first[len(first) // 2]
    print(f"first answer after movement: median {middle:.1f} s, {within:.0%} within {ALARM_BUDGET_S:.0f} s")
    for answer in ("beacon_s", "siren_s", "report_s"):
        values = sorted(value for o in outcomes if (value := getattr(o, answer)) is not None)
        print(f"  {answer:10} median {values[len(values) // 2]:6.1f}  largest {values[-1]:6.1f}")
    spent = sum(month.mah_per_day for month in months) / len(months)
    print(f"energy of a tracker: {spent:.0f} mAh a day")
    for name, mah in list(months[0].mah_per_day_by_state.items())[:6]:
        print(f"  {name:24} {mah:6.2f} mAh")


if __name__ == "__main__":
    main()
