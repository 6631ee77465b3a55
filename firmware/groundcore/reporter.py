"""Reports to the collector: items wait here, and in flash, until it has signed for them."""

from groundwire import keys, messages, report
from groundwire.constant import const
from groundwire.errors import AuthenticationError

from groundcore import events, uplink
from groundcore.journal import Journal, unpack_item
from groundcore.report_queue import HISTORY, URGENT, ReportQueue
from groundcore.update_fetch import UpdateFetch

_REPLY_CAPACITY = const(512)  # bytes of an ack with 8 orders
_REFUSED_PAUSE_MS = const(30000)
_UNSIGNED_MAX = const(4)
_LINGER_MS = const(60000)  # how long an idle connection stays open


class Reporter:
    """Queue and link of one tracker; it also knows UTC, from the collector or from the position.

    Args:
        device_id: 8 bytes.
        secret: 32 bytes.
        state: its boot_count names the reports.
        settings: of the device.
        history: (capacity in bytes, records) of the ring in flash; None: there is none.
    """

    def __init__(self, device_id: bytes, secret: bytes, state, settings, history=None):
        self.queue = ReportQueue()
        self._journal = Journal(*(history or ()))
        self._device_id = device_id
        self._key = keys.derive(secret, keys.REPORT)
        self._state = state
        self._uplink = uplink.make(settings, device_id, _REPLY_CAPACITY)
        self._fetch = UpdateFetch(device_id)
        self._fetch_asked = False  # the request under way is its own
        self._calm = True  # nothing goes on that an update would disturb
        self.answered = False  # the collector has signed for a report since the start
        self.online = False
        self._sequence = 0
        # (boot count, sequence, entries) sealed and not acknowledged, the next to be sent first
        self._unsigned = self._journal.sealed
        for entry in self._journal.waiting:
            self.queue.put(entry, entry[2])
        self._journal.waiting = []
        self._pause_until_ms = 0
        self._used_ms = 0
        self._utc_offset_ms = None

    @property
    def waiting(self) -> int:
        """Items and reports that the collector has not signed for."""
        return len(self.queue) + len(self._unsigned)

    def utc_ms(self, clock_ms: int) -> int | None:
        """UTC at a time of the device's clock; None while nobody has told."""
        return None if self._utc_offset_ms is None else clock_ms + self._utc_offset_ms

    def set_utc(self, unix_ms: int, now_ms: int):
        """This is what UTC is now."""
        self._utc_offset_ms = unix_ms - now_ms

    def put(self, kind: str, values: dict, clock_ms: int, urgent: bool = False):
        """Queue an item; its time is `clock_ms` unless `values` has a `time_ms`."""
        item = {"type": kind, "time_ms": self.utc_ms(clock_ms)}
        item.update(values)
        rank = URGENT if urgent else HISTORY
        self.queue.put(self._journal.entry(item, rank), rank)

    def handle(self, event: tuple, now_ms: int, actions: list) -> list:
        """Go on. The downlinks that the collector's signed answer carries."""
        kind = event[0]
        if kind == events.MODEM_READY:
            self.online = True
        elif kind == events.MODEM_LOST:
            self.online = False
            self._uplink.handle((events.NET_DOWN,), now_ms, actions)
        elif kind == events.UPDATE_TOLD:
            self._fetch.told(event[1], now_ms)
        reply = self._uplink.handle(event, now_ms, actions)
        if reply is None:
            return []
        if not self._fetch_asked:
            return self._take(reply, now_ms, actions)
        self._used_ms = now_ms
        self._fetch.take(reply[2], now_ms)
        return []

    def step(self, now_ms: int, actions: list, calm: bool = True):
        """Keep and send what waits, as far as the link allows. Call after every event.

        An update is fetched when nothing waits and the device is ``calm``: its restart disturbs nothing then.
        """
        self._calm = calm
        self._fetch.step(calm and self._uplink.ready and not self.waiting, now_ms, actions)
        self._step(now_ms, actions)
        self._write(actions)

    def _step(self, now_ms, actions):
        if not self.waiting:
            if self._calm and self._fetch.wants:
                self._fetch_on(now_ms, actions)
            elif self._uplink.ready and now_ms - self._used_ms >= _LINGER_MS:
                self._uplink.close(now_ms, actions)
        elif self.online and now_ms >= self._pause_until_ms:
            if self._uplink.may_open(now_ms):
                self._uplink.open(now_ms, actions)
            elif self._uplink.ready:
                self._send(now_ms, actions)

    def next_deadline(self) -> int | None:
        """When the next TICK is due."""
        waiting_ms = self._uplink.next_deadline()
        if waiting_ms is not None:
            return waiting_ms
        if not self.waiting:
            return self._idle_deadline()
        if not self.online or not self._uplink.host:
            return None
        return max(self._pause_until_ms, 0 if self._uplink.ready else self._uplink.reopen_ms())

    def _idle_deadline(self):
        if self._uplink.ready:
            due_ms = self._used_ms + _LINGER_MS
            check_ms = self._fetch.next_deadline() if self._calm else None
            return due_ms if check_ms is None else min(due_ms, check_ms)
        if self._calm and self._fetch.fetching and self.online and self._uplink.host:
            return self._uplink.reopen_ms()
        return None

    def _fetch_on(self, now_ms, actions):
        if self._uplink.ready:
            name, values = self._fetch.request()
            self._fetch_asked = True
            self._used_ms = now_ms
            kind, payload = messages.encode(name, values)
            self._uplink.send(kind, payload, now_ms, actions)
        elif self._fetch.fetching and self.online and self._uplink.may_open(now_ms):
            self._uplink.open(now_ms, actions)

    def _send(self, now_ms, actions):
        """A report without an answer goes again as it was, number and all: the collector drops doubles.

        A new alarm goes before it, in a report of its own.
        """
        if not self._unsigned or (self.queue.urgent and len(self._unsigned) < _UNSIGNED_MAX):
            self._sequence += 1
            sealed = (self._state.boot_count, self._sequence, self._next_entries(now_ms))
            self._journal.seal(*sealed)
            self._unsigned.insert(0, sealed)
        boot_count, sequence, entries = self._unsigned[0]
        values = {
            "device_id": self._device_id,
            "boot_count": boot_count,
            "sequence": sequence,
            "items": [unpack_item(entry[1]) for entry in entries],
        }
        self._used_ms = now_ms
        self._write(actions)  # in flash before it is on air
        kind, payload = report.encode("report", values, self._key)
        self._fetch_asked = False
        self._uplink.send(kind, payload, now_ms, actions)

    def _next_entries(self, now_ms) -> list:
        """Of the next report; what was dropped before it is told in it, past the queue that had no room."""
        entries = self.queue.take()
        if self.queue.lost:
            item = {"type": "dropped", "time_ms": self.utc_ms(now_ms), "count": self.queue.lost}
            entries.append(self._journal.entry(item, HISTORY))
            self.queue.lost = 0
        return entries

    def _write(self, actions):
        self._journal.keep(self.queue.alarms, self._unsigned)
        records = self._journal.take()
        if records:
            actions.append((events.KEEP_HISTORY, records))

    def _take(self, reply, now_ms, actions) -> list:
        kind, payload, message = reply
        values = message.values
        try:
            if message.name != "report_ack":
                raise AuthenticationError("kind", "not an answer to a report")
            report.verify(kind, payload, self._key)
        except AuthenticationError:
            self._pause_until_ms = now_ms + _REFUSED_PAUSE_MS
            return []
        if not self.answered:
            actions.append((events.SET_CLOCK, values["time_ms"]))
        self.answered = True
        name = (values["boot_count"], values["sequence"])
        left = [sent for sent in self._unsigned if sent[:2] != name]
        if len(left) < len(self._unsigned):
            self._unsigned = left
            self._journal.done(*name)
        self._used_ms = now_ms
        self.set_utc(values["time_ms"], now_ms)
        return [entry["downlink"] for entry in values["downlinks"]]
