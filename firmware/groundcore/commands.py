"""What a tracker does with an order, whether it came over the radio or over the network."""

from groundcore import events, orders, store


class Commands:
    """Obeys orders and gives receipts.

    Args:
        settings, state, where, reporter, cycle, alarms: those of the tracker.
    """

    def __init__(self, settings, state, where, reporter, cycle, alarms):
        self._settings = settings
        self._state = state
        self._where = where
        self._reporter = reporter
        self._cycle = cycle
        self._alarms = alarms
        self._told = 0  # beacon counter of the challenge that the collector was told
        settings.ordered["armed"] = state.armed_by_order

    def take(self, data: bytes, now_ms: int, actions: list):
        """A downlink that came over the network."""
        taken = self._cycle.orders.take(data)
        if taken is not None:
            self._store(actions)
            self.obey(taken, now_ms, actions)

    def obey(self, taken: tuple, now_ms: int, actions: list):
        """An order as `Orders.take` gives it; the state, which holds its counter, is stored."""
        asked, argument, counter = taken
        self._settings.ordered["armed"] = self._state.armed_by_order
        if asked == orders.SOUND:
            self._alarms.sound(argument or self._settings["siren_s"], now_ms, actions)
            self._offer(now_ms, actions)
        elif asked == orders.SILENCE:
            self._alarms.sound(0, now_ms, actions)
        elif asked == orders.SET_TIME:
            self._reporter.set_utc(argument * 1000, now_ms)
            actions.append((events.SET_CLOCK, argument * 1000))
        elif asked == orders.LOCATE or (asked == orders.BEACON and self._state.lost):
            self._where.locate(now_ms, actions)
        if self._state.lost:
            self._offer(now_ms, actions)
        self._reporter.put("downlink_done", {"counter": counter}, now_ms, True)
        self._cycle.soon(now_ms)

    def guard(self, guarding: bool, now_ms: int, actions: list):
        """While it guards somebody may want to end that: whoever does must answer a challenge, which is told here."""
        self._cycle.guarding = guarding
        if guarding and (not self._state.challenge_counter or self._told != self._state.challenge_counter):
            self._offer(now_ms, actions)

    def end_arming(self, actions: list):
        """The schedule has turned: it stands again, not the order."""
        if self._state.armed_by_order is not None:
            self._state.armed_by_order = self._settings.ordered["armed"] = None
            self._store(actions)

    def _offer(self, now_ms, actions):
        """What lost-off, siren-off and disarm must answer, for a collector that reaches us by network only."""
        if not self._state.challenge_counter:
            self._cycle.offer_challenge()
            self._store(actions)
        self._told = self._state.challenge_counter
        self._reporter.put("challenge", {"challenge": self._cycle.orders.challenge()}, now_ms)

    def _store(self, actions):
        actions.append((events.STORE, store.STATE, self._state.encode()))
