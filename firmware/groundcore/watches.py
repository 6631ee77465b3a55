"""What a tracker watches beside movement: which of these it does is all in its settings, profiles only set them.

Each watch says what is to be done by the constants of `escalation`, and why by the cause that reports name.
"""

from groundwire.constant import const

from groundcore import escalation, events, help_call, sentry
from groundcore.fence import BACK, INSIDE, LEFT, Fence
from groundcore.help_call import HelpCall
from groundcore.presence import Presence
from groundcore.sentry import Sentry
from groundcore.stillness import Stillness

_TELL = escalation.REPORT | escalation.LOCATE | escalation.TEXT
_UNKNOWN_PLACE = -(2**31)
_TURNS_WINDOW_S = const(120)  # long preambles may come 49 s apart, and one of them may be lost


class Watches:
    """The watches of one device.

    `call` is the wearer's call for help, `presence` the paired fob or herd leader.

    Args:
        settings: of the device.
    """

    def __init__(self, settings):
        self._settings = settings
        self.may_call = settings["sos_button"] or settings["strap_alarm"] or settings["fall_alarm"]
        in_turns = bool(settings["fob_long_preamble"])
        window_s = max(settings["fob_window_s"], _TURNS_WINDOW_S if in_turns else 0)
        self.presence = Presence(settings.text("fob_key"), settings["fob_epoch"], window_s * 1000, in_turns)
        self.call = HelpCall(settings["fall_cancel_s"] * 1000)
        self._fence = None
        if settings["fence_radius_m"] and settings["fence_lat_e7"] != _UNKNOWN_PLACE:
            self._fence = Fence(
                settings["fence_lat_e7"], settings["fence_lon_e7"], settings["fence_radius_m"]
            )
        self._still = Stillness(settings["still_alarm_s"] * 1000) if settings["still_alarm_s"] else None
        self._sentry = Sentry(settings) if settings["guard_room"] else None
        self._herd = None
        if settings["herd_lost_s"] and self.presence.paired:
            self._herd = Stillness(settings["herd_lost_s"] * 1000)
        self.tampered = False  # case or strap is open
        self._open = 0  # bit 1 << INPUT_... of case and strap

    def owner_near(self, now_ms: int) -> bool:
        """The paired fob was heard a short while ago; a herd leader is no owner."""
        return not self._settings["herd_lost_s"] and self.presence.near(now_ms)

    def handle(self, event: tuple, utc_ms: int | None, now_ms: int, actions: list) -> list:
        """Go on: (cause, what is asked as a sum of escalation's constants) for each watch that has something."""
        kind = event[0]
        found = []
        if kind == events.BOOT:
            self._begin(now_ms)
        elif kind == events.INPUT:
            self._input(event[1], event[2], now_ms, actions, found)
        elif kind == events.RADIO_RECEIVED:
            heard = self.presence.hear(event[1], now_ms)
            if heard and self._herd is not None:
                self._herd.moved(now_ms)
        if self._sentry is not None:
            armed = bool(self._settings["armed"])
            ordered = self._settings.ordered.get("armed")
            _add(found, "intruder", self._sentry.check(armed, utc_ms, now_ms, ordered))
        if self._still is not None and self._still.check(now_ms):
            found.append(("still", _TELL))
        if self._herd is not None and self._herd.check(now_ms):
            found.append(("herd", _TELL))
        if self.call.check(now_ms, actions) & help_call.RAISE:
            found.append((self.call.alarm, _TELL))
        return found

    @property
    def guarding(self) -> bool:
        """A room is watched."""
        return self._sentry is not None and self._sentry.state != sentry.OPEN

    @property
    def astray(self) -> bool:
        """The last position was outside the fence."""
        return self._fence is not None and self._fence.state != INSIDE

    def schedule_turned(self, utc_ms: int | None) -> bool:
        """Whether the schedule of the room says something else than before."""
        return self._sentry is not None and self._sentry.turned(utc_ms)

    def moved(self, now_ms: int):
        """There is movement."""
        if self._still is not None:
            self._still.moved(now_ms)

    def fallen(self, now_ms: int, actions: list) -> list:
        """The wearer has fallen and does not get up."""
        found = []
        if self._settings["fall_alarm"] and self.call.fell(now_ms, actions) & help_call.RAISE:
            found.append((self.call.alarm, _TELL))
        return found

    def placed(self, place) -> list:
        """A position to be told: (cause, what is asked) of the fence."""
        if self._fence is None:
            return []
        side = self._fence.take(place)
        if side == LEFT:
            return [("fence", _TELL)]
        return [("fence_back", escalation.REPORT)] if side == BACK else []

    def answered(self, actions: list):
        """The network has answered: whoever called for help may know."""
        self.call.take(help_call.ANSWER, actions)

    def next_deadline(self) -> int | None:
        """When the next TICK is due."""
        due_ms = None
        for watch in (self.call, self._still, self._herd, self._sentry):
            if watch is not None:
                other_ms = watch.next_deadline()
                if other_ms is not None and (due_ms is None or other_ms < due_ms):
                    due_ms = other_ms
        return due_ms

    def _begin(self, now_ms):
        """Patience counts from here, wherever zero of the clock is."""
        for watch in (self._still, self._herd):
            if watch is not None:
                watch.moved(now_ms)

    def _input(self, which, active, now_ms, actions, found):
        if which == events.INPUT_BUTTON:
            if self._settings["sos_button"] and self.call.press(active, now_ms, actions) & help_call.RAISE:
                found.append((self.call.alarm, _TELL))
        elif which == events.INPUT_PIR:
            if active and self._sentry is not None:
                _add(found, "intruder", self._sentry.take(sentry.SEEN, now_ms))
        elif which in (events.INPUT_STRAP, events.INPUT_CASE):
            self._opened(which, active, now_ms, actions, found)

    def _opened(self, which, active, now_ms, actions, found):
        bit = 1 << which
        fresh = active and not self._open & bit
        self._open = self._open | bit if active else self._open & ~bit
        self.tampered = self._open != 0
        if not fresh:
            return
        if which == events.INPUT_STRAP and self._settings["strap_alarm"]:
            self._call(help_call.STRAP, now_ms, actions, found)
        elif self._sentry is not None:
            _add(found, "tamper", self._sentry.take(sentry.OPENED, now_ms))
        else:
            found.append(
                ("tamper", _TELL | escalation.CHIRP if self._settings["armed"] else escalation.REPORT)
            )

    def _call(self, cause, now_ms, actions, found):
        if self.call.call(cause, now_ms, actions) & help_call.RAISE:
            found.append((self.call.alarm, _TELL))


def _add(found, cause, asked):
    if asked:
        found.append((cause, asked))
