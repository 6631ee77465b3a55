"""Each fault does what its name says, to real firmware, and ends when it shall."""

import itertools

import pytest
from groundnet.bench.disturbances import Rates
from groundnet.bench.faults import SECONDS_A_WEEK
from groundnet.bench.interface import Lacking, TooLate
from groundnet.errors import GroundnetError
from groundwire import beacon

TOWERS = (
    "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal\n"
    "LTE,219,1,100,1000,,13.7230,45.2783,3000,1,1,0,0,\n"
)


def test_the_same_seed_gives_the_same_faults():
    from groundnet.bench.faults import Faults
    from groundnet.bench.sim_bench import SimBench

    counts = []
    for _ in range(2):
        again = SimBench(9)
        device = again.device("tracker")
        device.cells(TOWERS)
        spoiler = Faults(again).uart(
            device, "modem", Rates(bit_errors=1e-3, drops=0.05, duplicates=0.05, delays=0.1)
        )
        again.run(60)
        counts.append(dict(spoiler.counts))
        again.close()
    assert counts[0] == counts[1]
    assert all(counts[0][kind] for kind in ("bits", "drops", "duplicates", "delays"))


def test_a_rate_that_is_no_chance_is_refused():
    with pytest.raises(GroundnetError, match="no chance"):
        Rates(drops=3.0)


def test_a_tag_whose_accelerometer_is_held_down_still_says_that_it_is_there(bench, faults):
    tag = bench.device("tag", powered=False, parked_interval_s=60)
    faults.hold_i2c(tag, "accelerometer")
    tag.power.restore()
    bench.run(600)
    assert len(bench.heard(tag)) >= 8
    assert "accelerometer" in tag.log()
    faults.heal(tag)
    bench.run(600)
    tag.motion.does("ride", 60)
    bench.until(lambda: beacon.decode(bench.heard(tag)[-1].payload).flags & beacon.MOTION, 5, "that it moves")


def test_a_stuck_wake_up_line_does_not_stop_a_tag(bench, faults, tag):
    bench.run(30)
    faults.stick(tag, "accelerometer", "int1", 1)
    bench.run(2000)
    assert len(bench.heard(tag)) >= 2
    faults.free(tag, "accelerometer", "int1")
    bench.run(60)
    tag.motion.does("ride", 60)
    bench.until(
        lambda: beacon.decode(bench.heard(tag)[-1].payload).flags & beacon.MOTION, 30, "that it moves"
    )


def test_bits_that_turn_on_the_radio_bus_never_end_the_firmware(bench, faults):
    tag = bench.device("tag", "noisy", parked_interval_s=60)
    bench.run(30)
    spoiler = faults.spi(tag, "radio", Rates(bit_errors=2e-4))
    bench.run(1200)
    assert spoiler.counts["bits"]
    faults.heal(tag)
    before = len(bench.heard(tag))
    bench.run(400)
    assert len(bench.heard(tag)) - before >= 3, "it goes on when the wires are good again"
    tag.assembled.parts[
        "radio"
    ].refusals.clear()  # spoiled commands are refused by the silicon: that is the fault


@pytest.mark.fitted("base", at=(200.0, 0.0))
def test_a_dead_radio_path_hides_a_tag_until_it_is_back(bench, headquarters, base, faults):
    tag = bench.device("tag", parked_interval_s=60)
    bench.run(130)
    spoiler = faults.air(base, Rates(drops=1.0))
    heard = len(headquarters.points(tag))
    bench.run(600)
    assert spoiler.counts["drops"] >= 8 and len(headquarters.points(tag)) == heard
    spoiler.rates = Rates(duplicates=1.0)
    bench.run(600)
    assert spoiler.counts["duplicates"] >= 8
    stored = headquarters.database.row(
        "SELECT count(*) AS n, count(DISTINCT counter) AS different FROM sightings"
    )
    assert stored["n"] == stored["different"] > 8, "what came twice is kept once"


def test_a_brown_out_is_survived_and_told(bench, headquarters, faults, tracker):
    tracker.cells(TOWERS)
    bench.run(120)
    faults.brown_out(tracker)
    told = "SELECT count(*) AS n FROM starts WHERE cause = 'brownout'"
    bench.until(lambda: headquarters.database.row(told)["n"], 300, "the word of a brown-out")


def test_a_cut_flash_write_leaves_a_tag_with_its_identity(bench, faults):
    tag = bench.device("tag", powered=False, parked_interval_s=60)
    faults.cut_flash_write(tag, 1)
    tag.power.restore()
    bench.run(200)
    assert tag.assembled.board.boots >= 2
    assert len(bench.heard(tag)) >= 2
    named = [(beacon.decode(one.payload).eid, beacon.decode(one.payload).low) for one in bench.heard(tag)]
    assert len(set(named)) == len(named), "no counter is used twice"


def test_a_slow_sleep_clock_makes_beacons_late_and_no_worse(bench, faults):
    tag = bench.device("tag", "late", parked_interval_s=600)
    faults.clock_drift(tag, 50_000)
    bench.run(6200)
    times = [one.at_s for one in bench.heard(tag)][1:]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert min(gaps) > 600 * 1.05 * 7 / 8 and max(gaps) < 600 * 1.05 * 9 / 8 + 2


def test_a_modem_that_answers_rubbish_delays_a_report_only(bench, headquarters, faults, tracker):
    tracker.cells(TOWERS)
    rubbish = faults.modem_rubbish(tracker, 0.02)
    bench.run(60)
    tracker.motion.does("ride", 600)
    bench.until(lambda: headquarters.alarms(tracker), 900, "an alarm at the collector")
    assert sum(rubbish.counts.values()) > 0


@pytest.mark.parametrize("seconds", [1, -1024 * SECONDS_A_WEEK], ids=["leap second", "week rollover"])
def test_a_jump_in_satellite_time_is_no_position_of_another_day(
    bench, headquarters, faults, tracker, seconds
):
    tracker.cells(TOWERS)
    faults.jump_time(tracker, seconds)
    bench.run(60)
    tracker.motion.does("ride", 300)
    bench.until(lambda: headquarters.points(tracker), 400, "a position")
    now_ms = bench.scene.world.unix_ms
    assert all(now_ms - 500_000 <= point.time_ms <= now_ms + 2_000 for point in headquarters.points(tracker))


def test_a_jammed_receiver_leaves_the_cell(bench, headquarters, faults, tracker, tmp_path):
    (tmp_path / "cells.csv").write_text(TOWERS)
    headquarters.know_cells(tmp_path / "cells.csv")
    tracker.cells(TOWERS)
    bench.run(60)
    faults.jam(tracker)
    tracker.motion.does("ride", 600)
    bench.until(lambda: any(one.source == "cell" for one in headquarters.points(tracker)), 400, "a cell")


def test_what_never_happens_is_named(bench):
    with pytest.raises(TooLate, match="the moon: not within 2 s"):
        bench.until(lambda: False, 2, "the moon")


def test_a_part_that_a_board_lacks_is_named(bench):
    tag = bench.device("tag")
    with pytest.raises(Lacking, match="no siren for tag"):
        tag.sounder("siren")
