"""Draws hardware/<board>/wiring.svg from pinout.csv, bom.csv, power.csv and the pads of the product.

    python tools/wiring_diagram [--check] [BOARD...]

``--check`` writes nothing and fails when a committed drawing is not the one that the data gives.
"""

import argparse
import sys

from layout import HARDWARE, Layout
from picture import Picture


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("boards", nargs="*")
    options = parser.parse_args()
    boards = options.boards or sorted(path.parent.name for path in HARDWARE.glob("*/pinout.csv"))
    stale = []
    for board in boards:
        path, drawn = HARDWARE / board / "wiring.svg", Picture(Layout(board)).svg()
        if not options.check:
            path.write_text(drawn, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != drawn:
            stale.append(board)
    if stale:
        print(f"error: wiring.svg of {', '.join(stale)} is not what the data gives; run tools/wiring_diagram")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
