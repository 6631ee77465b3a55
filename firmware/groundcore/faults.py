"""Parts of the device that fail: each is told once, and so is its end; one that comes and goes is told once an hour.

What happens is in TRANSITIONS: (state, what comes in) -> (next state, what comes out), for each part by itself.
"""

from groundwire.constant import const

# States of a part.
WELL = "well"
FAILED = "failed"  # and that was told
MENDED = "mended"  # it works again, which was told less than an hour ago
RELAPSED = "relapsed"  # it failed again within that hour: not told yet

# What comes in.
FAIL = "fail"
WORK = "work"
HOUR = "hour"  # an hour has passed since it was told last

TELL = const(1)

TRANSITIONS = {
    (WELL, FAIL): (FAILED, TELL),
    (FAILED, WORK): (MENDED, TELL),
    (MENDED, FAIL): (RELAPSED, 0),
    (MENDED, HOUR): (WELL, 0),
    (RELAPSED, WORK): (MENDED, 0),
    (RELAPSED, HOUR): (FAILED, TELL),
}

_HOUR_MS = const(3600000)
_PART_BYTES = const(24)
_TEXT_BYTES = const(40)


class Faults:
    """The parts of one device that ever failed; the others cost nothing."""

    def __init__(self):
        self._parts = {}  # name -> [state, what it complains about, when it was told last]

    def take(self, part: str, text: str, now_ms: int) -> list:
        """A part fails, or works again (text ""): the items (as reports carry them) to be told."""
        found = []
        entry = self._parts.setdefault(part, [WELL, "", now_ms])
        if text:
            entry[1] = text
        self._go_on(part, entry, FAIL if text else WORK, now_ms, found)
        return found

    def check(self, now_ms: int) -> list:
        """The items to be told because an hour has passed."""
        found = []
        for part, entry in self._parts.items():
            if now_ms - entry[2] >= _HOUR_MS:
                self._go_on(part, entry, HOUR, now_ms, found)
        return found

    def next_deadline(self) -> int | None:
        """When to check."""
        due_ms = None
        for state, _, told_ms in self._parts.values():
            if (state, HOUR) in TRANSITIONS and (due_ms is None or told_ms + _HOUR_MS < due_ms):
                due_ms = told_ms + _HOUR_MS
        return due_ms

    def _go_on(self, part, entry, what, now_ms, found):
        entry[0], out = TRANSITIONS.get((entry[0], what), (entry[0], 0))
        if out:
            entry[2] = now_ms
            text = "" if what == WORK else entry[1]
            found.append({"part": cut(part, _PART_BYTES), "text": cut(text, _TEXT_BYTES)})


def cut(text, size):
    """The beginning that fits into so many bytes of UTF-8."""
    while len(text.encode()) > size:
        text = text[:-1]
    return text
