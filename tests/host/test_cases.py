"""Theft cases: lost mode on its way to the tag and back, and who may look."""

import pytest
from groundnet.collector.casework.cases import CaseError, close_case, close_cases, open_case, open_cases
from groundnet.collector.casework.lookups import LookupRefused, permit
from groundwire import beacon, downlink, keys

from host.radio_senders import NOW_MS, OTHER, STATION, ask, hello, request, sighting, sightings


def test_lost_mode_reaches_the_tag_and_ends_with_its_challenge(collector, tag):
    ask(collector, hello())
    ask(collector, sightings([sighting(tag.beacon(0), NOW_MS)]))
    case = open_case(collector.database, tag.device_id, "owner", "2026-118", "stolen at night", NOW_MS)
    orders = ask(collector, hello()).values["orders"]
    assert len(orders) == 1
    key = keys.derive(tag.secret, keys.DOWNLINK)
    command = downlink.accept(orders[0]["downlink"], key, 0)
    assert command.command == downlink.LOST_ON
    next_eid = keys.eid(keys.derive(tag.secret, keys.IDENTITY), 1)
    assert next_eid in orders[0]["eids"]

    receipt = {"order_id": orders[0]["order_id"], "result": "sent", "time_ms": NOW_MS, "eid": bytes(6)}
    assert ask(collector, request("downlink_receipt", station_id=STATION, receipts=[receipt])).values[
        "orders"
    ]
    ask(collector, sightings([sighting(tag.beacon(1, beacon.LOST), NOW_MS + 1)], 1), NOW_MS + 1)
    assert ask(collector, hello()).values["orders"] == []

    close_case(collector.database, tag.device_id, "found", NOW_MS + 2)
    assert ask(collector, hello()).values["orders"] == []  # no challenge yet: nothing that could be replayed
    challenge = downlink.make_challenge(key, 2)
    offer = tag.beacon(2, beacon.LOST, beacon.CHALLENGE, challenge)
    ask(collector, sightings([sighting(offer, NOW_MS + 3)], 2), NOW_MS + 3)
    orders = ask(collector, hello(), NOW_MS + 4).values["orders"]
    off = downlink.accept(orders[0]["downlink"], key, command.counter, challenge)
    assert off.command == downlink.LOST_OFF
    with pytest.raises(CaseError):
        close_case(collector.database, tag.device_id, "again", NOW_MS)
    assert case.case_id == 1


def test_a_beacon_that_comes_late_tells_nothing_of_how_the_tag_is_now(collector, tag):
    """From before the theft it shows no lost flag, which must not look like the end of lost mode."""
    key = keys.derive(tag.secret, keys.DOWNLINK)
    challenge, older = (downlink.make_challenge(key, counter) for counter in (50, 45))
    ask(collector, hello())
    ask(
        collector,
        sightings([sighting(tag.beacon(50, beacon.LOST, beacon.CHALLENGE, challenge), NOW_MS)]),
    )
    open_case(collector.database, tag.device_id, "owner", "", "stolen", NOW_MS)
    close_case(collector.database, tag.device_id, "found", NOW_MS)
    (order,) = ask(collector, hello()).values["orders"]
    receipt = {"order_id": order["order_id"], "result": "sent", "time_ms": NOW_MS, "eid": bytes(6)}
    ask(collector, request("downlink_receipt", station_id=STATION, receipts=[receipt]))

    before_theft = sighting(tag.beacon(40), NOW_MS - 9_000_000)
    earlier_offer = sighting(tag.beacon(45, beacon.LOST, beacon.CHALLENGE, older), NOW_MS - 60_000)
    ask(collector, sightings([before_theft, earlier_offer], station_id=OTHER))
    (again,) = ask(collector, hello()).values["orders"]
    assert downlink.accept(again["downlink"], key, 1, challenge).command == downlink.LOST_OFF

    ask(collector, sightings([sighting(tag.beacon(51), NOW_MS)], 1))
    assert ask(collector, hello()).values["orders"] == []


def test_only_the_station_that_heard_best_is_asked_to_answer(collector, tag):
    """Stations that answer at once would drown each other."""
    for station in (STATION, OTHER):
        ask(collector, hello(station))
    data = tag.beacon(0)
    ask(collector, sightings([sighting(data, NOW_MS, -110)]))
    ask(collector, sightings([sighting(data, NOW_MS, -90)], station_id=OTHER))
    open_case(collector.database, tag.device_id, "owner", "", "stolen", NOW_MS)
    assert ask(collector, hello(STATION)).values["orders"] == []
    assert len(ask(collector, hello(OTHER)).values["orders"]) == 1
    silence_ms = NOW_MS + 600_000  # the better station went dark: the other one takes over
    assert len(ask(collector, hello(STATION), silence_ms).values["orders"]) == 1


def test_a_case_is_for_every_device_on_the_vehicle_or_for_none(collector, tag):
    tracker_id = bytes.fromhex("0000aabbccddee02")
    open_case(collector.database, tag.device_id, "owner", "", "stolen", NOW_MS)
    (new,) = open_cases(collector.database, [tag.device_id, tracker_id], "owner", "", "stolen", NOW_MS)
    assert new.device_id == tracker_id
    closed = close_cases(collector.database, [tag.device_id, tracker_id], "found", NOW_MS)
    assert [(case.device_id, case.outcome) for case in closed] == [
        (tag.device_id, "found"),
        (tracker_id, "found"),
    ]
    with pytest.raises(CaseError):
        close_cases(collector.database, [tag.device_id, tracker_id], "again", NOW_MS)


def test_positions_are_for_open_cases_and_owners_and_every_look_is_written_down(collector, tag):
    database = collector.database

    def look(is_owner=False):
        return permit(database, [tag.device_id], "li", "track GN-00012", "patrol", is_owner, NOW_MS)

    with pytest.raises(LookupRefused):
        look()
    assert look(is_owner=True) == [tag.device_id]
    open_case(database, tag.device_id, "owner", "", "stolen", NOW_MS)
    assert look() == [tag.device_id]
    close_case(database, tag.device_id, "found", NOW_MS)
    with pytest.raises(LookupRefused):
        look()
    looked = database.rows("SELECT * FROM lookups WHERE what LIKE 'track%' ORDER BY lookup_id")
    book = [(row["granted"], row["why"]) for row in looked]
    assert book == [
        (0, "no open case: patrol"),
        (1, "owner: patrol"),
        (1, "case 1: patrol"),
        (0, "no open case: patrol"),
    ]


def test_two_open_cases_for_one_tag_are_refused(collector, tag):
    open_case(collector.database, tag.device_id, "owner", "", "stolen", NOW_MS)
    with pytest.raises(CaseError):
        open_case(collector.database, tag.device_id, "owner", "", "stolen", NOW_MS)
