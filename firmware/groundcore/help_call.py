"""A person calls for help: a button pressed, a strap opened, a fall. Beacons say so at once and go on saying so.

What happens is in TRANSITIONS: (state, what comes in) -> (next state, what comes out).
"""

from groundwire import beacon
from groundwire.constant import const

from groundcore import events

# States.
CALM = "calm"
CALLING = "calling"
HEARD = "heard"  # the network has answered: somebody knows
ASKING = "asking"  # a fall was felt: does the wearer say that all is well?

# What comes in.
CALL = "call"  # button or strap; a fall where nobody is asked
FELL = "fell"
DISMISS = "dismiss"  # the button, while asked
CANCEL = "cancel"  # the button was held for three seconds
ANSWER = "answer"  # an authentic downlink, or the collector's signature under the report
EXPIRE = "expire"

# What comes out.
RAISE = const(1)  # beacon and report at once
CONFIRM = const(2)  # the wearer feels that the device has understood
COMFORT = const(4)  # the wearer feels that somebody knows
END = const(8)
ASK = const(16)  # the wearer feels that a call is about to go out

TRANSITIONS = {
    (CALM, CALL): (CALLING, RAISE | CONFIRM),
    (CALLING, CALL): (CALLING, RAISE | CONFIRM),
    (CALLING, CANCEL): (CALM, END | CONFIRM),
    (CALLING, ANSWER): (HEARD, COMFORT),
    (CALLING, EXPIRE): (CALM, END),
    (HEARD, CALL): (CALLING, RAISE | CONFIRM),
    (HEARD, CANCEL): (CALM, END | CONFIRM),
    (HEARD, EXPIRE): (CALM, END),
    (CALM, FELL): (ASKING, ASK),
    (CALLING, FELL): (CALLING, RAISE | CONFIRM),
    (HEARD, FELL): (CALLING, RAISE | CONFIRM),
    (ASKING, DISMISS): (CALM, END | CONFIRM),
    (ASKING, CALL): (CALLING, RAISE | CONFIRM),
    (ASKING, EXPIRE): (CALLING, RAISE | CONFIRM),
}

STATES = (CALM, CALLING, HEARD, ASKING)  # by number, for a snapshot
BUTTON = beacon.SOS_CAUSES.index("button")
FALL = beacon.SOS_CAUSES.index("fall")
STRAP = beacon.SOS_CAUSES.index("strap")

_PRESSED = const(0x40)
_WAS_CALLING = const(0x80)
_HOLD_MS = const(3000)
_STUCK_MS = const(10000)  # by then the device may sleep, and learns late that the button was let go
_LASTS_MS = const(1800000)  # half an hour, from the last call
_OFTEN_MS = const(5000)
_OFTEN_FOR_MS = const(60000)
_LATER_MS = const(30000)
_CONFIRM_BUZZES = const(2)
_COMFORT_BUZZES = const(5)
_ASK_BUZZES = const(8)
_ALARM_OF = {BUTTON: "sos", FALL: "fall", STRAP: "strap"}


class HelpCall:
    """The call of one wearer. `cause` is an index of beacon.SOS_CAUSES, 0 while nobody is called.

    Args:
        cancel_ms: how long the wearer may say after a fall that all is well; 0: nobody is asked.
    """

    def __init__(self, cancel_ms: int = 0):
        self._cancel_ms = cancel_ms
        self.state = CALM
        self.cause = 0
        self.since_ms = 0
        self._pressed = False
        self._was_calling = False  # when the button went down

    @property
    def number(self) -> int:
        """The state as a number, for a snapshot: a button may be held down over a sleep."""
        pressed = (_PRESSED if self._pressed else 0) | (_WAS_CALLING if self._was_calling else 0)
        return STATES.index(self.state) | pressed

    def restore(self, number: int, cause: int, since_ms: int):
        """Be as a snapshot says."""
        self.state = STATES[number & ~(_PRESSED | _WAS_CALLING)]
        self._pressed = bool(number & _PRESSED)
        self._was_calling = bool(number & _WAS_CALLING)
        self.cause = cause
        self.since_ms = since_ms

    @property
    def alarm(self) -> str:
        """The cause as reports name it."""
        return _ALARM_OF.get(self.cause, "sos")

    def press(self, active: int, now_ms: int, actions: list) -> int:
        """The button went down (1) or up (0). What comes out, as a sum of the constants above.

        The call goes out when the button goes down. Held for three seconds it ends a call that was there before.
        """
        if active and self.state == ASKING:
            return self.take(DISMISS, actions)
        if active:
            self._pressed = True
            self._was_calling = self.state != CALM
            return self.call(BUTTON, now_ms, actions)
        held = self._pressed and _HOLD_MS <= now_ms - self.since_ms < _STUCK_MS
        self._pressed = False
        return self.take(CANCEL, actions) if held and self._was_calling else 0

    def call(self, cause: int, now_ms: int, actions: list) -> int:
        """Somebody needs help."""
        self.cause = cause
        self.since_ms = now_ms
        return self.take(CALL, actions)

    def fell(self, now_ms: int, actions: list) -> int:
        """The wearer has fallen and lies still."""
        if not self._cancel_ms or self.state in (CALLING, HEARD):
            return self.call(FALL, now_ms, actions)
        if self.state == CALM:
            self.since_ms = now_ms
        return self.take(FELL, actions)

    def take(self, what: str, actions: list) -> int:
        """Take anything that comes in; what the wearer feels goes into `actions`."""
        self.state, out = TRANSITIONS.get((self.state, what), (self.state, 0))
        if out & CONFIRM:
            actions.append((events.BUZZ, _CONFIRM_BUZZES))
        if out & COMFORT:
            actions.append((events.BUZZ, _COMFORT_BUZZES))
        if out & ASK:
            actions.append((events.BUZZ, _ASK_BUZZES))
        if out & END:
            self.cause = 0
        return out

    def check(self, now_ms: int, actions: list) -> int:
        """Whether it is over by itself, or nobody has answered and the call goes out."""
        due_ms = self.next_deadline()
        if due_ms is None or now_ms < due_ms:
            return 0
        if self.state == ASKING:
            self.cause = FALL
            self.since_ms = now_ms
        return self.take(EXPIRE, actions)

    @property
    def asking(self) -> bool:
        """The wearer is asked whether all is well."""
        return self.state == ASKING

    def next_deadline(self) -> int | None:
        """When to check; None while calm."""
        if self.state == CALM:
            return None
        return self.since_ms + (self._cancel_ms if self.state == ASKING else _LASTS_MS)

    def interval_ms(self, now_ms: int) -> int | None:
        """Time between two beacons; None while nobody is called."""
        if not self.cause:
            return None
        return _OFTEN_MS if now_ms - self.since_ms < _OFTEN_FOR_MS else _LATER_MS

    def body(self, now_ms: int) -> bytes:
        """Of an SOS beacon; b"" while nobody is called."""
        return b"" if not self.cause else beacon.sos_body(self.cause, (now_ms - self.since_ms) // 1000)
