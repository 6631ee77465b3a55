"""From verdicts of movement to alarms, by degrees: silent, chirp, siren, position.

One knock is only noted; a vehicle that was blown over is reported without a sound. Knocks that go on, or a
movement that is no knock, chirp and are reported. When the movement goes on, the siren sounds and the owner gets
a text. Then the position is followed. A cool-down never drops a movement: it only says what the next one leads to.
"""

from groundwire.constant import const

from groundcore import motion

# States, by degree.
QUIET = "quiet"
NOTED = "noted"  # something knocked
CHECKING = "checking"  # sustained little movement: is the place still the same?
WARNED = "warned"
SOUNDING = "sounding"
FOLLOWING = "following"

# What comes in.
KNOCK = "knock"
KNOCKS = "knocks"
TOPPLED = "toppled"  # blown or knocked over, and lies still
DRIFT = "drift"  # sustained little movement
MOVE = "move"  # lifted or rolling
GONE = "gone"  # the position is another one
SILENT = "silent"  # the siren ended by itself
CALM = "calm"  # nothing for as long as the state lasts

# What comes out.
CHIRP = const(1)
SIREN = const(2)
REPORT = const(4)  # an alarm to the collector, past every filter
LOCATE = const(8)  # GNSS on
TEXT = const(16)  # SMS to the owner
REARM = const(32)  # take the mount as it now is

# (state, what comes in) -> (next state, what comes out). Whatever is not here changes nothing.
TRANSITIONS = {
    (QUIET, KNOCK): (NOTED, 0),
    (QUIET, KNOCKS): (WARNED, CHIRP | REPORT),
    (QUIET, TOPPLED): (NOTED, REPORT),
    (QUIET, DRIFT): (CHECKING, LOCATE),
    (QUIET, MOVE): (WARNED, CHIRP | REPORT | LOCATE),
    (NOTED, KNOCK): (WARNED, CHIRP),
    (NOTED, KNOCKS): (WARNED, CHIRP | REPORT),
    (NOTED, TOPPLED): (WARNED, CHIRP | REPORT),
    (NOTED, DRIFT): (CHECKING, LOCATE),
    (NOTED, MOVE): (WARNED, CHIRP | REPORT | LOCATE),
    (NOTED, CALM): (QUIET, 0),
    (CHECKING, KNOCKS): (WARNED, CHIRP | REPORT),
    (CHECKING, TOPPLED): (WARNED, CHIRP | REPORT),
    (CHECKING, MOVE): (WARNED, CHIRP | REPORT | LOCATE),
    (CHECKING, GONE): (FOLLOWING, SIREN | REPORT | LOCATE | TEXT),
    (CHECKING, CALM): (QUIET, 0),
    (WARNED, KNOCKS): (WARNED, CHIRP | REPORT),
    (WARNED, TOPPLED): (WARNED, CHIRP | REPORT),
    (WARNED, MOVE): (SOUNDING, SIREN | REPORT | LOCATE | TEXT),
    (WARNED, GONE): (FOLLOWING, SIREN | REPORT | LOCATE | TEXT),
    (WARNED, CALM): (QUIET, REARM),
    (SOUNDING, GONE): (FOLLOWING, REPORT),
    (SOUNDING, SILENT): (FOLLOWING, 0),
    (SOUNDING, CALM): (QUIET, REARM),
    (FOLLOWING, CALM): (QUIET, REARM),
}

# degree as reports state it
LEVELS = {QUIET: 0, NOTED: 0, CHECKING: 0, WARNED: 1, SOUNDING: 2, FOLLOWING: 3}

_INPUT_OF = {
    motion.BUMP: KNOCK,
    motion.TAMPER: KNOCKS,
    motion.TRANSPORTED: DRIFT,
    motion.FALLEN: TOPPLED,
    motion.LIFTED: MOVE,
    motion.ROLLING: MOVE,
}
_CALM_AFTER_MS = {NOTED: 30000, CHECKING: 60000, WARNED: 60000}


class Escalation:
    """Holds the state. `still_after_ms` is how long an alarm lasts without movement."""

    def __init__(self, still_after_ms: int):
        self.state = QUIET
        self._still_after_ms = still_after_ms
        self._stirred_ms = 0

    @property
    def level(self) -> int:
        """0 silent .. 3 position."""
        return LEVELS[self.state]

    def verdict(self, verdict: int, now_ms: int) -> int:
        """Take a verdict of motion.MotionJudge; what comes out, as a sum of the constants above."""
        self.stir(now_ms)
        return self.take(_INPUT_OF[verdict])

    def stir(self, now_ms: int):
        """It is not calm."""
        self._stirred_ms = now_ms

    def take(self, what: str) -> int:
        """Take anything else that comes in."""
        self.state, out = TRANSITIONS.get((self.state, what), (self.state, 0))
        return out

    def check(self, now_ms: int) -> int:
        """Whether it has been calm for long enough."""
        due_ms = self.next_deadline()
        return self.take(CALM) if due_ms is not None and now_ms >= due_ms else 0

    def next_deadline(self) -> int | None:
        """When calm ends the state; None while quiet."""
        if self.state == QUIET:
            return None
        return self._stirred_ms + _CALM_AFTER_MS.get(self.state, self._still_after_ms)
