"""The base station: hears beacons, brings them to the collector, and answers tags for it.

It holds no keys of tags, only its own, with which it proves to the collector who it is. A beacon becomes a
sighting with the time, the signal and a sequence number (sighting_queue.py, shelf.py). Orders come with the
collector's replies: finished bytes, and the ids they are for (downlink_queue.py).
"""

from groundwire import beacon, downlink, keys, messages
from groundwire.constant import const
from groundwire.errors import DecodeError

from groundcore import events, listening, region, store, uplink
from groundcore.downlink_queue import DownlinkQueue
from groundcore.faults import cut
from groundcore.settings import Settings
from groundcore.shelf import Shelf
from groundcore.sighting_queue import SightingQueue
from groundcore.station_time import StationTime
from groundcore.update_fetch import UpdateFetch

_HEALTH_MS = const(30000)
_FAULTS_MAX = const(8)
_PART_BYTES = const(24)
_TEXT_BYTES = const(40)
_STATION_KINDS = const(0x30)  # of the messages of station_table
_UNKNOWN_E7 = -(2**31)
_REPLY_CAPACITY = const(4096)  # bytes of a reply with 16 orders for 32 ids each


class Base:
    """One station.

    Args:
        device_id: 8 bytes.
        records: what flash holds, by the names in `store.NAMES`; a station needs only its settings.
        firmware: version text.
        has_shelf: whether there is a ring in flash for sightings.
        has_gnss: whether there is a receiver: its time stands before the collector's, its place for no setting.
        draw: count -> random bytes, for the session in which a station that has an identity proves it; without
            `draw` it proves nothing, and only a collector that takes open stations takes it.
    """

    def __init__(
        self, device_id: bytes, records: dict, firmware: str = "", draw=None, has_shelf=False, has_gnss=False
    ):
        self._device_id = device_id
        self._firmware = firmware
        self._settings = Settings(records.get(store.SETTINGS), "none")
        self._state = store.State(records.get(store.STATE))
        self._plans = listening.plans(self._settings.text("region"), bool(self._settings["both_radios"]))
        credential = _credential(device_id, store.decode_identity(records.get(store.IDENTITY)), draw)
        self._uplink = uplink.make(self._settings, device_id, _REPLY_CAPACITY, credential, has_tls=True)
        self._asked = self._take_orders  # who takes the reply to the request under way
        self._greeted = False
        self._fetch = UpdateFetch(device_id)
        self._time = StationTime()
        self._has_gnss = has_gnss
        self._sightings = SightingQueue(self._time.utc_ms)
        self._shelf = Shelf() if has_shelf else None
        self._shelved_done = None  # number of a segment that is at the collector
        self._orders = DownlinkQueue(self._time.utc_ms)
        self._started_ms = None
        self._health_due_ms = 0
        self._supply_mv = None
        self._measured = (None, None, None, None)  # as HEALTH tells
        self._faults = {}  # part -> (what it complains about, whether that is over)
        self.heard = 0
        self.bad_frames = 0
        self._shelf_lost = 0

    @property
    def lost(self) -> int:
        """Sightings thrown away for want of room, in memory or in flash."""
        return self._sightings.lost + self._shelf_lost

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
        elif kind == events.GNSS_BYTES:
            self._set_clock(self._time.receiver(event[1], now_ms), now_ms, actions)
        elif kind == events.HEALTH:
            self._measured = event[1:]
        elif kind == events.RADIO_RECEIVED:
            self._hear(event, now_ms, actions)
        elif kind in (events.RADIO_SENT, events.RADIO_FAILED):
            self._orders.answered(kind == events.RADIO_SENT, now_ms)
            self._listen(actions)
        elif kind == events.UPDATE_TOLD:
            self._fetch.told(event[1], now_ms)
        elif kind == events.SHELF and self._shelf is not None:
            self._shelf.take(event[1], event[2])
        elif kind == events.SHELF_LOST:
            self._shelf_lost += event[1]
        elif kind == events.FAULT:
            self._take_fault(event[1], event[2])
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
        if not self._plans:
            actions.append((events.LOG, 3, "region", "no plan for " + self._settings.text("region")))
        if self._has_gnss:
            actions.append((events.GNSS_ON,))
        self._listen(actions)

    def _listen(self, actions):
        if self._plans:
            actions.append((events.RADIO_LISTEN, self._plans[0].beacon, 0))

    def _hear(self, event, now_ms, actions):
        data = event[1]
        try:
            found = beacon.decode(data)
        except DecodeError:
            if not downlink.is_downlink(data):  # a neighbour station speaks to a tag
                self.bad_frames += 1
            return
        self.heard += 1
        number = event[4] if len(event) > 4 else 0
        self._sightings.add(now_ms, event[2], event[3], data, number)
        self._shelve(actions)
        if found.flags & beacon.LISTENING and number < len(self._plans):
            channel = self._plans[number].downlink
            answer = self._orders.answer(found.eid, channel, now_ms)
            if answer is not None:
                actions.append((events.RADIO_SEND, answer, channel, region.REPLY_DELAY_MS))

    def _shelve(self, actions):
        """The older sightings go into flash while many wait."""
        shelf = self._shelf
        if shelf is not None and shelf.works:
            records = self._sightings.for_shelf(self._state.boot_count, self._uplink.connected)
            if records:
                actions.append((events.SHELVE, records))
                shelf.may_hold = True

    # --- collector

    def _report(self, now_ms, actions):
        """Open the link, or send what is next: hello, sightings, receipts, health."""
        if self._uplink.may_open(now_ms):
            self._greeted = False
            self._uplink.open(now_ms, actions)
        if not self._uplink.ready:
            return
        self._orders.expire(now_ms)
        receipts = () if not self._greeted or self._sightings else self._orders.take_receipts()
        if not self._greeted:
            actions.append((events.READ_BATTERY,))  # for the first word of health
            actions.append((events.READ_HEALTH,))
            self._ask("station_hello", self._hello(), self._take_hello, now_ms, actions)
        elif self._sightings:
            values = self._sightings.batch(self._device_id, self._state.boot_count)
            self._ask("sightings", values, self._take_sightings_ack, now_ms, actions)
        elif receipts:
            values = {"station_id": self._device_id, "receipts": receipts}
            self._ask("downlink_receipt", values, self._take_orders, now_ms, actions)
        elif self._shelf is not None and self._shelf.ready:
            values = self._shelf.batch(self._device_id, self._state.boot_count, self._time.offset_ms)
            self._ask("sightings", values, self._take_shelf_ack, now_ms, actions)
        elif now_ms >= self._health_due_ms:
            self._health_due_ms = now_ms + _HEALTH_MS
            actions.append((events.READ_BATTERY,))
            actions.append((events.READ_HEALTH,))
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
        if not known and self._time.place is not None:
            known = True
            lat_e7, lon_e7 = self._time.place
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

    def _health(self, now_ms) -> dict:
        noise_dbm, load_permille, ring_permille, temperature_c = self._measured
        return {
            "station_id": self._device_id,
            "boot_count": self._state.boot_count,
            "time_ms": self._time.utc_ms(now_ms),
            "uptime_s": (now_ms - self._started_ms) // 1000,
            "heard": self.heard,
            "bad_frames": self.bad_frames,
            "queued": len(self._sightings) + (self._shelf.count if self._shelf is not None else 0),
            "lost": self.lost,
            "orders_waiting": len(self._orders),
            "noise_dbm": noise_dbm,
            "supply_mv": self._supply_mv,
            "temperature_c": temperature_c,
            "load_permille": load_permille,
            "ring_permille": ring_permille,
            "faults": self._tell_faults(),
        }

    def _tell_faults(self) -> list:
        """What fails now, and what failed since this was last told: a link that failed can tell only afterwards."""
        told = []
        for part in sorted(self._faults):
            text, over = self._faults[part]
            if len(told) < _FAULTS_MAX:
                text = "was: " + text if over else text
                told.append({"part": cut(part, _PART_BYTES), "text": cut(text, _TEXT_BYTES)})
                if over:
                    del self._faults[part]
        return told

    def _take_fault(self, part, text):
        if part == "history" and self._shelf is not None:
            self._shelf.works = not text
        if text:
            self._faults[part] = (text, False)
        elif part in self._faults:
            self._faults[part] = (self._faults[part][0], True)

    def _take_reply(self, reply, now_ms, actions):
        if reply is None:
            return
        values = reply[2].values
        if values.get("time_ms") is not None:
            self._set_clock(self._time.network(values["time_ms"], now_ms), now_ms, actions)
        self._orders.keep(values.get("orders", ()), now_ms)
        self._asked(reply[2], now_ms)
        refused = reply[2].name == "error" and values["request"] & 0x70 == _STATION_KINDS
        if refused:
            self._uplink.refused(reply[2], now_ms, actions)
        if refused or "link" in self._faults:  # health can tell it only when it is over: why it was silent
            self._take_fault("link", values["detail"] if refused else "")
        if self._shelved_done is not None:
            actions.append((events.DROP_SHELF, self._shelved_done))
            self._shelved_done = None

    def _set_clock(self, is_first, now_ms, actions):
        if is_first:
            actions.append((events.SET_CLOCK, self._time.utc_ms(now_ms)))

    def _take_hello(self, message, now_ms):
        self._greeted = message.name != "error"

    def _take_orders(self, message, now_ms):
        """Health and receipts need no more than what every reply gives."""

    def _take_shelf_ack(self, message, now_ms):
        if message.name == "sightings_ack" and self._shelf is not None:
            self._shelved_done = self._shelf.sent()

    def _take_sightings_ack(self, message, now_ms):
        if message.name == "sightings_ack" and message.values["boot_count"] == self._state.boot_count:
            self._sightings.acknowledged(message.values["next_sequence"])
        self._sightings.came_back()


def _credential(device_id, identity, draw):
    """What makes the sessions in which this station proves itself; None without an identity."""
    if identity is None or draw is None:
        return None
    from groundwire.session import NONCE_SIZE, Initiator  # a station that is not set up pays nothing for it

    key = keys.derive(identity.secret, keys.UPLINK)
    return lambda: Initiator(device_id, key, draw(NONCE_SIZE))
