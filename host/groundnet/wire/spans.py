"""Which bytes of a message are which field: the annotation behind `groundnet wire decode`."""

from typing import NamedTuple

from groundwire.fields import Layout

from groundnet.wire.plain import to_hex

HIDDEN = "hidden"  # in place of a key, until somebody asks for it


class Span(NamedTuple):
    """Some bytes with their meaning. `offset` counts from the start of the piece they belong to."""

    offset: int
    data: bytes
    name: str
    value: str
    is_secret: bool = False  # a key: it stays off the screen unless asked for


def message_spans(layout: Layout | None, payload: bytes, offset: int) -> list[Span]:
    """Spans of a message payload that decodes; `offset` is added to each. None: an unknown kind."""
    spans: list[Span] = []
    end = len(payload)
    position = _walk(layout.fields if layout else (), payload, 0, end, "", spans)
    if position < end:
        spans.append(Span(position, payload[position:], "extra", "not known here"))
    return [span._replace(offset=span.offset + offset) for span in spans]


def _walk(fields: tuple, data: bytes, position: int, end: int, prefix: str, spans: list[Span]) -> int:
    for field in fields:
        if position == end:
            break  # only fields that an older peer does not send are left
        code = field[1]
        if code in ("records", "items", "fixeds"):
            position = _walk_list(field, data, position, prefix, spans)
            continue
        values = Layout((field,)).decode(data, position, end)
        stop = end - len(values.get("extra", b""))
        hidden = field[0] == "secret" or (field[0] == "value" and spans[-1].value.endswith("_key"))
        spans.append(Span(position, data[position:stop], prefix + field[0], show(values[field[0]]), hidden))
        position = stop
    return position


def _walk_list(field: tuple, data: bytes, position: int, prefix: str, spans: list[Span]) -> int:
    name, code = prefix + field[0], field[1]
    count = data[position]
    spans.append(Span(position, data[position : position + 1], name, f"{count} follow"))
    position += 1
    for number in range(count):
        label = f"{name}[{number}]"
        if code == "fixeds":
            stop = position + field[2]
            spans.append(Span(position, data[position:stop], label, to_hex(data[position:stop])))
        else:
            stop = _walk_entry(field, data, position, label, spans)
        position = stop
    return position


def _walk_entry(field: tuple, data: bytes, position: int, label: str, spans: list[Span]) -> int:
    fields, head = field[2], 1
    if field[1] == "items":
        head = 2
        known = {number: (name, sum(fields, ())) for number, name, *fields in field[2]}
        name, fields = known.get(data[position], (str(data[position]), ()))
        spans.append(Span(position, data[position : position + 1], f"{label}.type", name))
    size = data[position + head - 1]
    start = position + head
    spans.append(Span(start - 1, data[start - 1 : start], f"{label} size", str(size)))
    reached = _walk(fields, data, start, start + size, f"{label}.", spans)
    if reached < start + size:
        spans.append(Span(reached, data[reached : start + size], f"{label}.extra", "not known here"))
    return start + size


def show(value: int | bytes | str | list | None) -> str:
    """A value for people: hex for bytes, words for flags and for unknown."""
    if value is None:
        return "unknown"
    if isinstance(value, bytes):
        return to_hex(value)
    if isinstance(value, list):
        return ", ".join(str(entry) for entry in value) or "none"
    return str(value)
