"""The tracker: guards, finds out where it is, reports, and texts its owner."""

from groundwire import beacon
from groundwire.constant import const

from groundcore import beacon_cycle, escalation, events, orders, region, sms, store
from groundcore.beaconing import battery_level
from groundcore.guard import Guard
from groundcore.reporter import Reporter
from groundcore.settings import Settings
from groundcore.watches import Watches
from groundcore.whereabouts import Whereabouts, cell_items, fix_item

_CHIRPS = const(3)
_TEXT_RETRY_MS = const(60000)
_TEXT_TRIES = const(5)
_PLACE_CHECK_MS = const(3000)
_LOST_LOCATE_MS = const(600000)  # a lost tracker that stands still looks where it is that often

_ALARM_TEXT = const(0)
_PLACE_TEXT = const(1)


class Tracker:
    """One tracker. Without an identity it does nothing.

    Args:
        device_id: 8 bytes.
        records: what flash holds, by the names in `store.NAMES`.
        draw: random bytes; a tracker draws none, all cores are made alike.
    """

    def __init__(self, device_id: bytes, records: dict, draw=None):
        identity = store.decode_identity(records.get(store.IDENTITY))
        profile = identity.profile if identity else "none"
        self._settings = settings = Settings(records.get(store.SETTINGS), profile)
        self._state = store.State(records.get(store.STATE))
        self._blank = identity is None
        self._tag_id = identity.tag_id if identity else ""
        self._started_ms = None
        self._heartbeat_due_ms = 0
        self._report_due_ms = 0
        self._locate_due_ms = None
        self._place_due = False  # somebody waits for a position: the alarm, an order
        self._texts = []  # kinds of texts still to be sent
        self._text_cause = ""
        self._text_tries = 0
        self._text_due_ms = 0
        self._text_under_way = False
        self._was_moving = False
        self._external_mv = None
        self._low_reported = False
        if identity is None:
            return
        self._guard = Guard(settings)
        self._where = Whereabouts()
        self._watches = Watches(settings)
        self._reporter = Reporter(
            device_id, identity.secret, self._state, settings, records.get(store.HISTORY)
        )
        plan = region.plan(settings.text("region"))
        self._cycle = beacon_cycle.BeaconCycle(identity.secret, profile, plan, self._state, settings)
        self._cycle.call = self._watches.call
        self._plan = plan
        self._radio = plan is not None

    # --- the calls

    def handle(self, event: tuple, now_ms: int) -> list:
        """Actions that answer an event; both are listed in `events`."""
        actions = []
        if self._blank:
            return actions
        kind = event[0]
        if kind == events.BOOT:
            self._boot(event, now_ms, actions)
        elif kind == events.GNSS_BYTES:
            self._hear_gnss(event[1], now_ms, actions)
        elif kind == events.CELLS:
            self._hear_cells(event[1], now_ms, actions)
        elif kind == events.NETWORK_TIME:
            if self._reporter.utc_ms(now_ms) is None:  # satellites and the collector know better
                self._reporter.set_utc(event[1] * 1000, now_ms)
        elif kind == events.BATTERY:
            self._hear_battery(event[1], now_ms)
        elif kind == events.SUPPLY:
            self._hear_supply(event[1], now_ms, actions)
        elif kind == events.SMS_DONE:
            self._text_done(event[1], now_ms)
        elif kind == events.FAULT and event[2]:
            self._alarm_item("fault", now_ms)
        self._guard.hushed = self._watches.owner_near(now_ms)
        self._answer(self._guard.handle(event, now_ms, actions), self._guard.cause, now_ms, actions)
        self._watch(event, now_ms, actions)
        unsigned = self._reporter.waiting
        for data in self._reporter.handle(event, now_ms, actions):
            self._take_order(data, now_ms, actions)
        if unsigned and not self._reporter.waiting:
            self._watches.answered(actions)
        if self._radio:
            self._beacon_on(event, now_ms, actions)
        self._go_on(now_ms, actions)
        return actions

    def next_deadline(self) -> int | None:
        """When the next TICK is due; None for a blank tracker."""
        if self._blank:
            return None
        due_ms = self._heartbeat_due_ms
        for other_ms in (
            self._guard.next_deadline(),
            self._where.next_deadline(),
            self._reporter.next_deadline(),
            self._cycle.next_deadline() if self._radio else None,
            self._report_due_ms if self._following() else None,
            self._locate_due_ms,
            self._text_due_ms if self._text_waits() else None,
            self._watches.next_deadline(),
        ):
            if other_ms is not None and other_ms < due_ms:
                due_ms = other_ms
        return due_ms

    @property
    def mode(self) -> str:
        """As heartbeats name it."""
        if self._state.lost:
            return "lost"
        if self._guard.alarm.level:
            return "alarm"
        if self._guard.moving:
            return "moving"
        return "armed" if self._settings["armed"] else "disarmed"

    # --- what comes in

    def _boot(self, event, now_ms, actions):
        self._started_ms = now_ms
        if not self._radio:
            self._state.boot_count += 1
            actions.append((events.STORE, store.STATE, self._state.encode()))
            actions.append((events.LOG, 3, "region", "no plan for " + self._settings.text("region")))
        actions.append((events.MODEM_ON,))
        actions.append((events.LIGHT, events.LIGHT_OK))
        self._locate(now_ms, actions)  # where it is parked, against which drift and a van are told apart

    def _hear_gnss(self, data, now_ms, actions):
        newest = self._where.feed(data, now_ms)
        if newest is None:
            return
        self._reporter.set_utc(newest[0] * 1000 + newest[1], now_ms)
        if self._where.has_left(now_ms):
            self._answer(self._guard.moved(now_ms), self._guard.cause, now_ms, actions)
        if self._where.settled(now_ms):
            self._tell_place(now_ms, actions)

    def _tell_place(self, now_ms, actions):
        """Report the position when somebody waits for it or it is time."""
        if not self._place_due and now_ms < self._report_due_ms:
            return
        place = self._where.place(self._guard.moving, now_ms)
        if place is None:
            return
        self._reporter.put("fix", fix_item(place, now_ms), now_ms, self._place_due)
        for cause, asked in self._watches.placed(place):
            self._answer(asked, cause, now_ms, actions)
        self._place_due = False
        self._report_due_ms = now_ms + self._settings["report_interval_s"] * 1000
        self._cycle.place(
            beacon.Position(
                place.lat_e7,
                place.lon_e7,
                place.accuracy_m,
                0,
                None if place.speed_mm_s is None else place.speed_mm_s * 36 // 10000,
                None if place.course_cdeg is None else place.course_cdeg // 100,
            )
        )

    def _hear_cells(self, cells, now_ms, actions):
        before = self._where.cells
        if not cells:
            return
        self._where.cells = cells
        for item in cell_items(cells):
            self._reporter.put("cell", item, now_ms, self._place_due)
        if before and before[0][:4] != cells[0][:4] and self._guard.alarm.state == escalation.CHECKING:
            self._answer(self._guard.moved(now_ms), self._guard.cause, now_ms, actions)

    def _hear_battery(self, battery_mv, now_ms):
        self._cycle.battery_mv = battery_mv
        level = battery_level(battery_mv, self._settings)
        external = self._external_mv
        supply = "unknown" if external is None else "external" if external else "battery"
        values = {
            "battery_mv": min(battery_mv, 65534),
            "percent": min(100, level * 100 // 14),
            "supply": supply,
            "external_mv": external,
        }
        self._reporter.put("battery", values, now_ms)
        low = self._cycle.battery_low()
        if low and not self._low_reported:
            self._alarm_item("low_battery", now_ms)
        self._low_reported = low

    def _hear_supply(self, external_mv, now_ms, actions):
        cut = external_mv == 0 and self._external_mv not in (None, 0)
        self._external_mv = external_mv
        if cut and self._settings["armed"]:
            asked = escalation.CHIRP | escalation.REPORT | escalation.LOCATE | escalation.TEXT
            self._answer(asked, "power_cut", now_ms, actions)

    # --- alarms

    def _watch(self, event, now_ms, actions):
        """Everything beside movement: inputs, fence, herd, room."""
        if self._guard.moving:
            self._watches.moved(now_ms)
        utc_ms = self._reporter.utc_ms(now_ms)
        for cause, asked in self._watches.handle(event, utc_ms, now_ms, actions):
            self._answer(asked, cause, now_ms, actions)

    def _answer(self, asked, cause, now_ms, actions):
        """Carry out what the escalation or a watch asks for."""
        if asked & escalation.SIREN:
            self._sound(self._settings["siren_s"], now_ms, actions)
        elif asked & escalation.CHIRP:
            actions.append((events.CHIRP, _CHIRPS))
        if asked & escalation.REPORT:
            self._alarm_item(cause, now_ms)
            if self._radio:
                self._cycle.moving = True
                self._cycle.extra_flags = self._extra_flags()
                self._cycle.at_once(now_ms, actions)
        if asked & escalation.LOCATE:
            self._locate(now_ms, actions)
        if asked & escalation.TEXT and self._settings.text("owner_phone"):
            self._texts = [_ALARM_TEXT, _PLACE_TEXT]
            self._text_cause = cause
            self._text_due_ms = now_ms
            self._text_tries = 0

    def _alarm_item(self, cause, now_ms):
        alarm = self._guard.alarm
        sounding = now_ms < self._cycle.sounding_until_ms
        values = {"cause": cause, "level": alarm.level, "siren_on": 1 if sounding else 0}
        self._reporter.put("alarm", values, now_ms, True)

    def _sound(self, seconds, now_ms, actions):
        duration_ms = seconds * 1000
        if duration_ms or self._cycle.sounding_until_ms > now_ms:
            self._cycle.sounding_until_ms = now_ms + duration_ms
            actions.append((events.SIREN, duration_ms))

    # --- orders

    def _take_order(self, data, now_ms, actions):
        taken = self._cycle.orders.take(data)
        if taken is not None:
            actions.append((events.STORE, store.STATE, self._state.encode()))
            self._obey(taken, now_ms, actions)

    def _obey(self, taken, now_ms, actions):
        asked, argument, counter = taken
        if asked == orders.SOUND:
            self._sound(argument or self._settings["siren_s"], now_ms, actions)
            self._offer_challenge(now_ms, actions)
        elif asked == orders.SILENCE:
            self._sound(0, now_ms, actions)
        elif asked == orders.SET_TIME:
            self._reporter.set_utc(argument * 1000, now_ms)
            actions.append((events.SET_CLOCK, argument * 1000))
        elif asked == orders.LOCATE or (asked == orders.BEACON and self._state.lost):
            self._locate(now_ms, actions)
        if self._state.lost:
            self._offer_challenge(now_ms, actions)
        self._reporter.put("downlink_done", {"counter": counter}, now_ms, True)
        if self._radio:
            self._cycle.soon(now_ms)

    def _offer_challenge(self, now_ms, actions):
        """What lost-off and siren-off must answer, for a collector that reaches us by network only."""
        if not self._state.challenge_counter:
            self._cycle.orders.offer_challenge(self._cycle.beacons.counter)
            actions.append((events.STORE, store.STATE, self._state.encode()))
        self._reporter.put("challenge", {"challenge": self._cycle.orders.challenge()}, now_ms)

    # --- beacons

    def _beacon_on(self, event, now_ms, actions):
        cycle = self._cycle
        cycle.moving = self._guard.moving
        cycle.extra_flags = self._extra_flags()
        was_idle = cycle.phase == beacon_cycle.IDLE
        taken = cycle.handle(event, now_ms, actions)
        if taken is not None:
            self._watches.answered(actions)
            self._obey(taken, now_ms, actions)
        fresh = event[0] == events.BOOT or not was_idle
        if self._watches.presence.paired and fresh and cycle.phase == beacon_cycle.IDLE:
            actions.append((events.RADIO_LISTEN, self._plan.beacon, 0))

    def _extra_flags(self) -> int:
        flags = beacon.EXTERNAL_POWER if self._external_mv else 0
        return flags | beacon.TAMPER if self._guard.alarm.level or self._watches.tampered else flags

    # --- what goes on by itself

    def _following(self) -> bool:
        """Positions are to be reported regularly."""
        return self._where.on and (self._guard.moving or self._state.lost or self._guard.alarm.level > 0)

    def _go_on(self, now_ms, actions):
        if self._guard.moving or self._guard.alarm.level > 1:
            self._where.want(now_ms, actions)
        elif self._was_moving:
            self._locate(now_ms, actions)  # where it was left
        self._was_moving = self._guard.moving
        self._look_for_lost(now_ms, actions)
        self._where.check(now_ms, actions)
        if now_ms >= self._report_due_ms and self._following():
            if self._where.settled(now_ms):
                self._tell_place(now_ms, actions)
            self._report_due_ms = max(
                self._report_due_ms, now_ms + self._settings["report_interval_s"] * 1000
            )
        if now_ms >= self._heartbeat_due_ms:
            self._heartbeat(now_ms, actions)
        self._text(now_ms, actions)
        self._reporter.step(now_ms, actions)

    def _locate(self, now_ms, actions):
        """Somebody waits for a position."""
        self._place_due = True
        self._where.want(now_ms, actions)

    def _look_for_lost(self, now_ms, actions):
        if not self._state.lost:
            self._locate_due_ms = None
        elif self._locate_due_ms is None or now_ms >= self._locate_due_ms:
            self._locate_due_ms = now_ms + _LOST_LOCATE_MS
            self._locate(now_ms, actions)

    def _heartbeat(self, now_ms, actions):
        self._heartbeat_due_ms = now_ms + self._settings["heartbeat_s"] * 1000
        actions.append((events.READ_BATTERY,))
        values = {
            "mode": self.mode,
            "uptime_s": (now_ms - (self._started_ms or 0)) // 1000,
            "beacon_counter": self._cycle.beacons.counter,
            "temperature_c": None,
        }
        self._reporter.put("heartbeat", values, now_ms)

    # --- texts to the owner

    def _text(self, now_ms, actions):
        """Send the next text when it has something to say and the modem is free."""
        if not self._text_waits() or now_ms < self._text_due_ms:
            return
        language = self._settings.text("language")
        tag_id = self._tag_id
        place = self._where.place(self._guard.moving, now_ms)
        if self._texts[0] == _ALARM_TEXT:
            if place is not None:
                self._texts = [_ALARM_TEXT]  # it says already where
            text = sms.alarm(tag_id, self._text_cause, place, self._where.cells, now_ms, language)
        elif place is not None and self._where.settled(now_ms):
            text = sms.position(tag_id, place, now_ms, language)
        else:
            self._text_due_ms = now_ms + _PLACE_CHECK_MS
            if not self._where.on:
                self._texts = []
            return
        self._text_under_way = True
        actions.append((events.SEND_SMS, self._settings.text("owner_phone"), text))

    def _text_waits(self) -> bool:
        return bool(self._texts) and not self._text_under_way and self._reporter.online

    def _text_done(self, sent, now_ms):
        self._text_under_way = False
        self._text_tries += 1
        if sent or self._text_tries >= _TEXT_TRIES:
            self._texts = self._texts[1:]
            self._text_tries = 0
        else:
            self._text_due_ms = now_ms + _TEXT_RETRY_MS
