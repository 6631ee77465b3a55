"""Who may work at a counter, with which PIN, for how long."""

import pytest
from groundnet.provision import people, point
from groundnet.provision.audit import Audit
from groundnet.provision.people import (
    IDLE_MS,
    LONGEST_SESSION_MS,
    MOST_WRONG,
    LockedOut,
    NotAllowed,
    People,
    PeopleError,
    SessionOver,
    WrongPin,
)
from groundnet.provision.registry import Registry
from groundnet.provision.vault import Cost, VaultLocked


@pytest.fixture(autouse=True)
def quick_pins(monkeypatch):
    monkeypatch.setitem(people._SCRYPT, "n", 16)


@pytest.fixture
def registry(store_at):
    opened = Registry(store_at("registry.db"))
    yield opened
    opened.close()


@pytest.fixture
def staff(registry):
    here = People(registry)
    here.add("Wang", "4711", "supervisor", 1)
    here.add("Li Na", "1234", "staff", 1, here.sign_in("Wang", "4711", 1))
    return here


def wrong(staff, now_ms, name="Li Na"):
    with pytest.raises(WrongPin):
        staff.sign_in(name, "0000", now_ms)


def test_who_signs_in_is_known_by_the_token(staff):
    session = staff.sign_in("Ｌi Na ", "１２３４", 5)  # as an input method types it
    assert (staff.check(session.token, 6).name, session.role) == ("Li Na", "staff")
    assert session.token not in repr(session)
    with pytest.raises(SessionOver):
        staff.check(session.token + "x", 6)
    staff.sign_out(session.token, 7)
    with pytest.raises(SessionOver):
        staff.check(session.token, 7)


def test_a_session_ends_after_a_pause_and_at_the_end_of_the_day(staff):
    session = staff.sign_in("Li Na", "1234", 0)
    for now_ms in range(0, LONGEST_SESSION_MS + 1, IDLE_MS):
        assert staff.check(session.token, now_ms) is session
    with pytest.raises(SessionOver):
        staff.check(session.token, LONGEST_SESSION_MS + 1)
    session = staff.sign_in("Li Na", "1234", 0)
    staff.check(session.token, IDLE_MS, touch=False)
    with pytest.raises(SessionOver):
        staff.check(session.token, IDLE_MS + 1)


def test_five_wrong_pins_lock_out_for_ever_longer(staff, registry):
    now_ms, waits = 0, []
    for _ in range(MOST_WRONG - 1):
        wrong(staff, now_ms)
    for _ in range(9):
        wrong(staff, now_ms)
        with pytest.raises(LockedOut) as caught:
            People(registry).sign_in(
                "Li Na", "1234", now_ms
            )  # the right one does not help, nor does a restart
        waits.append(caught.value.wait_ms)
        now_ms += waits[-1]
    assert waits == [60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000, 3_600_000, 3_600_000, 3_600_000]
    assert staff.sign_in("Wang", "4711", now_ms).name == "Wang", "only that name waits"
    staff.sign_in("Li Na", "1234", now_ms)
    wrong(staff, now_ms)  # and counting begins anew
    assert staff.sign_in("Li Na", "1234", now_ms)


def test_a_try_counts_before_it_is_judged(staff, monkeypatch):
    """Killed between the two, or the judge fails: the try is spent."""
    monkeypatch.setattr(people.hmac, "compare_digest", lambda *pair: 1 / 0)
    for _ in range(MOST_WRONG):
        with pytest.raises(ZeroDivisionError):
            staff.sign_in("Li Na", "0000", 0)
    with pytest.raises(LockedOut):
        staff.sign_in("Li Na", "1234", 0)


def test_a_name_that_is_not_known_is_a_wrong_pin_and_not_written_down(staff, registry):
    rows = Audit(registry).verify().length
    wrong(staff, 0, "4711")  # a PIN in the wrong field
    assert Audit(registry).verify().length == rows


def test_people_are_a_supervisors_business(staff, registry):
    clerk, boss = staff.sign_in("Li Na", "1234", 0), staff.sign_in("Wang", "4711", 0)
    for by in (None, clerk):
        with pytest.raises(NotAllowed):
            staff.add("Zhao", "5555", "supervisor", 0, by)
        with pytest.raises(NotAllowed):
            staff.remove("Wang", 0, by)
    for job in (
        lambda: staff.remove("Wang", 0, boss),
        lambda: staff.add("Wang", "9999", "staff", 0, boss),
    ):
        with pytest.raises(PeopleError, match="only supervisor"):
            job()
    staff.remove("Li Na", 0, boss)
    with pytest.raises(SessionOver):
        staff.check(clerk.token, 0)
    assert [person.name for person in staff.everyone()] == ["Wang"]
    assert [(entry.action, entry.who, entry.person) for entry in Audit(registry).entries()][-1] == (
        "remove person",
        "Wang",
        "Li Na",
    )
    with pytest.raises(PeopleError, match="nobody is called"):
        staff.remove("Li Na", 0, boss)


@pytest.mark.parametrize(
    "name, pin, role",
    [("", "1234", "staff"), ("Li\nNa", "1234", "staff"), ("Li", "123", "staff"), ("Li", "12a4", "staff"),
     ("Li", "1234", "boss")],
)  # fmt: skip
def test_bad_names_pins_and_roles_are_refused(staff, name, pin, role):
    with pytest.raises(PeopleError):
        staff.add(name, pin, role, 0, staff.sign_in("Wang", "4711", 0))


def test_pins_of_a_point_are_under_its_vault(registry):
    point.init(registry, "dealer 12", "seven tired horses", 1, cost=Cost(8, 1, 1))
    staff = People(registry)
    staff.add("Wang", "4711", "supervisor", 1)
    row = registry.database.execute("SELECT salt, digest FROM people").fetchone()
    assert people.hashlib.scrypt(b"4711", salt=row["salt"], dklen=32, **people._SCRYPT) != row["digest"]
    registry.lock()
    with pytest.raises(VaultLocked):
        staff.sign_in("Wang", "4711", 2)
    registry.unlock("seven tired horses")
    assert staff.sign_in("Wang", "4711", 2).role == "supervisor"
