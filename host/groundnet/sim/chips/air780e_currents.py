"""What the modem draws: a resting state, bursts of the transmitter and the connected time after each."""

from collections.abc import Callable

from groundnet.sim.power import PowerAccount
from groundnet.sim.world import US_PER_S, Event, World

UNPOWERED, OFF, BOOTING, SEARCHING, IDLE, SLEEP, PSM = (
    "unpowered",
    "off",
    "booting",
    "searching",
    "idle",
    "sleep",
    "PSM+",
)
_TRANSMITTING, _CONNECTED = "transmitting", "connected"
# Sleep: 0.45-0.6 mA with the network's paging; PSM+: 2.9 uA; bursts: 1 A (both openLuat); the rest is typical
# of Cat.1 modules with this chip.
CURRENT_UA = {
    UNPOWERED: 0.0,
    OFF: 3.0,
    BOOTING: 45_000.0,
    SEARCHING: 55_000.0,
    IDLE: 12_000.0,
    SLEEP: 500.0,
    PSM: 3.0,
    _TRANSMITTING: 1_000_000.0,
    _CONNECTED: 60_000.0,
}
_CONNECTED_US = 10 * US_PER_S  # the network's inactivity timer, after the last byte


class Currents:
    """Keeps the modem's entry in the board's power account."""

    def __init__(self, world: World, power: PowerAccount, part: str) -> None:
        self._world, self._power, self._part = world, power, part
        self._resting = UNPOWERED
        self._event: Event | None = None  # end of the burst or of the connected time

    def rest(self, state: str) -> None:
        """The state to be in, or to fall back to."""
        self._resting = state
        if self._event is None:
            self._show(state)

    def stop(self, state: str) -> None:
        """The radio falls silent at once."""
        if self._event is not None:
            self._event.cancel()
            self._event = None
        self.rest(state)

    def transmit(self, duration_us: int) -> None:
        """The transmitter runs for ``duration_us`` altogether; the radio then stays connected for a while."""
        self._begin(_TRANSMITTING, duration_us, self.listen)

    def listen(self) -> None:
        """The radio is connected: something was sent or came in."""
        self._begin(_CONNECTED, _CONNECTED_US, self._end)

    def _begin(self, state: str, duration_us: int, then: Callable[[], None]) -> None:
        if self._event is not None:
            self._event.cancel()
        self._show(state)
        self._event = self._world.after(duration_us, then)

    def _end(self) -> None:
        self._event = None
        self._show(self._resting)

    def _show(self, state: str) -> None:
        self._power.set_state(self._part, state, CURRENT_UA[state])
