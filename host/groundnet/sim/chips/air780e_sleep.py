"""Sleep between two lines on the UART: AT+CSCLK, +WAKETIM and the network modes of +POWERMODE."""

from collections.abc import Callable

from groundnet.sim.chips.air780e_currents import IDLE, SEARCHING, SLEEP, Currents
from groundnet.sim.chips.air780e_dialect import OK, Handler, Reply, integer
from groundnet.sim.chips.air780e_radio import Radio
from groundnet.sim.world import US_PER_S, Event, World

_QUIET_MIN_US = 100_000
_WAKE_LOSES = 4  # bytes; at rates over 9600 the first ones only wake it


class Sleep:
    """Awake or asleep.

    Args:
        world: clock.
        radio: while it searches there is no sleep.
        currents: told when it sleeps.
        idle: whether the command line has nothing to do.
    """

    def __init__(self, world: World, radio: Radio, currents: Currents, idle: Callable[[], bool]) -> None:
        self._world, self._radio, self._currents, self._idle = world, radio, currents, idle
        self._event: Event | None = None
        self.reset()

    def reset(self) -> None:
        """As after a restart: it never sleeps."""
        self._asleep = False
        self.mode, self._quiet_s = 0, 1
        if self._event is not None:
            self._event.cancel()

    def heard(self, data: bytes) -> bytes:
        """What is understood of ``data``: the first bytes after sleep are lost."""
        understood = data[_WAKE_LOSES:] if self._asleep else data
        self.stay_awake()
        return understood

    def stay_awake(self) -> None:
        """Awake now; asleep again when nothing happens on the UART for the set time."""
        if self._asleep:
            self._asleep = False
            self._currents.rest(SEARCHING if self._radio.searching else IDLE)
        if self._event is not None:
            self._event.cancel()
        if self.mode >= 2:
            quiet_us = max(_QUIET_MIN_US, self._quiet_s * US_PER_S)
            self._event = self._world.after(quiet_us, self._fall_asleep)

    def _fall_asleep(self) -> None:
        if not self._idle() or self._radio.searching:
            self.stay_awake()
            return
        self._asleep = True
        self._currents.rest(SLEEP)

    def commands(self) -> dict[str, Handler]:
        return {"+CSCLK": self._clock, "+WAKETIM": self._wait}

    def _clock(self, form: str, arguments: list[str]) -> Reply:
        """0: never sleep; 1: by DTR (not wired: never); 2 and 3: when the UART is quiet."""
        if form == "?":
            return Reply((f"+CSCLK: {self.mode}",))
        self.mode = integer(arguments, 0, 0, 3)
        return OK

    def _wait(self, form: str, arguments: list[str]) -> Reply:
        if form == "?":
            return Reply((f"+WAKETIM: {self._quiet_s}",))
        self._quiet_s = integer(arguments, 0, 0, 65)
        return OK
