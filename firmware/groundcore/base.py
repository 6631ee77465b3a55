"""The base station: hears beacons, brings them to the collector, and answers tags for it.

It holds no keys. A beacon becomes a sighting with the time, the signal and a sequence number; sightings are
kept until the collector has them. Orders come with its replies: finished bytes, and the ids they are
for. When such an id is heard, the bytes go out in the receive window behind the beacon.
"""

from groundwire import beacon, downlink, messages
from groundwire.constant import const
from groundwire.errors import DecodeError

from groundcore import events, region, store, uplink
from groundcore.settings import Settings
from groundcore.shelf import Shelf, pack
from groundcore.update_fetch import UpdateFetch

_HEALTH_MS = const(30000)
_BATCH = const(16)  # sightings of one message
_CAPACITY = const(256)  # sightings kept in memory
_SHELVED_FROM = const(128)  # so many wait: the older ones go into flash...
_SHELVED_AT_ONCE = const(64)  # ...that many at a time
_ORDERS_MAX = const(32)
_OBEY_MS = const(10000)
_RECEIPTS_MAX = const(16)
_UNKNOWN_E7 = -(2**31)
_REPLY_CAPACITY = const(4096)  # bytes of a reply with 16 orders for 32 ids each


class Base:
    """One station.

    Args:
        device_id: 8 bytes.
        records: what flash holds, by the names in `store.NAMES`; a station needs only its settings.
        firmware: version text.
        has_shelf: whether there is a ring in flash for sightings.
        draw: random bytes; a station draws none, all cores are made alike.
    """

    def __init__(
        self, device_id: bytes, records: dict, firmware: str = "", draw=None, has_shelf: bool = False
    ):
        self._device_id = device_id
        self._firmware = firmware
        self._settings = Settings(records.get(store.SETTINGS), "none")
        self._state = store.State(records.get(store.STATE))
        self._plan = region.plan(self._settings.text("region"))
        self._ledger = region.DutyLedger()
        self._uplink = uplink.make(self._settings, device_id, _REPLY_CAPACITY)
        self._asked = self._take_orders  # who takes the reply to the request under way
        self._greeted = False
        self._fetch = UpdateFetch(device_id)
        self._sightings = []  # (heard_ms, rssi_dbm, snr_cdb, beacon)
        self._first_sequence = 0  # of the oldest kept
        self._shelf = Shelf() if has_shelf else None
        self._shelved_done = None  # number of a segment that is at the collector
        self._batch_size = 0
        self._orders = []
        self._sent = []  # (order_id, when) of orders that went out just now
        self._receipts = []
        self._answering = None  # (order, eid) while a downlink is on its way
        self._utc_offset_ms = None  # UTC less our clock
        self._started_ms = None
        self._health_due_ms = 0
        self._supply_mv = None
        self.heard = 0
        self.bad_frames = 0
        self.lost = 0

    @property
    def answered(self) -> bool:
        """The collector has replied since the start: a version on trial has reached its peer."""
        return self._uplink.answered

    def handle(self, event: tuple, now_ms: int) -> list:
        """Actions that answer an event; both are listed in `events`."""
        actions = []
        if self._started_ms is None:
            self._started_ms = now_ms
        kind = event[0]
        if kind == events.BOOT:
            self._boot(actions)
        elif kind == events.BATTERY:
            self._supply_mv = event[1]
        elif kind == events.RADIO_RECEIVED:
            self._hear(event, now_ms, actions)
        elif kind in (events.RADIO_SENT, events.RADIO_FAILED):
            self._answered(kind == events.RADIO_SENT, now_ms, actions)
        elif kind == events.UPDATE_TOLD:
            self._fetch.told(event[1], now_ms)
        elif kind == events.SHELF and self._shelf is not None:
            self._shelf.take(event[1], event[2])
        elif kind == events.SHELF_LOST:
            self.lost += event[1]
        elif kind == events.FAULT and event[1] == "history" and self._shelf is not None:
            self._shelf.works = not event[2]
        else:
            self._take_reply(self._uplink.handle(event, now_ms, actions), now_ms, actions)
        self._fetch.step(self._greeted and self._uplink.ready, now_ms, actions)
        self._report(now_ms, actions)
        return actions

    def next_deadline(self) -> int | None:
        """When the next TICK is due."""
        waiting_ms = self._uplink.next_deadline()
        if waiting_ms is not None:
            return waiting_ms
        if not self._uplink.host:
            return None  # not set up yet: nobody to report to
        if not self._uplink.connected:
            return self._uplink.reopen_ms()
        check_ms = self._fetch.next_deadline()
        return self._health_due_ms if check_ms is None else min(self._health_due_ms, check_ms)

    # --- radio

    def _boot(self, actions):
        self._state.boot_count += 1
        actions.append((events.STORE, store.STATE, self._state.encode()))
        if self._plan is None:
            actions.append((events.LOG, 3, "region", "no plan for " + self._settings.text("region")))
        self._listen(actions)

    def _listen(self, actions):
        if self._plan is not None:
            actions.append((events.RADIO_LISTEN, self._plan.beacon, 0))

    def _hear(self, event, now_ms, actions):
        data = event[1]
        try:
            found = beacon.decode(data)
        except DecodeError:
            if not downlink.is_downlink(data):  # a neighbour station speaks to a tag
                self.bad_frames += 1
            return
        self.heard += 1
        if len(self._sightings) >= _CAPACITY:
            self._sightings.pop(self._batch_size)  # what is under way must stay
            self.lost += 1
            if not self._batch_size:
                self._first_sequence += 1
        rssi_dbm = max(-200, min(event[2], 50))
        snr_cdb = max(-10000, min(event[3], 10000))
        self._sightings.append((now_ms, rssi_dbm, snr_cdb, bytes(data)))
        self._shelve(actions)
        if found.flags & beacon.LISTENING and self._answering is None:
            self._answer(found.eid, now_ms, actions)

    def _shelve(self, actions):
        """The older sightings go into flash while many wait; what is under way has to come back first."""
        shelf = self._shelf
        if shelf is None or not shelf.works or len(self._sightings) < _SHELVED_FROM:
            return
        if self._batch_size and self._uplink.connected:
            return
        records = []
        for index in range(_SHELVED_AT_ONCE):
            sighting = self._sightings[index]
            sequence = self._first_sequence + index
            utc_ms = self._utc(sighting[0])
            records.append(pack(self._state.boot_count, sequence, utc_ms, sighting[0], sighting))
        actions.append((events.SHELVE, records))
        self._sightings = self._sightings[_SHELVED_AT_ONCE:]
        self._first_sequence += _SHELVED_AT_ONCE
        shelf.may_hold = True

    def _answer(self, eid, now_ms, actions):
        """Send the order that waits for this id, if the plan lets us."""
        plan = self._plan
        if plan is None:
            return
        self._expire(now_ms)
        for order in self._orders:
            if eid in order["eids"]:
                break
        else:
            return
        if not self._ledger.may_send(plan.downlink, len(order["downlink"]), now_ms):
            self._receipt(order, "no_airtime", eid, now_ms)
            return
        self._answering = (order, eid)
        self._ledger.sent(plan.downlink, len(order["downlink"]), now_ms)
        actions.append((events.RADIO_SEND, order["downlink"], plan.downlink, region.REPLY_DELAY_MS))

    def _answered(self, sent, now_ms, actions):
        if self._answering is not None:
            order, eid = self._answering
            self._answering = None
            self._receipt(order, "sent" if sent else "busy", eid, now_ms)
            if sent:
                self._sent.append((order["order_id"], now_ms))
        self._listen(actions)

    # --- orders

    def _receipt(self, order, result, eid, now_ms):
        """Tell the collector. An order that went out is done here: the tag's beacon says if it obeyed."""
        if result in ("sent", "expired") and order in self._orders:
            self._orders.remove(order)
        if len(self._receipts) >= _RECEIPTS_MAX:
            self._receipts.pop(0)
        self._receipts.append(
            {"order_id": order["order_id"], "result": result, "time_ms": self._utc(now_ms), "eid": eid}
        )

    def _expire(self, now_ms):
        utc_ms = self._utc(now_ms)
        for order in list(self._orders):
            if utc_ms is not None and order["expires_ms"] <= utc_ms:
                self._receipt(order, "expired", bytes(6), now_ms)

    def _keep_orders(self, orders, now_ms):
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

    # --- collector

    def _utc(self, clock_ms):
        return None if self._utc_offset_ms is None else clock_ms + self._utc_offset_ms

    def _report(self, now_ms, actions):
        """Open the link, or send what is next: hello, sightings, receipts, health."""
        if self._uplink.may_open(now_ms):
            self._greeted = False
            self._uplink.open(now_ms, actions)
        if not self._uplink.ready:
            return
        self._expire(now_ms)
        if not self._greeted:
            self._ask("station_hello", self._hello(), self._take_hello, now_ms, actions)
        elif self._sightings:
            self._ask("sightings", self._some_sightings(), self._take_sightings_ack, now_ms, actions)
        elif self._receipts:
            sent = self._receipts
            self._receipts = []
            values = {"station_id": self._device_id, "receipts": sent}
            self._ask("downlink_receipt", values, self._take_orders, now_ms, actions)
        elif self._shelf is not None and self._shelf.ready:
            values = self._shelf.batch(self._device_id, self._state.boot_count, self._utc_offset_ms)
            self._ask("sightings", values, self._take_shelf_ack, now_ms, actions)
        elif now_ms >= self._health_due_ms:
            self._health_due_ms = now_ms + _HEALTH_MS
            actions.append((events.READ_BATTERY,))
            self._ask("station_health", self._health(now_ms), self._take_orders, now_ms, actions)
        elif self._fetch.wants:
            name, values = self._fetch.request()
            self._ask(name, values, self._fetch.take, now_ms, actions)

        if self._shelf is not None and self._greeted and self._shelf.wants:
            self._shelf.ask()
            actions.append((events.TAKE_SHELF,))

    def _ask(self, name, values, take, now_ms, actions):
        kind, payload = messages.encode(name, values)
        self._asked = take
        self._uplink.send(kind, payload, now_ms, actions)

    def _hello(self) -> dict:
        lat_e7 = self._settings["lat_e7"]
        lon_e7 = self._settings["lon_e7"]
        known = lat_e7 != _UNKNOWN_E7 and lon_e7 != _UNKNOWN_E7
        return {
            "station_id": self._device_id,
            "boot_count": self._state.boot_count,
            "protocol_min": 1,
            "protocol_max": 1,
            "region": self._settings.text("region"),
            "firmware": self._firmware,
            "lat_e7": lat_e7 if known else None,
            "lon_e7": lon_e7 if known else None,
        }

    def _some_sightings(self) -> dict:
        self._batch_size = min(_BATCH, len(self._sightings))
        sightings = []
        for index in range(self._batch_size):
            heard_ms, rssi_dbm, snr_cdb, data = self._sightings[index]
            sightings.append(
                {
                    "time_ms": self._utc(heard_ms),
                    "rssi_dbm": rssi_dbm,
                    "snr_cdb": snr_cdb,
                    "channel": 0,
                    "beacon": data,
                }
            )
        return {
            "station_id": self._device_id,
            "boot_count": self._state.boot_count,
            "first_sequence": self._first_sequence,
            "sightings": sightings,
        }

    def _health(self, now_ms) -> dict:
        return {
            "station_id": self._device_id,
            "boot_count": self._state.boot_count,
            "time_ms": self._utc(now_ms),
            "uptime_s": (now_ms - self._started_ms) // 1000,
            "heard": self.heard,
            "bad_frames": self.bad_frames,
            "queued": len(self._sightings) + (self._shelf.count if self._shelf is not None else 0),
            "lost": self.lost,
            "orders_waiting": len(self._orders),
            "noise_dbm": None,
            "supply_mv": self._supply_mv,
            "temperature_c": None,
        }

    def _take_reply(self, reply, now_ms, actions):
        if reply is None:
            return
        values = reply[2].values
        if values.get("time_ms") is not None:
            if self._utc_offset_ms is None:
                actions.append((events.SET_CLOCK, values["time_ms"]))
            self._utc_offset_ms = values["time_ms"] - now_ms
        self._keep_orders(values.get("orders", ()), now_ms)
        self._asked(reply[2], now_ms)
        if self._shelved_done is not None:
            actions.append((events.DROP_SHELF, self._shelved_done))
            self._shelved_done = None

    def _take_hello(self, message, now_ms):
        self._greeted = message.name != "error"

    def _take_orders(self, message, now_ms):
        """Health and receipts need no more than what every reply gives."""

    def _take_shelf_ack(self, message, now_ms):
        if message.name == "sightings_ack" and self._shelf is not None:
            self._shelved_done = self._shelf.sent()

    def _take_sightings_ack(self, message, now_ms):
        if message.name == "sightings_ack" and message.values["boot_count"] == self._state.boot_count:
            done = message.values["next_sequence"] - self._first_sequence
            if 0 < done <= len(self._sightings):
                self._sightings = self._sightings[done:]
                self._first_sequence += done
        self._batch_size = 0
