"""Watches over the vehicle: when samples are taken, what they mean, and how far the alarm has gone."""

from groundwire.constant import const

from groundcore import escalation, events, motion
from groundcore.fall import FallJudge

_PATROL_MS = const(600000)
_CAUSES = (
    None,
    "motion",
    "tamper",
    "transported",
    "tilt",
    "lifted",
    "rolling",
)  # of verdicts, as reports name it


class Guard:
    """Joins the accelerometer's two stages to the escalation.

    At rest the accelerometer's own interrupt watches; after it, samples are judged until it has been quiet
    for five seconds. A ride in a van is too smooth for the interrupt, so every ten minutes samples are taken
    anyway. `moving` lasts until there was no movement for `still_after_s`.
    """

    def __init__(self, settings):
        self.judge = motion.MotionJudge()
        self.alarm = escalation.Escalation(settings["still_after_s"] * 1000)
        self.moving = False
        self.hushed = False  # the owner is near: movement is no alarm
        self.cause = "motion"  # of the alarm, as reports name it
        self._fall = FallJudge() if settings["fall_alarm"] else None
        self._fallen = False
        self._settings = settings
        self._moved_ms = 0
        self._sampling = False
        self._patrol_due_ms = 0

    def handle(self, event: tuple, now_ms: int, actions: list) -> int:
        """Go on. What the escalation asks for: a sum of its constants."""
        kind = event[0]
        if kind == events.SAMPLES:
            return self._judge(event[1], event[2], now_ms, actions)
        if kind in (events.BOOT, events.MOTION):
            self._sample(actions)
        elif kind == events.SIREN_DONE:
            return self.alarm.take(escalation.SILENT)
        elif kind == events.TICK:
            return self._check(now_ms, actions)
        return 0

    def next_deadline(self) -> int | None:
        """When the next TICK is due."""
        calm_ms = self.alarm.next_deadline()
        due_ms = None if self._sampling else self._patrol_due_ms
        for other_ms in (calm_ms, self._still_ms() if self.moving else None):
            if other_ms is not None and (due_ms is None or other_ms < due_ms):
                due_ms = other_ms
        return due_ms

    def moved(self, now_ms: int) -> int:
        """The position says that it moves. What the escalation asks for.

        While armed this counts only when the accelerometer has noticed something too: a position alone may be
        a reflection from a house.
        """
        if self._settings["armed"] and self.alarm.state in (escalation.QUIET, escalation.NOTED):
            return 0
        self.moving = True
        self._moved_ms = now_ms
        self.alarm.stir(now_ms)
        asked = self.alarm.take(escalation.GONE) if self._settings["armed"] and not self.hushed else 0
        if asked & escalation.REPORT:
            self.cause = "transported"
        return asked

    def take_fall(self) -> bool:
        """Whether the wearer has fallen since this was asked last."""
        fallen, self._fallen = self._fallen, False
        return fallen

    def rearm(self, actions: list):
        """Take the mount as it now is."""
        self.judge.disarm()
        self._sample(actions)

    def _sample(self, actions):
        if not self._sampling:
            self._sampling = True
            self.judge.restart()
            actions.append((events.WATCH_MOTION, 0))
            actions.append((events.SAMPLE, motion.SAMPLE_PERIOD_MS))

    def _judge(self, samples, count, now_ms, actions) -> int:
        out = 0
        if self._fall is not None and self._fall.feed(samples, count):
            self._fallen = True
        for verdict in self.judge.feed(samples, count):
            if verdict >= motion.REAL:
                self.moving = True
                self._moved_ms = now_ms
            if self._settings["armed"] and not self.hushed:
                asked = self.alarm.verdict(verdict, now_ms)
                if asked & escalation.REPORT:
                    self.cause = _CAUSES[verdict]
                out |= asked
        undecided = self._fall is not None and self._fall.pending
        if self.judge.quiet and self.judge.armed and self._sampling and not undecided:
            self._sampling = False
            self._patrol_due_ms = now_ms + _PATROL_MS
            actions.append((events.SAMPLE, 0))
            actions.append((events.WATCH_MOTION, self._settings["guard_threshold_mg"]))
        return out

    def _still_ms(self):
        return self._moved_ms + self._settings["still_after_s"] * 1000

    def _check(self, now_ms, actions) -> int:
        if self.moving and now_ms >= self._still_ms():
            self.moving = False
        if not self._sampling and now_ms >= self._patrol_due_ms:
            self._sample(actions)
        out = self.alarm.check(now_ms)
        if out & escalation.REARM:
            self.rearm(actions)
        return out
