"""The story of a theft, from the install point to the answer: one function per chapter."""

from collections.abc import Callable
from pathlib import Path

from groundwire import beacon

from groundnet.collector.casework.cases import open_case
from groundnet.collector.database import Database
from groundnet.collector.places.export import FORMATS
from groundnet.collector.places.track import last_place, track_of
from groundnet.geodesy import distance_m
from groundnet.sim.theft import scene
from groundnet.sim.theft.install_point import provision_tag, provision_tracker, set_up_station
from groundnet.sim.theft.record import HeardBeacon, Place, Station, TheftRecord
from groundnet.sim.theft.stage import TAG_ID, TRACKER_ID, Stage
from groundnet.sim.theft.timeline import Tell, Timeline, Watch

NIGHT_STEP_MS = 300_000
CHASE_STEP_MS = 5_000

Progress = Callable[[str, float], None]


def play(
    seed: int, folder: Path, tell: Tell, progress: Progress = lambda chapter, share: None
) -> TheftRecord:
    """Play the whole story; the record says whether the bike was found.

    Args:
        seed: the same seed gives the same record.
        folder: registry and database are kept there.
        tell: gets every entry of the timeline as it happens.
        progress: gets the chapter and the share of virtual time that is over, 0..1.
    """
    stage = Stage(seed, folder)
    watch: Watch | None = None
    record = TheftRecord(seed, scene.SHOP_OPENS_MS, scene.LIFTED_MS, scene.ENDED_MS)
    record.route, record.without_sky_ms = stage.route, scene.GARAGE_MS
    timeline = Timeline(stage, record, tell)
    try:
        _at_the_install_point(stage, timeline, progress)
        watch = Watch(timeline)
        _through_the_night(stage, timeline, watch, progress)
        _the_theft(stage, timeline, watch, progress)
        _look_back(stage, timeline)
    finally:
        if watch is not None:
            watch.close()
        stage.close()  # the last one at the database leaves no log beside it
    return record


def _at_the_install_point(stage: Stage, timeline: Timeline, progress: Progress) -> None:
    progress("install point", 0.0)
    for site in scene.STATIONS:
        set_up_station(stage, site)
    timeline.say("network", f"{len(scene.STATIONS)} base stations are set up and told where they stand")
    tag = provision_tag(stage)
    timeline.say(
        "install point", f"tag {tag.tag_id} provisioned, proved and locked; it goes onto {scene.PLATE}"
    )
    tracker = provision_tracker(stage)
    timeline.say("install point", f"tracker {tracker.tag_id} provisioned, proved and locked; same bike")
    stage.world.run_until((scene.PARKED_MS - scene.SHOP_OPENS_MS) * 1000)
    for device in stage.devices().values():
        device.power_on()
    timeline.say("owner", "parks the bike at home for the night")


def _through_the_night(stage: Stage, timeline: Timeline, watch: Watch, progress: Progress) -> None:
    happenings = [(moment_ms, "wind", "gusts rock the bike for seven minutes") for moment_ms in scene.WIND_MS]
    happenings.append((scene.TRUCK_MS, "street", "a truck passes close by"))
    for moment_ms, actor, text in sorted(happenings):
        _run_until(stage, watch, moment_ms, NIGHT_STEP_MS, progress, "night")
        timeline.say(actor, text)
    _run_until(stage, watch, scene.LIFTED_MS, NIGHT_STEP_MS, progress, "night")
    word = "no alarm" if not timeline.record.false_alarms else f"{timeline.record.false_alarms} false alarms"
    timeline.say("night", f"is over: {word}, {_count(stage, 'sightings')} sightings of the sleeping tag")


def _the_theft(stage: Stage, timeline: Timeline, watch: Watch, progress: Progress) -> None:
    timeline.say("thief", "lifts the bike and rides off", "alarm")
    _run_until(stage, watch, scene.REPORTED_MS, CHASE_STEP_MS, progress, "theft")
    database = Database(stage.database_path)
    open_case(database, TAG_ID, "owner", "2020-1218", "stolen from home", stage.world.unix_ms)
    open_case(database, TRACKER_ID, "owner", "2020-1218", "stolen from home", stage.world.unix_ms)
    database.close()
    timeline.say("owner", "reports the theft: case opened, lost mode goes to the stations", "order")
    _run_until(stage, watch, scene.GARAGE_MS[0], CHASE_STEP_MS, progress, "chase")
    timeline.say("thief", "pushes the bike into a garage: no sky", "alarm")
    _run_until(stage, watch, scene.GARAGE_MS[1], CHASE_STEP_MS, progress, "chase")
    timeline.say("thief", "rides on", "alarm")
    _run_until(stage, watch, scene.PARKED_AGAIN_MS, CHASE_STEP_MS, progress, "chase")
    timeline.say("thief", "leaves the bike and walks away", "alarm")
    _run_until(stage, watch, scene.ENDED_MS, CHASE_STEP_MS, progress, "search")


def _look_back(stage: Stage, timeline: Timeline) -> None:
    """Ask the collector for the track and the last place, and hold them against the truth."""
    record = timeline.record
    database = Database(stage.database_path)
    since_ms = scene.LIFTED_MS
    points = track_of(database, (TRACKER_ID, TAG_ID), since_ms, cells=stage.cells)
    record.reports = [Place(p.time_ms, p.lat, p.lon, p.radius_m, p.source) for p in points]
    names = {site.device_id: site.name for site in scene.STATIONS}
    rows = database.rows(
        "SELECT s.*, b.flags FROM sightings s JOIN beacons b ON b.device_id = s.device_id AND b.counter = s.counter "
        "WHERE s.device_id IN (?, ?) ORDER BY s.time_ms, s.station_id",
        TAG_ID,
        TRACKER_ID,
    )
    record.heard = [
        HeardBeacon(
            row["time_ms"],
            names[row["station_id"]],
            row["rssi_dbm"],
            row["snr_db"],
            bool(row["flags"] & beacon.LOST),
        )
        for row in rows
    ]
    record.stations = [
        Station(site.name, site.lat, site.lon, sum(one.station == site.name for one in record.heard))
        for site in scene.STATIONS
    ]
    database.close()
    answer = last_place(points)
    if answer is not None:
        record.answer = Place(answer.time_ms, answer.lat, answer.lon, answer.radius_m, answer.source)
        truth = record.route[-1]
        record.distance_m = distance_m(answer.lat, answer.lon, truth.lat, truth.lon)
    _sum_up(stage, timeline, {"gpx": points, "csv": points})


def _sum_up(stage: Stage, timeline: Timeline, tracks: dict) -> None:
    record = timeline.record
    for form, points in tracks.items():
        text = FORMATS[form](points, scene.PLATE)
        (stage.database_path.parent / f"track.{form}").write_text(text, encoding="utf-8")
    for name, device in stage.devices().items():
        charge = device.power.charge_uas()
        record.charge_mah[name] = {f"{part} {state}": uas / 3.6e6 for (part, state), uas in charge.items()}
    after = [place for place in record.reports if place.unix_ms >= scene.LIFTED_MS]
    errors = sorted(_error_m(stage, place) for place in after if place.source == "gnss")
    record.figures = {
        "sightings": len(record.heard),
        "GNSS_fixes": sum(place.source == "gnss" for place in after),
        "cell_fixes": sum(place.source == "cell" for place in after),
        "median_fix_error_m": round(errors[len(errors) // 2], 1) if errors else 0.0,
        "messages_to_the_owner": len(record.messages),
    }
    if record.found:
        assert record.answer is not None
        timeline.say(
            "collector",
            f"the bike is at {record.answer.lat:.5f}, {record.answer.lon:.5f}, "
            f"within {record.answer.radius_m:.0f} m; the truth is {record.distance_m:.0f} m away",
            "found",
        )
    else:
        timeline.say("collector", "does not know where the bike is", "alarm")


def _error_m(stage: Stage, place: Place) -> float:
    lat, lon, _ = stage.journey.position(place.unix_ms)
    return distance_m(place.lat, place.lon, lat, lon)


def _run_until(
    stage: Stage, watch: Watch, unix_ms: int, step_ms: int, progress: Progress, chapter: str
) -> None:
    """Run virtual time in steps, so that the timeline is told while it happens."""
    whole = scene.ENDED_MS - scene.SHOP_OPENS_MS
    while stage.world.unix_ms < unix_ms:
        target_ms = min(stage.world.unix_ms + step_ms, unix_ms)
        stage.world.run_until((target_ms - scene.SHOP_OPENS_MS) * 1000)
        watch.look()
        progress(chapter, (target_ms - scene.SHOP_OPENS_MS) / whole)


def _count(stage: Stage, table: str) -> int:
    database = Database(stage.database_path)
    row = database.row(f"SELECT count(*) AS n FROM {table}")
    database.close()
    return 0 if row is None else row["n"]
