"""Message values as JSON and back: bytes become hex strings, the message tables say where.

Runs unchanged on MicroPython: no imports beside the codec and the standard library it has.
"""

from binascii import hexlify, unhexlify

from groundwire.errors import EncodeError


def to_hex(data):
    """Lower-case hex of bytes."""
    return hexlify(data).decode()


def from_hex(text):
    """Bytes of a hex string. Raises EncodeError("hex")."""
    try:
        return unhexlify(text)
    except (ValueError, TypeError):
        raise EncodeError("hex", "not a string of hex digits") from None


def to_json(fields, values):
    """`values` of a layout's `fields` (None for an unknown message) with every bytes as hex."""
    answer = {}
    for field in fields or ():
        answer[field[0]] = _outward(field, values[field[0]])
    if "extra" in values:
        answer["extra"] = to_hex(values["extra"])
    return answer


def from_json(fields, data):
    """Undo `to_json`. Names that no field has stay, so that the codec refuses them."""
    if type(data) is not dict:
        raise EncodeError("type", "values are an object")
    answer = dict(data)
    for field in fields or ():
        if field[0] in answer:
            answer[field[0]] = _inward(field, answer[field[0]])
    if "extra" in answer:
        answer["extra"] = from_hex(answer["extra"])
    return answer


def _is_bytes(code):
    return code == "blob" or (code[-1] == "s" and code[0] in "123456789")


def _outward(field, value):
    code = field[1]
    if _is_bytes(code):
        return to_hex(value)
    if code == "fixeds":
        return [to_hex(entry) for entry in value]
    if code == "records":
        return [to_json(field[2], entry) for entry in value]
    if code == "items":
        return [_item_outward(field, entry) for entry in value]
    return value


def _inward(field, value):
    code = field[1]
    if _is_bytes(code):
        return from_hex(value)
    if code in ("fixeds", "records", "items"):
        if type(value) is not list:
            raise EncodeError("type", field[0] + " is a list")
        if code == "fixeds":
            return [from_hex(entry) for entry in value]
        if code == "records":
            return [from_json(field[2], entry) for entry in value]
        return [_item_inward(field, entry) for entry in value]
    return value


def _item_fields(field, kind):
    for _, name, *fields in field[2]:
        if name == kind:
            return sum(fields, ())
    return ()


def _item_outward(field, entry):
    answer = to_json(_item_fields(field, entry["type"]), entry)
    answer["type"] = entry["type"]
    return answer


def _item_inward(field, entry):
    kind = entry.get("type") if type(entry) is dict else None
    return from_json(_item_fields(field, kind), entry)
