"""A tag's watch for falls: asleep until the accelerometer feels no weight, then awake until it is decided.

Only a tag with `fall_alarm` loads this. The samples that led to the waking are still in the accelerometer's FIFO: who
stands and falls wakes it by the movement first, so those are looked at, too.
"""

from groundwire.constant import const

from groundcore import events, fall

_PERIOD_MS = const(320)  # eight samples at 25 Hz


class FallWatch:
    """Looks at samples after FREE_FALL or MOTION; `busy` while it does."""

    def __init__(self):
        self._judge = None

    @property
    def busy(self) -> bool:
        """A fall is being judged: the tag must stay awake."""
        return self._judge is not None

    def handle(self, event: tuple, actions: list) -> bool:
        """Take FREE_FALL, MOTION or SAMPLES; whether the wearer has fallen and lies still."""
        if event[0] != events.SAMPLES:
            if self._judge is None:
                actions.append((events.SAMPLE, _PERIOD_MS))
                self._judge = fall.FallJudge()
            if event[0] == events.FREE_FALL:
                self._judge.state = fall.WEIGHTLESS
            return False
        judge = self._judge
        if judge is None:
            return False
        fallen = judge.feed(event[1], event[2])
        if fallen or (judge.state == fall.AWAKE and not judge.falling):
            self._judge = None
            actions.append((events.SAMPLE, 0))
        return fallen
