"""What the firmware's own reader makes of the L76K model, and recordings played by it."""

from pathlib import Path

import pytest
from groundnet.geodesy import distance_m
from groundnet.sim import gnss_log, groundcore_runtime
from groundnet.sim.chips.l76k_sentences import recorded_epochs, sentence
from groundnet.sim.sky import JAMMED, Journey
from groundnet.sim.theft import scene
from sim_chips.l76k_rig import LAT, LON, START_MS, Rig, place

LOG = Path(__file__).resolve().parents[1] / "core/data/gnss/quectel-l76k-nmea.log"


def test_the_firmware_reads_the_journey_within_noise():
    journey = Journey((point.unix_ms, point.lat, point.lon) for point in scene.read_journey())
    rig = Rig(journey)
    rig.until_fix()
    rig.run(20)
    fixes = rig.fixes(300)
    assert len(fixes) >= 299
    for fix in fixes:
        time_us = (fix.utc_s * 1000 + fix.utc_ms - START_MS) * 1000
        truth = rig.sky.truth(time_us)
        assert fix.active and fix.sats >= 4 and fix.hdop_c <= 250
        assert distance_m(*place(fix), truth.lat, truth.lon) < 9
        assert fix.speed_mm_s / 1000 == pytest.approx(truth.speed_mps, abs=0.6)
    assert max(fix.speed_mm_s for fix in fixes) > 5000, "the journey moves"


def test_the_firmware_believes_a_parked_receiver_and_sees_it_stand():
    position = groundcore_runtime.load("position")
    rig = Rig()
    locator, anchor = position.Locator(), position.Anchor()
    believed = []
    for _ in range(1800):
        raw = rig.run_raw(1)
        locator.feed(raw, rig.world.now_us // 1000)
        best = locator.best(rig.world.now_us // 1000)
        if best is not None:
            assert not anchor.has_left(best)
            believed.append(anchor.hold(best))
    assert len(believed) > 1700
    last = believed[-1]
    assert distance_m(LAT, LON, last.lat_e7 / 1e7, last.lon_e7 / 1e7) < last.accuracy_m + 5


# --- attacks and errors


def test_week_number_that_rolled_over_is_put_right_by_the_firmware():
    position = groundcore_runtime.load("position")
    rig = Rig(start_ms=1_780_563_858_000)
    rig.chip.week_rollover = True
    rig.until_fix()
    fix = rig.fixes(5)[-1]
    assert abs(fix.utc_s - (rig.world.unix_ms / 1000 - 1024 * 7 * 86400)) < 3
    assert abs(position.unrolled(fix.utc_s) - rig.world.unix_ms / 1000) < 3


def test_a_jammed_receiver_sees_satellites_and_has_no_fix_until_the_jammer_is_gone():
    rig = Rig()
    rig.until_fix()
    now_ms = rig.world.unix_ms
    rig.sky.cover(JAMMED, now_ms, now_ms + 60_000)
    rig.run(2)
    bodies = rig.run(50)
    assert any(body.startswith("GPGSV") for body in bodies)
    assert not any(body.startswith("GNRMC") and ",A," in body for body in bodies)
    rig.run(10)
    assert 0 <= rig.until_fix(20) <= 10


def test_a_short_jump_is_refused_and_a_lasting_one_believed_in_the_end():
    position = groundcore_runtime.load("position")
    rig = Rig()
    locator = position.Locator()

    def feed(seconds: int) -> list[float]:
        ways_m = []
        for _ in range(seconds):
            raw = rig.run_raw(1)
            if locator.feed(raw, rig.world.now_us // 1000) is not None:
                last = locator.last
                ways_m.append(distance_m(LAT, LON, last.lat_e7 / 1e7, last.lon_e7 / 1e7))
        return ways_m

    feed(80)
    now_ms = rig.world.unix_ms
    rig.sky.spoof(4000, 3000, now_ms + 5000, now_ms + 7000)
    refused = locator.refused
    assert max(feed(20)) < 50
    assert locator.refused - refused == 2
    rig.sky.spoof(4000, 3000, rig.world.unix_ms)
    assert 4950 < feed(10)[-1] < 5050, "only another source could tell: cells and stations do"


# --- recordings


def test_a_recording_is_cut_where_its_time_changes():
    epochs = recorded_epochs(gnss_log.recorded_lines(LOG))
    whole = [epoch for epoch in epochs if sum(b"RMC" in line for line in epoch) == 1]
    assert len(whole) == len(epochs) - 2 == 150, "the recording begins and ends in the middle of an epoch"
    assert b"".join(line for epoch in epochs for line in epoch) == b"".join(gnss_log.recorded_lines(LOG))


def test_void_epochs_without_a_time_are_told_apart():
    void = [sentence("GNGGA,,,,,,0,00,25.5,,,,,,"), sentence("GNRMC,,V,,,,,,,,,,N,V"), b"\xff\x00noise\r\n"]
    assert recorded_epochs(void * 3) == [void] * 3


def test_a_recording_is_played_epoch_by_epoch():
    rig = Rig(recording=gnss_log.recorded_lines(LOG))
    rig.command("PCAS01,5")  # with GLONASS in it the recording does not fit into 9600 baud
    rig.uart.baudrate = 115200
    played = rig.fixes(20)
    recorded = list(gnss_log.read_fixes(LOG))[: len(played)]
    assert len(played) >= 18
    assert [place(fix) for fix in played] == [(fix["lat"], fix["lon"]) for fix in recorded]
