"""Fields of messages: how one tuple in a table becomes bytes and back.

A field is a tuple (name, code, options...). Values are plain ints, bytes, str, lists and dicts.

| code | options | value | bytes |
|---|---|---|---|
| "B" "H" "I" "Q", "b" "h" "i" "q" | low, high, unknown | int, or None where `unknown` is given | 1, 2, 4, 8; signed in lower case |
| "8s" and the like | | bytes of that size | as they are |
| "enum" | tuple of names | name; a number without a name stays an int | 1 |
| "flags" | tuple of names | list of names in bit order; "bit9" for a bit without one | 4 |
| "blob" | low, high | bytes | size u8, bytes |
| "text" | high | str, UTF-8 | size u8, bytes |
| "fixeds" | size, high | list of bytes of one size | count u8, bytes |
| "records" | fields, high | list of dicts | count u8, each: size u8, fields |
| "items" | ((number, name, fields)...), high | list of dicts with "type" | count u8, each: type u8, size u8, fields |

A dict may hold "extra": bytes behind the last field that we know. They come back out when encoded again.
"""

import struct

from groundwire.constant import const
from groundwire.errors import DecodeError, EncodeError

_MAX_SIZE = const(255)  # of a blob, text, record or item: their size is one byte
_FLAG_BITS = const(32)

# Bits and signedness of the scalar codes; a dict because MicroPython's struct tells no ranges.
_SCALARS = {"B": (1, 0), "H": (2, 0), "I": (4, 0), "Q": (8, 0), "b": (1, 1), "h": (2, 1), "i": (4, 1), "q": (8, 1)}


def scalar_size(code: str) -> int:
    """Bytes that a scalar code takes on the wire."""
    return _SCALARS[code][0]


def scalar_range(field: tuple) -> tuple:
    """(low, high, unknown) of a scalar field, with the limits of its code where the field gives none."""
    size, signed = _SCALARS[field[1]]
    low, high = (-(1 << (8 * size - 1)), (1 << (8 * size - 1)) - 1) if signed else (0, (1 << (8 * size)) - 1)
    if len(field) > 3:
        low, high = field[2], field[3]
    return low, high, field[4] if len(field) > 4 else None


def is_scalar(field: tuple) -> bool:
    """Whether the field is one number."""
    return field[1] in _SCALARS


def fixed_size(field: tuple) -> int | None:
    """Bytes of a field whose size never varies, else None."""
    code = field[1]
    if code in _SCALARS:
        return _SCALARS[code][0]
    if code == "enum":
        return 1
    if code == "flags":
        return 4
    return int(code[:-1]) if code[-1] == "s" and code[0] in "123456789" else None


class Layout:
    """Fields in a row. Fields of fixed size that follow each other are read by one struct call.

    `later` are fields that an older peer does not send: each has an unknown value, and is None when absent.
    """

    def __init__(self, fields: tuple, later: tuple = ()):
        self.fields = fields + later
        self._required = len(fields)
        self._parts = []
        run = []
        for field in fields:
            if fixed_size(field) is None:
                self._close(run)
                run = []
                self._parts.append((None, 0, (field,)))
            else:
                run.append(field)
        self._close(run)
        self._needed = len(self._parts)
        for field in later:
            self._close([field])

    def _close(self, run):
        if run:
            form = ">" + "".join([_struct_code(field) for field in run])
            self._parts.append((form, struct.calcsize(form), tuple(run)))

    def encode(self, values: dict) -> bytes:
        """Bytes of `values`. Raises EncodeError: missing, unexpected, type, range, size."""
        pieces = []
        for form, _, fields in self._parts:
            if form is None:
                pieces.append(_encode_varied(fields[0], _take(values, fields[0][0])))
            else:
                raws = [_to_raw(field, _take(values, field[0])) for field in fields]
                pieces.append(struct.pack(form, *raws))
        extra = values.get("extra", b"")
        if type(extra) is not bytes:
            raise EncodeError("type", "extra is bytes")
        if len(values) != len(self.fields) + ("extra" in values):
            raise EncodeError("unexpected", self._stranger(values))
        pieces.append(extra)
        return b"".join(pieces)

    def decode(self, data: bytes, position: int = 0, end: int | None = None, known: dict | None = None) -> dict:
        """Values of data[position:end]. Raises DecodeError: short, range, text."""
        if end is None:
            end = len(data)
        values = {} if known is None else known
        for index, (form, size, fields) in enumerate(self._parts):
            if index >= self._needed and position == end:
                values[fields[0][0]] = None
            elif form is None:
                values[fields[0][0]], position = _decode_varied(fields[0], data, position, end)
            else:
                if position + size > end:
                    raise DecodeError("short", fields[0][0])
                raws = struct.unpack_from(form, data, position)
                for field, raw in zip(fields, raws):
                    values[field[0]] = _from_raw(field, raw)
                position += size
        if position < end:
            values["extra"] = bytes(data[position:end])
        return values

    def _stranger(self, values):
        names = [field[0] for field in self.fields]
        return ", ".join(sorted([str(name) for name in values if name not in names and name != "extra"]))


def _take(values, name):
    if name not in values:
        raise EncodeError("missing", name)
    return values[name]


def _struct_code(field):
    code = field[1]
    return "B" if code == "enum" else "I" if code == "flags" else code


def _to_raw(field, value):
    name, code = field[0], field[1]
    if code == "enum":
        if type(value) is int and len(field[2]) <= value <= 255:
            return value
        if type(value) is str and value in field[2]:
            return field[2].index(value)
        raise EncodeError("range", name + ": no such name")
    if code == "flags":
        return _flags_to_raw(field, value)
    if code in _SCALARS:
        low, high, unknown = scalar_range(field)
        if value is None and unknown is not None:
            return unknown
        if type(value) is not int:
            raise EncodeError("type", name + " is an int")
        if not low <= value <= high or value == unknown:
            raise EncodeError("range", "%s is %d..%d" % (name, low, high))
        return value
    if type(value) is not bytes or len(value) != fixed_size(field):
        raise EncodeError("size", "%s is %d bytes" % (name, fixed_size(field)))
    return value


def _from_raw(field, raw):
    code = field[1]
    if code == "enum":
        return field[2][raw] if raw < len(field[2]) else raw
    if code == "flags":
        return _flags_from_raw(field, raw)
    if code in _SCALARS and len(field) > 2:
        low, high, unknown = scalar_range(field)
        if raw == unknown:
            return None
        if not low <= raw <= high:
            raise DecodeError("range", field[0])
    return raw


def _flags_to_raw(field, value):
    if type(value) not in (list, tuple):
        raise EncodeError("type", field[0] + " is a list of names")
    raw = 0
    for flag in value:
        for bit in range(_FLAG_BITS):
            if flag == _flag_name(field, bit):
                raw |= 1 << bit
                break
        else:
            raise EncodeError("range", field[0] + ": no such flag")
    return raw


def _flags_from_raw(field, raw):
    return [_flag_name(field, bit) for bit in range(_FLAG_BITS) if raw >> bit & 1]


def _flag_name(field, bit):
    return field[2][bit] if bit < len(field[2]) else "bit%d" % bit


def _encode_varied(field, value):
    name, code = field[0], field[1]
    if code == "blob":
        if type(value) is not bytes or not field[2] <= len(value) <= field[3]:
            raise EncodeError("size", "%s is %d..%d bytes" % (name, field[2], field[3]))
        return bytes((len(value),)) + value
    if code == "text":
        if type(value) is not str:
            raise EncodeError("type", name + " is text")
        try:
            raw = value.encode()
        except UnicodeError:  # a lone surrogate, which MicroPython would encode
            raw = b"\xff"
        if len(raw) > field[2] or not is_utf8(raw):
            raise EncodeError("size", "%s is at most %d bytes of UTF-8" % (name, field[2]))
        return bytes((len(raw),)) + raw
    if type(value) not in (list, tuple):
        raise EncodeError("type", name + " is a list")
    if len(value) > field[3]:
        raise EncodeError("size", "%s has at most %d entries" % (name, field[3]))
    pieces = [bytes((len(value),))]
    for entry in value:
        if code == "fixeds":
            if type(entry) is not bytes or len(entry) != field[2]:
                raise EncodeError("size", "%s: %d bytes each" % (name, field[2]))
            pieces.append(entry)
        elif type(entry) is not dict:
            raise EncodeError("type", name + ": each is a dict")
        elif code == "records":
            pieces.append(_sized(name, layout(field[2]).encode(entry)))
        else:
            pieces.append(_encode_item(field, entry))
    return b"".join(pieces)


def _sized(name, raw):
    if len(raw) > _MAX_SIZE:
        raise EncodeError("size", name + ": an entry is at most 255 bytes")
    return bytes((len(raw),)) + raw


def _encode_item(field, entry):
    kind = _take(entry, "type")
    body = dict(entry)
    del body["type"]
    for number, name, fields in field[2]:
        if kind == name:
            return bytes((number,)) + _sized(field[0], layout(fields).encode(body))
        if kind == number:
            break  # a known type goes by its name
    else:
        if type(kind) is int and 0 <= kind <= 255:
            return bytes((kind,)) + _sized(field[0], layout(()).encode(body))
    raise EncodeError("range", field[0] + ": no such type")


def _decode_varied(field, data, position, end):
    name, code = field[0], field[1]
    if position >= end:
        raise DecodeError("short", name)
    count = data[position]
    position += 1
    if code == "blob" or code == "text":
        stop = position + count
        if stop > end:
            raise DecodeError("short", name)
        raw = bytes(data[position:stop])
        if not (field[2] <= count <= field[3] if code == "blob" else count <= field[2]):
            raise DecodeError("range", name)
        if code == "blob":
            return raw, stop
        if not is_utf8(raw):
            raise DecodeError("text", name)
        return str(raw, "utf-8"), stop
    if count > field[3]:
        raise DecodeError("range", name)
    entries = []
    for _ in range(count):
        entry, position = _decode_entry(field, data, position, end)
        entries.append(entry)
    return entries, position


def _decode_entry(field, data, position, end):
    name, code = field[0], field[1]
    if code == "fixeds":
        stop = position + field[2]
        if stop > end:
            raise DecodeError("short", name)
        return bytes(data[position:stop]), stop
    head = 1 if code == "records" else 2
    if position + head > end:
        raise DecodeError("short", name)
    kind = data[position]
    size = data[position + head - 1]
    position += head
    stop = position + size
    if stop > end:
        raise DecodeError("short", name)
    if code == "records":
        return layout(field[2]).decode(data, position, stop), stop
    for number, word, fields in field[2]:
        if number == kind:
            return layout(fields).decode(data, position, stop, {"type": word}), stop
    return layout(()).decode(data, position, stop, {"type": kind}), stop


_layouts = {}


def layout(fields: tuple) -> Layout:
    """The compiled Layout of a table's tuple, made on first use."""
    found = _layouts.get(id(fields))
    if found is None:
        found = Layout(fields)
        _layouts[id(fields)] = found  # keeps the tuple alive, so the id stays its own
    return found


def is_utf8(raw: bytes) -> bool:
    """Strict UTF-8 (RFC 3629). MicroPython's own check lets overlong forms and surrogates pass."""
    position = 0
    size = len(raw)
    while position < size:
        lead = raw[position]
        position += 1
        if lead < 0x80:
            continue
        if 0xC2 <= lead <= 0xDF:
            count, low, high = 1, 0x80, 0xBF
        elif 0xE0 <= lead <= 0xEF:
            count, low, high = 2, 0xA0 if lead == 0xE0 else 0x80, 0x9F if lead == 0xED else 0xBF
        elif 0xF0 <= lead <= 0xF4:
            count, low, high = 3, 0x90 if lead == 0xF0 else 0x80, 0x8F if lead == 0xF4 else 0xBF
        else:
            return False
        for _ in range(count):
            if position >= size or not low <= raw[position] <= high:
                return False
            low, high = 0x80, 0xBF
            position += 1
    return True
