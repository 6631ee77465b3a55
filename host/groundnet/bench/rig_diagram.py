"""The wiring of a rig as an SVG picture, from its description: instruments left, devices right, a line a wire."""

from html import escape

from groundnet.bench.rig_file import Attachment, DeviceEntry, RigEntry

_ROW, _BOX, _LEFT, _RIGHT, _WIDTH = 26, 250, 20, 530, 800
_COLOURS = {
    "supply": "#b91c1c",
    "current": "#c2410c",
    "motion": "#7c3aed",
    "path": "#0369a1",
}
_OTHER = "#15803d"


def svg(rig: RigEntry) -> str:
    """The picture; the same description gives the same bytes."""
    wires = [
        (device, what, wire) for device in rig.devices.values() for what, wire in device.attached.items()
    ]
    left, right = _left(rig, wires), _right(rig)
    height = 60 + max(len(left), len(right)) * _ROW + 20
    parts = [f'<text x="{_LEFT}" y="30" font-size="18">{escape(rig.name)}</text>']
    parts += [_label(_LEFT, row, text, bold) for row, (text, bold, _) in enumerate(left)]
    parts += [_label(_RIGHT, row, text, bold) for row, (text, bold, _) in enumerate(right)]
    ends = {key: row for row, (_, _, key) in enumerate(right) if key}
    for row, (_, _, key) in enumerate(left):
        for what, target in key or ():
            parts.append(_wire(row, ends[target], _COLOURS.get(what, _OTHER)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="13"><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _left(rig: RigEntry, wires: list[tuple[DeviceEntry, str, Attachment]]) -> list:
    """(text, bold, ends of its wires) of each row: an instrument, then its channels."""
    rows: list = []
    for name, instrument in rig.instruments.items():
        rows.append((f"{name}: {instrument.driver}", True, None))
        channels: dict[int, list] = {}
        for device, what, wire in wires:
            if wire.instrument == name:
                channels.setdefault(wire.channel, []).append((what, (device.name, what)))
        for path in rig.paths:
            if path.attachment.instrument == name:
                ends = [("path", (device, "antenna")) for device in path.between]
                channels.setdefault(path.attachment.channel, []).extend(ends)
        word = "pin" if instrument.driver == "micropython-pins" else "channel"
        rows += [(f"{word} {number}", False, ends) for number, ends in sorted(channels.items())]
    return rows


def _right(rig: RigEntry) -> list:
    """(text, bold, key) of each row: a device, then what of it is wired."""
    rows: list = []
    joined = {device for path in rig.paths for device in path.between}
    for name, device in rig.devices.items():
        rows.append((f"{name}: {device.role}, {device.board}", True, None))
        rows += [(_said(what, wire), False, (name, what)) for what, wire in device.attached.items()]
        if name in joined:
            rows.append(("antenna", False, (name, "antenna")))
    return rows


def _said(what: str, wire: Attachment) -> str:
    volts = "" if wire.volts is None else f", {wire.volts:g} V"
    limit = "" if wire.limit_a is None else f", at most {wire.limit_a * 1000:g} mA"
    return what + volts + limit


def _label(x: int, row: int, text: str, bold: bool) -> str:
    y = 60 + row * _ROW
    weight = ' font-weight="bold"' if bold else ""
    fill = "#e2e8f0" if bold else "#f8fafc"
    box = f'<rect x="{x}" y="{y - 17}" width="{_BOX}" height="{_ROW - 3}" fill="{fill}" stroke="#94a3b8"/>'
    return box + f'<text x="{x + 8}" y="{y}"{weight}>{escape(text)}</text>'


def _wire(from_row: int, to_row: int, colour: str) -> str:
    x1, x2, y1, y2 = _LEFT + _BOX, _RIGHT, 56 + from_row * _ROW, 56 + to_row * _ROW
    middle = (x1 + x2) // 2
    path = f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
