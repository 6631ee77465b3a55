"""Fields of fixed size: numbers, enumerations, flags and bytes; their ranges and their unknown values."""

from groundwire.constant import const
from groundwire.errors import DecodeError, EncodeError

_FLAG_BITS = const(32)

# Bytes of each scalar code; lower case is signed, as in the struct module.
_SIZES = {"B": 1, "H": 2, "I": 4, "Q": 8, "b": 1, "h": 2, "i": 4, "q": 8}


def scalar_range(field) -> tuple:
    """(low, high, unknown) of a scalar field, with the limits of its code where the field gives none."""
    if len(field) > 3:
        return field[2], field[3], field[4] if len(field) > 4 else None
    code = field[1]
    bits = 8 * _SIZES[code]
    if code >= "a":
        return -(1 << (bits - 1)), (1 << (bits - 1)) - 1, None
    return 0, (1 << bits) - 1, None


def is_scalar(field: tuple) -> bool:
    """Whether the field is one number."""
    return field[1] in _SIZES


def fixed_size(field: tuple) -> int | None:
    """Bytes of a field whose size never varies, else None."""
    code = field[1]
    if code in _SIZES:
        return _SIZES[code]
    if code == "enum":
        return 1
    if code == "flags":
        return 4
    return int(code[:-1]) if code[-1] == "s" and code[0] in "123456789" else None


def struct_code(field: tuple) -> str:
    """What the struct module calls this field of fixed size."""
    code = field[1]
    return "B" if code == "enum" else "I" if code == "flags" else code


def to_raw(field: tuple, value: "int | bytes | str | list | None") -> "int | bytes":
    """The checked number or bytes for struct.pack. Raises EncodeError: type, range, size."""
    name, code = field[0], field[1]
    if code in _SIZES:
        low, high, unknown = scalar_range(field)
        if value is None and unknown is not None:
            return unknown
        if type(value) is not int:
            raise EncodeError("type", name + " is an int")
        if not low <= value <= high or value == unknown:
            raise EncodeError("range", "%s is %d..%d" % (name, low, high))
        return value
    if code == "enum":
        if type(value) is int and len(field[2]) <= value <= 255:
            return value
        if type(value) is str and value in field[2]:
            return field[2].index(value)
        raise EncodeError("range", name + ": no such name")
    if code == "flags":
        return _flags_to_raw(field, value)
    if type(value) is not bytes or len(value) != fixed_size(field):
        raise EncodeError("size", "%s is %d bytes" % (name, fixed_size(field)))
    return value


def from_raw(field: tuple, raw: "int | bytes") -> "int | bytes | str | list | None":
    """The value of what struct.unpack gave, for a field with options. Raises DecodeError: range."""
    if len(field) == 5 and raw == field[4]:
        return None
    if field[1] in _SIZES:
        if field[2] <= raw <= field[3]:  # type: ignore[operator] - struct gave an int for these codes
            return raw
        raise DecodeError("range", field[0])
    if field[1] == "enum":
        return field[2][raw] if raw < len(field[2]) else raw
    return _flags_from_raw(field, raw)


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
