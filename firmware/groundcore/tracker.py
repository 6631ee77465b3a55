"""The tracker: guards, finds out where it is, reports, and texts its owner."""

from groundwire import beacon
from groundwire.constant import const
from groundwire.report_table import STARTS

from groundcore import beacon_cycle, escalation, events, region, store
from groundcore.alarms import Alarms
from groundcore.beaconing import battery_level
from groundcore.commands import Commands
from groundcore.faults import Faults
from groundcore.guard import Guard
from groundcore.owner_texts import OwnerTexts
from groundcore.reporter import Reporter
from groundcore.settings import Settings
from groundcore.watches import Watches
from groundcore.whereabouts import Whereabouts, cell_items, fix_item

_LOST_LOCATE_MS = const(600000)  # a lost tracker that stands still looks where it is that often


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
        self._started_ms = None
        self._heartbeat_due_ms = 0
        self._report_due_ms = 0
        self._locate_due_ms = None
        self._was_moving = False
        self._external_mv = None
        self._low_reported = False
        if identity is None:
            return
        self._guard = Guard(settings)
        self._where = Whereabouts()
        self._watches = Watches(settings)
        self._faults = Faults()
        self._reporter = Reporter(
            device_id, identity.secret, self._state, settings, records.get(store.HISTORY)
        )
        plan = region.plan(settings.text("region"))
        call = self._watches.call if self._watches.may_call else None
        self._cycle = beacon_cycle.BeaconCycle(
            identity.secret, profile, plan, self._state, settings, None, call
        )
        self._texts = OwnerTexts(settings, identity.tag_id, self._where)
        self._alarms = Alarms(settings, self._guard, self._where, self._reporter, self._cycle, self._texts)
        self._commands = Commands(
            settings, self._state, self._where, self._reporter, self._cycle, self._alarms
        )
        self._plan = plan
        self._radio = plan is not None

    # --- the calls

    @property
    def answered(self) -> bool:
        """The collector has signed for a report since the start: a version on trial has reached its peer."""
        return not self._blank and self._reporter.answered

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
            self._texts.done(event[1], now_ms)
        elif kind == events.FAULT:
            self._tell_faults(self._faults.take(event[1], event[2], now_ms), now_ms)
        self._guard.hushed = self._watches.owner_near(now_ms)
        asked = self._guard.handle(event, now_ms, actions)
        self._flag()
        self._alarms.answer(asked, self._guard.cause, now_ms, actions)
        self._watch(event, now_ms, actions)
        unsigned = self._reporter.waiting
        for data in self._reporter.handle(event, now_ms, actions):
            self._commands.take(data, now_ms, actions)
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
            self._texts.next_deadline(self._reporter.online),
            self._watches.next_deadline(),
            self._faults.next_deadline(),
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
        cause = event[1]
        self._reporter.put("start", {"cause": STARTS[cause]}, now_ms, cause == events.BOOT_BROWNOUT)
        actions.append((events.MODEM_ON,))
        actions.append((events.LIGHT, events.LIGHT_OK))
        self._where.locate(
            now_ms, actions
        )  # where it is parked, against which drift and a van are told apart

    def _hear_gnss(self, data, now_ms, actions):
        newest = self._where.feed(data, now_ms)
        if newest is None:
            return
        self._reporter.set_utc(newest[0] * 1000 + newest[1], now_ms)
        if self._where.has_left(now_ms):
            self._alarms.answer(self._guard.moved(now_ms), self._guard.cause, now_ms, actions)
        if self._where.settled(now_ms):
            self._tell_place(now_ms, actions)

    def _tell_place(self, now_ms, actions):
        """Report the position when somebody waits for it or it is time."""
        if not self._where.awaited and now_ms < self._report_due_ms:
            return
        place = self._where.place(self._guard.moving, now_ms)
        if place is None:
            return
        self._reporter.put("fix", fix_item(place, now_ms), now_ms, self._where.awaited)
        for cause, asked in self._watches.placed(place):
            self._alarms.answer(asked, cause, now_ms, actions)
        self._where.awaited = False
        self._report_due_ms = now_ms + self._report_interval_ms()
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
        where = self._where
        before = where.cells(now_ms)
        where.hear_cells(cells, now_ms)
        known = where.cells(now_ms)
        if not cells and not where.retell_cells():
            return
        for item in cell_items(known, where.cells_age_s(now_ms)):
            self._reporter.put("cell", item, now_ms, where.awaited)
        if not cells or not before:
            return
        if before[0][:4] != cells[0][:4] and self._guard.alarm.state == escalation.CHECKING:
            self._alarms.answer(self._guard.moved(now_ms), self._guard.cause, now_ms, actions)

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
            self._alarms.report("low_battery", now_ms)
        self._low_reported = low

    def _hear_supply(self, external_mv, now_ms, actions):
        cut = external_mv == 0 and self._external_mv not in (None, 0)
        self._external_mv = external_mv
        if cut and self._settings["armed"]:
            asked = escalation.CHIRP | escalation.REPORT | escalation.LOCATE | escalation.TEXT
            self._alarms.answer(asked, "power_cut", now_ms, actions)

    # --- alarms

    def _watch(self, event, now_ms, actions):
        """Everything beside movement: inputs, fence, herd, room."""
        if self._guard.moving:
            self._watches.moved(now_ms)
        utc_ms = self._reporter.utc_ms(now_ms)
        if self._watches.schedule_turned(utc_ms):
            self._commands.end_arming(actions)
        found = self._watches.handle(event, utc_ms, now_ms, actions)
        if self._guard.take_fall():
            found += self._watches.fallen(now_ms, actions)
        self._flag()
        for cause, asked in found:
            self._alarms.answer(asked, cause, now_ms, actions)

    def _tell_faults(self, found, now_ms):
        """The alarm says that something failed, the item behind it which part."""
        for item in found:
            if item["text"]:
                self._alarms.report("fault", now_ms)
            self._reporter.put("fault", item, now_ms, bool(item["text"]))

    # --- beacons

    def _beacon_on(self, event, now_ms, actions):
        cycle = self._cycle
        cycle.moving = self._guard.moving
        self._flag()
        was_idle = cycle.phase == beacon_cycle.IDLE
        taken = cycle.handle(event, now_ms, actions)
        if taken is not None:
            self._watches.answered(actions)
            self._commands.obey(taken, now_ms, actions)
        fresh = event[0] == events.BOOT or not was_idle
        if fresh and cycle.phase == beacon_cycle.IDLE and self._plan is not None:
            self._watches.presence.listen(self._plan.beacon, actions)

    def _flag(self):
        """What beacons say of supply and tampering; before any beacon is made."""
        flags = beacon.EXTERNAL_POWER if self._external_mv else 0
        tampered = self._guard.alarm.level or self._watches.tampered
        self._cycle.extra_flags = flags | beacon.TAMPER if tampered else flags

    # --- what goes on by itself

    def _following(self) -> bool:
        """Positions are to be reported regularly."""
        return self._where.on and (self._guard.moving or self._state.lost or self._guard.alarm.level > 0)

    def _report_interval_ms(self) -> int:
        interval_s = self._settings["report_interval_s"]
        if self._state.lost or self._guard.alarm.level or self._watches.astray:
            interval_s = min(interval_s, self._settings["lost_interval_s"])
        return interval_s * 1000

    def _rest_receiver(self, now_ms, actions):
        """GNSS is on while it finds a position that somebody wants, and not longer."""
        where = self._where
        if not where.on or where.awaited or self._texts.pending:
            return
        if self._guard.alarm.state not in (escalation.QUIET, escalation.NOTED):
            return  # a place that changes is how a van is found out
        if self._guard.moving:
            where.rest(self._report_due_ms, now_ms, actions)
        else:
            where.enough(now_ms)

    def _go_on(self, now_ms, actions):
        if self._guard.moving or self._guard.alarm.level > 1:
            self._where.want(now_ms, actions)
        elif self._was_moving:
            self._where.locate(now_ms, actions)  # where it was left
        self._was_moving = self._guard.moving
        self._look_for_lost(now_ms, actions)
        self._tell_faults(self._faults.check(now_ms), now_ms)
        self._rest_receiver(now_ms, actions)
        self._where.check(now_ms, actions)
        if now_ms >= self._report_due_ms and self._following():
            if self._where.settled(now_ms):
                self._tell_place(now_ms, actions)
            self._report_due_ms = max(self._report_due_ms, now_ms + self._report_interval_ms())
        if now_ms >= self._heartbeat_due_ms:
            self._heartbeat(now_ms, actions)
        guarding = self._watches.guarding or self._guard.alarm.level > 1
        self._commands.guard(guarding, now_ms, actions)
        self._texts.step(self._guard.moving, self._reporter.online, now_ms, actions)
        calm = not (self._guard.moving or self._state.lost or self._guard.alarm.level)
        self._reporter.step(now_ms, actions, calm)

    def _look_for_lost(self, now_ms, actions):
        if not self._state.lost:
            self._locate_due_ms = None
        elif self._locate_due_ms is None or now_ms >= self._locate_due_ms:
            self._locate_due_ms = now_ms + _LOST_LOCATE_MS
            self._where.locate(now_ms, actions)

    def _heartbeat(self, now_ms, actions):
        self._heartbeat_due_ms = now_ms + self._settings["heartbeat_s"] * 1000
        actions.append((events.READ_BATTERY,))
        values = {
            "mode": self.mode,
            "uptime_s": (now_ms - (self._started_ms or 0)) // 1000,
            "beacon_counter": self._cycle.beacons.counter,
            "temperature_c": None,
            "interval_s": self._settings["heartbeat_s"],
        }
        self._reporter.put("heartbeat", values, now_ms)
