"""Fields of fixed size: numbers, enumerations, flags and bytes; their ranges and their unknown values."""

from groundwire.constant import const
from groundwire.errors import DecodeError, EncodeError

_FLAG_BITS = const(32)

# Size in bytes and limits of each scalar code; lower case is signed, as in the struct module.
_SCALARS = {
    "B": (1, 0, 0xFF),
    "H": (2, 0, 0xFFFF),
    "I": (4, 0, 0xFFFFFFFF),
    "Q": (8, 0, 0xFFFFFFFFFFFFFFFF),
    "b": (1, -0x80, 0x7F),
    "h": (2, -0x8000, 0x7FFF),
    "i": (4, -0x80000000, 0x7FFFFFFF),
    "q": (8, -0x8000000000000000, 0x7FFFFFFFFFFFFFFF),
}


def scalar_range(field: tuple) -> tuple:
    """(low, high, unknown) of a scalar field, with the limits of its code where the field gives none."""
    _, low, high = _SCALARS[field[1]]
    if len(field) > 3:
        return field[2], field[3], field[4] if len(field) > 4 else None
    return low, high, None


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


def struct_code(field: tuple) -> str:
    """What the struct module calls this field of fixed size."""
    code = field[1]
    return "B" if code == "enum" else "I" if code == "flags" else code


def to_raw(field: tuple, value: "int | bytes | str | list | None") -> "int | bytes":
    """The checked number or bytes for struct.pack. Raises EncodeError: type, range, size."""
    name, code = field[0], field[1]
    scalar = _SCALARS.get(code)
    if scalar:
        if type(value) is int:
            if (field[2] <= value <= field[3]) if len(field) > 3 else (scalar[1] <= value <= scalar[2]):
                return value
            low, high, _ = scalar_range(field)
            raise EncodeError("range", "%s is %d..%d" % (name, low, high))
        if value is None and len(field) == 5:
            return field[4]
        raise EncodeError("type", name + " is an int")
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


def unknown_raw(field: tuple, raw: int) -> None:
    """None for the unknown value of a field, out of its range. Raises DecodeError: range."""
    name = field[0]
    if len(field) < 5 or raw != field[4]:
        raise DecodeError("range", name)


def name_raw(field: tuple, raw: int) -> "int | str | list":
    """The name of an enumeration's number, or the names of flags."""
    if field[1] == "flags":
        return [_flag_name(field, bit) for bit in range(_FLAG_BITS) if raw >> bit & 1]
    return field[2][raw] if raw < len(field[2]) else raw


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


def _flag_name(field, bit):
    return field[2][bit] if bit < len(field[2]) else "bit%d" % bit
