"""When a device beacons, and with which counter and id.

    parked    parked_interval_s, or else as the region plan says (LoRa 30 min: 2,000 tags on a channel; GFSK 2 min)
    moving    moving_interval_s (20 s)
    lost      lost_interval_s (30 s), or as ordered
    siren     10 s: it offers the challenge that switches it off

An interval is stretched by up to an eighth, by the beacon's own id: two tags that once collided do not again.
"""

from groundwire import beacon, keys
from groundwire.constant import const

from groundcore.store import COUNTER_STRIDE, State

_SIREN_INTERVAL_MS = const(10000)
_CHALLENGE_EVERY = const(2)  # of the beacons while a challenge is on offer, every so many carry it
_SOS_EVERY = const(2)  # of a caller's beacons that could hold a position, every so many carry the call
_JITTER_SHIFT = const(3)
_RETRY_MS = const(2000)  # after a busy channel; with jitter

PROFILES = beacon.PROFILES


def interval_ms(state: State, settings, moving: bool, sounding: bool, plan_s: int) -> int:
    """Nominal time between two beacons in the mode a device is in; `plan_s`: while parked, as the plan says."""
    if sounding:
        return _SIREN_INTERVAL_MS
    if moving:
        candidates = [settings["moving_interval_s"]]
    else:
        candidates = [state.parked_interval_s or settings["parked_interval_s"] or plan_s]
    if state.lost:
        candidates.append(state.lost_interval_s or settings["lost_interval_s"])
    return min(candidates) * 1000


def battery_level(battery_mv: int | None, settings) -> int:
    """0..14 for empty..full by voltage, or 15 for unknown."""
    if battery_mv is None:
        return beacon.BATTERY_UNKNOWN
    empty_mv = settings["battery_empty_mv"]
    span_mv = max(1, settings["battery_full_mv"] - empty_mv)
    return min(14, max(0, (battery_mv - empty_mv) * 14 // span_mv))


class Beacons:
    """Makes a device's beacons: counter, id, flags and MAC.

    `counter` is the next one to be used. Counters are taken from a reserved block: after a restart without
    memory they go on behind it, so none is ever used twice.
    """

    def __init__(self, secret: bytes, profile: str, state: State, counter: int | None = None):
        self._identity_key = keys.derive(secret, keys.IDENTITY)
        self._beacon_key = keys.derive(secret, keys.BEACON)
        self._secret = secret
        self._position_key = None
        self._profile = PROFILES.index(profile)
        self._state = state
        self._epoch = -1
        self._eid = b""
        self._buffer = bytearray(beacon.MAX_SIZE)
        self.counter = state.beacon_limit if counter is None else counter

    def reserve(self) -> bool:
        """Before each beacon: True when the state has a new limit and must be stored before sending."""
        if self.counter < self._state.beacon_limit:
            return False
        self._state.beacon_limit = min(self.counter + COUNTER_STRIDE, beacon.MAX_COUNTER)
        return True

    def make(
        self, flags: int, battery: int, challenge: bytes = b"", position=None, sos: bytes = b""
    ) -> bytes:
        """The next beacon.

        A challenge on offer goes into every second one; of the others a call for help (`sos`: its body) comes
        before a position, which goes into every second one then.
        """
        counter = self.counter
        self.counter = counter + 1
        if challenge and counter % _CHALLENGE_EVERY == 0:
            kind, body = beacon.CHALLENGE, challenge
        elif sos and (position is None or counter // _CHALLENGE_EVERY % _SOS_EVERY == 0):
            kind, body = beacon.SOS, sos
        elif position is not None:
            kind, body = beacon.FIX, beacon.position_body(position)
        else:
            kind, body = beacon.PLAIN, b""
        if kind == beacon.FIX and self._position_key is None:
            self._position_key = keys.derive(self._secret, keys.POSITION)
        size = beacon.encode_into(
            self._buffer, kind, self._profile, flags, battery, counter, self._eid_of(counter), body
        )
        size = beacon.protect(self._buffer, size, counter, self._beacon_key, self._position_key)
        return bytes(self._buffer[:size])

    def stretched_ms(self, nominal_ms: int) -> int:
        """The interval up to an eighth longer, as the coming beacon's id says."""
        spread = self._eid_of(self.counter)[0] ^ (self.counter * 97 & 0xFF)
        return nominal_ms + (nominal_ms * spread >> (8 + _JITTER_SHIFT))

    def retry_ms(self) -> int:
        """How long to wait after a busy channel."""
        return _RETRY_MS + self.stretched_ms(8 * _RETRY_MS) - 8 * _RETRY_MS

    def _eid_of(self, counter):
        epoch = counter >> keys.EPOCH_BITS
        if epoch != self._epoch:
            self._eid = keys.eid(self._identity_key, epoch)
            self._epoch = epoch
        return self._eid
