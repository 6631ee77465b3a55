"""Watches over the vehicle: when samples are taken, what they mean, and how far the alarm has gone."""

from groundcore import escalation, events, motion


class Guard:
    """Joins the accelerometer's two stages to the escalation.

    At rest the accelerometer's own interrupt watches; after it, samples are judged until it has been quiet
    for five seconds. `moving` lasts until there was no movement for `still_after_s`.
    """

    def __init__(self, settings):
        self.judge = motion.MotionJudge()
        self.alarm = escalation.Escalation(settings["still_after_s"] * 1000)
        self.moving = False
        self.cause = "motion"  # of the alarm: the verdict that raised it, as reports name it
        self._settings = settings
        self._moved_ms = 0
        self._sampling = False

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
        if not self.moving:
            return calm_ms
        still_ms = self._moved_ms + self._settings["still_after_s"] * 1000
        return still_ms if calm_ms is None else min(calm_ms, still_ms)

    def moved(self, now_ms: int) -> int:
        """The position says that it moves, whatever the accelerometer says. What the escalation asks for."""
        was_moving = self.moving
        self.moving = True
        self._moved_ms = now_ms
        self.alarm.stir(now_ms)
        if was_moving or not self._settings["armed"]:
            return 0
        self.cause = "transported"
        return self.alarm.take(escalation.GONE)

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
        for verdict in self.judge.feed(samples, count):
            if verdict >= motion.REAL:
                self.moving = True
                self._moved_ms = now_ms
            if self._settings["armed"]:
                asked = self.alarm.verdict(verdict, now_ms)
                if asked & escalation.REPORT:
                    self.cause = motion.VERDICTS[verdict]
                out |= asked
        if self.judge.quiet and self.judge.armed and self._sampling:
            self._sampling = False
            actions.append((events.SAMPLE, 0))
            actions.append((events.WATCH_MOTION, self._settings["wake_threshold_mg"]))
        return out

    def _check(self, now_ms, actions) -> int:
        if self.moving and now_ms - self._moved_ms >= self._settings["still_after_s"] * 1000:
            self.moving = False
        out = self.alarm.check(now_ms)
        if out & escalation.REARM:
            self.rearm(actions)
        return out
