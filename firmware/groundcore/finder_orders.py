"""The commands that a finder was lent: which one is next, sent in the tag's window, repeated until the tag obeys.

The receipt is the beacon that a tag sends a second after it took an order (beacon_cycle.py). It may be lost like any
other; then what the tag's later beacons say stands for it: their flags, or how far they are apart. A command is sent
three times at most; the tag carries it out once, whatever comes twice.
"""

from groundwire import beacon
from groundwire.constant import const

from groundcore import events, follow, region

_TRIES = const(3)
_RECEIPT_MS = const(3000)  # one second, an eighth of it, two beacons' time on air, and some
_CALM_MS = const(15000)  # a tag that was hurried beacons each 4 s, with a sounding siren each 10 s
_FLAGS = {
    "lost": beacon.LOST,
    "siren": beacon.SIREN,
}  # that only who obeyed shows; one that is set before says nothing


class FinderOrders:
    """Orders of one loan.

    Args:
        loan: follow.Loan.
        plan: region.Plan of the finder.
    """

    def __init__(self, loan, plan):
        self._loan = loan
        self._plan = plan
        self._ledger = region.DutyLedger()
        self._wanted = []  # purposes, next one first
        self._number = None  # of the command under way
        self._data = b""
        self._tries = 0
        self._sent_ms = None
        self._sending = False
        self._heard_ms = None  # the tag's last beacon
        self._flags = 0  # of it

    @property
    def purpose(self) -> str | None:
        """What is wanted now."""
        return self._wanted[0] if self._wanted else None

    def want(self, purpose: str) -> bool:
        """Order it at the next chance, the siren before all that was not sent yet: False when none is left for it."""
        if purpose in self._wanted:
            return True
        if self._loan.command(purpose) is None:
            return False
        if purpose == "siren":
            self._wanted.insert(1 if self._tries else 0, purpose)
        else:
            self._wanted.append(purpose)
        return True

    def drop(self, purpose: str) -> bool:
        """Do not order it any more: True when it is on its way already and may have been obeyed."""
        if purpose not in self._wanted:
            return False
        sent = purpose == self._wanted[0] and self._tries > 0
        self._wanted.remove(purpose)
        if sent:
            self._number, self._tries, self._sent_ms = None, 0, None
        return sent

    def receipt(self, flags: int, now_ms: int) -> str | None:
        """A beacon of the tag came: the purpose that it shows to have obeyed, or None."""
        gap_ms = 0 if self._heard_ms is None else now_ms - self._heard_ms
        turned_on = flags & ~self._flags
        self._heard_ms, self._flags = now_ms, flags
        if not self._tries or self._sending:
            return None
        purpose = self._wanted[0]
        early = self._sent_ms is not None and now_ms - self._sent_ms <= _RECEIPT_MS
        calm = purpose == "calm" and gap_ms >= _CALM_MS
        return self._done() if early or calm or turned_on & _FLAGS.get(purpose, 0) else None

    def answer(self, now_ms: int, actions: list) -> str | None:
        """A window is open: send what is wanted. The purpose that was given up for want of a receipt, or None."""
        if not self._wanted or self._sending:
            return None
        if self._tries >= _TRIES:
            return self._done()
        if self._number is None:
            found = self._loan.command(self._wanted[0])
            if found is None:
                return self._done()
            self._number, self._data = found
        channel = self._plan.downlink
        if not self._ledger.may_send(channel, len(self._data), now_ms):
            return None
        self._ledger.sent(channel, len(self._data), now_ms)
        self._loan.used(self._number)
        actions.append((events.STORE, follow.USE, self._loan.use()))
        actions.append((events.RADIO_SEND, self._data, channel, region.REPLY_DELAY_MS))
        self._tries += 1
        self._sending = True
        return None

    def sent(self, done: bool, now_ms: int) -> bool:
        """The radio is through with it: True when it was ours."""
        ours = self._sending
        self._sending = False
        self._sent_ms = now_ms if ours and done else None
        return ours

    def _done(self):
        self._number, self._tries, self._sent_ms = None, 0, None
        return self._wanted.pop(0)
