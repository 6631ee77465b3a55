"""A base station's orders: finished commands that wait for their tag, and what became of them.

They come with the collector's replies. When an id is heard for which one waits, it goes out in the receive
window behind that beacon, if the region plan has airtime left, and a receipt goes back.
"""

from groundwire.constant import const

from groundcore import region

_ORDERS_MAX = const(32)
_OBEY_MS = const(10000)
_RECEIPTS_MAX = const(16)


class DownlinkQueue:
    """Orders and receipts of one station. Times are of the station's clock, `utc` makes UTC of them or None."""

    def __init__(self, utc):
        self._utc = utc
        self._ledger = region.DutyLedger()
        self._orders = []
        self._sent = []  # (order_id, when) of orders that went out just now
        self._receipts = []
        self.answering = None  # (order, eid) while a downlink is on its way

    def __len__(self):
        return len(self._orders)

    def keep(self, orders, now_ms: int):
        """New orders replace old ones of the same number.

        One that has just gone out may still come in replies that crossed its receipt: the tag gets time to obey.
        """
        self._sent = [sent for sent in self._sent if now_ms - sent[1] < _OBEY_MS]
        for order in orders:
            if any(sent[0] == order["order_id"] for sent in self._sent):
                continue
            self._orders = [kept for kept in self._orders if kept["order_id"] != order["order_id"]]
            self._orders.append(order)
        self._orders = self._orders[-_ORDERS_MAX:]

    def answer(self, eid: bytes, channel, now_ms: int) -> bytes | None:
        """The bytes that go out now on `channel` for this id; None: nothing waits, or not now."""
        if self.answering is not None:
            return None
        self.expire(now_ms)
        for order in self._orders:
            if eid in order["eids"]:
                break
        else:
            return None
        data = order["downlink"]
        if not self._ledger.may_send(channel, len(data), now_ms):
            self._receipt(order, "no_airtime", eid, now_ms)
            return None
        self.answering = (order, eid)
        self._ledger.sent(channel, len(data), now_ms)
        return data

    def answered(self, sent: bool, now_ms: int):
        """What `answer` gave is on air, or the radio did not take it."""
        if self.answering is None:
            return
        order, eid = self.answering
        self.answering = None
        self._receipt(order, "sent" if sent else "busy", eid, now_ms)
        if sent:
            self._sent.append((order["order_id"], now_ms))

    def expire(self, now_ms: int):
        """Orders whose time is over will not be sent."""
        utc_ms = self._utc(now_ms)
        for order in list(self._orders):
            if utc_ms is not None and order["expires_ms"] <= utc_ms:
                self._receipt(order, "expired", bytes(6), now_ms)

    def take_receipts(self) -> list:
        """What the collector has not been told yet; it counts as told."""
        receipts = self._receipts
        self._receipts = []
        return receipts

    def _receipt(self, order, result, eid, now_ms):
        """An order that went out is done here: the tag's beacon says if it obeyed."""
        if result in ("sent", "expired") and order in self._orders:
            self._orders.remove(order)
        if len(self._receipts) >= _RECEIPTS_MAX:
            self._receipts.pop(0)
        self._receipts.append(
            {"order_id": order["order_id"], "result": result, "time_ms": self._utc(now_ms), "eid": eid}
        )
