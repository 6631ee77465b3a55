"""A layout as SVG."""

import re
from xml.sax.saxutils import escape

from layout import (
    BOARD_LEFT,
    BOARD_RIGHT,
    CARD,
    CHANNEL,
    KINDS,
    MARGIN,
    NETS,
    PITCH,
    POWER_PADS,
    SMALL_ROW,
    TOP,
    WIDTH,
    Card,
    Layout,
    Wire,
)

CHAR = 5.9  # mean width of a small letter


class Picture:
    """The drawing of one board."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def svg(self) -> str:
        parts = [*self._frame(), *self._board()]
        for card in self.layout.cards:
            parts += [self._wire(wire, self.layout.side_of(card)) for wire in card.wires]
        for card in self.layout.cards:
            parts += self._card(card, self.layout.side_of(card))
        parts += [*self._pads(), *self._small_parts(), *self._legend(), "</svg>"]
        return "\n".join(parts) + "\n"

    def _frame(self) -> list[str]:
        title = f"{self.layout.board}: {self.layout.product['maker']} {self.layout.product['part_number']}"
        return [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.layout.height:g}" '
            f'width="{WIDTH}" height="{self.layout.height:g}" role="img" aria-label="{escape(title)}">',
            "<style>",
            "text { font: 13px 'Inter', 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif; fill: #0f172a }",
            ".h { font-size: 24px; font-weight: 700 } .s { font-size: 13px; fill: #64748b }",
            ".t { font-size: 14px; font-weight: 650 } .n { font-size: 11px; fill: #64748b }",
            ".w { fill: #f8fafc } .g { fill: #a7c4b5; font-size: 11px } .b { font-weight: 600 }",
            ".m { font-family: 'JetBrains Mono', 'DejaVu Sans Mono', monospace; font-size: 12px }",
            "</style>",
            f'<rect width="{WIDTH}" height="{self.layout.height:g}" rx="18" fill="#f8fafc"/>',
            _text(MARGIN, 48, self.layout.board, "h"),
            _text(MARGIN, 72, f"{self.layout.product['maker']} {self.layout.product['description']}", "s"),
        ]

    def _board(self) -> list[str]:
        left, right = BOARD_LEFT, BOARD_RIGHT
        middle = (left + right) / 2
        drawn = [
            f'<rect x="{left}" y="{TOP}" width="{right - left}" height="{self.layout.board_height}" rx="16" '
            'fill="#0f3d2e" stroke="#0a2a20" stroke-width="2"/>',
            f'<rect x="{middle - 34}" y="{TOP - 9}" width="68" height="20" rx="5" fill="#cbd5e1" stroke="#94a3b8"/>',
            _text(
                middle,
                TOP + 34,
                re.split(r"[:(]", self.layout.product["description"])[0].strip(),
                "w t",
                "middle",
            ),
        ]
        top = TOP + 58
        for card in self.layout.inside:
            lines = [f"{wire.signal.removeprefix('BATTERY_')} {wire.pad}" for wire in card.wires]
            pairs = [" · ".join(lines[index : index + 2]) for index in range(0, len(lines), 2)]
            height = 30 + 16 * len(pairs)
            drawn.append(
                f'<rect x="{middle - 78}" y="{top}" width="156" height="{height}" rx="8" fill="#0b2e23" '
                'stroke="#2f6b55"/>'
            )
            drawn.append(_text(middle, top + 19, card.part, "w b", "middle"))
            drawn += [
                _text(middle, top + 36 + 16 * index, line, "g", "middle") for index, line in enumerate(pairs)
            ]
            top += height + 12
        return drawn

    def _pads(self) -> list[str]:
        used = {
            wire.pad: wire.kind for card in [*self.layout.inside, *self.layout.cards] for wire in card.wires
        }
        drawn = []
        for side, pads in self.layout.pads.items():
            edge = BOARD_LEFT if side == "left" else BOARD_RIGHT
            inward = 1 if side == "left" else -1
            anchor = "start" if side == "left" else "end"
            for index, row in enumerate(pads):
                y = TOP + 70 + index * PITCH
                colour = KINDS[used[row["pad"]]][0] if row["pad"] in used else "#64748b"
                colour = NETS.get(POWER_PADS.get(row["pad"], ""), colour)
                drawn.append(
                    f'<rect x="{edge - 9}" y="{y - 9}" width="18" height="18" rx="4" fill="{colour}" '
                    'stroke="#f8fafc" stroke-width="1.5"/><circle '
                    f'cx="{edge}" cy="{y}" r="3.4" fill="#f8fafc"/>'
                )
                extra = f" ({row['gpio']})" if row["gpio"] and row["gpio"] != row["pad"] else ""
                drawn.append(_text(edge + 16 * inward, y + 4, row["pad"] + extra, "w m", anchor))
        return drawn

    def _wire(self, wire: Wire, side: str) -> str:
        colour = KINDS[wire.kind][0]
        edge, card_edge, out = (
            (BOARD_LEFT, MARGIN + CARD, -1) if side == "left" else (BOARD_RIGHT, WIDTH - MARGIN - CARD, 1)
        )
        step = min(14, (CHANNEL - 36) / max(wire.lanes, 1))
        slack = (CHANNEL - step * (wire.lanes - 1)) / 2
        lane_x = edge + out * (slack + step * wire.lane)
        start = ""
        if wire.far:
            pad_x = BOARD_RIGHT if side == "left" else BOARD_LEFT
            start = f"M{pad_x} {wire.pad_y:g}V{wire.start_y:g}"
            edge = pad_x
        return (
            f'<path d="{start}{_rounded(edge, wire.start_y, lane_x, wire.pin_y, card_edge)}" fill="none" '
            f'stroke="{colour}" stroke-width="2.4" stroke-linecap="round"/>'
        )

    def _card(self, card: Card, side: str) -> list[str]:
        x = MARGIN if side == "left" else WIDTH - MARGIN - CARD
        drawn = [
            f'<rect x="{x}" y="{card.top:g}" width="{CARD}" height="{card.height}" rx="12" fill="#ffffff" '
            'stroke="#cbd5e1" stroke-width="1.5"/>',
            _text(x + 16, card.top + 22, card.part, "t"),
            _text(x + 16, card.top + 37, _short(card.title, CARD - 28), "n"),
        ]
        pin_x, sign, anchor = (x + CARD, -1, "end") if side == "left" else (x, 1, "start")
        for wire in card.wires:
            colour, y = KINDS[wire.kind][0], wire.pin_y
            drawn.append(
                f'<circle cx="{pin_x}" cy="{y:g}" r="4.5" fill="{colour}" stroke="#fff" stroke-width="1.5"/>'
            )
            drawn.append(_text(pin_x + sign * 12, y + 4, wire.signal, "m b", anchor))
            used = 20 + 7.6 * len(wire.signal)
            note = _short(wire.note, CARD - used - 14)
            drawn.append(_text(pin_x + sign * used, y + 4, note, "n", anchor))
        if card.power:
            drawn += self._power_pills(card, x)
        return drawn

    def _power_pills(self, card: Card, x: float) -> list[str]:
        drawn, left = [], x + 14
        for pin, net in card.power:
            label = f"{pin} → {net}" if pin != net else net
            width = 14 + 6.4 * len(label)
            top = card.top + card.height - 25
            drawn.append(
                f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="17" rx="8.5" fill="{NETS[net]}"/>'
            )
            drawn.append(
                f'<text x="{left + width / 2:g}" y="{top + 12.5:g}" text-anchor="middle" '
                f'style="font-size:10.5px;fill:#fff">{escape(label)}</text>'
            )
            left += width + 6
        return drawn

    def _small_parts(self) -> list[str]:
        """What has no pin of its own in the firmware: resistors, transistors, cells, antennas."""
        if not self.layout.small:
            return []
        x, top = WIDTH - MARGIN - CARD, self.layout.small_top
        drawn = [
            f'<rect x="{x}" y="{top:g}" width="{CARD}" height="{40 + SMALL_ROW * len(self.layout.small)}" rx="12" '
            'fill="#f1f5f9" stroke="#cbd5e1" stroke-dasharray="4 4"/>',
            _text(x + 16, top + 22, "small parts", "t"),
        ]
        for index, row in enumerate(self.layout.small):
            y = top + 42 + SMALL_ROW * index
            drawn.append(_text(x + 16, y, row["reference"], "n b"))
            drawn.append(_text(x + 68, y, _short(row["description"], CARD - 78), "n"))
        return drawn

    def _legend(self) -> list[str]:
        used = {wire.kind for card in [*self.layout.inside, *self.layout.cards] for wire in card.wires}
        y, x = self.layout.height - 34, MARGIN
        drawn = []
        for kind, (colour, name, _) in KINDS.items():
            if kind in used:
                drawn.append(
                    f'<path d="M{x} {y}h26" stroke="{colour}" stroke-width="4" stroke-linecap="round"/>'
                )
                drawn.append(_text(x + 34, y + 4, name, "s"))
                x += 54 + 8 * len(name)
        for net in NETS:
            if any(net == used_net for card in self.layout.cards for _, used_net in card.power):
                drawn.append(f'<rect x="{x}" y="{y - 7}" width="14" height="14" rx="7" fill="{NETS[net]}"/>')
                drawn.append(_text(x + 22, y + 4, net, "s"))
                x += 44 + 8 * len(net)
        drawn.append(
            _text(WIDTH - MARGIN, y + 4, "pads as printed on the board; GPIO in brackets", "n", "end")
        )
        return drawn


def _text(x: float, y: float, content: str, style: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{style}" text-anchor="{anchor}">{escape(content)}</text>'


def _short(text: str, width: float) -> str:
    """As much of a text as fits into ``width``."""
    most = int(width / CHAR)
    return text if len(text) <= most else text[: most - 1].rstrip(" ;,:") + "…"


def _rounded(x0: float, y0: float, lane: float, y1: float, x1: float, radius: float = 9) -> str:
    """Path along the first height, down or up the lane, along the second height, with round corners."""
    if abs(y1 - y0) < 1:
        return f"M{x0:g} {y0:g}H{x1:g}"
    r = min(radius, abs(y1 - y0) / 2)
    across = 1 if x1 > x0 else -1
    down = 1 if y1 > y0 else -1
    return (
        f"M{x0:g} {y0:g}H{lane - across * r:g}Q{lane:g} {y0:g} {lane:g} {y0 + down * r:g}"
        f"V{y1 - down * r:g}Q{lane:g} {y1:g} {lane + across * r:g} {y1:g}H{x1:g}"
    )
