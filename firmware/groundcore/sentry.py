"""A room with an infrared sensor: armed by order and by schedule, with time to leave and time to enter.

What happens is in TRANSITIONS: (state, what comes in) -> (next state, what comes out).
"""

from groundwire.constant import const

from groundcore.escalation import CHIRP, REPORT, SIREN, TEXT

# States.
OPEN = "open"  # not armed
LEAVING = "leaving"  # armed a moment ago: whoever is in there may go out
WATCHING = "watching"
ENTERED = "entered"  # somebody is there and may disarm it
INTRUDED = "intruded"

# What comes in.
ARM = "arm"
DISARM = "disarm"
SEEN = "seen"  # the infrared sensor
OPENED = "opened"  # the case
DUE = "due"

TRANSITIONS = {
    (OPEN, ARM): (LEAVING, 0),
    (OPEN, OPENED): (OPEN, REPORT),
    (LEAVING, DISARM): (OPEN, 0),
    (LEAVING, DUE): (WATCHING, 0),
    (LEAVING, OPENED): (INTRUDED, SIREN | REPORT | TEXT),
    (WATCHING, DISARM): (OPEN, 0),
    (WATCHING, SEEN): (ENTERED, CHIRP),
    (WATCHING, OPENED): (INTRUDED, SIREN | REPORT | TEXT),
    (ENTERED, DISARM): (OPEN, 0),
    (ENTERED, DUE): (INTRUDED, SIREN | REPORT | TEXT),
    (ENTERED, OPENED): (INTRUDED, SIREN | REPORT | TEXT),
    (INTRUDED, DISARM): (OPEN, 0),
    (INTRUDED, DUE): (WATCHING, 0),
    (INTRUDED, OPENED): (INTRUDED, REPORT),
}

_AGAIN_MS = const(180000)  # after an alarm: a new one only when somebody still moves after so long
_DAY_MIN = const(1440)
_CHECK_MS = const(30000)  # how often the schedule is looked at


class Sentry:
    """One room.

    Args:
        settings: armed, arm_from_min, arm_until_min, utc_offset_min, exit_delay_s, entry_delay_s.
    """

    def __init__(self, settings):
        self.state = OPEN
        self._settings = settings
        self._due_ms = None
        self._check_ms = 0
        self._said = None  # what the schedule said last

    def take(self, what: str, now_ms: int) -> int:
        """What comes out, as a sum of escalation's constants."""
        before = self.state
        self.state, out = TRANSITIONS.get((before, what), (before, 0))
        if self.state != before or what == DUE:
            self._due_ms = self._end_of_state(now_ms)
        return out

    def check(self, armed: bool, utc_ms: int | None, now_ms: int, ordered: bool | None = None) -> int:
        """Time has passed; `armed` is the setting, to which the schedule adds. An order stands before both."""
        out = 0
        if self._due_ms is not None and now_ms >= self._due_ms:
            out = self.take(DUE, now_ms)
        self._check_ms = now_ms + _CHECK_MS
        wanted = armed and self.scheduled(utc_ms) if ordered is None else ordered
        if wanted != (self.state != OPEN):
            out |= self.take(ARM if wanted else DISARM, now_ms)
        return out

    def next_deadline(self) -> int:
        """When to check."""
        return self._check_ms if self._due_ms is None else min(self._check_ms, self._due_ms)

    def _end_of_state(self, now_ms):
        if self.state == LEAVING:
            return now_ms + self._settings["exit_delay_s"] * 1000
        if self.state == ENTERED:
            return now_ms + self._settings["entry_delay_s"] * 1000
        return now_ms + _AGAIN_MS if self.state == INTRUDED else None

    def turned(self, utc_ms: int | None) -> bool:
        """Whether the schedule says something else than when this was last asked; an order of before is over then."""
        if utc_ms is None:
            return False
        before, self._said = self._said, self.scheduled(utc_ms)
        return before is not None and before != self._said

    def scheduled(self, utc_ms: int | None) -> bool:
        """Whether the schedule says armed now. Without a schedule, or without a clock, it does."""
        start = self._settings["arm_from_min"]
        end = self._settings["arm_until_min"]
        if start == end or utc_ms is None:
            return True
        minute = (utc_ms // 60000 + self._settings["utc_offset_min"]) % _DAY_MIN
        return start <= minute < end if start < end else minute >= start or minute < end
