"""Plays a month and judges it: false alarms, missed thefts, how fast, and what it costs."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from groundwire import frame, messages
from groundwire.errors import WireError

from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.errors import GroundnetError
from groundnet.sim.groundcore_runtime import load
from groundnet.sim.month.body import Body
from groundnet.sim.month.faults import Faults
from groundnet.sim.month.script import DAY_S, Script, Theft, write
from groundnet.sim.month.senses import Accelerometer, Receiver
from groundnet.sim.sky import Sky
from groundnet.sim.world import US_PER_S, World

DEVICE_ID = bytes.fromhex("0200000000000001")
_DAYS_MOST = 366
_AFTERMATH_S = 3600 + 600  # from a theft until the bike stands in the rack and is armed again


@dataclass(frozen=True)
class Outcome:
    """One theft: seconds from the first movement to each answer, None when there was none."""

    kind: str
    report_s: float | None  # the alarm is at the collector
    beacon_s: float | None
    siren_s: float | None


@dataclass(frozen=True)
class Figures:
    """What came of a month."""

    seed: int
    days: int
    thefts: tuple[Outcome, ...]
    false_alarms: int  # reports of an alarm when nobody took anything
    false_sirens: int
    reports: int  # stored by the collector, each once
    flash_writes: int
    mah_per_day: float
    mah_per_day_by_state: dict[str, float]

    @property
    def missed(self) -> int:
        """Thefts without an alarm at the collector."""
        return sum(outcome.report_s is None for outcome in self.thefts)

    def median_s(self, answer: str) -> float | None:
        """Median of ``report_s``, ``beacon_s`` or ``siren_s`` over the thefts that had one."""
        found = [value for outcome in self.thefts if (value := getattr(outcome, answer)) is not None]
        return median(found) if found else None


def play(seed: int, days: int = 30, thefts: int = 6) -> Figures:
    """One month of one armed tracker at a windy roadside rack.

    Raises GroundnetError when ``days`` is not 2..366 or more thefts are asked for than fit.
    """
    if not 2 <= days <= _DAYS_MOST:
        raise GroundnetError(f"{days} days cannot be played", f"give 2 to {_DAYS_MOST}")
    if not 0 <= thefts <= 2 * (days - 1):
        raise GroundnetError(f"{thefts} thefts do not fit into {days} days", "give two a day at most")
    world = World(seed)
    script = write(world.random("script"), days, thefts, world.start_unix_ms)
    with tempfile.TemporaryDirectory(prefix="groundnet-") as folder:
        database = Database(Path(folder) / "month.sqlite")
        try:
            return _play(world, script, days, database)
        finally:
            database.close()


def _play(world: World, script: Script, days: int, database: Database) -> Figures:
    secret = world.random("secret").randbytes(32)
    collector = Collector(database, [(DEVICE_ID, secret)])
    alarms: list[tuple[int, str]] = []

    def answer(data: bytes) -> bytes:
        decoder = frame.Decoder(4096, frame.REQUESTS)
        decoder.feed(data)
        asked = decoder.next()
        if not isinstance(asked, frame.Frame):
            raise WireError("frame", "the core sent no frame")
        for item in messages.decode(asked.kind, asked.payload).values["items"]:
            if item["type"] == "alarm":
                alarms.append((world.now_us, item["cause"]))
        return collector.receive(asked, world.unix_ms)

    body = Body(
        world,
        load("tracker").Tracker(DEVICE_ID, _records(secret)),
        Accelerometer(script.motion, world.random("noise")),
        Receiver(world, Sky(world, "bike", script.journey), world.random("receiver")),
        Faults.drawn(world.random("faults"), days),
        answer,
        world.random("air"),
    )
    body.boot()
    world.run_until(days * DAY_S * US_PER_S)
    return _judge(world, script, days, body, alarms, database)


def _records(secret: bytes) -> dict[str, bytes | None]:
    store, settings = load("store"), load("settings")
    identity = store.Identity("GN-MONTH", "vehicle", "rack", secret, True)
    changed = {"collector_host": "collector", "owner_phone": "+10000000000"}
    return {
        store.IDENTITY: store.encode_identity(identity),
        store.STATE: None,
        store.SETTINGS: settings.encode(changed),
    }


def _judge(
    world: World, script: Script, days: int, body: Body, alarms: list[tuple[int, str]], database: Database
) -> Figures:
    sirens = [noted.at_us for noted in body.noted if noted.what == "siren"]
    beacons = [noted.at_us for noted in body.noted if noted.what == "beacon"]
    reports = [at_us for at_us, _ in alarms]
    outcomes = tuple(
        Outcome(
            theft.kind,
            _first_s(theft, reports),
            _first_s(theft, beacons),
            _first_s(theft, sirens),
        )
        for theft in script.thefts
    )
    charge = body.power.charge_uas()
    by_state = {f"{part} {state}": uas / 3.6e6 / days for (part, state), uas in charge.items()}
    stored = database.row("SELECT count(*) AS n FROM reports")
    return Figures(
        seed=world.seed,
        days=days,
        thefts=outcomes,
        false_alarms=sum(not _of_a_theft(script, at_us) for at_us in reports),
        false_sirens=sum(not _of_a_theft(script, at_us) for at_us in sirens),
        reports=stored["n"] if stored else 0,
        flash_writes=body.stores,
        mah_per_day=sum(by_state.values()),
        mah_per_day_by_state=dict(sorted(by_state.items(), key=lambda entry: -entry[1])),
    )


def _first_s(theft: Theft, times_us: list[int]) -> float | None:
    """Seconds from the theft to the first of these within its time."""
    found = [at_us for at_us in times_us if theft.at_us <= at_us <= theft.until_us]
    return (found[0] - theft.at_us) / US_PER_S if found else None


def _of_a_theft(script: Script, at_us: int) -> bool:
    return any(theft.at_us <= at_us <= theft.at_us + _AFTERMATH_S * US_PER_S for theft in script.thefts)
