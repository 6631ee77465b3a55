"""What is on the air between radios, and one radio's place there: frames, receptions, antennas."""

from collections.abc import Callable
from dataclasses import dataclass

from groundnet.sim.modulation import Modulation
from groundnet.sim.world import Event

Position = tuple[float, float]  # metres east and north of the scene's origin


@dataclass(eq=False)
class Frame:
    """One transmission."""

    number: int
    sender: "Antenna"
    payload: bytes
    modulation: Modulation
    power_dbm: float
    start_us: int
    end_us: int
    aborted: bool = False
    end_event: Event | None = None

    @property
    def lock_at_us(self) -> int:
        """When a receiver that heard the preamble has locked on."""
        return self.start_us + round(self.modulation.preamble_us)

    @property
    def header_end_us(self) -> int:
        return self.lock_at_us + round(self.modulation.header_us)


@dataclass(frozen=True)
class Reception:
    """A frame as one receiver got it; ``payload`` has flipped bits when ``intact`` is false."""

    frame: Frame
    payload: bytes
    intact: bool
    header_intact: bool
    rssi_dbm: float  # everything in the channel
    signal_dbm: float  # the frame alone
    snr_db: float


@dataclass(frozen=True)
class Turns:
    """Listening and sleeping in turns, in microseconds; a turn begins with listening."""

    listen_us: int
    sleep_us: int  # with the time that waking up takes

    @property
    def period_us(self) -> int:
        return self.listen_us + self.sleep_us

    @property
    def patience_us(self) -> int:
        """From a preamble until the header must be in (SX1262 data sheet 13.1.7)."""
        return 2 * self.listen_us + self.sleep_us

    def caught_us(self, since_us: int, first_us: int, last_us: int, needed_us: int) -> int | None:
        """When one turn's listening has shared ``needed_us`` with what is on the air from first to last, or None."""
        turn_us = since_us + max(0, (first_us - since_us) // self.period_us) * self.period_us
        while turn_us < last_us:
            if min(last_us, turn_us + self.listen_us) - max(first_us, turn_us) >= needed_us:
                return max(first_us, turn_us) + needed_us
            turn_us += self.period_us
        return None


@dataclass(eq=False)
class Antenna:
    """One radio's place in the medium; ``Medium.attach`` makes it."""

    name: str
    position: Callable[[int], Position]
    gain_db: float
    on_receive: Callable[[Reception], None]
    on_lock: Callable[[Frame], None]
    listening: Modulation | None = None
    listening_since_us: int = 0
    noise_figure_db: float = 6.0
    turns: "Turns | None" = None  # None: it listens without a pause
    locked: Frame | None = None
    free_since_us: int = 0  # the end of the last frame that held the receiver

    def listen(
        self, modulation: Modulation, since_us: int, noise_figure_db: float, turns: "Turns | None" = None
    ) -> None:
        """Hear frames whose preamble is still to come."""
        self.listening = modulation
        self.listening_since_us = since_us
        self.noise_figure_db = noise_figure_db
        self.turns = turns
        self.locked = None

    def deafen(self) -> None:
        """Stop listening; a frame in reception is lost."""
        self.listening = None
        self.locked = None
