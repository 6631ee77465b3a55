"""Fields of messages: how one tuple in a table becomes bytes and back.

A field is a tuple (name, code, options...). Values are plain ints, bytes, str, lists and dicts.

    code                value                              bytes
    "B" "H" "I" "Q"     int, unsigned; options: low, high, unknown (then None is a value, too)   1 2 4 8
    "b" "h" "i" "q"     int, signed; the same options      1 2 4 8
    "8s"                bytes of that size                 as they are
    "enum" names        a name; an int where no name is    1
    "flags" names       names in bit order; "bit9" where no name is                              4
    "blob" low high     bytes                              size u8, bytes
    "text" high         str, UTF-8                         size u8, bytes
    "fixeds" size high  list of bytes of one size          count u8, bytes
    "records" fields high    list of dicts                 count u8, each: size u8, fields
    "items" ((number, name, fields[, later])...) high   dicts with "type"   count u8, each: type u8, size u8, fields

A dict may hold "extra": bytes behind the last field that we know. They come back out when encoded again.
"""

import struct

from groundwire.constant import const
from groundwire.errors import DecodeError, EncodeError
from groundwire.scalars import fixed_size, name_raw, struct_code, to_raw, unknown_raw
from groundwire.utf8 import is_utf8

_MAX_SIZE = const(255)  # of a blob, text, record or item: their size is one byte


class Layout:
    """Fields in a row. Fields of fixed size that follow each other are read by one struct call.

    `later` are fields that an older peer does not send. When absent, one of fixed size, which has an unknown value, is
    None, and a list or text is empty.
    """

    def __init__(self, fields: tuple, later: tuple = ()):
        self.fields = fields + later
        self.required = len(fields)
        self._parts = []
        run = []
        for field in fields:
            if fixed_size(field) is None:
                self._close(run)
                run = []
                self._add_varied(field)
            else:
                run.append(field)
        self._close(run)
        self._needed = len(self._parts)
        for field in later:
            if fixed_size(field) is None:
                self._add_varied(field)
            else:
                self._close([field])

    def _add_varied(self, field):
        self._parts.append((None, 0, (field,), (field[0],), (), ()))

    def _close(self, run):
        if run:
            form = ">" + "".join([struct_code(field) for field in run])
            ranged = tuple([(field[0], field[2], field[3], field) for field in run if len(field) > 3])
            named = tuple([field for field in run if len(field) == 3])
            names = tuple([field[0] for field in run])
            self._parts.append((form, struct.calcsize(form), tuple(run), names, ranged, named))

    def encode(self, values: dict) -> bytes:
        """Bytes of `values`. Raises EncodeError: missing, unexpected, type, range, size."""
        pieces = []
        for field in self.fields:
            if field[0] not in values:
                raise EncodeError("missing", field[0])
        for form, _, fields, _, _, _ in self._parts:
            if form is None:
                pieces.append(_encode_varied(fields[0], values[fields[0][0]]))
            else:
                pieces.append(struct.pack(form, *[to_raw(field, values[field[0]]) for field in fields]))
        extra = values.get("extra", b"")
        if type(extra) is not bytes:
            raise EncodeError("type", "extra is bytes")
        if len(values) != len(self.fields) + ("extra" in values):
            raise EncodeError("unexpected", self._stranger(values))
        pieces.append(extra)
        return b"".join(pieces)

    def decode(
        self, data: bytes, position: int = 0, end: int | None = None, known: dict | None = None
    ) -> dict:
        """Values of data[position:end]. Raises DecodeError: short, range, text."""
        if end is None:
            end = len(data)
        values = {} if known is None else known
        for index, (form, size, fields, names, ranged, named) in enumerate(self._parts):
            if position == end and index >= self._needed:
                values[names[0]] = None if form else _decode_varied(fields[0], b"\x00", 0, 1)[0]
            elif form is None:
                values[names[0]], position = _decode_varied(fields[0], data, position, end)
            else:
                if position + size > end:
                    raise DecodeError("short", names[0])
                raws = struct.unpack_from(form, data, position)
                values.update(zip(names, raws))  # noqa: B905 - MicroPython's zip knows no strict
                for name, low, high, field in ranged:  # an unknown value is always outside its range
                    if not low <= values[name] <= high:
                        values[name] = unknown_raw(field, values[name])
                for field in named:
                    values[field[0]] = name_raw(field, values[field[0]])
                position += size
        if position < end:
            values["extra"] = bytes(data[position:end])
        return values

    def _stranger(self, values):
        names = [field[0] for field in self.fields]
        return ", ".join(sorted([str(name) for name in values if name not in names and name != "extra"]))


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
    if "type" not in entry:
        raise EncodeError("missing", "type")
    body = dict(entry)
    kind = body.pop("type")
    for number, name, *fields in field[2]:
        if kind == name:
            return bytes((number,)) + _sized(field[0], layout(*fields).encode(body))
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
    for number, word, *fields in field[2]:
        if number == kind:
            return layout(*fields).decode(data, position, stop, {"type": word}), stop
    return layout(()).decode(data, position, stop, {"type": kind}), stop


_layouts = {}


def layout(fields: tuple, later: tuple = ()) -> Layout:
    """The compiled Layout of a table's tuple, and of its later fields, made on first use."""
    found = _layouts.get(id(fields))
    if found is None:
        found = Layout(fields, later)
        _layouts[id(fields)] = found  # keeps the tuple alive, so the id stays its own
    return found
