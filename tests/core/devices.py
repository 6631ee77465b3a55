"""Records of provisioned devices, and a small driver that feeds a core and keeps what it stores."""

from groundcore import events, store
from groundcore.settings import encode

SECRET = bytes(range(32))
DEVICE_ID = bytes(8)


def records(profile="vehicle", **settings) -> dict:
    """What flash holds on a provisioned device."""
    identity = store.Identity("GN-000123", profile, "Harbour shop", SECRET, True)
    return {
        store.IDENTITY: store.encode_identity(identity),
        store.STATE: None,
        store.SETTINGS: encode(settings),
    }


class Bench:
    """Runs one core on a clock of its own. `log` holds (now_ms, action); `stored` what was stored last."""

    def __init__(self, core):
        self.core = core
        self.now_ms = 0
        self.log = []
        self.stored = {}

    def give(self, *event):
        """Hand one event over; the actions."""
        actions = self.core.handle(event, self.now_ms)
        for action in actions:
            self.log.append((self.now_ms, action))
            if action[0] == events.STORE:
                self.stored[action[1]] = action[2]
        return actions

    def run_until(self, end_ms, answer=lambda bench, action: None):
        """Give TICKs at the deadlines up to `end_ms`; `answer` may give events in reply to actions."""
        for _ in range(10000):
            due_ms = self.core.next_deadline()
            if due_ms is None or due_ms > end_ms:
                break
            assert due_ms > self.now_ms or self.now_ms == 0 or due_ms >= self.now_ms - 1_000_000_000
            self.now_ms = max(self.now_ms, due_ms)
            self.play(self.give(events.TICK), answer)
        else:
            raise AssertionError("the core wants ticks without end")
        self.now_ms = max(self.now_ms, end_ms)

    def play(self, actions, answer):
        """Answer actions, and the actions of the answers."""
        waiting = list(actions)
        while waiting:
            event = answer(self, waiting.pop(0))
            if event is not None:
                waiting += self.give(*event)

    def sent(self, kind):
        """(time, action) of every action of a kind so far."""
        return [(now_ms, action) for now_ms, action in self.log if action[0] == kind]


def silent_radio(bench, action):
    """A radio that sends and hears nothing."""
    if action[0] == events.RADIO_SEND:
        bench.now_ms += 170
        return (events.RADIO_SENT,)
    if action[0] == events.RADIO_LISTEN and action[2]:
        bench.now_ms += action[2]
        return (events.RADIO_SILENT,)
    if action[0] == events.READ_BATTERY:
        return (events.BATTERY, 3600)
    return None
