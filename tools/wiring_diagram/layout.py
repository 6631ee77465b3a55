"""Where everything is in a wiring diagram: pads, parts beside the board, lanes of the wires between them."""

import csv
import itertools
from dataclasses import dataclass, field
from pathlib import Path

HARDWARE = Path(__file__).resolve().parents[2] / "hardware"

KINDS = {  # kind of a wire -> (colour, legend, signals of pinout.csv)
    "i2c": ("#2563eb", "I2C", {"SDA", "SCL"}),
    "spi": ("#7c3aed", "SPI", {"SCK", "MISO", "MOSI", "CS"}),
    "uart": ("#059669", "serial", {"TX", "RX"}),
    "analog": ("#d97706", "analogue", {"BATTERY", "SENSE"}),
    "input": ("#0891b2", "input", {"INT1", "DIO1", "BUSY", "LOST", "SWITCH", "LOOP", "OUT"}),
    "output": (
        "#db2777",
        "output",
        {"GATE", "RESET", "WAKEUP", "POWER_KEY", "LED", "ENABLE", "BATTERY_ENABLE"},
    ),
}
NETS = {"3V3": "#dc2626", "5V": "#b91c1c", "BAT": "#9a3412", "EXT": "#7f1d1d", "GND": "#1e293b"}
POWER_PADS = {"3V3": "3V3", "5V": "5V", "Ve": "3V3", "GND": "GND"}

WIDTH, MARGIN, CARD, CHANNEL = 1280, 32, 324, 124
BOARD_LEFT = MARGIN + CARD + CHANNEL
BOARD_RIGHT = WIDTH - BOARD_LEFT
TOP, PITCH = 132, 30
ROW, CARD_HEAD, CARD_GAP = 21, 46, 20
SMALL_ROW = 17


@dataclass
class Wire:
    """One line from a pad of the product to a pin of a part."""

    pad: str
    signal: str
    note: str
    kind: str
    side: str = ""
    pad_y: float = 0
    pin_y: float = 0
    lane: int = 0
    lanes: int = 1
    far: bool = False  # its pad is at the other edge: it passes below the board

    @property
    def start_y(self) -> float:
        """Where it enters the channel: between two pads when it comes from the far edge."""
        return self.pad_y + (PITCH / 2 if self.far else 0)


@dataclass
class Card:
    """One part beside the board, or inside it when it is soldered there."""

    part: str
    title: str
    wires: list[Wire] = field(default_factory=list)
    power: list[tuple[str, str]] = field(default_factory=list)
    top: float = 0

    @property
    def height(self) -> int:
        return CARD_HEAD + ROW * len(self.wires) + (30 if self.power else 10)

    @property
    def wish(self) -> float:
        """Height at which its wires would be straight."""
        return sum(wire.pad_y for wire in self.wires) / len(self.wires) if self.wires else 0


def rows(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def kind_of(signal: str) -> str:
    return next(kind for kind, (_, _, signals) in KINDS.items() if signal in signals)


class Layout:
    """The places on one board's drawing, from hardware/<board>/*.csv and hardware/modules/."""

    def __init__(self, board: str) -> None:
        folder = HARDWARE / board
        self.board = board
        bom = rows(folder / "bom.csv")
        self.product = bom[0]
        module = bom[0]["part_number"].replace(" ", "_")
        pads = rows(HARDWARE / "modules" / f"{module}.csv")
        self.pads = {side: [row for row in pads if row["side"] == side] for side in ("left", "right")}
        self.small = [row for row in bom[1:] if not row["part"]]
        self.labels = {row["part"]: row for row in bom if row["part"]}
        self.pinout = rows(folder / "pinout.csv")
        self.power = rows(folder / "power.csv")
        self.height = 0.0
        self.places = self._place_pads()
        self.cards, self.inside = self._make_cards()
        self.small_top = 0.0
        self._place_cards()

    def _place_pads(self) -> dict[str, tuple[str, float]]:
        """Pad name -> side and height; a power pad has no place of its own."""
        longest = max(len(pads) for pads in self.pads.values())
        self.board_height = longest * PITCH + 96
        places = {}
        for side, pads in self.pads.items():
            for index, row in enumerate(pads):
                places.setdefault(row["pad"], (side, TOP + 70 + index * PITCH))
        return places

    def _make_cards(self) -> tuple[list[Card], list[Card]]:
        """The parts that hang on pads, and those that are on the board itself."""
        cards: dict[tuple[str, bool], Card] = {}
        for row in self.pinout:
            on_board = row["note"].startswith("on board")
            label = self.labels.get(row["part"])
            title = (
                "on board" if on_board or label is None else f"{label['part_number'] or label['description']}"
            )
            card = cards.setdefault((row["part"], on_board), Card(row["part"], title))
            note = row["note"].removeprefix("on board").strip(":; ")
            wire = Wire(row["pad"], row["signal"], note, kind_of(row["signal"]))
            if not on_board:
                wire.side, wire.pad_y = self.places[row["pad"]]
            wire.pad = row["pad"] or row["gpio"]
            card.wires.append(wire)
        for row in self.power:
            key = (row["part"], (row["part"], False) not in cards)
            cards[key].power.append((row["pin"], row["net"]))
        outside = [card for (_, on_board), card in cards.items() if not on_board]
        return outside, [card for (_, on_board), card in cards.items() if on_board]

    def _place_cards(self) -> None:
        """Cards on the side where most of their pads are, in the order of their pads, not overlapping."""
        bottom = TOP + self.board_height
        for side in ("left", "right"):
            cards = sorted(
                (card for card in self.cards if self.side_of(card) == side), key=lambda card: card.wish
            )
            small = CARD_GAP + 40 + SMALL_ROW * len(self.small) if side == "right" and self.small else 0
            left = sum(card.height + CARD_GAP for card in cards) + small  # what still has to find room
            top = float(TOP - 20)
            taken = [y for pad_side, y in self.places.values() if pad_side == side]
            for card in cards:
                top = max(top, min(card.wish - card.height / 2, TOP + self.board_height - left))
                left -= card.height + CARD_GAP
                top += _nudge(card, top, taken)
                card.top = top
                top += card.height + CARD_GAP
                card.wires.sort(key=lambda wire: wire.pad_y)
                for index, wire in enumerate(card.wires):
                    wire.pin_y = card.top + CARD_HEAD + ROW * index + 8
            for wire in (wires := [wire for card in cards for wire in card.wires]):
                wire.far = wire.side != side
            self._assign_lanes(wires)
            self.small_top = top if cards else TOP + (self.board_height - small) / 2
            bottom = max(bottom, top - CARD_GAP + small)
        self.height = bottom + 96

    def side_of(self, card: Card) -> str:
        sides = [wire.side for wire in card.wires]
        return max(("left", "right"), key=sides.count)

    def _assign_lanes(self, wires: list[Wire]) -> None:
        """A lane of the channel for each wire, swapped until no swap saves a crossing."""
        wires.sort(key=lambda wire: (wire.pad_y, wire.pin_y))
        for lane, wire in enumerate(wires):
            wire.lane = lane
        best = _crossings(wires)
        improved = True
        while improved:
            improved = False
            for first, second in itertools.combinations(wires, 2):
                first.lane, second.lane = second.lane, first.lane
                found = _crossings(wires)
                if found < best:
                    best, improved = found, True
                else:
                    first.lane, second.lane = second.lane, first.lane
        for wire in wires:
            wire.lanes = len(wires)


def _nudge(card: Card, top: float, pad_heights: list[float]) -> float:
    """A small shift after which no pin is level with a pad: two lines would lie on each other."""

    def level(shift: float) -> int:
        heights = [top + shift + CARD_HEAD + ROW * index + 8 for index in range(len(card.wires))]
        return sum(abs(height - pad) < 6 for height in heights for pad in pad_heights)

    return min((0, 5, 9, 13), key=level)


def _crossings(wires: list[Wire]) -> int:
    """How often the lines of a channel cross; lanes are counted from the board outwards."""
    found = 0
    for one, other in itertools.permutations(wires, 2):
        low, high = sorted((one.start_y, one.pin_y))
        # The lane of ``one`` against the two level runs of ``other``: board to its lane, its lane to the card.
        found += other.lane > one.lane and low < other.start_y < high
        found += other.lane < one.lane and low < other.pin_y < high
        if abs(one.start_y - other.pin_y) < 5 and one.lane > other.lane:
            found += 3  # their level runs would lie on each other
    return found
