"""The life of a modem from the power key to the first answer, and back to it after every failure.

A failure ends in a restart after a rest that doubles: first by command, then by the power key.
"""

import time

from drivers import modem_dialects
from drivers.at_port import OK, TIMEOUT, AtPort
from micropython import const

# Events: poll() answers (kind, value).
LOST = 2  # no longer registered, or the modem restarts
FAULT = 9  # value: what is wrong, as bytes; the modem is being restarted

# PROBING: perhaps it runs already, only the microcontroller was reset. RESTING: after the key switched it off.
# STOPPING: the key switches it off for good.
OFF, PROBING, KEY_ON, BOOTING, SETTING_UP, REGISTERING, READY_STATE, BACKOFF, KEY_OFF, RESTING, STOPPING = (
    range(11)
)

_PROBE_MS = const(500)
_PROBES = const(3)
_REST_MS = const(3000)
_BACKOFF_FIRST_MS = const(10_000)
_BACKOFF_LAST_MS = const(640_000)
_STEADY_MS = const(60_000)  # ready for so long: the last failure is forgiven
_TIMEOUTS_MAX = const(3)
_SUSPICION_MS = const(5000)  # after a timeout: look whether it still lives
_STRANGER = {"key_on_ms": 1200, "key_off_ms": 3500, "boot_ms": 30_000}  # until its family is known

# Kinds of commands; the halves built on this one go on from KIND_NEXT.
_PROBE = const(0)
_IDENTIFY = const(1)
SET_UP = 2  # must succeed
WISH = 3  # may fail
_POWER_DOWN = const(4)
KIND_NEXT = 5

_AT = (b"AT", OK, (), 500)
_MODEL = (b"AT+CGMM", OK, (), 1000)
_ECHO_OFF = (b"ATE0", OK, (), 1000)
_ERROR_NUMBERS = (b"AT+CMEE=1", OK, (), 1000)
_SOFT_RESET = b"AT+CFUN=1,1"
_NO_MODEL = (b"OK", b"ERROR", b"+CME")  # how lines begin that are no answer to AT+CGMM


class ModemLife:
    """Power, start and restart. Nothing blocks: call ``poll`` until it answers None, again within ``due_ms``.

    Args:
        uart: machine.UART, receive buffer of at least 1 KiB.
        power_key: machine.Pin, open drain, released (1).
        model: what is fitted; None asks the modem.

    Attributes:
        restarts: since it was last steady.
    """

    def __init__(self, uart, power_key, model: bytes | None = None):
        self.port = AtPort(uart, self._heard, self._command_ended)
        self.restarts = 0
        self.state = OFF
        self.dialect = None
        self._power_key = power_key
        power_key(1)
        self._model = b""
        self._until_ms = self._since_ms = time.ticks_ms()
        self._backoff_ms = _BACKOFF_FIRST_MS
        self._deaf = False  # it did not answer at all: only the power key helps
        self._probes = self._timeouts = 0
        self._echoes = False  # it ignores ATE0
        self._events = []
        self._listeners = []  # (how a line begins, method): it means the same whether asked for or not
        self._endings = [
            self._probe_ended,
            self._identified,
            self._set_up_ended,
            self._wish_ended,
            self._down,
        ]
        known = None if model is None else modem_dialects.find(model)
        if known is not None:
            self._obey(known)

    # --- requests

    @property
    def ready(self) -> bool:
        return self.state == READY_STATE

    @property
    def idle(self) -> bool:
        """Nothing in flight: the microcontroller may sleep."""
        return self.state == OFF or (self.state == READY_STATE and self.port.idle)

    def start(self) -> None:
        """Switch on (or find it on, or wake it), set up and register; READY follows."""
        if self.state == OFF:
            self._probe()

    def stop(self) -> None:
        """Leave the network and switch off."""
        awake = self.state in (SETTING_UP, REGISTERING, READY_STATE)
        self.port.clear()
        if awake and self.dialect is not None:
            self.port.push(_POWER_DOWN, self.dialect["power_down"])
        else:
            self._power_key(1)
            self._enter(OFF, 0)

    def poll(self) -> tuple | None:
        """Read what arrived, go one step on; returns the oldest event or None."""
        self.port.poll()
        if self.port.idle and self.state != OFF and time.ticks_diff(self._until_ms, time.ticks_ms()) <= 0:
            self._advance()
        return self._events.pop(0) if self._events else None

    def due_ms(self) -> int | None:
        """Milliseconds until ``poll`` must run even if nothing arrives; None when it need not."""
        if self._events:
            return 0
        now_ms = time.ticks_ms()
        due_ms = self.port.due_ms(now_ms)
        if due_ms is None and self.state != OFF:
            due_ms = max(0, time.ticks_diff(self._until_ms, now_ms))
        return due_ms

    # --- states

    def _enter(self, state: int, duration_ms: int) -> None:
        self.state = state
        self._until_ms = time.ticks_add(time.ticks_ms(), duration_ms)

    def _advance(self) -> None:
        """The time of this state is over and nothing is being asked."""
        state = self.state
        if state == PROBING:
            self._ask_or(_PROBES, self._press_on)
        elif state == KEY_ON:
            self._power_key(1)
            self._probes = 0
            self._enter(BOOTING, _PROBE_MS)
        elif state == BOOTING:
            self._ask_or(self._patience("boot_ms") // _PROBE_MS, self._never_answered)
        elif state == BACKOFF:
            self._begin_again()
        elif state == KEY_OFF:
            self._power_key(1)
            self._enter(RESTING, _REST_MS)
        elif state == RESTING:
            self._probe()
        elif state == STOPPING:
            self._power_key(1)
            self._enter(OFF, 0)

    def _patience(self, key: str) -> int:
        return (self.dialect or _STRANGER)[key]

    def _probe(self) -> None:
        self._probes = 0
        self._enter(PROBING, 0)

    def _ask_or(self, limit: int, give_up) -> None:
        if self._probes >= limit:
            give_up()
        else:
            self._probes += 1
            self.port.push(_PROBE, _AT)

    def _press_on(self) -> None:
        self._power_key(0)
        self._enter(KEY_ON, self._patience("key_on_ms"))

    def _press_off(self, state: int) -> None:
        self._power_key(0)
        self._enter(state, self._patience("key_off_ms"))

    def _never_answered(self) -> None:
        self._deaf = True
        self.restart(b"no answer to power on")

    def restart(self, why: bytes) -> None:
        """Give up this run of the modem: tell, rest, then begin again."""
        self._emit(FAULT, why)
        if self.ready and time.ticks_diff(time.ticks_ms(), self._since_ms) > _STEADY_MS:
            self._backoff_ms = _BACKOFF_FIRST_MS
            self.restarts = 0
        self._fall()
        self.restarts += 1
        self.port.write(_SOFT_RESET)
        self._enter(BACKOFF, self._backoff_ms)
        self._backoff_ms = min(self._backoff_ms * 2, _BACKOFF_LAST_MS)

    def _begin_again(self) -> None:
        """After the rest: by the key when it was deaf or the softer way did not help."""
        if self._deaf or self.restarts > 1:
            self._deaf = False
            self._press_off(KEY_OFF)
        else:
            self._probe()

    def _rebooted(self) -> None:
        """It started again by itself: everything that was set is gone."""
        self._fall()
        self._probes = 0
        self._enter(BOOTING, _PROBE_MS)

    def _fall(self) -> None:
        """Forget what was under way, and tell whoever relied on it."""
        self.port.clear()
        self.port.sleeps = False
        self._timeouts = 0
        if self.ready:
            self._emit(LOST)

    def _emit(self, kind: int, value=None) -> None:
        self._events.append((kind, value))

    # --- the first answers

    def _obey(self, dialect: dict) -> None:
        """Speak and understand as this family does."""
        self.dialect = dialect
        self.port.reader.data_follows(*dialect["data"])

    def _probe_ended(self, well: bool, answer: bytes) -> None:
        if not well:
            return
        self._deaf = False
        self._echoes = False
        self._enter(SETTING_UP, 0)
        self.port.push(SET_UP, _ECHO_OFF)
        self.port.push(SET_UP, _ERROR_NUMBERS)
        if self.dialect is None:
            self._model = b""
            self.port.push(_IDENTIFY, _MODEL)

    def _identified(self, well: bool, answer: bytes) -> None:
        dialect = modem_dialects.find(self._model) if well else None
        if dialect is None:
            self.restart(b"unknown model " + self._model)
        else:
            self._obey(dialect)

    def _set_up_ended(self, well: bool, answer: bytes) -> None:
        if not well:
            self.restart(b"set-up refused")

    def _wish_ended(self, well: bool, answer: bytes) -> None:
        """Nice to have."""

    def _down(self, well: bool, answer: bytes) -> None:
        self._fall()
        if well:
            self._enter(OFF, 0)
        else:
            self._press_off(STOPPING)

    # --- what it says

    def _heard(self, line: bytes) -> bool:
        """Lines that need no command in flight; True when the line is used up."""
        asking = self.port.asking
        if line == asking:
            self._heard_echo()
            return True
        if self.state in (SETTING_UP, REGISTERING, READY_STATE) and self.dialect is not None:
            for beginning in self.dialect["booted"]:
                if line.startswith(beginning):
                    self._rebooted()
                    return True
        if asking == _MODEL[0] and not any(line.startswith(beginning) for beginning in _NO_MODEL):
            self._model = line.split(b":")[-1].strip(b' "')
            return True
        for beginning, hear in self._listeners:
            if line.startswith(beginning):
                hear(line)
                return True
        return False

    def _heard_echo(self) -> None:
        """ATE0 was forgotten in a restart that nobody announced, or is ignored by this firmware."""
        if self.state == REGISTERING:
            self._echoes = True
        elif self.state == READY_STATE and not self._echoes:
            self._rebooted()

    def _command_ended(self, kind: int, well: bool, answer: bytes) -> None:
        """Count timeouts; a modem that misses three in a row, or any of its set-up, is restarted."""
        if answer is not TIMEOUT:
            self._timeouts = 0
        elif self.state not in (PROBING, BOOTING) and kind != _POWER_DOWN:
            self._timeouts += 1
            if self._timeouts >= _TIMEOUTS_MAX or kind in (SET_UP, _IDENTIFY):
                self.restart(b"no answer")
                return
            if self.ready:
                self._enter(READY_STATE, _SUSPICION_MS)
        self._endings[kind](well, answer)
