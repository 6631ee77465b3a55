"""Quectel L76K GNSS receiver on a UART (an AT6558R: CASIC protocol specification V4.2.0.3).

Modelled: NMEA output in its dialect at the pace of the baud rate (an epoch that finds the line still busy is
left out), boot texts, void sentences before the first fix and before the time is known, $PCAS01 baud rate, 02
rate, 03 sentences, 04 constellations, 06 version, 10 restarts, 12 timed standby, WAKEUP (low = standby) and
RESET_N, what standby keeps and a reset loses, times to a fix, loss of the sky, static navigation, bad first
fixes, current per state. A recorded log can be played instead of the sky, one of its epochs per epoch.

Times to a first fix under open sky: cold 30 s (data sheet) to 51 s (measured after a hard power cut), from
standby 4-6 s (5.5 s data sheet, 6 s measured), with ephemerides older than four hours in between. A town's
sky takes twice that; fewer than four satellites, and it never comes.

The specification grants $PCAS12 to the 5L parts only and other AT6558 are known to ignore it, so firmware
must get by with ``timed_standby=False``: WAKEUP works on every part.

Failure modes may be switched at any time: ``silent`` (it hangs until RESET_N or a power cut), ``week_rollover``
(its ten-bit week number is taken for one of 1024 weeks earlier), ``clock_error_ms`` (the time that it tells is off:
a leap second not yet known, a spoofer's clock). A jammed or spoofed sky is the sky's matter.

Not modelled: CASIC binary messages, SBAS, AGNSS, saved settings ($PCAS00), 1PPS, GLONASS, antenna faults,
ephemerides that grow old while it runs without sky. Only hardware can tell: real sensitivity in a bike,
interference from the modem beside it, how long it is deaf after a start, what RESET_N leaves in the
backup domain (here: nothing), the drift of its clock in standby, and the standby current (here 20 uA; some
modules draw 360 uA).
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from groundnet.sim.chips import l76k_sentences as nmea
from groundnet.sim.chips.l76k_transmitter import Transmitter
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import Line, Uart
from groundnet.sim.sky import SYSTEMS, Measurement, Sky
from groundnet.sim.world import US_PER_S, Event, World

COLD, WARM, HOT = "cold", "warm", "hot"
_FIRST_FIX_S = {COLD: (30, 51), WARM: (20, 30), HOT: (4, 6)}
_FIRST_ERROR = {COLD: 6.0, WARM: 4.0, HOT: 2.0}  # added to the usual error at the first fix...
_ERROR_KEPT_PER_S = 0.8  # ...and how much of it is left a second later
_REACQUIRE_S = 3  # after a tunnel
_EPHEMERIS_US = 4 * 3600 * US_PER_S
_DEAF_US = 200_000  # from a start to its first character; what it is told before is lost (assumed)
_OUTPUT_DELAY_US = 80_000  # from the epoch to its first character
_STATIC_MPS = 0.3  # static navigation: slower shows as standing
_RESET_US = 100_000  # RESET_N must be low this long
_BAUD_RATES = dict(zip("012345", (4800, 9600, 19200, 38400, 57600, 115200), strict=True))  # $PCAS01
_PERIODS_MS = ("1000", "500", "250", "200", "100")  # $PCAS02
_RESTARTS = {"0": HOT, "1": WARM, "2": COLD}  # $PCAS10; 3 forgets the settings too
_STANDBY_MAX_S = 65_535  # $PCAS12
ACQUIRING_UA, TRACKING_UA, STANDBY_UA = 40_000.0, 29_000.0, 20.0
_ROLLOVER_MS = 1024 * 7 * 86_400_000  # IS-GPS-200, 20.3.3.3.1.1: ten bits of week number
_LINE_MAX = 128


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
        recording: lines of a recorded NMEA log to play instead of the sky.
        part: name in the power account.
        timed_standby: whether this part obeys $PCAS12.
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
        recording: Iterable[bytes] | None = None,
        part: str = "gnss",
        timed_standby: bool = True,
    ) -> None:
        self._world = world
        self._sky = sky
        self._power = power
        self._wakeup = wakeup
        self._reset = reset
        self._part = part
        self._timed_standby = timed_standby
        self._random = world.random(f"l76k/{name}")
        self._recording: Iterator[list[bytes]] | None = None
        if recording is not None:
            self._recording = iter(nmea.recorded_epochs(recording))
        self._output = Transmitter(world, uart)
        self._line = bytearray()
        self._epoch_event: Event | None = None
        self._timer_event: Event | None = None  # end of a timed standby
        self._reset_event: Event | None = None  # RESET_N was low for long enough
        self.silent = False
        self.week_rollover = False
        self.clock_error_ms = 0
        self.state = "off"  # running, standby, reset, off
        self.power_cycle()
        if wakeup is not None:
            wakeup.listen(self._on_wakeup)
        if reset is not None:
            reset.listen(self._on_reset)

    @property
    def running(self) -> bool:
        return self.state == "running"

    def power_cycle(self) -> None:
        """The supply was cut, the backup supply too, and came back: everything is forgotten."""
        self._forget()
        self.state = "reset"
        if self._reset is not None and not self._reset.level:
            self._hold_in_reset()
        else:
            self._obey_wakeup()

    def power_off(self) -> None:
        """The supply is cut until ``power_cycle``: no current, no events, deaf to every pin."""
        self._stop("off", 0.0)

    # --- commands

    def receive(self, data: bytes) -> None:
        """Characters from the board; understood only at the right baud rate, while it runs, once it listens."""
        for byte in data:
            if (
                not self.running
                or self._world.now_us < self._listens_from_us
                or not self._output.matches_board
            ):
                return
            if byte == 0x0A:
                body = nmea.body_of(bytes(self._line))
                self._line.clear()
                if body is not None:
                    name, *arguments = body.split(",")
                    self._command(name, arguments or [""])
            elif len(self._line) < _LINE_MAX:
                self._line.append(byte)

    def _command(self, name: str, arguments: list[str]) -> None:
        """Unknown commands and values outside the specification are ignored, as the receiver does."""
        argument = arguments[0]
        if name == "PCAS01" and argument in _BAUD_RATES:
            self._output.baud_rate = _BAUD_RATES[argument]
        elif name == "PCAS02" and argument in _PERIODS_MS:
            self._period_us = int(argument) * 1000
        elif name == "PCAS03":
            self._select(arguments)
        elif name == "PCAS04" and argument in tuple("1234567"):
            self._systems = tuple(
                system for system, bit in zip(SYSTEMS, (1, 2), strict=True) if int(argument) & bit
            )
        elif name == "PCAS06":
            self._output.send(nmea.boot(self._systems)[2:3])
        elif name == "PCAS10" and argument in _RESTARTS:
            self._start(_RESTARTS[argument])
        elif name == "PCAS10" and argument == "3":
            self.power_cycle()
        elif name == "PCAS12" and argument.isdigit() and int(argument) <= _STANDBY_MAX_S:
            self._stand_by_for(int(argument))

    def _select(self, arguments: list[str]) -> None:
        """$PCAS03: 0 = off, 1..9 = every nth epoch, empty = as before."""
        for kind, argument in zip(nmea.KINDS, arguments, strict=False):
            if argument in tuple("0123456789"):
                self._every[kind] = int(argument)

    # --- states

    def _forget(self) -> None:
        """What a reset loses: settings, time, almanac, ephemerides."""
        self._output.baud_rate = 9600
        self._period_us = US_PER_S
        self._every = dict.fromkeys(nmea.KINDS, 1)
        self._systems = SYSTEMS
        self._time_known = False
        self._ephemeris_us: int | None = None
        self.silent = False

    def _obey_wakeup(self) -> None:
        """What it does as WAKEUP stands now."""
        if self._wakeup is None or self._wakeup.level:
            self._start()
        else:
            self._stop("standby", STANDBY_UA)

    def _start(self, at_best: str = HOT) -> None:
        """Begin to search, with what is still known and may be used."""
        self._cancel_all()
        self.state = "running"
        self._line.clear()
        self._listens_from_us = self._world.now_us + _DEAF_US
        if at_best == COLD or self._ephemeris_us is None:
            self.start_kind = COLD
            self._time_known = False
            self._ephemeris_us = None
        elif at_best == WARM or self._world.now_us - self._ephemeris_us >= _EPHEMERIS_US:
            self.start_kind = WARM
        else:
            self.start_kind = HOT
        self._course_deg = 0.0
        self._epochs = 0
        self._search(self._random.uniform(*_FIRST_FIX_S[self.start_kind]))
        self._output.send(nmea.boot(self._systems), _DEAF_US)
        self._plan_epoch()

    def _search(self, needed_s: float) -> None:
        self._needed_s = needed_s
        self._progress_s = 0.0
        self._fixed_since_us: int | None = None
        self._power.set_state(self._part, "acquiring", ACQUIRING_UA)

    def _stop(self, state: str, current_ua: float) -> None:
        self._cancel_all()
        self.state = state
        self._power.set_state(self._part, state, current_ua)

    def _cancel_all(self) -> None:
        self._output.stop()
        for event in (self._epoch_event, self._timer_event):
            if event is not None:
                event.cancel()

    def _stand_by_for(self, seconds: int) -> None:
        """$PCAS12: standby, then run again by itself."""
        if self._timed_standby:
            self._stop("standby", STANDBY_UA)
            self._timer_event = self._world.after(seconds * US_PER_S, self._obey_wakeup)

    def _on_wakeup(self, level: int) -> None:
        """High ends a timed standby early; low makes its timer pointless."""
        if self.state in ("running", "standby"):
            self._obey_wakeup()

    def _on_reset(self, level: int) -> None:
        """RESET_N: held in reset after 100 ms, a new start when released; a shorter pulse does nothing."""
        if self.state == "off":
            return
        if self.state == "reset":
            self.power_cycle()
        elif not level:
            self._reset_event = self._world.after(_RESET_US, self._hold_in_reset)
        elif self._reset_event is not None:
            self._reset_event.cancel()

    def _hold_in_reset(self) -> None:
        if self.state != "off":
            self._stop("reset", STANDBY_UA)

    # --- output

    def _plan_epoch(self) -> None:
        """Epochs lie on whole periods of UTC."""
        now_us = self._world.start_unix_ms * 1000 + self._world.now_us
        self._epoch_event = self._world.after(self._period_us - now_us % self._period_us, self._on_epoch)

    def _on_epoch(self) -> None:
        self._plan_epoch()
        fix = self._track()
        self._epochs += 1
        if self._output.busy or self.silent:
            return
        if self._recording is not None:
            self._output.send(next(self._recording, []), _OUTPUT_DELAY_US)
            return
        satellites = self._sky.satellites(self._world.now_us, self._systems)
        if not self._time_known:  # nor where satellites are that it does not hear
            satellites = tuple(satellite for satellite in satellites if satellite.snr_db)
        due = [kind for kind, every in self._every.items() if every and self._epochs % every == 0]
        shown_ms = self._world.unix_ms + self.clock_error_ms - (_ROLLOVER_MS if self.week_rollover else 0)
        unix_ms = shown_ms if self._time_known else None
        self._output.send(nmea.epoch(due, unix_ms, fix, satellites), _OUTPUT_DELAY_US)

    def _track(self) -> Measurement | None:
        """One period of searching or tracking; the fix to show, if there is one."""
        now_us = self._world.now_us
        fix = self._sky.measure(now_us, self._systems, self._error_factor())
        if fix is None:
            if self._fixed_since_us is not None:
                self.start_kind = HOT
                self._search(_REACQUIRE_S)
            return None
        if self._fixed_since_us is None:
            self._progress_s += self._sky.view(now_us).pace * self._period_us / US_PER_S
            self._time_known = self._time_known or self._progress_s >= self._needed_s / 2
            if self._progress_s < self._needed_s:
                return None
            self._fixed_since_us = now_us
            self._power.set_state(self._part, "tracking", TRACKING_UA)
        self._ephemeris_us = now_us
        if fix.speed_mps < _STATIC_MPS:
            return replace(fix, speed_mps=0.0, course_deg=self._course_deg)
        self._course_deg = fix.course_deg
        return fix

    def _error_factor(self) -> float:
        """The first fixes after a start are worse."""
        since_us = self._world.now_us if self._fixed_since_us is None else self._fixed_since_us
        age_s = (self._world.now_us - since_us) / US_PER_S
        return 1 + _FIRST_ERROR[self.start_kind] * _ERROR_KEPT_PER_S**age_s
