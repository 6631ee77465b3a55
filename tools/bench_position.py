"""How far from the truth a tag is placed, against the density of stations: `make bench` runs this.

A tag is driven along recorded journeys and then parked; its beacons go through the air of `groundnet.sim.radio`, whose
world the estimator does not know: another exponent, shadowing bound to squares of ground, and an antenna of its own at
each station (roofs and cellars). A tracker that roams the same area the day before, with a GNSS, is what stations are
calibrated from; it takes no road of the journey. Everything goes through the collector's own store and functions.
The same for other recordings: `tools/bench_position.py JOURNEY.gpx...`. Writes build/bench/position.json.
"""

import json
import math
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
sys.path.insert(0, str(ROOT / "host"))

from groundnet.collector.database import Database  # noqa: E402
from groundnet.collector.places import calibration, smoothing  # noqa: E402 - the clone's own package, found by the line above
from groundnet.collector.places.cell_table import CellTable  # noqa: E402
from groundnet.collector.places.observations import observations  # noqa: E402
from groundnet.collector.places.position import Estimate, locate  # noqa: E402
from groundnet.collector.places.smoothing import Observation  # noqa: E402
from groundnet.geodesy import LocalFrame, distance_m  # noqa: E402
from groundnet.sim.antenna import Antenna  # noqa: E402
from groundnet.sim.modulation import Lora  # noqa: E402
from groundnet.sim.radio import Medium  # noqa: E402
from groundnet.sim.world import World  # noqa: E402

JOURNEYS = {
    "car, 2.7 km": ROOT / "host" / "groundnet" / "sim" / "theft" / "data" / "around-visnjan-with-car.gpx",
    "lake, 13.7 km": ROOT / "tools" / "journeys" / "cerknicko-jezero.gpx",
}
SPACINGS_M = (500, 1000, 1500)
LEAST_SEEDS, LEAST_BEACONS = 6, 1200  # each seed: other stations, antennas, shadows and another tag
LORA = Lora(868_100_000, 9)
POWER_DBM = 14.0
EXPONENT, SHADOWING_DB, ANTENNA_SD_DB = 3.7, 7.0, 6.0  # the estimator's: 3.4, 7 and 0
MOUNT_SD_DB = 4.0  # how the tag is fixed and what is around it
MARGIN_M = 700.0  # stations stand around the journey, too
BEACON_MS, PARKED_BEACON_MS, PARKED_MS = 15_000, 60_000, 1_200_000
ROAM_STEP_MS, ROAM_SPEED_MPS, ROAM_FIXES = 10_000, 8.0, 700
TAG, TRACKER = b"tag-----", b"tracker-"
MOTION = 1
BEGIN_MS = 1_700_000_000_000
DAY_MS = 86_400_000

WIDER = math.sqrt(
    math.log(0.05) / math.log(0.32)
)  # of a round Gaussian: the circle with 95 % by that with 68 %
CORRIDOR_M = 4000.0  # stations further from the journey hear nothing of it
PROBES = 400  # places of a journey that are looked at for that

Places = list[tuple[int, float, float]]  # Unix ms, metres east and north


@dataclass(frozen=True)
class Error:
    """Of one answer: metres from the truth, and the radius that was told with it."""

    off_m: float
    radius_m: float | None = None


def timed_points(path: Path) -> Iterable[tuple[datetime, float, float]]:
    """Time and WGS-84 degrees of each track point that has a time; one without a zone is UTC, as GPX says."""
    for point in ElementTree.parse(path).iter():
        if point.tag.endswith("}trkpt"):
            text = next((child.text for child in point if child.tag.endswith("}time")), None)
            if text:
                time = datetime.fromisoformat(text.strip())
                time = time if time.tzinfo else time.replace(tzinfo=UTC)
                yield time, float(point.attrib["lat"]), float(point.attrib["lon"])


def read_journey(path: Path) -> tuple[LocalFrame, Places]:
    """A recorded journey and what follows: parked at its end. It begins at ``BEGIN_MS``."""
    try:
        found = sorted(timed_points(path))
    except (ElementTree.ParseError, OSError, ValueError, KeyError) as error:
        raise SystemExit(f"error: {path} is no whole GPX file ({error}); name a recorded journey") from error
    if not found:
        raise SystemExit(f"error: {path} has no point with a time; name a recorded journey")
    frame = LocalFrame(found[0][1], found[0][2])
    places = [
        (BEGIN_MS + round((time - found[0][0]).total_seconds() * 1000), *frame.to_metres(lat, lon))
        for time, lat, lon in found
    ]
    return frame, [*places, (places[-1][0] + PARKED_MS, *places[-1][1:])]


def place_at(places: Places, at_ms: int) -> tuple[float, float]:
    """Metres east and north, on a straight line between two places."""
    index = min(max(bisect_right(places, at_ms, key=lambda one: one[0]), 1), len(places) - 1)
    (t0, x0, y0), (t1, x1, y1) = places[index - 1], places[index]
    share = min(max((at_ms - t0) / max(t1 - t0, 1), 0.0), 1.0)
    return x0 + share * (x1 - x0), y0 + share * (y1 - y0)


def roam(world: World, places: Places) -> Places:
    """A tracker's day before: from one random place of the area to another."""
    random = world.random("roam")
    xs, ys = [one[1] for one in places], [one[2] for one in places]
    now_ms, x, y = BEGIN_MS - DAY_MS, xs[0], ys[0]
    found = [(now_ms, x, y)]
    while len(found) * 30 < ROAM_FIXES:
        x2 = random.uniform(min(xs) - MARGIN_M, max(xs) + MARGIN_M)
        y2 = random.uniform(min(ys) - MARGIN_M, max(ys) + MARGIN_M)
        now_ms += round(1000 * math.hypot(x2 - x, y2 - y) / ROAM_SPEED_MPS)
        x, y = x2, y2
        found.append((now_ms, x, y))
    return found


class County:
    """Stations around a journey, the air between them and a sender, and the collector's store."""

    def __init__(self, seed: int, spacing_m: float, frame: LocalFrame, places: Places, store: Path) -> None:
        self.frame = frame
        self.world = World(seed, BEGIN_MS - DAY_MS)
        self.medium = Medium(self.world, EXPONENT, SHADOWING_DB)
        self.database = Database(store)
        self._sequence = 0
        mount_db = self.world.random("mount").gauss(0, MOUNT_SD_DB)
        self._senders = {
            TAG: self.medium.attach("tag", lambda _: self._place, lambda _: None, gain_db=mount_db),
            TRACKER: self.medium.attach("tracker", lambda _: self._place, lambda _: None),
        }
        self._place = (0.0, 0.0)
        self._counter = 0
        self._heard: list[tuple] = []
        for number, (x, y) in enumerate(self._sites(spacing_m, places)):
            self._build(number, x, y)

    def _sites(self, spacing_m: float, places: Places) -> Iterable[tuple[float, float]]:
        random = self.world.random("sites")
        xs, ys = [one[1] for one in places], [one[2] for one in places]
        near = places[:: max(len(places) // PROBES, 1)]
        for column in range(math.ceil((max(xs) - min(xs) + 2 * MARGIN_M) / spacing_m)):
            for row in range(math.ceil((max(ys) - min(ys) + 2 * MARGIN_M) / spacing_m)):
                x = min(xs) - MARGIN_M + (column + random.uniform(0.2, 0.8)) * spacing_m
                y = min(ys) - MARGIN_M + (row + random.uniform(0.2, 0.8)) * spacing_m
                if min(math.hypot(x - px, y - py) for _, px, py in near) < CORRIDOR_M:
                    yield x, y

    def _build(self, number: int, x: float, y: float) -> None:
        station_id = f"st{number:06d}".encode()
        gain_db = self.world.random(f"antenna/{number}").gauss(0, ANTENNA_SD_DB)
        antenna: Antenna = self.medium.attach(
            station_id.decode(),
            lambda _: (x, y),
            lambda reception: self._hear(station_id, reception),
            gain_db=gain_db,
        )
        antenna.listen(LORA, 0, 6.0)
        lat, lon = self.frame.to_degrees(x, y)
        self.database.run("INSERT INTO stations VALUES (?, ?, ?, 1, ?, NULL)", station_id, lat, lon, BEGIN_MS)
        self.database.run(
            "INSERT INTO station_spans VALUES (?, ?, ?)", station_id, BEGIN_MS - 2 * DAY_MS, BEGIN_MS + DAY_MS
        )

    def _hear(self, station_id: bytes, reception) -> None:
        if reception.intact:
            self._heard.append((station_id, round(reception.rssi_dbm), round(reception.snr_db, 2)))

    def beacon(self, device_id: bytes, at_ms: int, place: tuple[float, float], flags: int) -> None:
        """Send one beacon and keep who heard it."""
        self.world.run_until((at_ms - self.world.start_unix_ms) * 1000)
        self._place, self._heard = place, []
        self.medium.transmit(self._senders[device_id], bytes(20), LORA, POWER_DBM, LORA.airtime_us(20))
        self.world.run_for(1_000_000)
        self._counter += 1
        self.database.run(
            "INSERT INTO beacons (device_id, counter, time_ms, flags, battery, received_ms) VALUES (?, ?, ?, ?, 10, ?)",
            device_id,
            self._counter,
            at_ms,
            flags,
            at_ms,
        )
        for station_id, rssi_dbm, snr_db in self._heard:
            self._sequence += 1
            self.database.run(
                "INSERT INTO sightings VALUES (?, 1, ?, ?, ?, ?, ?, ?)",
                station_id,
                self._sequence,
                device_id,
                self._counter,
                at_ms,
                rssi_dbm,
                snr_db,
            )

    def play(self, places: Places) -> None:
        """The tracker's day, then the tag's journey."""
        before = roam(self.world, places)
        random = self.world.random("gnss")
        with self.database.transaction():
            for at_ms in range(before[0][0], before[-1][0], ROAM_STEP_MS):
                x, y = place_at(before, at_ms)
                self.beacon(TRACKER, at_ms, (x, y), MOTION)
                lat, lon = self.frame.to_degrees(x + random.gauss(0, 4), y + random.gauss(0, 4))
                self.database.run(
                    "INSERT INTO fixes VALUES (?, ?, ?, ?, 6.0, 'gnss', NULL, NULL)", TRACKER, at_ms, lat, lon
                )
            at_ms, parked_ms = places[0][0], places[-2][0]
            while at_ms <= places[-1][0]:
                self.beacon(TAG, at_ms, place_at(places, at_ms), MOTION if at_ms < parked_ms else 0)
                at_ms += BEACON_MS if at_ms < parked_ms else PARKED_BEACON_MS


def strongest(seen: Observation) -> Estimate:
    ear = max(seen.ears, key=lambda one: one.rssi_dbm)
    return Estimate(ear.lat, ear.lon, 0)


def centroid(seen: Observation) -> Estimate:
    heard = seen.ears
    return Estimate(sum(e.lat for e in heard) / len(heard), sum(e.lon for e in heard) / len(heard), 0)


def answers(county: County) -> dict[str, list[tuple[Observation, Estimate]]]:
    """Every way to place the tag, over all its beacons that were heard."""
    found = {}
    for calibrated in (False, True):
        if calibrated:
            calibration.learn_all(county.database, BEGIN_MS)
        seen = observations(county.database, [TAG], 0, 1 << 62, CellTable())
        word = ", calibrated" if calibrated else ""
        if not calibrated:
            found["strongest station"] = [(one, strongest(one)) for one in seen]
            found["centroid"] = [(one, centroid(one)) for one in seen]
        located = [(one, locate(list(one.ears))) for one in seen]
        found[f"one beacon{word}"] = [(one, place) for one, place in located if place]
        ways: tuple[tuple[str, Callable], ...] = (
            ("filter", smoothing.filtered),
            ("smoothed", smoothing.smooth),
        )
        for name, way in ways:
            found[f"{name}{word}"] = [(one.seen, one.place) for one in way(seen)]
    return found


def summary(errors: list[Error]) -> dict[str, float]:
    """Median and 90 % of the errors, and which share of the truths is within the radius of 68 %, and that of 95 %."""
    ordered = sorted(one.off_m for one in errors)
    found = {
        "answers": len(ordered),
        "median_m": round(ordered[len(ordered) // 2], 1),
        "p90_m": round(ordered[int(0.9 * len(ordered))], 1),
    }
    ratios = [one.off_m / one.radius_m for one in errors if one.radius_m]
    if ratios:
        found["within_68"] = round(sum(ratio <= 1 for ratio in ratios) / len(ratios), 3)
        found["within_95"] = round(sum(ratio <= WIDER for ratio in ratios) / len(ratios), 3)
    return found


def measure(path: Path, spacing_m: float) -> dict[str, list[Error]]:
    errors: dict[str, list[Error]] = {}
    frame, places = read_journey(path)
    beacons = (places[-2][0] - places[0][0]) // BEACON_MS + PARKED_MS // PARKED_BEACON_MS
    for seed in range(1, 1 + max(LEAST_SEEDS, math.ceil(LEAST_BEACONS / beacons))):
        with tempfile.TemporaryDirectory() as folder:
            county = County(seed, spacing_m, frame, places, Path(folder) / "store.db")
            county.play(places)
            for name, found in answers(county).items():
                for seen, place in found:
                    truth = frame.to_degrees(*place_at(places, seen.time_ms))
                    off_m = distance_m(place.lat, place.lon, *truth)
                    state = "parked" if seen.time_ms >= places[-2][0] else "moving"
                    errors.setdefault(f"{state}: {name}", []).append(Error(off_m, place.radius_m or None))
            county.database.close()
    return errors


def main() -> None:
    figures: dict[str, dict] = {}
    named = {Path(name).stem: Path(name) for name in sys.argv[1:]}
    for journey, path in (named or JOURNEYS).items():
        for spacing_m in SPACINGS_M:
            density = f"{1e6 / spacing_m**2:.2f} stations/km2"
            print(
                f"{journey}, {density}: metres from the truth (median, 90 %), truths within the radii of 68 and 95 %"
            )
            told = {name: summary(errors) for name, errors in measure(path, spacing_m).items()}
            figures.setdefault(journey, {})[density] = told
            for name, one in sorted(told.items(), key=lambda item: item[0].partition(":")[0]):
                plain_m = told[name.partition(":")[0] + ": strongest station"]["median_m"]
                within = f"{one['within_68']:6.0%}{one['within_95']:6.0%}" if "within_68" in one else 12 * " "
                ratio = one["median_m"] / plain_m
                print(
                    f"  {name:30}{one['median_m']:8.0f}{one['p90_m']:8.0f}{within}  {ratio:.2f} x strongest"
                )
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "position.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
