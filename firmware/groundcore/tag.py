"""The tag: sleeps, beacons, listens behind each beacon, and beacons often when it is moved or lost.

What happens is in TRANSITIONS: (phase, event) -> method. Between two events the whole tag is `snapshot()`.
"""

import struct
from binascii import crc32

from groundwire import beacon, keys
from groundwire.constant import const

from groundcore import events, orders, region, store
from groundcore.beaconing import Beacons, battery_level, interval_ms
from groundcore.settings import Settings, encode

IDLE = "idle"
SENDING = "sending"
LISTENING = "listening"

TRANSITIONS = {
    (IDLE, events.BOOT): "_boot",
    (IDLE, events.TICK): "_check",
    (IDLE, events.MOTION): "_moved",
    (SENDING, events.RADIO_SENT): "_listen",
    (SENDING, events.RADIO_FAILED): "_give_up",
    (SENDING, events.MOTION): "_moved",
    (SENDING, events.TICK): "_check_radio",
    (LISTENING, events.RADIO_RECEIVED): "_take",
    (LISTENING, events.RADIO_SILENT): "_rest",
    (LISTENING, events.MOTION): "_moved",
    (LISTENING, events.TICK): "_check_radio",
}

_ANSWER_MS = const(5000)  # a radio that answers nothing for so long is given up for this beacon
_OVER_BUDGET_MS = const(60000)
_SOON_MS = const(1000)
_BATTERY_EVERY_MS = const(1800000)
_SHORTEST_WINDOW_MS = const(20)
_LOW_LEVEL = const(1)

_SNAPSHOT_VERSION = const(1)
_SNAPSHOT_FORMAT = "<BBIQQQQHHHHH32s"
_SNAPSHOT_HEAD_SIZE = struct.calcsize(_SNAPSHOT_FORMAT)
_CRC_SIZE = const(4)
SNAPSHOT_MAX = 512

# Settings that a tag needs while it sleeps and wakes; the others stay in flash.
_OWN_SETTINGS = (
    "region",
    "parked_interval_s",
    "moving_interval_s",
    "lost_interval_s",
    "still_after_s",
    "wake_threshold_mg",
    "battery_empty_mv",
    "battery_full_mv",
)


class Tag:
    """One tag. Without an identity it does nothing and never wakes.

    Args:
        records: what flash holds, by the names in `store.NAMES`.
        draw: random bytes; a tag draws none, the parameter is there for all cores alike.
    """

    def __init__(self, records: dict, draw=None):
        identity = store.decode_identity(records.get(store.IDENTITY))
        profile = identity.profile if identity else "none"
        self._set_up(
            identity.secret if identity else None,
            profile,
            store.State(records.get(store.STATE)),
            Settings(records.get(store.SETTINGS), profile),
        )

    def _set_up(self, secret, profile, state, settings, counter=None):
        self._secret = secret
        self._profile = profile
        self._state = state
        self._settings = settings
        self._plan = region.plan(settings["region"])
        self._ledger = region.DutyLedger()
        self._beacons = None
        if secret is not None and self._plan is not None:
            self._beacons = Beacons(secret, profile, state, counter)
            self.orders = orders.Orders(keys.derive(secret, keys.DOWNLINK), state)
        self._phase = IDLE
        self._answer_due_ms = 0
        self._next_beacon_ms = 0
        self._moving = False
        self._moved_ms = 0
        self._sounding_until_ms = 0
        self._battery_mv = None
        self._battery_asked_ms = 0
        self._window_end_ms = 0

    # --- the three calls

    def handle(self, event: tuple, now_ms: int) -> list:
        """Actions that answer an event; both are listed in `events`."""
        actions = []
        if self._beacons is None:
            return actions
        if event[0] == events.BATTERY:
            self._battery_mv = event[1]
            return actions
        step = TRANSITIONS.get((self._phase, event[0]))
        if step is not None:
            getattr(self, step)(event, now_ms, actions)
        return actions

    def next_deadline(self) -> int | None:
        """When the next TICK is due; None for a blank tag."""
        if self._beacons is None:
            return None
        return self._next_beacon_ms if self._phase == IDLE else self._answer_due_ms

    @property
    def idle(self) -> bool:
        """No radio answer is open: the tag may sleep deeply."""
        return self._phase == IDLE

    # --- idle

    def _boot(self, event, now_ms, actions):
        if event[1] != events.BOOT_WAKE:
            self._state.boot_count += 1
            self._beacons.reserve()
            actions.append((events.STORE, store.STATE, self._state.encode()))
            self._next_beacon_ms = now_ms + self._beacons.stretched_ms(_SOON_MS)
            self._watch(actions)

    def _check(self, event, now_ms, actions):
        if self._moving and now_ms - self._moved_ms >= self._settings["still_after_s"] * 1000:
            self._moving = False
        if now_ms >= self._next_beacon_ms:
            self._beacon(now_ms, actions)

    def _moved(self, event, now_ms, actions):
        self._moved_ms = now_ms
        actions.append((events.WATCH_MOTION, 0))  # armed again behind the next beacon
        if not self._moving:
            self._moving = True
            self._next_beacon_ms = now_ms
        if self._phase == IDLE:
            self._check(event, now_ms, actions)

    def _beacon(self, now_ms, actions):
        sounding = now_ms < self._sounding_until_ms
        challenged = self._state.lost or sounding
        size = beacon.MAX_SIZE if challenged else beacon.MAX_SIZE - 9
        if not self._ledger.may_send(self._plan.beacon, size, now_ms):
            self._next_beacon_ms = now_ms + _OVER_BUDGET_MS
            return
        self._keep_state(challenged, actions)
        self._ask_battery(now_ms, actions)
        data = self._beacons.make(
            self._flags(sounding),
            battery_level(self._battery_mv, self._settings),
            self.orders.challenge() if challenged else b"",
        )
        actions.append((events.RADIO_SEND, data, self._plan.beacon, 0))
        self._ledger.sent(self._plan.beacon, len(data), now_ms)
        self._phase = SENDING
        self._answer_due_ms = now_ms + _ANSWER_MS

    def _keep_state(self, challenged, actions):
        """Reserve counters and begin a challenge; in flash before the beacon that uses them."""
        changed = self._beacons.reserve()
        if challenged and not self._state.challenge_counter:
            self.orders.offer_challenge(self._beacons.counter)
            changed = True
        if changed:
            actions.append((events.STORE, store.STATE, self._state.encode()))

    def _ask_battery(self, now_ms, actions):
        if self._battery_mv is None or now_ms - self._battery_asked_ms >= _BATTERY_EVERY_MS:
            self._battery_asked_ms = now_ms
            actions.append((events.READ_BATTERY,))

    def _flags(self, sounding) -> int:
        flags = beacon.LISTENING
        if self._moving:
            flags |= beacon.MOTION
        if self._state.lost:
            flags |= beacon.LOST
        if sounding:
            flags |= beacon.SIREN
        if self._battery_mv is not None and battery_level(self._battery_mv, self._settings) <= _LOW_LEVEL:
            flags |= beacon.LOW_BATTERY
        return flags

    # --- sending and listening

    def _listen(self, event, now_ms, actions):
        self._phase = LISTENING
        self._window_end_ms = now_ms + region.WINDOW_MS
        self._answer_due_ms = now_ms + _ANSWER_MS
        actions.append((events.RADIO_LISTEN, self._plan.downlink, region.WINDOW_MS))

    def _take(self, event, now_ms, actions):
        taken = self.orders.take(event[1])
        if taken is not None:
            self._rest(event, now_ms, actions)
            actions.append((events.STORE, store.STATE, self._state.encode()))
            self._obey(taken, now_ms, actions)
            return
        left_ms = self._window_end_ms - now_ms
        if left_ms >= _SHORTEST_WINDOW_MS:  # somebody else's frame must not shut the window
            actions.append((events.RADIO_LISTEN, self._plan.downlink, left_ms))
        else:
            self._rest(event, now_ms, actions)

    def _obey(self, taken, now_ms, actions):
        asked, argument, _ = taken
        self._next_beacon_ms = now_ms + self._beacons.stretched_ms(_SOON_MS)  # it is the receipt
        if asked == orders.SOUND:
            duration_ms = (argument or self._settings["siren_s"]) * 1000
            self._sounding_until_ms = now_ms + duration_ms
            actions.append((events.SIREN, duration_ms))
        elif asked == orders.SILENCE:
            self._sounding_until_ms = 0
            actions.append((events.SIREN, 0))
        elif asked == orders.SET_TIME:
            actions.append((events.SET_CLOCK, argument * 1000))

    def _rest(self, event, now_ms, actions):
        nominal_ms = interval_ms(self._state, self._settings, self._moving, now_ms < self._sounding_until_ms)
        self._next_beacon_ms = now_ms + self._beacons.stretched_ms(nominal_ms)
        self._sleep_radio(actions)

    def _give_up(self, event, now_ms, actions):
        if event[1] == events.FAILED_CHANNEL_BUSY:
            self._next_beacon_ms = now_ms + self._beacons.retry_ms()
            self._sleep_radio(actions)
        else:
            actions.append((events.LOG, 3, "radio", "the radio did not send"))
            self._rest(event, now_ms, actions)

    def _check_radio(self, event, now_ms, actions):
        if now_ms >= self._answer_due_ms:
            actions.append((events.LOG, 3, "radio", "the radio did not answer"))
            self._rest(event, now_ms, actions)

    def _sleep_radio(self, actions):
        self._phase = IDLE
        actions.append((events.RADIO_SLEEP,))
        self._watch(actions)

    def _watch(self, actions):
        actions.append((events.WATCH_MOTION, self._settings["wake_threshold_mg"]))

    # --- deep sleep

    def snapshot(self) -> bytes:
        """The idle tag for RTC memory, at most 512 bytes; b"" when it is blank or does not fit."""
        if self._secret is None or self._phase != IDLE:
            return b""
        head = struct.pack(
            _SNAPSHOT_FORMAT,
            _SNAPSHOT_VERSION,
            store.PROFILES.index(self._profile) | (0x80 if self._moving else 0),
            self._beacons.counter,
            self._next_beacon_ms,
            self._moved_ms,
            self._sounding_until_ms,
            self._battery_asked_ms,
            self._battery_mv or 0,
            *self.orders.refused,
            self._secret,
        )
        changed = {}
        for name in _OWN_SETTINGS:
            if name in self._settings.changed:
                changed[name] = self._settings.changed[name]
        body = head + self._ledger.pack() + self._state.encode() + encode(changed)
        whole = body + struct.pack("<I", crc32(body))
        return whole if len(whole) <= SNAPSHOT_MAX else b""

    @classmethod
    def restore(cls, snapshot: bytes, draw=None):
        """The tag of a snapshot, or None when it is not whole: then start from the records in flash."""
        size = len(snapshot) - _CRC_SIZE
        settings_at = _SNAPSHOT_HEAD_SIZE + region.LEDGER_SIZE + store.STATE_SIZE
        if size < settings_at or struct.unpack_from("<I", snapshot, size)[0] != crc32(snapshot[:size]):
            return None
        values = struct.unpack_from(_SNAPSHOT_FORMAT, snapshot, 0)
        if values[0] != _SNAPSHOT_VERSION:
            return None
        profile = store.PROFILES[values[1] & 0x7F]
        state = store.State(snapshot[settings_at - store.STATE_SIZE : settings_at])
        tag = cls({}, draw)
        tag._set_up(values[12], profile, state, Settings(snapshot[settings_at:size], profile), values[2])
        tag._ledger = region.DutyLedger(snapshot[_SNAPSHOT_HEAD_SIZE : settings_at - store.STATE_SIZE])
        tag._moving = bool(values[1] & 0x80)
        tag._next_beacon_ms, tag._moved_ms, tag._sounding_until_ms, tag._battery_asked_ms = values[3:7]
        tag._battery_mv = values[7] or None
        tag.orders.refused = [min(count, 0xFFFF) for count in values[8:12]]
        return tag
