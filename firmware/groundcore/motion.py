"""Second stage of motion detection: what kind of movement the accelerometer's samples are.

The first stage is the accelerometer's own wake-up interrupt. Here windows of 16 samples at 25 Hz are put into
a class by three features that do not depend on how the part is mounted:

- change: how much one sample differs from the next. Wheels shake at 5-25 Hz, gusts sway at 1-2.5 Hz.
- sway: how far the means of the window's quarters lie apart. What is loose rattles, but it does not sway.
- tilt: the angle between the window's mean and gravity as it was when armed.

Much movement is a large product of change and sway: a rattle in a gust has only the first, a passing truck
neither. A table goes from class to class. The thresholds were chosen on the motion profiles of the virtual bench
and are checked on them in tests/core.
"""

from array import array

from groundwire.constant import const

SAMPLE_HZ = 25
WINDOW_SAMPLES = 16
WINDOW_MS = 640
SAMPLE_PERIOD_MS = 320  # how often the FIFO (32 samples deep) is handed over while something goes on

# Verdicts. The first ones may be harmless; REAL and above are not.
BUMP = 1  # a knock: energy, and then it is as before
TAMPER = 2  # knocks one after the other
TRANSPORTED = 3  # low sustained movement: perhaps in a van, perhaps a storm; position decides
LIFTED = 4  # the tilt has changed
ROLLING = 5  # sustained energy
VERDICTS = (None, "bump", "tamper", "transported", "lifted", "rolling")
REAL = LIFTED

# Classes of a window.
STILL = "still"
STIR = "stir"  # some movement
SHAKE = "shake"  # much movement
TILTED = "tilted"  # moving, and gravity comes from elsewhere
LEANT = "leant"  # gravity comes from elsewhere, but nothing moves

# States.
REST = "rest"
HIT = "hit"
HIT_AGAIN = "hit again"
TIPPING = "tipping"
RAISED = "raised"
GOING = "going"

# (state, class of the next window) -> (next state, verdict or 0)
TRANSITIONS = {
    (REST, STILL): (REST, 0),
    (REST, STIR): (REST, 0),
    (REST, SHAKE): (HIT, 0),
    (REST, TILTED): (TIPPING, 0),
    (REST, LEANT): (TIPPING, 0),
    (HIT, STILL): (REST, BUMP),
    (HIT, STIR): (REST, BUMP),
    (HIT, SHAKE): (HIT_AGAIN, 0),
    (HIT, TILTED): (RAISED, LIFTED),
    (HIT, LEANT): (TIPPING, 0),
    (HIT_AGAIN, STILL): (REST, BUMP),
    (HIT_AGAIN, STIR): (REST, BUMP),
    (HIT_AGAIN, SHAKE): (GOING, ROLLING),
    (HIT_AGAIN, TILTED): (RAISED, LIFTED),
    (HIT_AGAIN, LEANT): (TIPPING, 0),
    (TIPPING, STILL): (REST, BUMP),
    (TIPPING, STIR): (REST, BUMP),
    (TIPPING, SHAKE): (HIT_AGAIN, 0),
    (TIPPING, TILTED): (RAISED, LIFTED),
    (TIPPING, LEANT): (RAISED, LIFTED),
    (RAISED, STILL): (REST, 0),
    (RAISED, STIR): (RAISED, 0),
    (RAISED, SHAKE): (GOING, ROLLING),
    (RAISED, TILTED): (RAISED, LIFTED),
    (RAISED, LEANT): (RAISED, 0),
    (GOING, STILL): (REST, 0),
    (GOING, STIR): (GOING, 0),
    (GOING, SHAKE): (GOING, ROLLING),
    (GOING, TILTED): (RAISED, LIFTED),
    (GOING, LEANT): (RAISED, 0),
}

_STIR_MG = const(26)  # of change: above the noise of the part (15 mg in low-power mode) and of usual wind
_SHAKE_MG2 = const(72900)  # of change times sway: 270 mg each; walking 430, wind with loose parts 190
_COS2_TILT_PERMILLE = const(933)  # cos(15 degrees) squared
_CALIBRATION_WINDOWS = const(4)  # as many still windows in a row give the armed reference
_TAMPER_BUMPS = const(3)
_TAMPER_WINDOWS = const(47)  # 30 s
_SUSTAINED_WINDOWS = const(40)  # 26 s of movement, gusts do not last that long
_STILL_LEAK = const(2)
_ROLLING_AGAIN_WINDOWS = const(6)  # 3.8 s: longer than a gust keeps shaking, so a storm goes no further
_QUARTER_SAMPLES = const(4)
_BEYOND = const(0x40000)  # more than any sum of a quarter
_QUIET_WINDOWS = const(8)  # 5 s at rest: nothing is going on


class MotionJudge:
    """Samples in, verdicts out.

    `armed` becomes True when the reference has been taken: gravity over four still windows in a row. Until
    then there are no verdicts of tilt, but all others.
    """

    def __init__(self):
        self._sums = array("i", (0, 0, 0))
        self._window = array("h", bytes(2 * 3 * WINDOW_SAMPLES))
        self._filled = 0
        self._reference = array("i", (0, 0, 0))
        self.disarm()

    def disarm(self):
        """Forget the mount; the next still windows give a new reference."""
        self.armed = False
        self.state = REST
        self.change_mg = 0  # of the last window, all axes
        self.sway_mg = 0
        self._calm = 0
        self._gravity = [0, 0, 0]
        self._quiet = 0
        self._sustained = 0
        self._bumps = 0
        self._since_bump = 0
        self._since_rolling = _ROLLING_AGAIN_WINDOWS
        self._filled = 0

    def restart(self):
        """Samples begin anew after a pause."""
        self._filled = 0
        self._quiet = 0

    @property
    def quiet(self) -> bool:
        """At rest for 5 s: sampling may stop and the wake-up interrupt take over."""
        return self._quiet >= _QUIET_WINDOWS

    def feed(self, samples, count: int) -> list:
        """Take `count` triples x, y, z in milli-g, oldest first; the verdicts of the windows they end."""
        verdicts = []
        filled = self._filled
        window = self._window
        for index in range(3 * count):
            window[filled] = samples[index]
            filled += 1
            if filled == 3 * WINDOW_SAMPLES:
                filled = 0
                verdict = self._judge()
                if verdict:
                    verdicts.append(verdict)
        self._filled = filled
        return verdicts

    def _judge(self) -> int:
        """Verdict of a full window, or 0."""
        self._measure()
        kind = self._classify()
        self._calibrate(kind)
        self._since_rolling += 1
        self.state, verdict = TRANSITIONS[self.state, kind]
        if verdict == ROLLING:
            verdict = self._repeat_rolling()
        self._quiet = self._quiet + 1 if kind in (STILL, LEANT) and self.state in (REST, RAISED) else 0
        if verdict == BUMP:
            verdict = self._count_bump()
        elif self._since_bump < _TAMPER_WINDOWS:
            self._since_bump += 1
        return max(verdict, self._sustain(kind))

    def _measure(self):
        """Change, sway and the sums that stand for gravity."""
        sums = self._sums
        window = self._window
        change = sway = 0
        for axis in range(3):
            before = window[axis]
            total = 0
            low, high = _BEYOND, -_BEYOND
            for start in range(axis, 3 * WINDOW_SAMPLES, 3 * _QUARTER_SAMPLES):
                quarter = 0
                for index in range(start, start + 3 * _QUARTER_SAMPLES, 3):
                    value = window[index]
                    quarter += value
                    change += abs(value - before)
                    before = value
                total += quarter
                low = min(low, quarter)
                high = max(high, quarter)
            sums[axis] = total
            sway += high - low
        self.change_mg = change // (WINDOW_SAMPLES - 1)
        self.sway_mg = sway // _QUARTER_SAMPLES

    def _classify(self) -> str:
        if self.armed and self._is_tilted():
            return LEANT if self.change_mg < _STIR_MG else TILTED
        if self.change_mg < _STIR_MG:
            return STILL
        return STIR if self.change_mg * self.sway_mg < _SHAKE_MG2 else SHAKE

    def _is_tilted(self) -> bool:
        """Angle of two vectors by the square of its cosine; 1/8 units keep the products in small integers."""
        dot = own = armed = 0
        for axis in range(3):
            now = self._sums[axis] // (8 * WINDOW_SAMPLES)
            then = self._reference[axis] // (8 * WINDOW_SAMPLES)
            dot += now * then
            own += now * now
            armed += then * then
        return dot <= 0 or dot * dot * 1000 < own * armed * _COS2_TILT_PERMILLE

    def _calibrate(self, kind):
        if self.armed:
            return
        if kind != STILL:
            self._calm = 0
            self._gravity = [0, 0, 0]
            return
        self._calm += 1
        for axis in range(3):
            self._gravity[axis] += self._sums[axis]
        if self._calm == _CALIBRATION_WINDOWS:
            for axis in range(3):
                self._reference[axis] = self._gravity[axis] // _CALIBRATION_WINDOWS
            self.armed = True

    def _count_bump(self) -> int:
        self._bumps = self._bumps + 1 if self._since_bump < _TAMPER_WINDOWS else 1
        self._since_bump = 0
        return TAMPER if self._bumps >= _TAMPER_BUMPS else BUMP

    def _repeat_rolling(self) -> int:
        """ROLLING at once when it begins, then at intervals while it goes on."""
        if self._since_rolling < _ROLLING_AGAIN_WINDOWS:
            return 0
        self._since_rolling = 0
        return ROLLING

    def _sustain(self, kind) -> int:
        """TRANSPORTED once movement has gone on for long, and again each time as long."""
        if kind in (STILL, LEANT):
            self._sustained = max(0, self._sustained - _STILL_LEAK)
            return 0
        self._sustained += 1
        if self._sustained < _SUSTAINED_WINDOWS:
            return 0
        self._sustained = 0
        return TRANSPORTED
