"""What a finder is lent: only while a case is open, only ids to come, commands that the tag takes once each."""

import pytest
from groundnet.collector.casework.cases import close_case, open_case
from groundnet.collector.casework.lookups import LookupRefused
from groundnet.collector.outbound.lending import EPOCH_S, HURRY_S, NotLent, lend
from groundnet.collector.outbound.order_desk import give
from groundwire import beacon, downlink, keys
from groundwire.finder_table import MOST_COMMANDS, MOST_IDS

from host.radio_senders import NOW_MS, ask, hello, sighting, sightings

HOUR_MS = 3_600_000


@pytest.fixture
def stolen(collector, tag):
    """The tag was heard with its beacon 167 and reported stolen."""
    ask(collector, hello())
    ask(collector, sightings([sighting(tag.beacon(167), NOW_MS)]))
    open_case(collector.database, tag.device_id, "owner", "", "stolen", NOW_MS)
    return collector


def lent(collector, tag, hours=8, now_ms=NOW_MS):
    return lend(collector.database, tag.device_id, tag.secret, hours, "patrol", "Elm Street", now_ms)


def book(collector) -> list:
    rows = collector.database.rows(
        "SELECT who, what, why, granted FROM lookups WHERE what LIKE 'finder%' ORDER BY lookup_id"
    )
    return [tuple(row) for row in rows]


def test_without_an_open_case_nothing_is_lent_and_the_asking_is_in_the_book(collector, tag):
    with pytest.raises(LookupRefused, match="case is open"):
        lent(collector, tag)
    assert book(collector) == [("patrol", "finder load 8 h", "no open case: Elm Street", 0)]
    assert collector.database.rows("SELECT * FROM downlink_counters") == []


def test_a_closed_case_lends_no_more(stolen, tag):
    assert lent(stolen, tag).eids
    close_case(stolen.database, tag.device_id, "found", NOW_MS)
    with pytest.raises(LookupRefused):
        lent(stolen, tag)
    assert [row[3] for row in book(stolen)] == [1, 0]


def test_the_ids_are_those_of_the_beacons_to_come(stolen, tag):
    loan = lent(stolen, tag)
    assert loan.first_epoch == 167 // 16
    for counter in (168, 175, 176, 16 * (loan.first_epoch + len(loan.eids)) - 1):
        found = beacon.decode(tag.beacon(counter))
        assert loan.eids.index(found.eid) == counter // 16 - loan.first_epoch
    assert beacon.decode(tag.beacon(159)).eid not in loan.eids
    assert len(loan.eids) * EPOCH_S >= 8 * 3600 + 1000 * 20  # moving all the time, and one restart
    assert (loan.expires_ms, loan.budget_s, loan.lasts_h) == (NOW_MS + 8 * HOUR_MS, 8 * 3600, 8)


def test_a_tag_that_was_silent_for_days_may_have_used_many_ids_meanwhile(stolen, tag):
    days = lent(stolen, tag, now_ms=NOW_MS + 48 * HOUR_MS)
    assert len(days.eids) * EPOCH_S >= (48 + 8) * 3600
    weeks = lent(stolen, tag, now_ms=NOW_MS + 24 * 14 * HOUR_MS)
    assert len(weeks.eids) == MOST_IDS and weeks.lasts_h < 0


def test_the_tag_takes_each_command_once_and_in_order(stolen, tag):
    loan, key, last = lent(stolen, tag), keys.derive(tag.secret, keys.DOWNLINK), 0
    assert [purpose for purpose, _ in loan.commands] == ["lost", *["hurry", "calm", "siren"] * 5]
    assert len(loan.commands) <= MOST_COMMANDS
    taken = {}
    for purpose, data in loan.commands:
        command = downlink.accept(data, key, last)
        last = command.counter
        taken[purpose] = (command.command, command.argument)
    assert taken == {
        "lost": (downlink.LOST_ON, 0),
        "hurry": (downlink.LOST_ON, HURRY_S),
        "calm": (downlink.LOST_ON, 0),
        "siren": (downlink.SIREN_ON, 0),
    }


def test_no_counter_is_given_twice(stolen, tag):
    key = keys.derive(tag.secret, keys.DOWNLINK)
    first, second = (
        [downlink.accept(data, key, 0).counter for _, data in lent(stolen, tag).commands] for _ in range(2)
    )
    give(stolen.database, [tag.device_id], "siren-on", None, "op", "", True, NOW_MS)
    row = stolen.database.row("SELECT MAX(counter) AS newest FROM orders")
    assert first == sorted(first) and first[-1] < second[0] and second[-1] < row["newest"]


@pytest.mark.parametrize("hours", [0, 73])
def test_hours_out_of_range_are_refused_before_anything_is_written(stolen, tag, hours):
    with pytest.raises(NotLent, match="range"):
        lent(stolen, tag, hours)
    assert book(stolen) == []
