"""What a test may do to a device and see of it, whatever the bench is made of.

A stimulus begins now and goes on by itself; `Bench.run` lets time pass. Times are seconds of the bench's clock:
virtual on a simulated bench, real on a rig. A bench that cannot do something raises `Lacking` with its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from groundnet.bench.fitting import Fitted
from groundnet.errors import GroundnetError

if TYPE_CHECKING:
    from groundnet.bench.headquarters import Headquarters

LISTENER = "listener"  # the device that a test measures others with: the same for all units
T = TypeVar("T")
SKIES = ("open", "urban", "none", "jammed")
MOTIONS = (
    *("still", "bump", "lift", "set_down", "walk", "ride", "van", "fall", "collapse", "jump"),
    *("wind", "truck", "storm", "rain", "rack"),
)


class Lacking(GroundnetError):
    """This bench has no such stimulus or probe; a test that needs it is skipped with its name."""

    def __init__(self, device: str, what: str) -> None:
        super().__init__(
            f"the bench has no {what} for {device}", "add it to the rig, or run the test elsewhere"
        )
        self.device, self.what = device, what


class TooLate(AssertionError):
    """What a test waited for did not happen in its time."""


@dataclass(frozen=True)
class Heard:
    """One frame on the air: seconds, who sent it (a device's name where that is known), bytes, dBm at the sniffer."""

    at_s: float
    sender: str | None
    payload: bytes
    power_dbm: float


@dataclass(frozen=True)
class Text:
    """One short message: when it was sent, to which number, and what it says."""

    at_s: float
    number: str
    text: str


class Motion(Protocol):
    """Moves the device; ``does`` takes a name of MOTIONS and, where it lasts, seconds."""

    def does(self, what: str, duration_s: float | None = None) -> None: ...


class Sky(Protocol):
    """What the GNSS antenna sees."""

    def becomes(self, view: str) -> None: ...
    def spoof(self, east_m: float, north_m: float) -> None: ...


class Contact(Protocol):
    """Button, strap or lid: ``trigger`` is pressed, opened; ``release`` is back at rest."""

    def trigger(self) -> None: ...
    def release(self) -> None: ...
    def press(self, duration_s: float) -> None: ...


class Supply(Protocol):
    """A voltage that a test sets."""

    def set_volts(self, volts: float) -> None: ...
    def cut(self) -> None: ...
    def restore(self) -> None: ...


class Sounder(Protocol):
    """Siren, buzzer or vibration motor: (began, ended) of every sound in seconds; None: still sounding."""

    @property
    def bursts(self) -> list[tuple[float, float | None]]: ...
    @property
    def sounding(self) -> bool: ...


class Current(Protocol):
    """What the device draws from its supply, microamperes."""

    @property
    def now_ua(self) -> float: ...
    def mean_ua(self, duration_s: float) -> float: ...


class Device(Protocol):
    """One device under test.

    ``power`` is the whole supply of the board. Inputs and sounders are asked for by the part's name on the board:
    "button", "strap", "case", "pir", "siren", "buzzer", "vibration".
    """

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def fitted(self) -> Fitted: ...
    @property
    def motion(self) -> Motion: ...
    @property
    def sky(self) -> Sky: ...
    @property
    def current(self) -> Current: ...
    @property
    def power(self) -> Supply: ...

    def contact(self, part: str) -> Contact: ...
    def sounder(self, part: str) -> Sounder: ...
    def vehicle_supply(self) -> Supply: ...
    def cells(self, rows: str) -> None:
        """The towers around it from now on, CSV in OpenCelliD's columns; an empty text: none."""
        ...

    def texts(self) -> list[Text]: ...
    def radio_refusals(self) -> list[str]:
        """What the radio's silicon refused; empty where nobody can tell."""
        ...

    def light(self) -> bool: ...
    def screen(self) -> list[str]:
        """The lines of text on its display; what is drawn comes as U+FFFD; empty while it is dark."""
        ...

    def picture(self) -> list[str]:
        """Its display pixel by pixel, a text of ``#`` and ``.`` for each line."""
        ...

    def log(self) -> str: ...
    def execute(self, code: str) -> str:
        """What MicroPython code prints at the prompt of a bare device. Raises LinkError."""
        ...

    def at_cable(self, job: Callable[[str], T]) -> T:
        """What a host program returns that is given the port of the device."""
        ...

    def carry_to(self, east_m: float, north_m: float, speed_mps: float) -> None: ...
    def faces(self, bearing_deg: float, turning_dps: float = 0.0) -> None:
        """Somebody holds it before the chest and looks there (clockwise from north), from now on turning so fast."""
        ...


class Bench(Protocol):
    """All devices of one test, the air between them and the clock."""

    @property
    def now_s(self) -> float: ...
    @property
    def headquarters(self) -> "Headquarters": ...
    @property
    def devices(self) -> Mapping[str, Device]: ...
    def device(
        self,
        role: str,
        name: str | None = None,
        *,
        profile: str = "",
        board: str | None = None,
        at: tuple[float, float] = (0.0, 0.0),
        powered: bool = True,
        bare: bool = False,
        **settings: object,
    ) -> Device:
        """A device as it leaves the install point.

        Args:
            name: unique on the bench; default: the role.
            profile: what it is fixed to; default: the usual one of the role.
            at: metres east and north, where a bench can place it.
            powered: False: switch it on with ``power.restore()``.
            bare: the modules are in flash, the application does not start: for ``Device.execute``.
            settings: of the firmware's table; where the collector is, is set already.

        Raises GroundnetError for a name that is taken, an unknown role, board or setting.
        """
        ...

    def run(self, duration_s: float) -> None: ...
    def until(self, happened: Callable[[], object], within_s: float, what: str) -> float: ...
    def set_loss(self, first: str, second: str, loss_db: float | None) -> None:
        """An attenuator in place of the air between two devices, by name; None takes it out."""
        ...

    def obstruct(self, first: str, second: str, loss_db: float) -> None:
        """Something stands in the way between two devices: so much more than the path; 0 takes it away."""
        ...

    def heard(self, sender: Device | None = None) -> list[Heard]:
        """Every frame that was on the air so far, or those of one device."""
        ...

    def close(self) -> None: ...
