"""Quectel L76K GNSS receiver on a UART (protocol specification V1.1, hardware design 3; AT6558R inside).

Modelled: NMEA output in its dialect at the pace of the baud rate, sentences before the first fix and before
the time is known, $PCAS01 baud rate, 02 rate, 03 sentences, 04 constellations, 06 version, 10 restarts, 12
timed standby, WAKEUP (low = standby) and RESET_N, what standby keeps and a reset loses, times to a fix
(below), loss of the sky, parked drift, current per state. A recorded log can be played instead. Times to a
first fix under open sky: cold 43-51 s, from standby 6 s (measured in the field, see FIELD.md); warm, with
ephemerides older than four hours, 25-32 s (data sheet). Under a town's sky twice that, without sky never.

Not modelled: CASIC binary messages, SBAS, AGNSS, saving of settings, 1PPS, GLONASS, the antenna's own faults.
Only hardware can tell: real sensitivity in a bike, interference from the modem beside it, the drift of its
clock in standby, how static navigation decides that it stands.
"""

from collections.abc import Iterator

from groundnet.sim.chips import l76k_sentences as nmea
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import Line, Uart
from groundnet.sim.sky import NONE, OPEN, Measurement, Sky
from groundnet.sim.world import US_PER_S, Event, World

COLD, WARM, HOT = "cold", "warm", "hot"
_FIRST_FIX_S = {COLD: (43, 51), WARM: (25, 32), HOT: (5, 7)}
_REACQUIRE_S = 3  # after a tunnel
_EPHEMERIS_US = 4 * 3600 * US_PER_S
_EPHEMERIS_LOAD_US = 30 * US_PER_S
_PROGRESS = {OPEN: 1.0, "urban": 0.5, NONE: 0.0}  # seconds of acquisition per second
_OUTPUT_DELAY_US = 80_000  # from the epoch to its first character
_STATIC_MPS = 0.3  # static navigation: slower shows as standing
_BAUD_RATES = (4800, 9600, 19200, 38400, 57600, 115200)  # $PCAS01
_ACQUIRING_UA, _TRACKING_UA, _STANDBY_UA = 40_000.0, 29_000.0, 20.0
_LINE_MAX = 128
_RESTARTS = {"0": HOT, "1": WARM, "2": COLD, "3": COLD}


class L76k:
    """One receiver. Attach it to its UART.

    Args:
        world: clock and seed.
        name: unique; decides its times to a fix.
        uart: the port it is wired to.
        sky: what it sees.
        power: account of the board.
        wakeup: WAKEUP pin, low = standby; None when not wired (it then always may run).
        reset: RESET_N pin, low for 100 ms resets; None when not wired.
        recording: a recorded NMEA log to play instead of the sky.
        part: name in the power account.
    """

    def __init__(
        self,
        world: World,
        name: str,
        uart: Uart,
        sky: Sky,
        power: PowerAccount,
        wakeup: Line | None = None,
        reset: Line | None = None,
        recording: bytes | None = None,
        part: str = "gnss",
    ) -> None:
        self._world = world
        self._uart = uart
        self._sky = sky
        self._power = power
        self._wakeup = wakeup
        self._part = part
        self._random = world.random(f"l76k/{name}")
        self._recording: Iterator[list[bytes]] | None = None
        if recording is not None:
            self._recording = iter(nmea.recorded_epochs(recording))
        self._line = bytearray()
        self._epoch_event: Event | None = None
        self._standby_event: Event | None = None
        self._reset_low_us = 0
        self._run = 0  # counts starts: a restart cuts off what is still to be sent
        self.running = False
        self._forget()
        if wakeup is not None:
            wakeup.listen(self._on_wakeup)
        if reset is not None:
            reset.listen(self._on_reset)
        self._set_running(wakeup is None or bool(wakeup.level))

    def power_cycle(self) -> None:
        """The supply was cut, the backup supply too, and came back: everything is forgotten."""
        self._forget()
        self._set_running(self._wakeup is None or bool(self._wakeup.level))

    # --- commands

    def receive(self, data: bytes) -> None:
        """Characters from the board; at the wrong baud rate, and in standby, nothing is understood."""
        if not self.running or self._uart.baudrate != self._baud_rate:
            return
        for byte in data:
            if byte == 0x0A:
                body = nmea.body_of(bytes(self._line))
                self._line.clear()
                if body is not None:
                    self._command(body.split(","))
            elif len(self._line) < _LINE_MAX:
                self._line.append(byte)

    def _command(self, fields: list[str]) -> None:
        name, arguments = fields[0], fields[1:]
        if name == "PCAS01" and arguments[0] in ("0", "1", "2", "3", "4", "5"):
            self._baud_rate = _BAUD_RATES[int(arguments[0])]
        elif name == "PCAS02" and arguments[0] in ("1000", "500", "250", "200", "100"):
            self._period_us = int(arguments[0]) * 1000
        elif name == "PCAS03":
            self._select(arguments)
        elif name == "PCAS04" and arguments[0] in ("1", "2", "3", "4", "5", "6", "7"):
            bits = int(arguments[0])
            self._systems = {system for system, bit in (("GP", 1), ("BD", 2)) if bits & bit}
        elif name == "PCAS06":
            self._send([nmea.sentence("GPTXT,01,01,02,SW=URANUS5,V5.3.0.0")])
        elif name == "PCAS10" and arguments[0] in _RESTARTS:
            self._restart(_RESTARTS[arguments[0]])
        elif name == "PCAS12" and arguments[0].isdigit():
            self._standby_for(int(arguments[0]))

    def _select(self, arguments: list[str]) -> None:
        """$PCAS03: 0 = off, 1..9 = every nth epoch (modelled as on), empty = as before."""
        for kind, argument in zip(nmea.KINDS, arguments, strict=False):
            if argument:
                self._kinds.discard(kind)
                if argument != "0":
                    self._kinds.add(kind)

    # --- power states

    def _forget(self) -> None:
        """What a reset loses: settings, time, almanac, ephemerides."""
        self._baud_rate = 9600
        self._period_us = US_PER_S
        self._kinds = set(nmea.KINDS)
        self._systems = {"GP", "BD"}
        self._time_known = False
        self._ephemeris_us: int | None = None
        self._restart(COLD)

    def _restart(self, kind: str) -> None:
        if kind == COLD:
            self._time_known = False
            self._ephemeris_us = None
        elif kind == WARM and self._ephemeris_us is not None:
            self._ephemeris_us = -_EPHEMERIS_US
        self._search(self._start_kind())

    def _start_kind(self) -> str:
        if self._ephemeris_us is None:
            return COLD
        return HOT if self._world.now_us - self._ephemeris_us < _EPHEMERIS_US else WARM

    def _search(self, kind: str) -> None:
        self.start_kind = kind
        self._run += 1
        self._needed_s = self._random.uniform(*_FIRST_FIX_S[kind])
        self._progress_s = 0.0
        self._fixed_since_us: int | None = None
        self._course_deg = 0.0
        if self.running:
            self._power.set_state(self._part, "acquiring", _ACQUIRING_UA)

    def _set_running(self, running: bool) -> None:
        if self._standby_event is not None:
            self._standby_event.cancel()
            self._standby_event = None
        if self._epoch_event is not None:
            self._epoch_event.cancel()
        self.running = running
        if running:
            self._search(self._start_kind())
            self._next_epoch()
        else:
            self._power.set_state(self._part, "standby", _STANDBY_UA)

    def _standby_for(self, seconds: int) -> None:
        """$PCAS12: standby, then run again by itself unless WAKEUP is low."""
        self._set_running(False)
        self._standby_event = self._world.after(seconds * US_PER_S, self._wake)

    def _wake(self) -> None:
        if self._wakeup is None or self._wakeup.level:
            self._set_running(True)

    def _on_wakeup(self, level: int) -> None:
        if bool(level) != self.running:
            self._set_running(bool(level))

    def _on_reset(self, level: int) -> None:
        if not level:
            self._reset_low_us = self._world.now_us
        elif self._world.now_us - self._reset_low_us >= 100_000:
            self.power_cycle()

    # --- output

    def _next_epoch(self) -> None:
        """Epochs lie on whole periods of UTC."""
        now_us = self._world.start_unix_ms * 1000 + self._world.now_us
        self._epoch_event = self._world.after(self._period_us - now_us % self._period_us, self._on_epoch)

    def _on_epoch(self) -> None:
        self._acquire()
        self._next_epoch()
        if self._recording is not None:
            self._send(next(self._recording, []))
            return
        satellites = tuple(
            satellite
            for satellite in self._sky.satellites(self._world.now_us)
            if satellite.system in self._systems
        )
        if not self._time_known:
            satellites = tuple(satellite for satellite in satellites if satellite.snr_db)
        unix_ms = self._world.unix_ms if self._time_known else None
        self._send(nmea.epoch(self._kinds, unix_ms, self._fix(), satellites))

    def _acquire(self) -> None:
        """One period of searching or tracking."""
        now_us, view = self._world.now_us, self._sky.view(self._world.now_us)
        self._progress_s += _PROGRESS[view] * self._period_us / US_PER_S
        if self._progress_s >= self._needed_s / 2:
            self._time_known = True
        if self._fixed_since_us is None:
            if self._progress_s >= self._needed_s and view != NONE:
                self._fixed_since_us = now_us
                self._power.set_state(self._part, "tracking", _TRACKING_UA)
        elif view == NONE:
            self._fixed_since_us = None
            self._progress_s, self._needed_s = 0.0, float(_REACQUIRE_S)
            self._power.set_state(self._part, "acquiring", _ACQUIRING_UA)
        elif now_us - self._fixed_since_us >= _EPHEMERIS_LOAD_US or self.start_kind != COLD:
            self._ephemeris_us = now_us

    def _fix(self) -> Measurement | None:
        """The fix to show; the first ones after a start are worse."""
        if self._fixed_since_us is None:
            return None
        age_s = (self._world.now_us - self._fixed_since_us) / US_PER_S
        fresh = {COLD: 6.0, WARM: 4.0, HOT: 2.0}[self.start_kind]
        fix = self._sky.measure(self._world.now_us, 1 + fresh * 0.8**age_s)
        if fix.speed_mps >= _STATIC_MPS:
            self._course_deg = fix.course_deg
            return fix
        return Measurement(fix.lat, fix.lon, fix.altitude_m, 0.0, self._course_deg, fix.hdop, fix.satellites)

    def _send(self, sentences: list[bytes]) -> None:
        """Each sentence arrives when its last character has left."""
        delay_us = _OUTPUT_DELAY_US
        for text in sentences:
            delay_us += round(len(text) * 10 * US_PER_S / self._baud_rate)
            run = self._run
            self._world.after(delay_us, lambda text=text, run=run: self._deliver(text, run))

    def _deliver(self, text: bytes, run: int) -> None:
        if not self.running or run != self._run:
            return
        if self._uart.baudrate != self._baud_rate:
            text = bytes((byte * 37 + 11) & 0xFF for byte in text[::2])  # framing errors
        self._uart.send(text)
