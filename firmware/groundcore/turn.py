"""The turn hint: the operator turns round once, slowly, and it tells in which direction the tag was loudest.

A body in the way takes 5 to 15 dB off what a finder held before it hears from behind, so over one turn the level
follows a cosine. The operator keeps in step with a hand that goes round on the screen; the time of a beacon within
the turn is its angle. The direction is the phase of the cosine that fits best (least squares, three unknowns): it
uses all beacons, so the peak may lie between two of them.

What happens is in TRANSITIONS: (state, what) -> state.
"""

import math

from groundwire.constant import const

OFF = "off"
WAITING = "waiting"  # for beacons that come often enough
TURNING = "turning"
MARKED = "marked"
UNCLEAR = "unclear"

TRANSITIONS = {
    (OFF, "press"): WAITING,
    (MARKED, "press"): WAITING,
    (UNCLEAR, "press"): WAITING,
    (WAITING, "press"): OFF,
    (TURNING, "press"): OFF,
    (WAITING, "quick beacon"): TURNING,
    (WAITING, "too rare"): UNCLEAR,
    (TURNING, "clear"): MARKED,
    (TURNING, "not clear"): UNCLEAR,
    (MARKED, "old"): OFF,
    (UNCLEAR, "old"): OFF,
}
# Why a turn says nothing
REASONS = ("", "beacons too rare", "too few beacons", "a part unheard", "no direction")

_BEACONS_A_TURN = const(10)
_FEWEST = const(6)
_MOST = const(40)
_SHORTEST_MS = const(36000)  # slower than anybody turns by himself: the body must follow the hand
_QUICK_MS = const(15000)  # beacons further apart make a turn of minutes
_PATIENCE_MS = const(75000)  # for the order and the first quick beacons: two beacons at 30 s and an eighth
_SHOWN_MS = const(90000)
_LEAST_DB = 2.0  # half of what front and back differ by


class Turn:
    """One turn after the other."""

    def __init__(self):
        self.state = OFF
        self.reason = 0  # of REASONS, when unclear
        self.angle_deg = None  # of the tag, clockwise from where the turn began
        self.swing_db = 0  # between front and back
        self._since_ms = 0
        self._turn_ms = 0
        self._count = 0
        self._angles = [0.0] * _MOST  # whole turns
        self._levels = [0] * _MOST

    def press(self, now_ms: int):
        """Begin, or give up what is under way."""
        self._go("press", now_ms)
        self.angle_deg = None
        self._count = 0

    def hear(self, rssi_dbm: int, interval_ms: int | None, now_ms: int):
        """A beacon of the tag; `interval_ms` since the one before."""
        if self.state == WAITING:
            if interval_ms is not None and interval_ms <= _QUICK_MS:
                self._turn_ms = max(_SHORTEST_MS, _BEACONS_A_TURN * interval_ms)
                self._go("quick beacon", now_ms)
                self._keep(rssi_dbm, now_ms)
        elif self.state == TURNING:
            self._keep(rssi_dbm, now_ms)

    def tick(self, now_ms: int):
        """Time passes: a turn ends, and what it found grows old."""
        passed_ms = now_ms - self._since_ms
        if self.state == WAITING and passed_ms >= _PATIENCE_MS:
            self.reason = 1
            self._go("too rare", now_ms)
        elif self.state == TURNING and passed_ms >= self._turn_ms:
            self._go("clear" if self._judge() else "not clear", now_ms)
        elif self.state in (MARKED, UNCLEAR) and passed_ms >= _SHOWN_MS:
            self._go("old", now_ms)

    def hand_deg(self, now_ms: int) -> int:
        """Where the hand is, clockwise from the start: the operator faces there."""
        if self.state != TURNING:
            return 0
        return min(360, 360 * (now_ms - self._since_ms) // self._turn_ms)

    def due_ms(self) -> int | None:
        """When `tick` has something to do."""
        if self.state == OFF:
            return None
        last_ms = {WAITING: _PATIENCE_MS, TURNING: self._turn_ms}.get(self.state, _SHOWN_MS)
        return self._since_ms + last_ms

    def _go(self, what, now_ms):
        state = TRANSITIONS.get((self.state, what))
        if state is not None:
            self.state = state
            self._since_ms = now_ms

    def _keep(self, rssi_dbm, now_ms):
        if self._count < _MOST:
            self._angles[self._count] = (now_ms - self._since_ms) / self._turn_ms
            self._levels[self._count] = rssi_dbm
            self._count += 1

    def _judge(self) -> bool:
        count = self._count
        self.reason = 0
        if count < _FEWEST:
            self.reason = 2
        elif self._widest() > 1 / 3:
            self.reason = 3
        else:
            north, east = _fit(self._angles, self._levels, count)
            half_db = math.sqrt(north * north + east * east)
            self.swing_db = int(2 * half_db + 0.5)
            self.angle_deg = int(math.atan2(east, north) * 180 / math.pi + 360.5) % 360
            if half_db < _LEAST_DB:
                self.reason, self.angle_deg = 4, None
        return not self.reason

    def _widest(self) -> float:
        """The widest gap between two beacons, in turns; the circle is closed."""
        widest = 1 - self._angles[self._count - 1] + self._angles[0]
        for number in range(1, self._count):
            widest = max(widest, self._angles[number] - self._angles[number - 1])
        return widest


def _fit(angles, levels, count) -> tuple:
    """(north, east) of the best level = mean + north * cos + east * sin, by the normal equations."""
    sums = [0.0] * 8  # cos, sin, cos cos, cos sin, sin sin, level, level cos, level sin
    for number in range(count):
        cosine = math.cos(2 * math.pi * angles[number])
        sine = math.sin(2 * math.pi * angles[number])
        level = levels[number]
        terms = (
            cosine,
            sine,
            cosine * cosine,
            cosine * sine,
            sine * sine,
            level,
            level * cosine,
            level * sine,
        )
        for place in range(8):
            sums[place] += terms[place] / count
    c, s, cc, cs, ss, y, yc, ys = sums
    cc, cs, ss, yc, ys = cc - c * c, cs - c * s, ss - s * s, yc - y * c, ys - y * s  # about the means
    whole = cc * ss - cs * cs
    if whole < 0.001:
        return 0.0, 0.0
    return (yc * ss - ys * cs) / whole, (ys * cc - yc * cs) / whole
