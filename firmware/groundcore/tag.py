"""The tag: sleeps, beacons, and beacons often when moved or lost. Between two events it is `snapshot()`."""

import struct
from binascii import crc32

from groundwire import beacon
from groundwire.constant import const

from groundcore import beacon_cycle, events, orders, region, store
from groundcore.settings import Settings, encode

_SNAPSHOT_VERSION = const(2)
_MOVING = const(0x80)
_SNAPSHOT_FORMAT = "<BBIQQQQHHHHH32sBBBQ"
_SNAPSHOT_HEAD_SIZE = struct.calcsize(_SNAPSHOT_FORMAT)
_CRC_SIZE = const(4)
SNAPSHOT_MAX = 512  # bytes, so that it fits the memory of any real-time clock

# Settings that a tag needs when it wakes; the others stay in flash.
_OWN_SETTINGS = (
    "region",
    "parked_interval_s",
    "moving_interval_s",
    "lost_interval_s",
    "still_after_s",
    "siren_s",
    "wake_threshold_mg",
    "battery_empty_mv",
    "battery_full_mv",
    "long_preamble",
    "sos_button",
    "strap_alarm",
    "fall_alarm",
    "fall_cancel_s",
)


class Tag:
    """One tag. Without an identity, or without a plan for its region, it does nothing and never wakes.

    The wake-up interrupt is off from a movement until behind the next beacon: a ride costs one wake-up for
    each beacon, not one for each jolt.

    Args:
        records: what flash holds, by the names in `store.NAMES`.
        draw: random bytes; a tag draws none, all cores are made alike.
    """

    def __init__(self, records: dict, draw=None):
        identity = store.decode_identity(records.get(store.IDENTITY))
        profile = identity.profile if identity else "none"
        state = store.State(records.get(store.STATE))
        settings = Settings(records.get(store.SETTINGS), profile)
        self._set_up(identity.secret if identity else None, profile, state, settings, None)

    def _set_up(self, secret, profile, state, settings, counter):
        self._secret = secret
        self._profile = profile
        self._state = state
        self._settings = settings
        self._moved_ms = 0
        self._open = 0  # bit 1 << INPUT_... of case and strap
        self._call = None  # a wearer's call for help
        self._fall = None  # a wearer's falls
        self._cycle = None
        self.plan = plan = region.plan(settings.text("region"))
        if secret is not None and plan is not None:
            if settings["fall_alarm"]:
                from groundcore.fall_watch import FallWatch

                self._fall = FallWatch()
            if settings["sos_button"] or settings["strap_alarm"] or self._fall is not None:
                from groundcore.help_call import HelpCall

                self._call = HelpCall(settings["fall_cancel_s"] * 1000)
            self._cycle = beacon_cycle.BeaconCycle(
                secret, profile, plan, state, settings, counter, self._call
            )

    def handle(self, event: tuple, now_ms: int) -> list:
        """Actions that answer an event; both are listed in `events`."""
        actions = []
        cycle = self._cycle
        if cycle is None:
            return actions
        if event[0] == events.BATTERY:
            cycle.battery_mv = event[1]
        elif event[0] == events.MOTION:
            self._moved(cycle, now_ms, actions)
            if self._fall is not None:
                self._fall.handle(event, actions)
        elif event[0] == events.INPUT:
            self._input(cycle, event[1], event[2], now_ms, actions)
        elif event[0] in (events.FREE_FALL, events.SAMPLES):
            call = self._call
            if self._fall is not None and self._fall.handle(event, actions) and call is not None:
                self._raise(cycle, call.fell(now_ms, actions), now_ms, actions)
        else:
            self._beacon_on(cycle, event, now_ms, actions)
        return actions

    def next_deadline(self) -> int | None:
        """When the next TICK is due; None for a blank tag."""
        if self._cycle is None:
            return None
        due_ms = self._cycle.next_deadline()
        if self._call is not None and self._call.asking:
            due_ms = min(due_ms, self._call.next_deadline())
        return due_ms

    @property
    def idle(self) -> bool:
        """No radio answer is open and no fall is being judged: the tag may sleep deeply."""
        if self._cycle is None:
            return True
        return self._cycle.phase == beacon_cycle.IDLE and not (self._fall is not None and self._fall.busy)

    @property
    def watches_falls(self) -> bool:
        """The accelerometer is to tell when nothing carries it."""
        return self._fall is not None

    @property
    def refused(self) -> list:
        """Downlinks refused, in the order of orders.REFUSALS."""
        return self._cycle.orders.refused if self._cycle else [0] * len(orders.REFUSALS)

    def _moved(self, cycle, now_ms, actions):
        self._moved_ms = now_ms
        actions.append((events.WATCH_MOTION, 0))
        if not cycle.moving:
            cycle.moving = True
            cycle.at_once(now_ms, actions)
        elif now_ms >= cycle.next_ms:
            self._beacon_on(cycle, (events.TICK,), now_ms, actions)

    def _input(self, cycle, which, active, now_ms, actions):
        """Button, strap and case: whatever is news is in the air at once."""
        news = False
        call = self._call
        if which == events.INPUT_BUTTON and call is not None and self._settings["sos_button"]:
            news = call.press(active, now_ms, actions) != 0
        elif which in (events.INPUT_STRAP, events.INPUT_CASE):
            bit = 1 << which
            news = bool(active) and not self._open & bit
            self._open = self._open | bit if active else self._open & ~bit
            cycle.extra_flags = beacon.TAMPER if self._open else 0
            if news and which == events.INPUT_STRAP and call is not None and self._settings["strap_alarm"]:
                call.call(beacon.SOS_CAUSES.index("strap"), now_ms, actions)
        if news:
            cycle.at_once(now_ms, actions)

    def _raise(self, cycle, out, now_ms, actions):
        """What came out of the call for help: a new call is in the air at once."""
        from groundcore.help_call import RAISE  # loaded: the call is its

        if out & RAISE:
            cycle.at_once(now_ms, actions)

    def _beacon_on(self, cycle, event, now_ms, actions):
        if cycle.moving and now_ms - self._moved_ms >= self._settings["still_after_s"] * 1000:
            cycle.moving = False
        if self._call is not None:
            self._raise(cycle, self._call.check(now_ms, actions), now_ms, actions)
        was_idle = cycle.phase == beacon_cycle.IDLE
        taken = cycle.handle(event, now_ms, actions)
        fresh = event[0] == events.BOOT and event[1] != events.BOOT_WAKE
        if cycle.phase == beacon_cycle.IDLE and (fresh or not was_idle):
            actions.append((events.WATCH_MOTION, self._settings["wake_threshold_mg"]))
        if taken is not None:
            self._obey(cycle, taken, now_ms, actions)

    def _obey(self, cycle, taken, now_ms, actions):
        asked, argument, _ = taken
        if self._call is not None:
            self._call.take("answer", actions)
        if asked == orders.SOUND:
            duration_ms = (argument or self._settings["siren_s"]) * 1000
            cycle.sounding_until_ms = now_ms + duration_ms
            actions.append((events.SIREN, duration_ms))
        elif asked == orders.SILENCE:
            cycle.sounding_until_ms = 0
            actions.append((events.SIREN, 0))
        elif asked == orders.SET_TIME:
            actions.append((events.SET_CLOCK, argument * 1000))

    # --- deep sleep

    def snapshot(self) -> bytes:
        """The idle tag for RTC memory, at most 512 bytes; b"" when it is blank, busy, or does not fit."""
        cycle = self._cycle
        if cycle is None or not self.idle:
            return b""
        call = self._call
        head = struct.pack(
            _SNAPSHOT_FORMAT,
            _SNAPSHOT_VERSION,
            store.PROFILES.index(self._profile) | (_MOVING if cycle.moving else 0),
            cycle.beacons.counter,
            cycle.next_ms,
            self._moved_ms,
            cycle.sounding_until_ms,
            cycle.battery_asked_ms,
            cycle.battery_mv or 0,
            *[min(count, 0xFFFF) for count in cycle.orders.refused],
            self._secret,
            self._open,
            call.number if call is not None else 0,
            call.cause if call is not None else 0,
            call.since_ms if call is not None else 0,
        )
        changed = self._settings.changed
        own = {name: changed[name] for name in _OWN_SETTINGS if name in changed}
        body = head + cycle.ledger.pack() + self._state.encode() + encode(own)
        whole = body + struct.pack("<I", crc32(body))
        return whole if len(whole) <= SNAPSHOT_MAX else b""

    def _resume(self, cycle, values, packed_ledger):
        cycle.ledger = region.DutyLedger(packed_ledger)
        cycle.moving = bool(values[1] & _MOVING)
        cycle.next_ms, self._moved_ms, cycle.sounding_until_ms, cycle.battery_asked_ms = values[3:7]
        cycle.battery_mv = values[7] or None
        cycle.orders.refused = list(values[8:12])
        self._open = values[13]
        cycle.extra_flags = beacon.TAMPER if self._open else 0
        if self._call is not None:
            self._call.restore(*values[14:17])


def restore(snapshot: bytes, draw=None) -> Tag | None:
    """The tag of a snapshot, or None when it is not whole: then start from the records in flash."""
    size = len(snapshot) - _CRC_SIZE
    state_at = _SNAPSHOT_HEAD_SIZE + region.LEDGER_SIZE
    settings_at = state_at + store.STATE_SIZE
    if size < settings_at or struct.unpack_from("<I", snapshot, size)[0] != crc32(snapshot[:size]):
        return None
    values = struct.unpack_from(_SNAPSHOT_FORMAT, snapshot, 0)
    if values[0] != _SNAPSHOT_VERSION:
        return None
    profile = store.PROFILES[values[1] & ~_MOVING]
    tag = Tag({}, draw)
    settings = Settings(snapshot[settings_at:size], profile)
    tag._set_up(values[12], profile, store.State(snapshot[state_at:settings_at]), settings, values[2])
    if tag._cycle is None:
        return None  # another firmware made it
    tag._resume(tag._cycle, values, snapshot[_SNAPSHOT_HEAD_SIZE:state_at])
    return tag
