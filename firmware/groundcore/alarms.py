"""What a tracker does about an alarm: siren or chirp, report and beacon, position, text to the owner."""

from groundwire.constant import const

from groundcore import escalation, events

_CHIRPS = const(3)


class Alarms:
    """Carries out what the escalation or a watch asks for.

    Args:
        settings, guard, where, reporter, cycle, texts: those of the tracker.
    """

    def __init__(self, settings, guard, where, reporter, cycle, texts):
        self._settings = settings
        self._guard = guard
        self._where = where
        self._reporter = reporter
        self._cycle = cycle
        self._texts = texts

    def answer(self, asked: int, cause: str, now_ms: int, actions: list):
        """Do what is asked: a sum of escalation's constants. Beacons take the flags that the cycle has by now."""
        if asked & escalation.SIREN:
            self.sound(self._settings["siren_s"], now_ms, actions)
        elif asked & escalation.CHIRP:
            actions.append((events.CHIRP, _CHIRPS))
        if asked & escalation.REPORT:
            self.report(cause, now_ms)
            self._cycle.moving = True
            self._cycle.at_once(now_ms, actions)
        if asked & escalation.LOCATE:
            self._where.locate(now_ms, actions)
        if asked & escalation.TEXT:
            self._texts.begin(cause, now_ms)

    def report(self, cause: str, now_ms: int):
        """An alarm to the collector, past every filter."""
        sounding = now_ms < self._cycle.sounding_until_ms
        level = self._guard.alarm.level
        values = {"cause": cause, "level": level, "siren_on": 1 if sounding else 0}
        self._reporter.put("alarm", values, now_ms, True)

    def sound(self, seconds: int, now_ms: int, actions: list):
        """The siren for so long; 0: silence."""
        duration_ms = seconds * 1000
        if duration_ms or self._cycle.sounding_until_ms > now_ms:
            self._cycle.sounding_until_ms = now_ms + duration_ms
            actions.append((events.SIREN, duration_ms))
