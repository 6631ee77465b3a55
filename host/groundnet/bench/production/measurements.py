"""What a production test can measure. Each gives one number, or a curve whose worst point is the number."""

from collections.abc import Callable
from dataclasses import dataclass, field

from groundwire import beacon

from groundnet.bench.interface import LISTENER, Bench, Device, TooLate

_USUAL_S = 10.0
_AFTER_S, _STEP_S = 2.0, 0.1  # of the current behind a reaction
_GIVE_UP_S = 60.0


@dataclass(frozen=True)
class Curve:
    """Points of a measurement over something: ("s", "uA") or ("dB", "dBm"), for the report's plots."""

    axes: tuple[str, str]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Reading:
    """One measurement of one unit."""

    value: float
    curve: Curve | None = None


@dataclass(frozen=True)
class Measurement:
    """``options`` maps what a step may say to its unit; an empty unit is a text."""

    unit: str
    take: Callable[[Bench, Device, dict], Reading]
    options: dict[str, str] = field(default_factory=dict)


def _mean_current(bench: Bench, device: Device, options: dict) -> Reading:
    """Mean current; the curve has its samples."""
    bench.run(options.get("settle", 0.0))
    span_s, step_s = options.get("over", _USUAL_S), options.get("step", 1.0)
    points = []
    for index in range(max(1, round(span_s / step_s))):
        points.append((index * step_s, device.current.mean_ua(step_s)))
    mean_ua = sum(current_ua for _, current_ua in points) / len(points)
    return Reading(mean_ua, Curve(("s", "uA"), tuple(points)))


def _beacon_after_motion(bench: Bench, device: Device, options: dict) -> Reading:
    """Seconds from a movement to the beacon that tells it; the curve is the current from one to the other."""
    bench.run(options.get("settle", _USUAL_S))
    heard = len(bench.heard(device))
    began_s = bench.now_s
    points: list[tuple[float, float]] = []
    device.motion.does(str(options.get("motion", "ride")), 30.0)

    def told() -> bool:
        points.append((bench.now_s - began_s, device.current.now_ua))
        return any(beacon.decode(one.payload).flags & beacon.MOTION for one in bench.heard(device)[heard:])

    reaction_s = _seconds(bench, told, "a beacon that tells a movement")
    for _ in range(round(_AFTER_S / _STEP_S)):
        told()
        bench.run(_STEP_S)
    return Reading(reaction_s, Curve(("s", "uA"), tuple(points)))


def _level(bench: Bench, device: Device, options: dict) -> Reading:
    """How far the level at a listener is from what its power and the attenuation make it, over all attenuations, dB.

    Beacons are caused by movements; each attenuation waits for one.
    """
    listener = bench.devices.get(LISTENER) or bench.device("base", LISTENER)
    first_db, last_db, step_db = (
        options.get(key, usual) for key, usual in (("from", 60.0), ("to", 110.0), ("by", 10.0))
    )
    headquarters = bench.headquarters
    points = []
    for index in range(round((last_db - first_db) / step_db) + 1):
        loss_db = first_db + index * step_db
        bench.set_loss(device.name, listener.name, loss_db)
        before = _levels(headquarters, device)
        device.motion.does("ride", 30.0)
        _seconds(
            bench,
            lambda before=before: len(_levels(headquarters, device)) > len(before),
            "a beacon at the listener",
        )
        points.append((loss_db, float(_levels(headquarters, device)[-1])))
        bench.run(options.get("pause", 130.0))
    bench.set_loss(device.name, listener.name, None)
    power_dbm = bench.heard(device)[-1].power_dbm
    worst_db = max(abs(level_dbm - (power_dbm - loss_db)) for loss_db, level_dbm in points)
    return Reading(worst_db, Curve(("dB", "dBm"), tuple(points)))


def _sound(bench: Bench, device: Device, options: dict) -> Reading:
    """Seconds for which a sounder of the board sounds after it was triggered by a contact."""
    sounder = device.sounder(str(options.get("part", "siren")))
    before = len(sounder.bursts)
    device.contact(str(options.get("contact", "button"))).press(options.get("press", 4.0))
    _seconds(bench, lambda: len(sounder.bursts) > before and not sounder.sounding, "a sound")
    began_s, ended_s = sounder.bursts[before]
    return Reading((bench.now_s if ended_s is None else ended_s) - began_s)


def _seconds(bench: Bench, happened: Callable[[], object], what: str) -> float:
    """How long it took; as long as was waited when it did not come, which no limit lets pass."""
    try:
        return bench.until(happened, _GIVE_UP_S, what)
    except TooLate:
        return _GIVE_UP_S


def _levels(headquarters, device: Device) -> list[int]:
    rows = headquarters.database.rows(
        "SELECT rssi_dbm FROM sightings WHERE device_id = ? ORDER BY time_ms", device.fitted.device_id
    )
    return [row["rssi_dbm"] for row in rows]


MEASUREMENTS = {
    "mean_current": Measurement("uA", _mean_current, {"settle": "s", "over": "s", "step": "s"}),
    "beacon_after_motion": Measurement("s", _beacon_after_motion, {"settle": "s", "motion": ""}),
    "level_error": Measurement("dB", _level, {"from": "dB", "to": "dB", "by": "dB", "pause": "s"}),
    "sound": Measurement("s", _sound, {"part": "", "contact": "", "press": "s"}),
}
