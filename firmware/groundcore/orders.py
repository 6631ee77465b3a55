"""Orders from the network: which downlinks are taken, and what each one changes.

A downlink is authentic (MAC), fresh (its counter only rises) and, where a replay would help a thief, an
answer to the challenge on offer. Everything else changes nothing and is counted.
"""

from groundwire import downlink
from groundwire.errors import AuthenticationError, DecodeError
from groundwire.keys import Key

from groundcore.store import State

# What an order asks of the core, beside what it changes in the state.
NOTHING = 0
SOUND = 1  # argument: seconds
SILENCE = 2
LOCATE = 3
SET_TIME = 4  # argument: unix seconds
BEACON = 5  # say so at once: the state changed

REFUSALS = ("malformed", "forged", "replayed", "no_challenge")
_REFUSAL_OF = {"mac": 1, "replay": 2, "challenge": 3}


# command -> what it asks of the core; what it changes in the state is in _change
_ASKS = {
    downlink.LOST_ON: BEACON,
    downlink.LOST_OFF: BEACON,
    downlink.SIREN_ON: SOUND,
    downlink.SIREN_OFF: SILENCE,
    downlink.INTERVAL: BEACON,
    downlink.LOCATE: LOCATE,
    downlink.TIME: SET_TIME,
    downlink.ARM: BEACON,
    downlink.DISARM: SILENCE,
}


def _change(state: State, command):
    """What a command changes for good. The counter rises with every command, even with an unknown one."""
    state.downlink_counter = command.counter
    if command.command == downlink.LOST_ON:
        state.lost = True
        state.lost_interval_s = command.argument
    elif command.command == downlink.LOST_OFF:
        state.lost = False
        state.lost_interval_s = 0
    elif command.command == downlink.INTERVAL:
        state.parked_interval_s = command.argument
    elif command.command == downlink.ARM:
        state.armed_by_order = True
    elif command.command == downlink.DISARM:
        state.armed_by_order = False
    if command.command in downlink.CHALLENGED:
        state.challenge_counter = 0


class Orders:
    """Takes downlinks for one device. `refused` counts, in the order of REFUSALS, what was not taken."""

    def __init__(self, downlink_key: Key, state: State):
        self._key = downlink_key
        self._state = state
        self.refused = [0] * len(REFUSALS)

    def challenge(self) -> bytes:
        """The challenge on offer, b"" for none."""
        counter = self._state.challenge_counter
        return downlink.make_challenge(self._key, counter) if counter else b""

    def offer_challenge(self, beacon_counter: int):
        """Begin to offer a challenge made from this beacon counter, unless one is on offer already."""
        if not self._state.challenge_counter:
            self._state.challenge_counter = beacon_counter

    def take(self, data: bytes) -> tuple | None:
        """Take a downlink: (what it asks of the core, argument, counter), or None when it is refused.

        The caller stores the state, which holds the new counter, before it does what is asked.
        """
        try:
            command = downlink.accept(data, self._key, self._state.downlink_counter, self.challenge())
        except DecodeError:
            self.refused[0] += 1
            return None
        except AuthenticationError as error:
            self.refused[_REFUSAL_OF[error.reason]] += 1
            return None
        _change(self._state, command)
        return _ASKS.get(command.command, NOTHING), command.argument, command.counter
