"""Second stage of motion detection: what kind of movement the accelerometer's samples are.

The first stage is the accelerometer's own wake-up interrupt. Here windows of 16 samples at 25 Hz are put into
a class by three features (motion_window.py): change, sway and tilt.

Much movement is a large product of change and sway: a rattle in a gust has only the first, a passing truck
neither. A table goes from class to class. Whoever has just seen gusts or knocks that came to nothing asks for
more. The thresholds were chosen on the motion profiles of the virtual bench and are checked on them in tests/core.
"""

from array import array

from groundwire.constant import const

from groundcore.motion_window import Window

SAMPLE_HZ = 25
WINDOW_MS = 640
SAMPLE_PERIOD_MS = 320  # how often the FIFO (32 samples deep) is handed over while something goes on

# Verdicts. The first ones may be harmless; REAL and above are not.
BUMP = 1  # a knock: energy, and then it is as before
TAMPER = 2  # knocks one after the other
TRANSPORTED = 3  # low sustained movement: perhaps in a van, perhaps a storm; position decides
FALLEN = 4  # it went over by more than 60 degrees and then lay still: blown or knocked over
LIFTED = 5  # the tilt has changed
ROLLING = 6  # sustained energy
VERDICTS = (None, "bump", "tamper", "transported", "fallen", "lifted", "rolling")
REAL = LIFTED

# Classes of a window.
STILL = "still"
STIR = "stir"  # some movement
SHAKE = "shake"  # much movement
TILTED = "tilted"  # moving, and gravity comes from elsewhere
LEANT = "leant"  # gravity comes from elsewhere, but nothing moves
OVER = "over"  # as tilted, by more than 60 degrees
LAIN = "lain"  # as leant, by more than 60 degrees

# States.
REST = "rest"
HIT = "hit"
HIT_AGAIN = "hit again"
TIPPING = "tipping"
RAISED = "raised"
GOING = "going"
FALLING = "falling"
FALLING_ON = "falling on"

_UNMOVED = (STILL, LEANT, LAIN)

# (state, class of the next window) -> (next state, verdict or 0)
TRANSITIONS = {
    (REST, STILL): (REST, 0),
    (REST, STIR): (REST, 0),
    (REST, SHAKE): (HIT, 0),
    (REST, TILTED): (TIPPING, 0),
    (REST, LEANT): (TIPPING, 0),
    (REST, OVER): (FALLING, 0),
    (REST, LAIN): (FALLING, 0),
    (HIT, STILL): (REST, BUMP),
    (HIT, STIR): (REST, BUMP),
    (HIT, SHAKE): (HIT_AGAIN, 0),
    (HIT, TILTED): (RAISED, LIFTED),
    (HIT, LEANT): (TIPPING, 0),
    (HIT, OVER): (FALLING, 0),
    (HIT, LAIN): (FALLING, 0),
    (HIT_AGAIN, STILL): (REST, BUMP),
    (HIT_AGAIN, STIR): (REST, BUMP),
    (HIT_AGAIN, SHAKE): (GOING, ROLLING),
    (HIT_AGAIN, TILTED): (RAISED, LIFTED),
    (HIT_AGAIN, LEANT): (TIPPING, 0),
    (HIT_AGAIN, OVER): (FALLING_ON, 0),
    (HIT_AGAIN, LAIN): (FALLING, 0),
    (TIPPING, STILL): (REST, BUMP),
    (TIPPING, STIR): (REST, BUMP),
    (TIPPING, SHAKE): (HIT_AGAIN, 0),
    (TIPPING, TILTED): (RAISED, LIFTED),
    (TIPPING, LEANT): (RAISED, LIFTED),
    (TIPPING, OVER): (FALLING, 0),
    (TIPPING, LAIN): (FALLING, 0),
    (RAISED, STILL): (REST, 0),
    (RAISED, STIR): (RAISED, 0),
    (RAISED, SHAKE): (GOING, ROLLING),
    (RAISED, TILTED): (RAISED, LIFTED),
    (RAISED, LEANT): (RAISED, 0),
    (RAISED, OVER): (RAISED, LIFTED),
    (RAISED, LAIN): (RAISED, 0),
    (GOING, STILL): (REST, 0),
    (GOING, STIR): (GOING, 0),
    (GOING, SHAKE): (GOING, ROLLING),
    (GOING, TILTED): (RAISED, LIFTED),
    (GOING, LEANT): (RAISED, 0),
    (GOING, OVER): (RAISED, LIFTED),
    (GOING, LAIN): (RAISED, 0),
    (FALLING, STILL): (REST, BUMP),
    (FALLING, STIR): (REST, BUMP),
    (FALLING, SHAKE): (HIT_AGAIN, 0),
    (FALLING, TILTED): (RAISED, LIFTED),
    (FALLING, LEANT): (RAISED, LIFTED),
    (FALLING, OVER): (FALLING_ON, 0),
    (FALLING, LAIN): (REST, FALLEN),
    (FALLING_ON, STILL): (REST, BUMP),
    (FALLING_ON, STIR): (REST, BUMP),
    (FALLING_ON, SHAKE): (HIT_AGAIN, 0),
    (FALLING_ON, TILTED): (RAISED, LIFTED),
    (FALLING_ON, LEANT): (RAISED, LIFTED),
    (FALLING_ON, OVER): (RAISED, LIFTED),
    (FALLING_ON, LAIN): (REST, FALLEN),
}

_STIR_MG = const(19)  # of change: above the noise of the part (11 mg in low-power mode) and of usual wind
_SHAKE_MG2 = const(28900)  # of change times sway
_SHAKE_WARY_MG2 = const(44100)  # the same after gusts or knocks
_WARY_WINDOWS = const(940)  # ten minutes of samples
_GUST_WINDOWS = const(3)
_COS2_TILTED = 0.933  # of 15 degrees
_COS2_OVER = 0.25  # of 60 degrees
_CALIBRATION_WINDOWS = const(4)  # as many still windows in a row give the armed reference
_TAMPER_BUMPS = const(3)
_TAMPER_WINDOWS = const(47)  # 30 s
_SUSTAINED_WINDOWS = const(40)  # 26 s of movement, gusts do not last that long
_STILL_LEAK = const(2)
_ROLLING_AGAIN_WINDOWS = const(6)  # 3.8 s: longer than a gust keeps shaking, so a storm goes no further
_QUIET_WINDOWS = const(8)  # 5 s at rest: nothing is going on


class MotionJudge:
    """Samples in, verdicts out.

    `armed` becomes True when the reference has been taken: gravity over four still windows in a row. Until
    then there are no verdicts of tilt, but all others.
    """

    def __init__(self):
        self.window = Window()  # in hand
        self._reference = array("i", (0, 0, 0))
        self.disarm()

    def disarm(self):
        """Forget the mount; the next still windows give a new reference."""
        self.armed = False
        self.state = REST
        self._calm = 0
        self._gravity = [0, 0, 0]
        self._quiet = 0
        self._sustained = 0
        self._stirred = 0
        self._wary = 0  # windows left in which a shake must be stronger
        self._bumps = 0
        self._since_bump = 0
        self._since_rolling = _ROLLING_AGAIN_WINDOWS
        self.window.restart()

    def restart(self):
        """Samples begin anew after a pause."""
        self.window.restart()
        self._quiet = 0

    @property
    def quiet(self) -> bool:
        """At rest for 5 s: sampling may stop and the wake-up interrupt take over."""
        return self._quiet >= _QUIET_WINDOWS

    def feed(self, samples, count: int) -> list:
        """Take `count` triples x, y, z in milli-g, oldest first; the verdicts of the windows they end."""
        verdicts = []
        at = self.window.fill(samples, 0, 3 * count)
        while at:
            verdict = self._judge()
            if verdict:
                verdicts.append(verdict)
            at = self.window.fill(samples, at, 3 * count)
        return verdicts

    def _judge(self) -> int:
        """Verdict of a full window, or 0."""
        kind = self._classify()
        self._calibrate(kind)
        self._beware(kind)
        self._since_rolling += 1
        self.state, verdict = TRANSITIONS[self.state, kind]
        if verdict == ROLLING:
            verdict = self._repeat_rolling()
        if verdict == FALLEN:
            for axis in range(3):  # as it lies is how it is guarded from now on
                self._reference[axis] = self.window.sums[axis]
        self._quiet = self._quiet + 1 if kind in _UNMOVED and self.state in (REST, RAISED) else 0
        if verdict == BUMP:
            verdict = self._count_bump()
        elif self._since_bump < _TAMPER_WINDOWS:
            self._since_bump += 1
        return max(verdict, self._sustain(kind))

    def _classify(self) -> str:
        window = self.window
        moving = window.change_mg >= _STIR_MG
        if self.armed:
            cos2 = window.cos2(self._reference)
            if cos2 < _COS2_OVER:
                return OVER if moving else LAIN
            if cos2 < _COS2_TILTED:
                return TILTED if moving else LEANT
        if not moving:
            return STILL
        bar_mg2 = _SHAKE_WARY_MG2 if self._wary else _SHAKE_MG2
        return STIR if window.change_mg * window.sway_mg < bar_mg2 else SHAKE

    def _beware(self, kind):
        """Gusts and knocks that come to nothing make wary; the bar stays as it is while a movement lasts."""
        if kind in (STIR, SHAKE):
            self._stirred += 1
        elif kind == STILL:
            if self._stirred >= _GUST_WINDOWS:
                self._wary = _WARY_WINDOWS
            self._stirred = 0
        if self._wary:
            self._wary -= 1

    def _calibrate(self, kind):
        if self.armed:
            return
        if kind != STILL:
            self._calm = 0
            self._gravity = [0, 0, 0]
            return
        self._calm += 1
        for axis in range(3):
            self._gravity[axis] += self.window.sums[axis]
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
        if kind in _UNMOVED:
            self._sustained = max(0, self._sustained - _STILL_LEAK)
            return 0
        self._sustained += 1
        if self._sustained < _SUSTAINED_WINDOWS:
            return 0
        self._sustained = 0
        return TRANSPORTED
