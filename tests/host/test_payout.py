"""Which ground for payment holds when, by hand from the public rule of a county network."""

import pytest
from groundnet.collector import cases, payout
from groundnet.collector.database import Database
from groundnet.errors import GroundnetError

TAG = bytes(8)
DAY_MS = 24 * 3600 * 1000
NOW_MS = 1_800_000_000_000


@pytest.fixture
def database(tmp_path):
    store = Database(tmp_path / "collector.db")
    yield store
    store.close()


def heard(database, at_ms: int) -> None:
    database.run("INSERT INTO reports VALUES (?, 1, ?, ?)", TAG, at_ms % 1_000_000, at_ms)


def alarm(database, at_ms: int, cause: str) -> None:
    database.run("INSERT INTO alarms VALUES (?, ?, ?, 1)", TAG, at_ms, cause)


def stolen(database, at_ms: int) -> None:
    cases.open_case(database, TAG, "owner", "2020-1", "stolen", at_ms)


def grounds(database, now_ms: int = NOW_MS) -> tuple[str, ...]:
    return payout.evidence(database, TAG, now_ms).grounds


def test_a_theft_that_nobody_reported_has_no_evidence(database):
    with pytest.raises(GroundnetError, match="no theft of this device"):
        payout.evidence(database, TAG, NOW_MS)
    assert not payout.was_reported(database, TAG)


def test_a_device_that_is_still_heard_is_not_paid_for(database):
    stolen(database, NOW_MS - 10 * DAY_MS)
    alarm(database, NOW_MS - 10 * DAY_MS, "power_cut")
    heard(database, NOW_MS - 1000)
    assert grounds(database) == ()
    assert payout.was_reported(database, TAG)


def test_silence_becomes_a_ground_after_a_week(database):
    stolen(database, NOW_MS - 8 * DAY_MS)
    heard(database, NOW_MS - 7 * DAY_MS + 1000)
    assert grounds(database) == ()
    assert grounds(database, NOW_MS + 2000) == (payout.UNTRACEABLE,)


def test_violence_right_before_the_last_word_is_destruction(database):
    stolen(database, NOW_MS - 2 * DAY_MS)
    heard(database, NOW_MS - 2 * DAY_MS)
    alarm(database, NOW_MS - 2 * DAY_MS - 29 * 60_000, "tamper")
    assert grounds(database) == (payout.DESTROYED,)


def test_violence_long_before_the_last_word_is_not(database):
    stolen(database, NOW_MS - 2 * DAY_MS)
    heard(database, NOW_MS - 2 * DAY_MS)
    alarm(database, NOW_MS - 2 * DAY_MS - 31 * 60_000, "tamper")
    assert grounds(database) == ()


def test_sixty_days_without_a_find(database):
    stolen(database, NOW_MS - 60 * DAY_MS)
    heard(database, NOW_MS - 1000)
    assert grounds(database, NOW_MS - 1) == ()
    assert grounds(database) == (payout.NOT_FOUND,)


def test_what_was_found_is_not_paid_for(database):
    stolen(database, NOW_MS - 70 * DAY_MS)
    heard(database, NOW_MS - 69 * DAY_MS)
    cases.close_case(database, TAG, "found", NOW_MS - DAY_MS)
    assert grounds(database) == ()
