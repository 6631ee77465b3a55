"""Which epochs are kept ready and which are searched: what a tag's firmware can do must be among them."""

import pytest
from groundnet.collector.senders import id_windows
from groundnet.collector.senders.id_windows import HOUR_MS, LARGEST_EPOCH, moved, near, wide
from hypothesis import given
from hypothesis import strategies as st

anchors = st.integers(0, LARGEST_EPOCH)


@given(anchors)
def test_the_near_window_holds_the_next_epochs_and_the_restarts(anchor):
    epochs = near(anchor)
    assert list(epochs) == sorted(set(epochs))
    assert all(0 <= epoch <= LARGEST_EPOCH for epoch in epochs)
    assert set(range(anchor, min(anchor + id_windows.NEAR_AHEAD, LARGEST_EPOCH) + 1)) <= set(epochs)
    for blocks in (1, 2):  # after a loss of power the counter goes on at a whole thousand
        first_counter = (anchor * 16 // 1000 + blocks) * 1000
        if first_counter // 16 <= LARGEST_EPOCH:
            assert first_counter // 16 in epochs


@given(anchors, st.integers(0, id_windows.NEAR_AHEAD))
def test_a_window_moves_on_and_never_back(anchor, ahead):
    there = moved(anchor, anchor + ahead)
    assert anchor <= there <= anchor + ahead
    assert anchor + ahead - there < id_windows.STEP
    assert moved(anchor, max(0, anchor - ahead)) == anchor


@pytest.mark.parametrize(
    ("days", "is_lost", "beacons_an_hour"),
    [(0, False, 180), (3, False, 30), (21, False, 30), (2, True, 120), (60, True, 120)],
)
def test_a_tag_that_was_away_is_in_the_wide_window(days, is_lost, beacons_an_hour):
    """At rest a GFSK tag sends each 2 min, in lost mode each 30 s; then it loses power once."""
    anchor, hours = 1234, 24 * days
    counter = anchor * 16 + beacons_an_hour * hours + 1000
    assert counter >> 4 in set(wide(anchor, hours * HOUR_MS, is_lost))


@given(anchors, st.integers(-HOUR_MS, 10**12), st.booleans())
def test_the_wide_window_is_bounded_and_begins_where_the_tag_was(anchor, silent_ms, is_lost):
    epochs = list(wide(anchor, silent_ms, is_lost))
    assert epochs[0] == anchor
    assert len(epochs) == len(set(epochs)) <= id_windows.LOST_MOST + id_windows.WIDE_BEHIND + 1
    assert min(epochs) >= 0 and max(epochs) <= LARGEST_EPOCH
