"""Orders by hand: who may give them, what is taken, and what becomes of them."""

import pytest
from groundnet.collector.casework.cases import open_case
from groundnet.collector.outbound.order_desk import BY_HAND, OrderRefused, give, list_orders, withdraw
from groundnet.collector.outbound.orders import LIFE_MS
from groundwire import downlink, keys

from host.radio_senders import NOW_MS, STATION, ask, hello, request, sighting, sightings


def order(collector, tag, command, seconds=None, is_owner=True):
    return give(collector.database, [tag.device_id], command, seconds, "op", "", is_owner, NOW_MS)


def test_an_order_needs_a_case_or_the_owner_and_is_in_the_book_either_way(collector, tag):
    with pytest.raises(OrderRefused, match="case is open"):
        order(collector, tag, "arm", is_owner=False)
    assert list_orders(collector.database, NOW_MS) == []
    open_case(collector.database, tag.device_id, "owner", "", "stolen", NOW_MS)
    order(collector, tag, "siren-on", 30, is_owner=False)
    book = collector.database.rows(
        "SELECT what, granted FROM lookups WHERE what LIKE 'order%' ORDER BY lookup_id"
    )
    assert [tuple(row) for row in book] == [("order arm", 0), ("order siren-on", 1)]


@pytest.mark.parametrize("command", ["arm", "siren-on", "locate", "interval"])
def test_an_order_by_hand_reaches_the_tag_as_authenticated_bytes(collector, tag, command):
    ask(collector, hello())
    ask(collector, sightings([sighting(tag.beacon(0), NOW_MS)]))
    (given,) = order(collector, tag, command, 30 if command in ("siren-on", "interval") else None)
    assert (given.state, given.ordered_by) == ("queued", "op")
    (lent,) = ask(collector, hello()).values["orders"]
    taken = downlink.accept(lent["downlink"], keys.derive(tag.secret, keys.DOWNLINK), 0)
    assert (taken.command, taken.argument) == (BY_HAND[command], given.argument)
    receipt = {"order_id": given.order_id, "result": "sent", "time_ms": NOW_MS, "eid": bytes(6)}
    ask(collector, request("downlink_receipt", station_id=STATION, receipts=[receipt]))
    assert list_orders(collector.database, NOW_MS)[0].state == "sent"


def test_what_would_help_a_thief_waits_for_the_challenge(collector, tag):
    ask(collector, hello())
    order(collector, tag, "disarm")
    assert ask(collector, hello()).values["orders"] == []


def test_a_new_order_withdraws_the_one_it_contradicts(collector, tag):
    order(collector, tag, "arm")
    order(collector, tag, "disarm")
    assert [given.state for given in list_orders(collector.database, NOW_MS)] == ["queued", "withdrawn"]


def test_an_order_is_withdrawn_once_and_runs_out_by_itself(collector, tag):
    (given,) = order(collector, tag, "locate")
    assert withdraw(collector.database, given.order_id, NOW_MS).state == "withdrawn"
    with pytest.raises(OrderRefused, match="waiting"):
        withdraw(collector.database, given.order_id, NOW_MS)
    order(collector, tag, "arm")
    assert list_orders(collector.database, NOW_MS + LIFE_MS)[0].state == "expired"


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        ("explode", None),
        ("lost-on", None),
        ("arm", 5),
        ("interval", None),
        ("interval", 9),
        ("siren-on", 31),
    ],
)
def test_what_no_device_takes_is_refused_before_anything_is_written(collector, tag, command, seconds):
    with pytest.raises(OrderRefused):
        order(collector, tag, command, seconds)
    assert collector.database.rows("SELECT * FROM lookups") == []
