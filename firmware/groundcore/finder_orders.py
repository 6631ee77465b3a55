"""The commands that a finder was lent: which one is next, sent in the tag's window, repeated until the tag obeys.

The receipt is the beacon that a tag sends a second after it took an order (beacon_cycle.py). A command is sent three
times at most; the tag carries it out once, whatever comes twice.
"""

from groundwire.constant import const

from groundcore import events, follow, region

_TRIES = const(3)
_RECEIPT_MS = const(3000)  # one second, an eighth of it, two beacons' time on air, and some


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

    @property
    def purpose(self) -> str | None:
        """What is wanted now."""
        return self._wanted[0] if self._wanted else None

    def want(self, purpose: str) -> bool:
        """Order it at the next chance: False when no command for it is left."""
        if purpose in self._wanted:
            return True
        if self._loan.command(purpose) is None:
            return False
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

    def receipt(self, now_ms: int) -> str | None:
        """A beacon of the tag came: the purpose that it obeyed with it, or None."""
        if self._sent_ms is None or now_ms - self._sent_ms > _RECEIPT_MS:
            return None
        return self._done()

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
