"""What the network is for, told as stories: real firmware, real radio frames, the real collector."""

import pytest
from groundwire import beacon, keys

PHONE = "+385911234567"
TOWERS = (
    "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal\n"
    "LTE,219,1,100,1000,,13.7230,45.2783,3000,1,1,0,0,\n"
)


def says(bench, sender, flag) -> bool:
    """Whether the last beacon of a device has a flag."""
    heard = bench.heard(sender)
    return bool(heard) and bool(beacon.decode(heard[-1].payload).flags & flag)


@pytest.mark.bad_days(2)
@pytest.mark.fitted("base", at=(300.0, 0.0))
def test_a_parked_bike_that_is_ridden_off_says_so_within_three_seconds(bench, headquarters, base, tag):
    bench.run(120)
    assert not says(bench, tag, beacon.MOTION)
    tag.motion.does("ride", 600)
    assert bench.until(lambda: says(bench, tag, beacon.MOTION), 3, "a beacon that says it moves") <= 3


@pytest.mark.bad_days(2)
@pytest.mark.fitted("base", at=(300.0, 0.0))
def test_a_reported_theft_puts_the_tag_into_lost_mode_and_the_network_knows_where_it_is(
    bench, headquarters, base, tag
):
    bench.run(60)
    tag.motion.does("ride", 600)
    headquarters.report_theft(tag)
    bench.until(lambda: headquarters.is_lost(tag), 900, "lost mode")
    place = headquarters.where_is(tag)
    assert place is not None and place.source == "sightings"
    headquarters.close_case(tag)
    bench.until(lambda: not says(bench, tag, beacon.LOST), 900, "the end of lost mode")


@pytest.mark.bad_days(2)
@pytest.mark.fitted("tracker", owner_phone=PHONE)
def test_a_tracker_without_sky_tells_its_cell_and_a_fix_when_it_sees_the_sky_again(
    bench, headquarters, tracker, tmp_path
):
    table = tmp_path / "cells.csv"
    table.write_text(TOWERS)
    headquarters.know_cells(table)
    tracker.cells(TOWERS)
    bench.run(120)
    tracker.sky.becomes("none")
    tracker.motion.does("ride", 900)
    bench.until(lambda: headquarters.alarms(tracker), 240, "an alarm at the collector")
    bench.until(lambda: any(point.source == "cell" for point in headquarters.points(tracker)), 240, "a cell")
    bench.until(lambda: tracker.texts(), 240, "a text to the owner")
    assert tracker.texts()[0].number == PHONE
    tracker.sky.becomes("open")
    bench.until(lambda: headquarters.points(tracker)[-1].source == "gnss", 600, "a fix")


@pytest.mark.bad_days(2)
@pytest.mark.fitted("tag", profile="wearable", board="wsl3_wearable")
@pytest.mark.fitted("base", at=(300.0, 0.0))
def test_a_wristband_calls_for_help_and_its_wearer_feels_that_it_does(bench, headquarters, base, tag):
    bench.run(60)
    tag.contact("button").press(4)
    bench.until(lambda: says(bench, tag, beacon.SOS_ACTIVE), 5, "a call for help")
    assert tag.sounder("vibration").bursts
    bench.until(lambda: headquarters.where_is(tag) is not None, 60, "a place of the wearer")


PASTURE = {"fence_lat_e7": 452783000, "fence_lon_e7": 137230000, "fence_radius_m": 200}


@pytest.mark.bad_days(2)
@pytest.mark.fitted("tracker", profile="livestock", owner_phone=PHONE, **PASTURE)
def test_a_cow_that_leaves_its_pasture_is_told_to_the_farmer(bench, headquarters, tracker):
    tracker.cells(TOWERS)
    bench.run(120)
    assert headquarters.alarms(tracker) == []
    tracker.motion.does("walk", 900)
    tracker.carry_to(600.0, 0.0, speed_mps=1.5)
    bench.until(lambda: "fence" in headquarters.alarms(tracker), 900, "the alarm that a cow has left")
    bench.until(lambda: any("outside its fence" in one.text for one in tracker.texts()), 300, "a text")
    place = headquarters.where_is(tracker)
    assert place is not None and place.source == "gnss"


@pytest.mark.bad_days(2)
@pytest.mark.fitted(
    "tracker",
    profile="sentry",
    board="sentry_s3",
    owner_phone=PHONE,
    exit_delay_s=0,
    entry_delay_s=15,
    siren_s=5,
)
def test_whoever_comes_into_a_shop_at_night_is_warned_then_the_siren_sounds_and_the_centre_knows(
    bench, headquarters, tracker
):
    tracker.cells(TOWERS)
    bench.run(90)
    tracker.contact("pir").trigger()
    bench.until(lambda: tracker.sounder("buzzer").bursts, 10, "a warning")
    assert not tracker.sounder("siren").bursts, "whoever has the key may still switch it off"
    bench.until(lambda: tracker.sounder("siren").bursts, 30, "the siren")
    bench.until(lambda: "intruder" in headquarters.alarms(tracker), 240, "the alarm at the centre")


@pytest.mark.bad_days(1)
@pytest.mark.fitted("tracker", owner_phone=PHONE)
def test_a_tracker_that_is_destroyed_leaves_the_evidence_that_pays_its_owner(bench, headquarters, tracker):
    tracker.cells(TOWERS)
    bench.run(120)
    tracker.vehicle_supply().cut()
    bench.until(lambda: "power_cut" in headquarters.alarms(tracker), 300, "the alarm of a cut supply")
    headquarters.report_theft(tracker)
    bench.run(60)
    tracker.power.cut()  # a hammer
    assert headquarters.evidence(tracker).grounds == ()
    bench.run(8 * 24 * 3600)
    told = headquarters.evidence(tracker)
    assert told.grounds == ("destroyed", "untraceable")
    assert told.last_place is not None and told.silence is not None


def beacons_of(secret: bytes, counters: range) -> list[bytes]:
    """What a tag with this secret sends."""
    made = []
    for counter in counters:
        buffer = bytearray(beacon.MAX_SIZE)
        eid = keys.eid(keys.derive(secret, keys.IDENTITY), counter >> keys.EPOCH_BITS)
        size = beacon.encode_into(buffer, beacon.PLAIN, 1, 0, 10, counter, eid)
        made.append(bytes(buffer[: beacon.protect(buffer, size, counter, keys.derive(secret, keys.BEACON))]))
    return made


@pytest.mark.fitted("base", at=(300.0, 0.0))
def test_a_station_without_backhaul_keeps_what_it_hears_through_a_loss_of_power(
    bench, headquarters, base, tag
):
    medium = bench.scene.medium
    frames = []
    medium.sniff(frames.append)
    bench.until(lambda: frames, 30, "a beacon")
    tag.power.cut()
    crowd = medium.attach("crowd", lambda time_us: (0.0, 0.0), lambda reception: None)

    def sends(counters: range) -> None:
        for payload in beacons_of(tag.fitted.secret, counters):
            like = frames[0]
            medium.transmit(crowd, payload, like.modulation, like.power_dbm, like.end_us - like.start_us)
            bench.run(1)

    bench.run(30)
    bench.scene.network.up = False
    sends(range(1, 201))
    base.power.cut()
    bench.run(5)
    base.power.restore()
    bench.run(30)
    sends(range(201, 221))
    files = base.assembled.board.files
    assert [path for path in files.paths() if path.startswith("/sightings/")]
    bench.scene.network.up = True
    bench.run(200)
    rows = headquarters.database.rows("SELECT counter FROM sightings WHERE counter > 0 ORDER BY counter")
    counters = [row["counter"] for row in rows]
    assert len(set(counters)) == len(counters), "each once"
    shelved, fresh = set(range(1, 129)), set(range(201, 221))
    assert shelved | fresh <= set(counters), "lost is only what was in memory when the power was cut"
    assert not [path for path in files.paths() if path.startswith("/sightings/")]
