"""Clocks are learned beside a collector and kept on either engine; from a snapshot follow the epochs to search."""

import json
import random

import pytest
from groundnet.cli.condition import app
from groundnet.collector.casework.silence import silent_devices
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.outbound import orders
from groundnet.collector.senders import clock_service
from groundnet.collector.senders.clock_drift import HURRIED, spread_sum
from groundnet.collector.senders.paces import Paces, epochs_between
from groundnet.provision.registry import Record, Registry, Secret
from groundwire import beacon, downlink, keys
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from host.radio_senders import NOW_MS, TagSender, ask, hello, sighting, sightings

REST_MS = 1_800_000
OVERHEAD_MS = 450
HOUR_MS = 3_600_000


def beacons_of(tag, slow, count, first=0, lost=0.0):
    """(counter, Unix ms) as a parked tag sends them by a clock that is off."""
    identity_key, now_ms, draw = keys.derive(tag.secret, keys.IDENTITY), NOW_MS, random.Random(5)
    for counter in range(first, first + count):
        if draw.random() >= lost:
            yield counter, round(now_ms)
        wait_ms = REST_MS * (1 + spread_sum(identity_key, counter + 1, counter + 1) / 2048)
        now_ms += wait_ms * (1 + slow) + OVERHEAD_MS


def hear(collector, tag, beacons):
    ask(collector, hello())
    for number, (counter, time_ms) in enumerate(beacons):
        ask(collector, sightings([sighting(tag.beacon(counter), time_ms)], number), time_ms)


def identity_of(*tags):
    known = {tag.device_id: keys.derive(tag.secret, keys.IDENTITY) for tag in tags}
    return known.get


def test_a_tags_clock_is_learned_in_rounds_and_kept(collector, tag):
    heard = list(beacons_of(tag, 0.023, 60, lost=0.3))
    hear(collector, tag, heard[:20])
    assert clock_service.learn_some(collector.database, identity_of(tag), b"", NOW_MS) == b""
    early = clock_service.kept(collector.database, tag.device_id)
    hear(collector, tag, heard[20:])
    clock_service.learn_some(collector.database, identity_of(tag), b"", NOW_MS)
    clock = clock_service.kept(collector.database, tag.device_id)
    assert early.pairs < clock.pairs <= len(heard)
    assert clock.last.counter == heard[-1][0]
    assert clock.rate == pytest.approx(0.023, abs=0.002)
    assert clock.rate_sd < early.rate_sd
    clock_service.learn_some(collector.database, identity_of(tag), b"", NOW_MS)
    assert clock_service.kept(collector.database, tag.device_id) == clock


def test_an_interval_that_was_ordered_is_known_of_that_tag(collector, tag):
    orders.queue(collector.database, tag.device_id, downlink.INTERVAL, 300, NOW_MS)
    identity_key, time_ms, beacons = keys.derive(tag.secret, keys.IDENTITY), NOW_MS, []
    for counter in range(30):
        beacons.append((counter, round(time_ms)))
        time_ms += (
            300_000 * (1 + spread_sum(identity_key, counter + 1, counter + 1) / 2048) * 0.98 + OVERHEAD_MS
        )
    hear(collector, tag, beacons)
    clock_service.learn_some(collector.database, identity_of(tag), b"", NOW_MS)
    clock = clock_service.kept(collector.database, tag.device_id)
    assert clock.rest_ms == 300_000
    assert clock.rate == pytest.approx(-0.02, abs=0.003)


def test_tags_are_gone_through_some_at_a_time_and_strangers_left_out(collector, tag):
    others = [TagSender(bytes([0, 0, 0, 0, 0, 0, 9, n]), bytes([n]) * 32) for n in range(3)]
    collector.learn((one.device_id, one.secret) for one in others)
    for number, one in enumerate([*others, tag]):
        hear(collector, one, [(number + 1, NOW_MS + number), (number + 2, NOW_MS + REST_MS + number)])
    known = identity_of(*others[1:], tag)
    behind, rounds = b"", 0
    while (behind := clock_service.learn_some(collector.database, known, behind, NOW_MS, 1)) != b"":
        rounds += 1
    assert rounds == 4
    kept = [clock_service.kept(collector.database, one.device_id) for one in (*others, tag)]
    assert [one is None for one in kept] == [True, False, False, False]


def test_the_snapshot_says_which_epochs_a_silent_tag_may_be_in(collector, tag):
    heard = list(beacons_of(tag, 0.05, 400))
    hear(collector, tag, heard[:60])
    clock_service.learn_some(collector.database, identity_of(tag), b"", NOW_MS)
    paces = Paces(collector.database)
    assert len(paces) == 1
    assert paces.expected_epochs(b"nobody!!", NOW_MS) is None
    for counter, time_ms in heard[60::20]:
        first, last = paces.expected_epochs(tag.device_id, time_ms)
        assert first <= counter >> 4 <= last
    assert first > heard[59][0] >> 4  # it went on: what lies behind needs no search


def test_a_clock_that_went_on_with_the_season_is_still_within_the_windows(collector, tag):
    """Learned in the cold at 1 %, silent for two months, by now at 3 %."""
    hear(collector, tag, beacons_of(tag, 0.01, 60))
    clock_service.learn_some(collector.database, identity_of(tag), b"", NOW_MS)
    paces = Paces(collector.database)
    counter, time_ms = list(beacons_of(tag, 0.03, 2800))[-1]
    for first, last in (
        paces.expected_epochs(tag.device_id, time_ms),
        paces.steady_epochs(tag.device_id, time_ms),
    ):
        assert first <= counter >> 4 <= last


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.booleans(), st.integers(1, 20)), max_size=12),
    st.floats(-0.05, 0.05),
)
def test_whoever_moves_a_sixth_of_the_time_is_found(counter, spells, rate):
    """Against a tag that waits as long, or as short, as it may in each spell."""
    now_ms, sent, moved_ms = 0.0, counter, 0.0
    for moving, beacons in spells:
        wait_ms = 20_000 * (1 + rate) if moving else REST_MS * 9 / 8 * (1 + rate) + 2000
        if moving and moved_ms + beacons * wait_ms > 2 * HOUR_MS + now_ms / 6:
            continue
        moved_ms += moving * beacons * wait_ms
        now_ms += beacons * wait_ms
        sent += beacons
    slow_ms, fast_ms = REST_MS * 9 / 8 * (1 + rate) + 2000, REST_MS * (1 + rate)
    first, last = epochs_between(counter, now_ms, slow_ms, fast_ms, 20_000 * (1 + rate), False)
    assert first <= min(sent >> 4, 2**28 - 1) <= last


def test_a_tag_in_lost_mode_may_have_hurried_all_the_time():
    assert HURRIED & beacon.LOST
    at_rest = epochs_between(160, 24 * HOUR_MS, 2e6, 1.8e6, 20_000, False)
    lost = epochs_between(160, 24 * HOUR_MS, 2e6, 1.8e6, 20_000, True)
    assert lost[1] >= (160 + 24 * 180) >> 4 > at_rest[1]
    assert lost[0] == at_rest[0]


def test_a_learned_slow_clock_is_waited_for_and_a_fast_one_is_missed_sooner(collector, tag):
    hear(collector, tag, beacons_of(tag, 0.05, 40))
    clock_service.learn_some(collector.database, identity_of(tag), b"", NOW_MS)
    last_ms = clock_service.kept(collector.database, tag.device_id).last.time_ms
    usual_ms = round(2.5 * 2_025_000)
    assert silent_devices(collector.database, [tag.device_id], last_ms + usual_ms + 1) == []
    (silence,) = silent_devices(collector.database, [tag.device_id], last_ms + round(1.1 * usual_ms))
    assert silence.since_ms == pytest.approx(last_ms + 1.05 * usual_ms, abs=60_000)


def test_the_command_tells_a_tags_clock_and_its_next_beacon(tmp_path, tag):
    registry = Registry(tmp_path / "registry.db")
    registry.reserve(
        Record(tag.device_id, "", "tag", "b", "vehicle", "云A12345", None, "", "", 1, Secret(tag.secret))
    )
    registry.close()
    database = Database(tmp_path / "collector.db")
    collector = Collector(database, [(tag.device_id, tag.secret)])
    options = [
        "云A12345",
        *("--database", str(tmp_path / "collector.db")),
        *("--registry", str(tmp_path / "registry.db")),
    ]
    (unknown,) = json.loads(CliRunner().invoke(app, [*options, "--json"]).stdout)
    assert unknown["clock"] is None and unknown["faults"] == []
    hear(collector, tag, beacons_of(tag, -0.012, 40))
    clock_service.learn_some(database, clock_service.identities(collector.devices), b"", NOW_MS)
    database.close()
    (told,) = json.loads(CliRunner().invoke(app, [*options, "--json"]).stdout)
    assert told["clock"]["drift_ppm"] == pytest.approx(-12_000, abs=1500)
    assert told["clock"]["rest_interval_s"] == 1800
    assert told["clock"]["next_beacon"] is None  # that was years ago
    shown = CliRunner().invoke(app, options).stdout
    assert "fast" in shown and "1.2" in shown
