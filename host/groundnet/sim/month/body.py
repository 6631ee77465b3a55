"""Carries out what a tracker's core asks for, in virtual time, with parts that fail as the faults say."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from groundnet.sim.groundcore_runtime import load
from groundnet.sim.month.faults import Faults
from groundnet.sim.month.senses import Accelerometer, Receiver
from groundnet.sim.power import PowerAccount
from groundnet.sim.world import US_PER_S, Event, World

MS_US = 1000
_ATTACH_US, _CONNECT_US, _ROUND_TRIP_US, _SMS_US = 8 * US_PER_S, 700_000, 350_000, 3 * US_PER_S
_CONNECTED_US = 10 * US_PER_S
_AWAKE_US = 15_000  # of the microcontroller for one event
_LONGEST_SEARCH_US = 6 * 3600 * US_PER_S
_CELL = (219, 1, 1201, 28741122, -95, "lte")
_CHIRP_US = 200_000
_RUBBISH_BYTES = 15
# Mean currents, uA: datasheet values as in the chip models (sim/chips) and groundnet.sim.chip.
CURRENT_UA = {
    ("mcu", "light sleep"): 240.0,
    ("mcu", "active"): 36_000.0,
    ("accelerometer", "watching"): 1.0,
    ("accelerometer", "sampling"): 3.0,
    ("gnss", "standby"): 20.0,
    ("gnss", "on"): 30_000.0,
    ("modem", "sleep"): 500.0,
    ("modem", "connected"): 60_000.0,
    ("modem", "searching"): 55_000.0,
    ("radio", "sleep"): 0.6,
    ("radio", "receive"): 4_600.0,
    ("radio", "transmit"): 45_000.0,
    ("siren", "off"): 0.0,
    ("siren", "on"): 180_000.0,
}


@dataclass(frozen=True)
class Noted:
    """Something that the world outside noticed."""

    at_us: int
    what: str  # "report", "siren", "chirp", "beacon", "sms", "failed sms"
    detail: str = ""


class Body:
    """One tracker.

    Args:
        core: ``groundcore.tracker.Tracker``, not booted.
        answer: takes the bytes that the core sends to the collector, gives the reply.
    """

    def __init__(
        self,
        world: World,
        core: Any,  # groundcore is loaded by name: a type checker does not see it
        accelerometer: Accelerometer,
        receiver: Receiver,
        faults: Faults,
        answer: Callable[[bytes], bytes],
        draw: random.Random,
    ) -> None:
        self.world, self.core, self.noted = world, core, []
        self.power = PowerAccount(world)
        self.stores = 0  # writes to flash
        self._accelerometer, self._receiver = accelerometer, receiver
        self._faults, self._answer, self._draw = faults, answer, draw
        self._events: ModuleType = load("events")
        self._region: ModuleType = load("region")
        self._pending: dict[str, Event] = {}
        self._connected = False
        self._modem_on = False
        self._actions = self._table()
        for part, state in (
            ("mcu", "light sleep"),
            ("gnss", "standby"),
            ("modem", "sleep"),
            ("siren", "off"),
        ):
            self._draw_current(part, state)
        for at_us, begins in faults.dead_zone.edges():
            world.at(at_us, self._network_gone if begins else self._network_back)

    def boot(self) -> None:
        """Power comes on."""
        self.give(self._events.BOOT, self._events.BOOT_POWER_ON)

    def give(self, *event: Any) -> None:
        """Bring an event to the core and carry out what it asks for."""
        self._awake()
        now_ms = self.world.now_us // MS_US
        for action in self.core.handle(event, now_ms):
            handler = self._actions.get(action[0])
            if handler is not None:
                handler(*action[1:])
        self._plan_tick()

    def _plan_tick(self) -> None:
        due_ms = self.core.next_deadline()
        if due_ms is None:
            return
        at_us = max(due_ms * MS_US, self.world.now_us + MS_US)
        self._plan("tick", at_us - self.world.now_us, lambda: self.give(self._events.TICK))

    def _plan(self, name: str, delay_us: int, action: Callable[[], None]) -> None:
        """Do it later; what was planned under this name is off."""
        self._cancel(name)
        self._pending[name] = self.world.after(delay_us, action)

    def _cancel(self, name: str) -> None:
        event = self._pending.pop(name, None)
        if event is not None:
            event.cancel()

    def _note(self, what: str, detail: str = "") -> None:
        self.noted.append(Noted(self.world.now_us, what, detail))

    def _draw_current(self, part: str, state: str) -> None:
        self.power.set_state(part, state, CURRENT_UA[part, state])

    def _awake(self) -> None:
        self._draw_current("mcu", "active")
        self._plan("doze", _AWAKE_US, lambda: self._draw_current("mcu", "light sleep"))

    def _table(self) -> dict[int, Callable[..., None]]:
        events = self._events
        return {
            events.STORE: self._store,
            events.KEEP_HISTORY: self._store,
            events.WATCH_MOTION: self._watch_motion,
            events.SAMPLE: self._sample,
            events.RADIO_SEND: self._radio_send,
            events.RADIO_LISTEN: self._radio_listen,
            events.RADIO_SLEEP: lambda: self._draw_current("radio", "sleep"),
            events.READ_BATTERY: lambda: self._soon(events.BATTERY, 3900),
            events.GNSS_ON: self._gnss_on,
            events.GNSS_STANDBY: self._gnss_standby,
            events.MODEM_ON: self._switch_modem_on,
            events.REQUEST_CELLS: self._request_cells,
            events.SEND_SMS: self._send_sms,
            events.NET_OPEN: self._net_open,
            events.NET_SEND: self._net_send,
            events.NET_CLOSE: self._net_close,
            events.SIREN: self._siren,
            events.CHIRP: self._chirp,
        }

    def _soon(self, *event: Any) -> None:
        self.world.after(MS_US, lambda: self.give(*event))

    def _store(self, *_: Any) -> None:
        self.stores += 1

    # --- accelerometer

    def _watch_motion(self, threshold_mg: int) -> None:
        self._cancel("wake")
        if threshold_mg:
            self._draw_current("accelerometer", "watching")
            self._search_wake(threshold_mg)

    def _search_wake(self, threshold_mg: int) -> None:
        """Look ahead for the next wake-up, six hours at a time."""
        now_us = self.world.now_us
        until_us = now_us + _LONGEST_SEARCH_US
        wake_us = self._accelerometer.next_wake_us(now_us, threshold_mg, until_us)
        if wake_us is None:
            self._plan("wake", _LONGEST_SEARCH_US, lambda: self._search_wake(threshold_mg))
        else:
            self._plan("wake", wake_us - now_us, lambda: self.give(self._events.MOTION))

    def _sample(self, period_ms: int) -> None:
        self._cancel("sample")
        if period_ms:
            self._draw_current("accelerometer", "sampling")
            self._plan("sample", period_ms * MS_US, lambda: self._hand_over(period_ms))

    def _hand_over(self, period_ms: int) -> None:
        count = period_ms // 40
        self._plan("sample", period_ms * MS_US, lambda: self._hand_over(period_ms))
        self.give(self._events.SAMPLES, self._accelerometer.samples(self.world.now_us, count), count)

    # --- radio

    def _radio_send(self, data: bytes, channel: Any, delay_ms: int) -> None:
        if channel.listen_first and self._faults.noise.holds(self.world.now_us):
            self._soon(self._events.RADIO_FAILED, self._events.FAILED_CHANNEL_BUSY)
            return
        airtime_us = self._region.airtime_us(channel, len(data))
        self._plan("radio", delay_ms * MS_US, lambda: self._draw_current("radio", "transmit"))
        self.world.after(delay_ms * MS_US + airtime_us, self._sent)
        self._note("beacon", bytes(data[1:2]).hex())

    def _sent(self) -> None:
        self._draw_current("radio", "sleep")
        self.give(self._events.RADIO_SENT)

    def _radio_listen(self, channel: Any, window_ms: int) -> None:
        self._draw_current("radio", "receive")
        if not window_ms:
            return
        rubbish = self._draw.randbytes(_RUBBISH_BYTES)
        noisy = self._faults.noise.holds(self.world.now_us)
        self._plan("radio", window_ms * MS_US, lambda: self._heard(rubbish if noisy else None))

    def _heard(self, rubbish: bytes | None) -> None:
        self._draw_current("radio", "sleep")
        if rubbish is None:
            self.give(self._events.RADIO_SILENT)
        else:
            self.give(self._events.RADIO_RECEIVED, rubbish, -118, -900)

    # --- GNSS

    def _gnss_on(self) -> None:
        self._receiver.start()
        self._draw_current("gnss", "on")
        self._plan("gnss", US_PER_S, self._gnss_second)

    def _gnss_second(self) -> None:
        self._plan("gnss", US_PER_S, self._gnss_second)
        self.give(self._events.GNSS_BYTES, self._receiver.sentences())

    def _gnss_standby(self) -> None:
        self._cancel("gnss")
        self._draw_current("gnss", "standby")

    # --- modem

    def _switch_modem_on(self) -> None:
        self._modem_on = True
        if not self._faults.dead_zone.holds(self.world.now_us):
            self._network_back()

    def _network_gone(self) -> None:
        self._cancel("attach")
        self._connected = False
        if self._modem_on:
            self._draw_current("modem", "searching")
            self.give(self._events.MODEM_LOST)

    def _network_back(self) -> None:
        if self._modem_on:
            self._draw_current("modem", "searching")
            self._plan("attach", _ATTACH_US, self._attached)

    def _attached(self) -> None:
        self._draw_current("modem", "sleep")
        self.give(self._events.MODEM_READY)

    @property
    def _reachable(self) -> bool:
        now_us = self.world.now_us
        return not (self._faults.dead_zone.holds(now_us) or self._faults.modem_fails.holds(now_us))

    def _use_modem(self) -> None:
        self._draw_current("modem", "connected")
        self._plan("modem idle", _CONNECTED_US, self._rest_modem)

    def _rest_modem(self) -> None:
        if not self._faults.dead_zone.holds(self.world.now_us):
            self._draw_current("modem", "sleep")

    def _request_cells(self) -> None:
        dead = self._faults.dead_zone.holds(self.world.now_us)
        self.world.after(US_PER_S, lambda: self.give(self._events.CELLS, () if dead else (_CELL,)))

    def _send_sms(self, number: str, text: str) -> None:
        self._use_modem()
        sent = self._reachable
        self._note("sms" if sent else "failed sms", text)
        self.world.after(_SMS_US, lambda: self.give(self._events.SMS_DONE, sent))

    def _net_open(self, host: str, port: int) -> None:
        self._use_modem()
        self._connected = self._reachable
        event = self._events.NET_UP if self._connected else self._events.NET_DOWN
        self._plan("net", _CONNECT_US, lambda: self.give(event))

    def _net_send(self, data: bytes) -> None:
        self._use_modem()
        if not self._reachable:
            self._connected = False
            self._plan("net", _ROUND_TRIP_US, lambda: self.give(self._events.NET_DOWN))
            return
        reply = self._answer(bytes(data))
        self._plan("net", _ROUND_TRIP_US, lambda: self.give(self._events.NET_BYTES, reply))

    def _net_close(self) -> None:
        self._connected = False
        self._cancel("net")

    # --- alarm

    def _siren(self, duration_ms: int) -> None:
        self._cancel("siren")
        self._draw_current("siren", "on" if duration_ms else "off")
        if duration_ms:
            self._note("siren")
            self._plan("siren", duration_ms * MS_US, self._siren_done)

    def _siren_done(self) -> None:
        self._draw_current("siren", "off")
        self.give(self._events.SIREN_DONE)

    def _chirp(self, count: int) -> None:
        self._note("chirp")
        self._draw_current("siren", "on")
        self._plan("siren", 2 * count * _CHIRP_US, lambda: self._draw_current("siren", "off"))
