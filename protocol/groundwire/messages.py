"""Messages: what a link frame carries, by its kind.

The tables are in `link_table`, `station_table`, `report_table`, `update_table` and `finder_table`; a table module is
loaded when one of its kinds is used for the first time, so a tag never loads what only stations say. A kind below
0x80 is a request, the kind of a reply has the top bit set. Unknown kinds and payloads longer than known come through
as "extra".
"""

from collections import namedtuple

from groundwire.errors import EncodeError
from groundwire.fields import Layout

Message = namedtuple("Message", ("kind", "name", "values"))

FREE = "free"  # always answered
UNLOCKED = "unlocked"  # without a session only until the device is locked
SESSION = "session"  # only inside an authenticated session
PEER = "peer"  # between station or tracker and collector; the messages say how each is protected

_UNKNOWN = (None, PEER, None)

_loaded = {}  # table number -> its entries by kind
_entries = {}  # kind -> (name, access, Layout), of every table loaded so far


def _table(number):
    found = _loaded.get(number)
    if found is None:
        try:
            if number == 0:
                from groundwire.link_table import MESSAGES
            elif number == 1:
                from groundwire.station_table import MESSAGES
            elif number == 2:
                from groundwire.report_table import MESSAGES
            elif number == 3:
                from groundwire.update_table import MESSAGES
            else:
                from groundwire.finder_table import MESSAGES
        except ImportError:  # the image of this role leaves the table out: its kinds are unknown here
            MESSAGES = ()
        found = {}
        for kind, name, access, *fields in MESSAGES:
            found[kind] = (name, access, Layout(*fields))
        _loaded[number] = found
        _entries.update(found)
    return found


def _entry(kind):
    found = _entries.get(kind)
    if found is None:
        group = kind & 0x70
        number = 0 if group < 0x30 or group > 0x60 else (group >> 4) - 2
        found = _table(number).get(kind, _UNKNOWN)
    return found


def kind_of(name: str) -> int:
    """The kind number of a message name. Raises EncodeError("unknown")."""
    for number in range(5):
        table = _table(number)
        for kind in table:
            if table[kind][0] == name:
                return kind
    raise EncodeError("unknown", "no message is named " + str(name))


def name_of(kind: int) -> str | None:
    """The message name of a kind number, or None."""
    return _entry(kind)[0]


def access_of(kind: int) -> str:
    """Who may send this kind: FREE, UNLOCKED, SESSION or PEER."""
    return _entry(kind)[1]


def layout_of(kind: int) -> Layout | None:
    """The fields of a kind, or None for an unknown one."""
    return _entry(kind)[2]


def encode(name: "str | int", values: dict) -> tuple:
    """(kind, payload) of a message given by name, or by number for a kind that has no name here.

    Raises EncodeError: unknown, missing, unexpected, type, range, size.
    """
    kind = name if type(name) is int else kind_of(name)  # type: ignore[arg-type] - no number is left here
    layout = _entry(kind)[2]
    if layout is None:
        if len(values) != 1 or type(values.get("extra")) is not bytes:
            raise EncodeError("unexpected", "an unknown kind has only extra")
        return kind, values["extra"]
    return kind, layout.encode(values)


def decode(kind: int, payload: bytes) -> Message:
    """The Message in a frame. Raises DecodeError: short, range, text."""
    name, _, layout = _entry(kind)
    if layout is None:
        return Message(kind, None, {"extra": bytes(payload)})
    return Message(kind, name, layout.decode(payload))
