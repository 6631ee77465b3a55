"""The finder: held in the hand, it follows one tag that it was lent the ids of, or shows the strongest stranger.

It needs no network. What it may know and for how long is `follow`, how near the tag is `nearness`, where it is `turn`,
what it may order `finder_orders`. Here they meet the button, the buzzer and the screen.
"""

from groundwire import beacon
from groundwire.constant import const
from groundwire.errors import DecodeError

from groundcore import events, follow, nearness, region, store, turn
from groundcore.beaconing import battery_level
from groundcore.finder_orders import FinderOrders
from groundcore.finder_view import FOLLOW, SEARCH, View
from groundcore.settings import Settings
from groundcore.strangers import Strangers

_LONG_MS = const(1500)  # held so long: the siren
_VERY_LONG_MS = const(4000)  # held so long: the other mode
_IDLE_MS = const(300000)  # nothing heard of the tag, nothing pressed: dark
_REFRESH_MS = const(1000)
_HAND_MS = const(500)  # the same while the hand goes round
_TOLD_MS = const(12000)  # how long a line of text stays
_BATTERY_MS = const(300000)


class Finder:
    """One finder.

    Args:
        records: what flash holds, by the names in `store.NAMES` and `follow.NAMES`.
        utc_s: UTC at the start, where the clock is known.
    """

    def __init__(self, records: dict, utc_s: int | None = None):
        self._settings = Settings(records.get(store.SETTINGS), "none")
        self._state = store.State(records.get(store.STATE))
        self._blank = store.decode_identity(records.get(store.IDENTITY)) is None
        self.plan = plan = region.plan(self._settings.text("region"))
        self._loan = follow.restore(records.get(follow.LOAN), records.get(follow.USE))
        self._stale_loan = bool(records.get(follow.LOAN)) and self._loan is None
        self._orders = None
        if self._loan is not None and plan is not None:
            self._orders = FinderOrders(self._loan, plan)
        channel = (
            plan.beacon if plan is not None else region.PLANS["eu868"].beacon
        )  # nothing is heard without one
        self._near = nearness.Nearness(channel.power_dbm, channel.frequency_hz)
        self._strangers = Strangers()
        self._turn = turn.Turn()
        self._utc_s = utc_s
        self._origin_ms = None  # when `utc_s` was so
        self._hurried = False  # the tag was told to beacon fast
        self._tag_flags = 0
        self._battery_mv = None
        self._battery_due_ms = 0
        self._pressed_ms = None
        self._felt = 0  # how many of the button's marks were passed
        self._active_ms = 0
        self._screen_due_ms = 0
        self._beep_due_ms = None
        self._told_until_ms = 0
        self.dark = False
        self.view = View()
        self.view.mode = SEARCH if self._loan is None else FOLLOW

    def handle(self, event: tuple, now_ms: int) -> list:
        """Actions that answer an event; both are listed in `events`."""
        actions = []
        if self._origin_ms is None:
            self._origin_ms = self._active_ms = now_ms
        kind = event[0]
        if kind == events.BOOT:
            self._boot(now_ms, actions)
        elif kind == events.RADIO_RECEIVED:
            self._hear(event, now_ms, actions)
        elif kind in (events.RADIO_SENT, events.RADIO_FAILED):
            self._answered(kind == events.RADIO_SENT, now_ms, actions)
        elif kind == events.INPUT and event[1] == events.INPUT_BUTTON:
            self._button(event[2], now_ms, actions)
        elif kind == events.BATTERY:
            self._battery_mv = event[1]
        self._step(now_ms, actions)
        return actions

    def next_deadline(self) -> int | None:
        """When the next TICK is due."""
        due_ms = self._battery_due_ms if self.dark else min(self._screen_due_ms, self._battery_due_ms)
        loan_ms = None if self._loan is None else self._loan.due_ms()
        for other_ms in (loan_ms, self._turn.due_ms(), self._beep_due_ms, self._mark_ms()):
            if other_ms is not None and other_ms < due_ms:
                due_ms = other_ms
        return due_ms

    # --- radio

    def _boot(self, now_ms, actions):
        self._state.boot_count += 1
        actions.append((events.STORE, store.STATE, self._state.encode()))
        if self.plan is None:
            actions.append((events.LOG, 3, "region", "no plan for " + self._settings.text("region")))
        if self._stale_loan:
            self._forget(now_ms, actions)
        elif self._blank:
            self._tell("not set up yet", now_ms)
        actions.append((events.LIGHT, events.LIGHT_BLANK if self._blank else events.LIGHT_OK))
        self._listen(actions)

    def _listen(self, actions):
        if self.plan is not None:
            actions.append((events.RADIO_LISTEN, self.plan.beacon, 0))

    def _hear(self, event, now_ms, actions):
        try:
            found = beacon.decode(event[1])
        except DecodeError:
            return  # a station's or a finder's downlink, or noise
        if self._loan is not None and self._loan.takes(found.eid, found.low):
            self._hear_tag(found, event[2], now_ms, actions)
        elif self.view.mode == SEARCH:
            before = self._strangers.shown
            if self._strangers.hear(found.eid, event[2], now_ms):
                if before != found.eid:
                    self._near.forget()
                self._take(event[2], False, now_ms)

    def _hear_tag(self, found, rssi_dbm, now_ms, actions):
        self._tag_flags = found.flags
        orders = self._orders
        obeyed = None if orders is None else orders.receipt(found.flags, now_ms)
        if obeyed == "hurry":
            self._hurried = True
        elif obeyed == "calm":
            self._hurried = False
        elif obeyed is not None:
            self._tell(obeyed + " obeyed", now_ms)
        if self.view.mode == FOLLOW:
            self._active_ms = now_ms
            self._take(rssi_dbm, obeyed not in (None, "hurry"), now_ms)
        if orders is not None and found.flags & beacon.LISTENING:
            self._order(orders, found.flags, now_ms, actions)

    def _take(self, rssi_dbm, was_receipt, now_ms):
        """A beacon of the one that is shown; a receipt says nothing of how often it beacons."""
        self._near.hear(rssi_dbm, now_ms)
        self._turn.hear(rssi_dbm, None if was_receipt else self._near.interval_ms, now_ms)
        if self._beep_due_ms is None:
            self._beep_due_ms = now_ms
        self._screen_due_ms = now_ms

    # --- orders

    def _order(self, orders, flags, now_ms, actions):
        turning = self._turn.state in (turn.WAITING, turn.TURNING)
        if not flags & beacon.LOST:
            orders.want("lost")
        if self._turn.state == turn.WAITING and not self._hurried:
            orders.want("hurry")
        elif not turning:
            self._hurried = orders.drop("hurry") or self._hurried
            if self._hurried:
                self._hurried = orders.want("calm")
        given_up = orders.answer(now_ms, actions)
        if given_up is not None:
            self._tell(given_up + ": no answer", now_ms)

    def _answered(self, sent, now_ms, actions):
        orders = self._orders
        if orders is not None and orders.sent(sent, now_ms) and sent and orders.purpose == "siren":
            self._tell("siren ordered", now_ms)
        self._listen(actions)

    def _want_siren(self, now_ms):
        if self._orders is None or self.view.mode != FOLLOW:
            self._tell("nobody to order", now_ms)
        elif self._orders.want("siren"):
            self._tell("siren: at next beacon", now_ms)
        else:
            self._tell("no orders left", now_ms)

    # --- button

    def _button(self, active, now_ms, actions):
        self._active_ms = now_ms
        if active:
            self._pressed_ms = None if self.dark else now_ms  # the first press only wakes it
            self._felt = 0
            return
        if self._pressed_ms is None:
            return
        held_ms = now_ms - self._pressed_ms
        self._pressed_ms = None
        if held_ms >= _VERY_LONG_MS:
            self._change_mode(now_ms)
        elif held_ms >= _LONG_MS:
            self._want_siren(now_ms)
        else:
            self._turn.press(now_ms)

    def _mark_ms(self):
        """When the button, held on, comes to mean something else."""
        if self._pressed_ms is None or self._felt > 1:
            return None
        return self._pressed_ms + (_VERY_LONG_MS if self._felt else _LONG_MS)

    def _change_mode(self, now_ms):
        if self.view.mode == FOLLOW:
            self.view.mode = SEARCH
        elif self._loan is not None:
            self.view.mode = FOLLOW
        else:
            self._tell("nobody to follow", now_ms)
        self._turn = turn.Turn()
        self._strangers = Strangers()
        self._near.forget()

    # --- as time passes

    def _step(self, now_ms, actions):
        self._keep_time(now_ms, actions)
        self._turn.tick(now_ms)
        mark_ms = self._mark_ms()
        if mark_ms is not None and now_ms >= mark_ms:
            self._felt += 1
            actions.append((events.CHIRP, self._felt))
        if now_ms >= self._battery_due_ms:
            self._battery_due_ms = now_ms + _BATTERY_MS
            actions.append((events.READ_BATTERY,))
        self._rest_or_wake(now_ms, actions)
        if self.dark:
            self._beep_due_ms = None
            return
        self._beep(now_ms, actions)
        if now_ms >= self._screen_due_ms:
            turning = self._turn.state == turn.TURNING
            self._screen_due_ms = now_ms + (_HAND_MS if turning else _REFRESH_MS)
            self._look(now_ms)
            actions.append((events.SCREEN, self.view))

    def _keep_time(self, now_ms, actions):
        loan = self._loan
        if loan is None:
            return
        utc_s = None if self._utc_s is None else self._utc_s + (now_ms - self._origin_ms) // 1000
        if loan.over(now_ms, utc_s):
            self._forget(now_ms, actions)
        elif loan.take_time(now_ms):
            actions.append((events.STORE, follow.USE, loan.use()))

    def _forget(self, now_ms, actions):
        """The time is up: nothing of the loan stays, in flash neither."""
        self._loan = self._orders = None
        follow.erase(actions)
        if self.view.mode == FOLLOW:
            self._change_mode(now_ms)
        self._tell("time is up", now_ms)

    def _rest_or_wake(self, now_ms, actions):
        dark = now_ms - self._active_ms >= _IDLE_MS and self._pressed_ms is None
        if dark and not self.dark:
            actions.append((events.SCREEN, None))
            actions.append((events.LIGHT, events.LIGHT_OFF))
        elif self.dark and not dark:
            self._screen_due_ms = now_ms
            actions.append((events.LIGHT, events.LIGHT_BLANK if self._blank else events.LIGHT_OK))
        self.dark = dark

    def _beep(self, now_ms, actions):
        near = self._near
        if not near.fresh(now_ms):
            self._beep_due_ms = None
        elif self._beep_due_ms is None or now_ms >= self._beep_due_ms:
            self._beep_due_ms = now_ms + near.beep_ms()
            actions.append((events.CHIRP, 1))

    # --- the screen

    def _tell(self, text, now_ms):
        self.view.text = text
        self._told_until_ms = now_ms + _TOLD_MS
        self._screen_due_ms = now_ms

    def _look(self, now_ms):
        """Bring the view up to date."""
        view, loan = self.view, self._loan
        if view.mode == FOLLOW and loan is not None:
            view.followed(loan.code, loan.left_s(now_ms), self._tag_flags)
        else:
            view.stranger(self._strangers.shown)
        view.battery = battery_level(self._battery_mv, self._settings)
        view.nearness(self._near, now_ms)
        view.direction(self._turn, now_ms)
        if now_ms >= self._told_until_ms:
            view.say(self._turn)
