"""Which ground for payment holds when, by hand from the public rule of a county network."""

from io import BytesIO

import pytest
from groundnet.collector.casework import cases, evidence_paper, payout
from groundnet.collector.database import Database
from groundnet.errors import GroundnetError

TAG = bytes(8)
DAY_MS = 24 * 3600 * 1000
NOW_MS = 1_800_000_000_000


@pytest.fixture
def database(store_at):
    store = Database(store_at("collector.db"))
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


def test_the_paper_is_the_same_for_the_same_evidence_and_has_one_page(database):
    stolen(database, NOW_MS - 8 * DAY_MS)
    heard(database, NOW_MS - 7 * DAY_MS)
    database.run(
        "INSERT INTO stations (station_id, lat, lon, boot_count, seen_ms) VALUES (?, 45.28, 13.72, 1, ?)",
        TAG,
        NOW_MS,
    )
    for minute in range(5):
        at_ms = NOW_MS - 8 * DAY_MS + minute * 60_000
        database.run(
            "INSERT INTO sightings VALUES (?, 1, ?, ?, ?, ?, -90, 5.0)", TAG, minute, TAG, minute, at_ms
        )
        database.run(
            "INSERT INTO fixes VALUES (?, ?, ?, 13.72, 20.0, 'gnss', NULL, NULL)",
            TAG,
            at_ms,
            45.28 + minute / 1000,
        )
    told = payout.evidence(database, TAG, NOW_MS)
    assert [(one.count, one.lat) for one in told.stations] == [(5, 45.28)]
    assert len(told.track) >= 5 and told.searched_days == 8
    papers = [BytesIO() for _ in range(3)]
    for paper, number in zip(papers, ("GN-1", "GN-1", "GN-2"), strict=True):
        evidence_paper.write(paper, number, "云A12345", told)
    first, again, other = (paper.getvalue() for paper in papers)
    assert first == again != other
    assert first.startswith(b"%PDF") and first.count(b"/Type /Page\n") == 2, "facts and timeline"


def test_a_case_of_a_device_that_was_never_heard_has_a_paper_too(database, tmp_path):
    stolen(database, NOW_MS - DAY_MS)
    told = payout.evidence(database, TAG, NOW_MS)
    assert told.grounds == () and told.heard_ms is None
    path = evidence_paper.write_beside(tmp_path / "evidence.pdf", "GN-1", "", told)
    assert path.name == "evidence-GN-1.pdf" and path.read_bytes().startswith(b"%PDF")


def test_a_report_after_two_months_loses_the_ground_of_sixty_days(database):
    reported_ms = NOW_MS - 60 * DAY_MS
    cases.open_cases(database, [TAG], "owner", "2020-1", "stolen", reported_ms, reported_ms - 62 * DAY_MS)
    heard(database, NOW_MS - 1000)
    told = payout.evidence(database, TAG, NOW_MS)
    assert told.reported_late and told.searched_until_ms is None and told.grounds == ()


def test_a_report_within_two_months_keeps_it_and_says_when_the_search_ends(database):
    reported_ms = NOW_MS - 60 * DAY_MS
    cases.open_cases(database, [TAG], "owner", "2020-1", "stolen", reported_ms, reported_ms - 61 * DAY_MS)
    heard(database, NOW_MS - 1000)
    told = payout.evidence(database, TAG, NOW_MS)
    assert (told.searched_until_ms, told.grounds) == (NOW_MS, (payout.NOT_FOUND,))


def test_a_theft_that_is_still_to_come_is_refused(database):
    with pytest.raises(cases.CaseError, match="future"):
        cases.open_cases(database, [TAG], "owner", "2020-1", "stolen", NOW_MS, NOW_MS + 1)


def test_the_timeline_tells_the_case_in_order(database):
    reported_ms = NOW_MS - 8 * DAY_MS
    alarm(database, reported_ms - 2 * 3_600_000, "lifted")
    for at_ms in (reported_ms - 3_600_000, reported_ms + 60_000, reported_ms + 10 * 3_600_000):
        heard(database, at_ms)
    alarm(database, reported_ms - 40 * DAY_MS, "test")
    cases.open_cases(
        database, [TAG], "owner", "2020-1", "stolen", reported_ms, stolen_ms=reported_ms - 3 * 3_600_000
    )
    told = payout.evidence(database, TAG, NOW_MS)
    assert [str(one.what) for one in told.timeline] == [
        "stolen, as the reporter says",
        "alarm: lifted",
        "heard",
        "theft reported, 2020-1",
        "order: lost mode, waits for the device",
        "heard again after 10 h",
        "heard last",
        "silent from here on",
    ]
    assert all(one.what.zh != str(one.what) for one in told.timeline)


def test_the_area_that_was_searched_stands_in_the_evidence(database):
    stolen(database, NOW_MS - 2 * DAY_MS)
    assert payout.evidence(database, TAG, NOW_MS).searched_km2 == 0.0
    for number, awake_ms in ((1, NOW_MS - DAY_MS), (2, NOW_MS - 3 * DAY_MS)):
        database.run(
            "INSERT INTO stations (station_id, lat, lon, boot_count, seen_ms) VALUES (?, 45.28, 13.72, 1, ?)",
            bytes([number]) * 8,
            NOW_MS,
        )
        database.run(
            "INSERT INTO station_spans VALUES (?, ?, ?)", bytes([number]) * 8, awake_ms, awake_ms + 3_600_000
        )
    told = payout.evidence(database, TAG, NOW_MS)
    assert [one.station_id for one in told.searched] == [bytes([1]) * 8], (
        "the other one slept since the report"
    )
    assert told.searched_km2 == pytest.approx(3.14159 * (told.searched[0].radius_m / 1000) ** 2, rel=0.05)
