"""Whether another device of the same owner is near: the owner's fob, or the leader of a herd.

Its beacons are known by their ids, which the shared identity key gives. Ids are counter based and only the coming
ones are taken, so an old recording is nothing. A relay that carries live beacons from the fob to the vehicle works
for as long as it carries them: presence suppresses a local alarm, never lost mode, power cut or a report of tampering.
"""

from groundwire import beacon, keys
from groundwire.constant import const
from groundwire.errors import DecodeError

from groundcore import events, region

_AHEAD = const(24)  # ids looked for at once: a fob that nobody heard for 384 beacons is still known
_STEP = const(8)  # ids made in one call while searching for a fob that was away longer
_SEARCH_MOST = const(256)  # of 16 beacons each: 85 days of a fob that lies still
_KEY_DIGITS = const(64)


class Presence:
    """One other device.

    Args:
        key_text: its identity key, 64 hex digits; anything else: there is none.
        epoch: of the id that it used when it was paired.
        window_ms: how long it counts as near after it was heard.
        in_turns: it beacons with a long preamble, so the receiver may sleep in between.
    """

    def __init__(self, key_text: str, epoch: int, window_ms: int, in_turns: bool = False):
        self.paired = False
        self.heard_ms = None
        self._window_ms = window_ms
        self._in_turns = in_turns
        self._epoch = epoch
        self._newest = -1  # counter of the newest beacon taken
        self._ids = []
        try:
            key = bytes.fromhex(key_text) if len(key_text) == _KEY_DIGITS else b""
        except ValueError:
            key = b""
        if key:
            self.paired = True
            self._key = keys.Key(key)
            self._extend(_AHEAD)

    def near(self, now_ms: int) -> bool:
        """It was heard a short while ago."""
        return self.heard_ms is not None and now_ms - self.heard_ms < self._window_ms

    def listen(self, channel, actions: list):
        """Listen for it on the region's beacon channel until the next radio action; for nobody: not at all."""
        if not self.paired:
            return
        if self._in_turns and channel.spreading_factor:
            actions.append((events.RADIO_WATCH, region.watch_channel(channel)))
        else:
            actions.append((events.RADIO_LISTEN, channel, 0))

    def hear(self, data: bytes, now_ms: int) -> bool:
        """A frame off the air: whether it is its beacon, and a new one."""
        if not self.paired:
            return False
        try:
            heard = beacon.decode(data)
        except DecodeError:
            return False
        place = self._place_of(heard.eid)
        if place is None:
            return False
        counter = beacon.expand(self._epoch + place, heard.low)
        if counter <= self._newest:
            return False
        self._newest = counter
        self.heard_ms = now_ms
        self._ids = self._ids[place:]
        self._epoch += place
        self._extend(_AHEAD)
        return True

    def _place_of(self, eid):
        """Where the id stands among the coming ones; an unknown one makes the search reach a little further."""
        for place, known in enumerate(self._ids):
            if known == eid:
                return place
        before = len(self._ids)
        if before < _SEARCH_MOST:
            self._extend(before + _STEP)
            for place in range(before, len(self._ids)):
                if self._ids[place] == eid:
                    return place
        return None

    def _extend(self, count):
        while len(self._ids) < count:
            self._ids.append(keys.eid(self._key, self._epoch + len(self._ids)))
