"""The fall of a wearer: weightless, then a blow, then nothing moves.

A jump has the first two and goes on moving; whoever lies down has only the last. A device that is dropped on the
floor looks the same as a fall: the wearer takes the call back with the button.
"""

from groundwire.constant import const

AWAKE = "awake"
WEIGHTLESS = "weightless"
STRUCK = "struck"  # a blow followed; does anything still move?

_FREE_MG2 = const(250000)  # below 0.5 g
_FREE_SAMPLES = const(5)  # 0.2 s: 20 cm of a free way
_BLOW_MG2 = const(2560000)  # above 1.6 g: a part that measures up to 2 g on each axis shows it
_BLOW_WITHIN_SAMPLES = const(25)
_SETTLE_SAMPLES = const(50)  # 2 s to come to rest
_STILL_SAMPLES = const(125)  # 5 s
_STILL_MG = const(120)  # who breathes moves less, who gets up more
_GIVE_UP_SAMPLES = const(375)  # 15 s of movement: got up


class FallJudge:
    """Samples at 25 Hz in, falls out. `state` may be set WEIGHTLESS when the accelerometer itself has felt that."""

    def __init__(self):
        self.state = AWAKE
        self._count = 0  # samples in this state
        self._free = 0
        self._still = 0
        self._x = self._y = self._z = 0

    @property
    def pending(self) -> bool:
        """A blow has come and it is not yet decided: go on sampling."""
        return self.state == STRUCK

    @property
    def falling(self) -> bool:
        """The newest sample feels no weight."""
        return self._free > 0

    def feed(self, samples, count: int) -> bool:
        """Take `count` triples x, y, z in milli-g, oldest first; whether the wearer has fallen and lies still."""
        fallen = False
        for at in range(0, 3 * count, 3):
            if self._take(samples[at], samples[at + 1], samples[at + 2]):
                fallen = True
        return fallen

    def _take(self, x, y, z) -> bool:
        size2 = x * x + y * y + z * z
        self._count += 1
        self._free = self._free + 1 if size2 < _FREE_MG2 else 0
        if self._free >= _FREE_SAMPLES:
            self._enter(WEIGHTLESS)
        elif self.state == WEIGHTLESS:
            if size2 > _BLOW_MG2:
                self._enter(STRUCK)
            elif self._count > _BLOW_WITHIN_SAMPLES:
                self._enter(AWAKE)
        elif self.state == STRUCK and self._count > _SETTLE_SAMPLES:
            return self._lies_still(x, y, z)
        return False

    def _lies_still(self, x, y, z) -> bool:
        moved = max(abs(x - self._x), abs(y - self._y), abs(z - self._z)) > _STILL_MG
        self._still = 0 if moved else self._still + 1
        if moved:
            self._x, self._y, self._z = x, y, z
        if self._still >= _STILL_SAMPLES:
            self._enter(AWAKE)
            return True
        if self._count > _GIVE_UP_SAMPLES:
            self._enter(AWAKE)
        return False

    def _enter(self, state):
        self.state = state
        self._count = 0
        self._still = 0
