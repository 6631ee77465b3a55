"""What one played theft leaves behind: the facts behind timeline, report and verdict."""

from dataclasses import dataclass, field

FOUND_WITHIN_M = 150.0


@dataclass(frozen=True)
class Place:
    """A position at a time. WGS-84 degrees; ``radius_m`` is the accuracy, zero for the truth."""

    unix_ms: int
    lat: float
    lon: float
    radius_m: float = 0.0
    source: str = "truth"  # truth, gnss, cell or sightings


@dataclass(frozen=True)
class Entry:
    """One line of the timeline. ``tone`` colours it: calm, alarm, order or found."""

    unix_ms: int
    actor: str
    text: str
    tone: str = "calm"


@dataclass(frozen=True)
class Station:
    """A base station and how many sightings it delivered."""

    name: str
    lat: float
    lon: float
    sightings: int


@dataclass(frozen=True)
class HeardBeacon:
    """One beacon as one station heard it."""

    unix_ms: int
    station: str
    rssi_dbm: float
    snr_db: float
    lost: bool


@dataclass
class TheftRecord:
    """Everything that one run produced; the same seed gives an equal record."""

    seed: int
    began_unix_ms: int
    stolen_unix_ms: int
    ended_unix_ms: int = 0
    route: list[Place] = field(default_factory=list)
    without_sky_ms: tuple[int, int] = (0, 0)
    reports: list[Place] = field(default_factory=list)
    stations: list[Station] = field(default_factory=list)
    heard: list[HeardBeacon] = field(default_factory=list)
    timeline: list[Entry] = field(default_factory=list)
    messages: list[tuple[int, str, str]] = field(default_factory=list)  # SMS: (unix_ms, number, text)
    charge_mah: dict[str, dict[str, float]] = field(default_factory=dict)  # board -> "part state" -> mAh
    false_alarms: int = 0
    answer: Place | None = None
    distance_m: float | None = None
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """The collector's last place is near the true one, and newer than the bike's last stop."""
        return (
            self.answer is not None
            and self.distance_m is not None
            and self.distance_m <= FOUND_WITHIN_M
            and self.answer.unix_ms >= self.route[-1].unix_ms
        )

    @property
    def failure(self) -> str | None:
        """Why the story failed, None when it ended well: the bike is found, and nobody was woken for nothing."""
        if not self.found:
            return f"the bike was not found within {FOUND_WITHIN_M:.0f} m of its true last place"
        if self.false_alarms:
            return f"{self.false_alarms} false alarms before the theft"
        return None

    def summary(self) -> dict:
        """The verdict and its figures, for machines."""
        answer = self.answer
        return {
            "seed": self.seed,
            "found": self.found,
            "failure": self.failure,
            "distance_m": None if self.distance_m is None else round(self.distance_m, 1),
            "answer": None
            if answer is None
            else {"lat": answer.lat, "lon": answer.lon, "radius_m": answer.radius_m},
            "false_alarms": self.false_alarms,
            **self.figures,
        }
