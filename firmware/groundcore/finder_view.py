"""What a finder's screen shows; one object for ever, changed in place."""

from groundwire import beacon
from groundwire.constant import const

from groundcore import nearness, turn

SEARCH = "search"
FOLLOW = "follow"

_BAR_LOW_DBM = const(-120)
_BAR_SPAN_DB = const(90)
_TEXTS = {turn.WAITING: "wait to turn", turn.TURNING: "turn with hand", turn.MARKED: "it is there"}


class View:
    """See the methods; what nobody knows is None."""

    def __init__(self):
        self.mode = SEARCH
        self.code = ""  # of whom it follows, or the beginning of a stranger's id
        self.left_min = None  # until the ids are forgotten
        self.lost = False
        self.siren = False
        self.level_dbm = None  # smoothed, whole dB
        self.bar = 0  # 0..100
        self.band = ""  # of nearness.BANDS; empty while nothing was heard for long
        self.age_s = None  # of the last beacon
        self.battery = beacon.BATTERY_UNKNOWN  # 0..14
        self.hand_deg = None  # face there now
        self.mark_deg = None  # the tag is there, clockwise from where the turn began
        self.text = ""

    def followed(self, code: str, left_s: int, flags: int):
        """Whom the loan is of, for how long, and what its last beacon said."""
        self.code = code
        self.left_min = left_s // 60
        self.lost = bool(flags & beacon.LOST)
        self.siren = bool(flags & beacon.SIREN)

    def stranger(self, eid: bytes | None):
        """The strongest one of those that nobody knows."""
        self.code = "" if eid is None else "?%02X%02X" % (eid[0], eid[1])
        self.left_min = None
        self.lost = self.siren = False

    def nearness(self, near, now_ms: int):
        """Level, band and age of the one that is shown; `near`: a Nearness."""
        age_ms = near.age_ms(now_ms)
        level_dbm = near.level_dbm
        fresh = near.fresh(now_ms)
        self.age_s = None if age_ms is None else age_ms // 1000
        self.level_dbm = None if level_dbm is None else int(level_dbm - 0.5)
        self.band = nearness.BANDS[near.band] if fresh else ""
        share = (level_dbm - _BAR_LOW_DBM) * 100 / _BAR_SPAN_DB if fresh else 0
        self.bar = int(min(100, max(0, share)))

    def direction(self, found, now_ms: int):
        """The dial; `found`: a Turn."""
        self.hand_deg = found.hand_deg(now_ms) if found.state == turn.TURNING else None
        self.mark_deg = found.angle_deg if found.state == turn.MARKED else None

    def say(self, found):
        """What the turn hint is at, while there is nothing else to say."""
        if found.state == turn.UNCLEAR:
            self.text = turn.REASONS[found.reason]
        else:
            self.text = _TEXTS.get(found.state, "")
