"""What share of LoRa and GFSK beacons a station hears with one radio, in turns, and with two: `make bench` runs this.

The station's own firmware on virtual boards; tags that speak at random times. Writes build/bench/listening.json.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
sys.path.insert(0, str(ROOT / "host"))

from groundnet.sim.listening import WAYS, play  # noqa: E402 - the clone's own package, found by the line above

BEACONS = 500  # of each modulation


def main() -> None:
    figures = {}
    for way in WAYS:
        found = play(way, BEACONS)
        figures[way] = {kind: round(found.share(kind), 3) for kind in sorted(found.sent)}
        shares = ", ".join(f"{kind} {share:.1%}" for kind, share in figures[way].items())
        print(f"a station hears, {way}: {shares}; slowest answer {found.slowest_ms:.0f} ms behind a beacon")
        figures[way]["slowest_answer_ms"] = round(found.slowest_ms, 1)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "listening.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
