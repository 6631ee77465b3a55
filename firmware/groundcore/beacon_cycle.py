"""One beacon after the other: send, listen behind it, take an order, rest until the next.

What happens is in TRANSITIONS: (phase, event) -> method. Tag and tracker hold one each and decide when they
move, when they are lost, and what an order means to them.
"""

from groundwire import beacon, keys
from groundwire.constant import const

from groundcore import events, orders, region, store
from groundcore.beaconing import Beacons, battery_level, interval_ms

IDLE = "idle"
SENDING = "sending"
LISTENING = "listening"

TRANSITIONS = {
    (IDLE, events.BOOT): "_boot",
    (IDLE, events.TICK): "_check",
    (SENDING, events.RADIO_SENT): "_listen",
    (SENDING, events.RADIO_FAILED): "_give_up",
    (SENDING, events.TICK): "_check_answer",
    (LISTENING, events.RADIO_RECEIVED): "_take",
    (LISTENING, events.RADIO_SILENT): "_rest",
    (LISTENING, events.TICK): "_check_answer",
}
BATTERY_EVERY_MS = 1800000

_ANSWER_MS = const(5000)  # a radio that answers nothing for so long is given up for this beacon
_OVER_BUDGET_MS = const(60000)
_SOON_MS = const(1000)
_SHORTEST_WINDOW_MS = const(20)
_LOW_LEVEL = const(1)
_CALL_SPARE_MS = const(14000)  # of the hour's time on air: the 70 beacons of a call for help


class BeaconCycle:
    """Beacons of one device, within its region plan.

    The owner sets `moving`, `sounding_until_ms`, `extra_flags`, `battery_mv` and `guarding` as they change.

    Args:
        secret: 32 bytes.
        profile: one of store.PROFILES.
        plan: of the region.
        state: kept counters and mode; changed here, stored by an action.
        settings: of the device.
        counter: the next beacon counter where it is known, as after deep sleep.
        call: the wearer's help_call.HelpCall; None: this device calls nobody.
    """

    def __init__(self, secret, profile, plan, state, settings, counter=None, call=None):
        self.orders = orders.Orders(keys.derive(secret, keys.DOWNLINK), state)
        self.beacons = Beacons(secret, profile, state, counter)
        self.ledger = region.DutyLedger()
        self.phase = IDLE
        self.next_ms = 0
        self.moving = False
        self.sounding_until_ms = 0
        self.extra_flags = 0
        self.battery_mv = None
        self.call = call
        self.guarding = False
        self.battery_asked_ms = 0
        self._position = None
        self._state = state
        self._settings = settings
        self._plan = plan
        self._size = 0  # bytes of the last beacon
        self._answer_due_ms = 0
        self._window_end_ms = 0
        self._again = False  # something happened while a beacon was under way: beacon again at once

    def handle(self, event: tuple, now_ms: int, actions: list) -> tuple | None:
        """Go on; appends to `actions`. The order taken, as `Orders.take` gives it, or None."""
        step = TRANSITIONS.get((self.phase, event[0]))
        return getattr(self, step)(event, now_ms, actions) if step else None

    def next_deadline(self) -> int:
        """When the next TICK is due."""
        return self.next_ms if self.phase == IDLE else self._answer_due_ms

    def at_once(self, now_ms: int, actions: list):
        """Beacon now, or as soon as the beacon under way is over."""
        if self._plan is None:
            return
        self._again = self.phase != IDLE
        if not self._again:
            self._send(now_ms, actions)

    def offer_challenge(self):
        """Begin to offer a challenge without a beacon: its counter is used up, so that no challenge comes twice.

        The caller stores the state.
        """
        self.beacons.counter = max(1, self.beacons.counter)  # zero stands for none
        self.beacons.reserve()
        self.orders.offer_challenge(self.beacons.counter)
        self.beacons.counter += 1

    def place(self, position):
        """Say in beacons where the device is: a beacon.Position, or None."""
        self._position = position

    def soon(self, now_ms: int):
        """Beacon in a second or so: after an order it is the receipt."""
        self.next_ms = now_ms + self.beacons.stretched_ms(_SOON_MS)

    def battery_low(self) -> bool:
        """Whether the battery has at most a tenth left."""
        return self.battery_mv is not None and battery_level(self.battery_mv, self._settings) <= _LOW_LEVEL

    # --- idle

    def _boot(self, event, now_ms, actions):
        if event[1] != events.BOOT_WAKE:
            self._state.boot_count += 1
            self.beacons.reserve()
            actions.append((events.STORE, store.STATE, self._state.encode()))
            self.soon(now_ms)

    def _check(self, event, now_ms, actions):
        if now_ms >= self.next_ms:
            self._send(now_ms, actions)

    def _send(self, now_ms, actions):
        sounding = now_ms < self.sounding_until_ms
        challenged = self._state.lost or sounding or self.guarding
        spare_ms = _CALL_SPARE_MS if self.call is not None and not self.call.cause else 0
        channel = self._channel()
        if not self.ledger.may_send(channel, beacon.MAX_SIZE, now_ms, spare_ms):
            self.next_ms = now_ms + _OVER_BUDGET_MS
            return
        self._keep_state(challenged, actions)
        if self.battery_mv is None or now_ms - self.battery_asked_ms >= BATTERY_EVERY_MS:
            self.battery_asked_ms = now_ms
            actions.append((events.READ_BATTERY,))
        data = self.beacons.make(
            self._flags(sounding),
            battery_level(self.battery_mv, self._settings),
            self.orders.challenge() if challenged else b"",
            self._position,
            self.call.body(now_ms) if self.call is not None else b"",
        )
        actions.append((events.RADIO_SEND, data, channel, 0))
        self._size = len(data)
        self.ledger.sent(channel, self._size, now_ms)
        self.phase = SENDING
        self._answer_due_ms = now_ms + _ANSWER_MS

    def _channel(self):
        """A long preamble is for those who wait for this device and sleep in between; in need, many short beacons."""
        channel = self._plan.beacon
        calling = self.call is not None and self.call.cause
        if not self._settings["long_preamble"] or not channel.spreading_factor or self._state.lost or calling:
            return channel
        return region.watch_channel(channel)

    def _keep_state(self, challenged, actions):
        """Reserve counters and begin a challenge; in flash before the beacon that uses them."""
        changed = self.beacons.reserve()
        if challenged and not self._state.challenge_counter:
            self.orders.offer_challenge(self.beacons.counter)
            changed = True
        if changed:
            actions.append((events.STORE, store.STATE, self._state.encode()))

    def _flags(self, sounding) -> int:
        flags = beacon.LISTENING | self.extra_flags
        if self.moving:
            flags |= beacon.MOTION
        if self._state.lost:
            flags |= beacon.LOST
        if sounding:
            flags |= beacon.SIREN
        if self.battery_low():
            flags |= beacon.LOW_BATTERY
        if self.call is not None and self.call.cause:
            flags |= beacon.SOS_ACTIVE
        return flags

    # --- sending and listening

    def _listen(self, event, now_ms, actions):
        self.phase = LISTENING
        self._window_end_ms = now_ms + region.WINDOW_MS
        self._answer_due_ms = now_ms + _ANSWER_MS
        actions.append((events.RADIO_LISTEN, self._plan.downlink, region.WINDOW_MS))

    def _take(self, event, now_ms, actions):
        taken = self.orders.take(event[1])
        left_ms = self._window_end_ms - now_ms
        if taken is None and left_ms >= _SHORTEST_WINDOW_MS:
            # somebody else's frame must not shut the window
            actions.append((events.RADIO_LISTEN, self._plan.downlink, left_ms))
            return None
        self._rest(event, now_ms, actions)
        if taken is not None:
            actions.append((events.STORE, store.STATE, self._state.encode()))
            self.soon(now_ms)
        return taken

    def _rest(self, event, now_ms, actions):
        sounding = now_ms < self.sounding_until_ms
        nominal_ms = interval_ms(
            self._state, self._settings, self.moving, sounding, self._plan.parked_interval_s
        )
        channel = self._channel()
        if channel.preamble > self._plan.beacon.preamble:
            nominal_ms = max(nominal_ms, region.least_interval_ms(channel, self._size))
        calling_ms = self.call.interval_ms(now_ms) if self.call is not None else None
        if calling_ms is not None:
            nominal_ms = min(nominal_ms, calling_ms)
        self._sleep(now_ms + (0 if self._again else self.beacons.stretched_ms(nominal_ms)), actions)
        self._again = False

    def _give_up(self, event, now_ms, actions):
        if event[1] == events.FAILED_CHANNEL_BUSY:
            self._sleep(now_ms + self.beacons.retry_ms(), actions)
        else:
            actions.append((events.LOG, 3, "radio", "the radio did not send"))
            self._rest(event, now_ms, actions)

    def _check_answer(self, event, now_ms, actions):
        if now_ms >= self._answer_due_ms:
            actions.append((events.LOG, 3, "radio", "the radio did not answer"))
            self._rest(event, now_ms, actions)

    def _sleep(self, next_ms, actions):
        self.phase = IDLE
        self.next_ms = next_ms
        actions.append((events.RADIO_SLEEP,))
