"""The audit: nobody changes, drops or cuts off a row unseen, and nothing private is in it."""

import hashlib
import json
from pathlib import Path

import pytest
from groundnet.database.store import StoreError
from groundnet.provision import point
from groundnet.provision.audit import Audit, AuditBroken
from groundnet.provision.registry import Registry
from groundnet.provision.tag_id import TagIdError
from groundnet.provision.vault import Cost

PASSPHRASE = "seven tired horses"
CHEAP = Cost(memory_kib=8, passes=1, lanes=1)
COLUMNS = (
    "time_ms",
    "who",
    "person",
    "point",
    "tag_id",
    "operation",
    "action",
    "result",
    "support",
    "versions",
)


@pytest.fixture
def registry(store_at):
    opened = Registry(store_at("registry.db"), who="Li Na")
    point.init(opened, "dealer 12", PASSPHRASE, 1, cost=CHEAP)
    for number in range(2, 7):
        Audit(opened).append(number, "write", tag_id="GN-00000", operation="0a", firmware="0.1.0")
    yield opened
    opened.close()


def tamper(registry, *statements):
    """As who has the file would: without the triggers that keep our own code from it."""
    for name in ("audit_keeps_rows", "audit_keeps_values"):
        on = "" if isinstance(registry.address, Path) else " ON audit"
        registry.database.execute(f"DROP TRIGGER IF EXISTS {name}{on}")
    for statement in statements:
        registry.database.execute(statement)


def test_a_whole_audit_is_vouched_for(registry):
    verdict = Audit(registry).verify()
    assert (verdict.length, verdict.keyed) == (6, 6)
    registry.lock()
    Audit(registry).append(9, "sign in", "refused", who="")
    assert Audit(registry).verify().keyed is None
    registry.unlock(PASSPHRASE)
    verdict = Audit(registry).verify()
    assert (verdict.length, verdict.keyed) == (7, 6), (
        "what was added while it was locked is not vouched for yet"
    )
    Audit(registry).append(10, "sign in")
    assert Audit(registry).verify().keyed == 8


def test_the_chain_is_what_anybody_can_compute(registry):
    digest = bytes(32)
    for row in registry.database.execute("SELECT * FROM audit ORDER BY sequence").fetchall():
        fields = {name: value for name, value in dict(row).items() if name != "hash"}
        said = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        digest = hashlib.sha256(digest + said).digest()
        assert digest == row["hash"]
    assert json.loads(row["versions"])["firmware"] == "0.1.0"


@pytest.mark.parametrize("column", COLUMNS)
def test_the_first_row_that_was_changed_is_named(registry, column):
    tamper(registry, f"UPDATE audit SET {column} = '7' WHERE sequence = 3")
    with pytest.raises(AuditBroken, match="row 3: it was changed"):
        Audit(registry).verify()


def test_a_row_that_is_gone_is_named(registry):
    tamper(registry, "DELETE FROM audit WHERE sequence = 2")
    with pytest.raises(AuditBroken, match="row 2: it is missing"):
        Audit(registry).verify()


@pytest.mark.parametrize("left", [0, 1, 5])
def test_rows_that_were_cut_off_are_missed(registry, left):
    tamper(registry, f"DELETE FROM audit WHERE sequence > {left}")
    with pytest.raises(AuditBroken, match=f"row {left + 1}: rows were cut off"):
        Audit(registry).verify()


@pytest.mark.parametrize("forged", [True, False])
def test_who_cuts_off_rows_and_moves_the_head_cannot_key_it(registry, forged):
    """Without the vault's key the head can be moved, not vouched for: seen as soon as the vault is open."""
    head = "SELECT hash FROM audit WHERE sequence = 3"
    moved = f"UPDATE audit_head SET sequence = 3, hash = ({head})"
    keyed = f"UPDATE audit_head SET keyed_sequence = 3, keyed_mac = ({head})"
    tamper(registry, moved, "DELETE FROM audit WHERE sequence > 3", *([keyed] if forged else []))
    with pytest.raises(AuditBroken, match=r"cut off|does not vouch"):
        Audit(registry).verify()


def test_a_head_that_is_gone_is_missed(registry):
    tamper(registry, "DELETE FROM audit_head")
    with pytest.raises(AuditBroken, match="head is missing"):
        Audit(registry).verify()


@pytest.mark.parametrize("statement", ["DELETE FROM audit", "UPDATE audit SET who = ''"])
def test_the_database_itself_only_appends(registry, statement):
    with pytest.raises(StoreError, match="append-only"):
        registry.database.execute(statement)


@pytest.mark.parametrize(
    "entry",
    [
        {"action": "云A12345"},
        {"action": "write", "result": "+8613800000000"},
        {"action": "write", "result": "A" * 8},
        {"action": "write", "tag_id": "云A12345"},
        {"action": "write", "operation": "00" * 32},
        {"action": "write", "support": "+8613800000000"},
        {"action": "write", "who": "x" * 65},
    ],
)
def test_what_may_be_a_plate_a_phone_or_a_key_does_not_get_in(registry, entry):
    before = Audit(registry).verify().length
    with pytest.raises((ValueError, TagIdError)):
        Audit(registry).append(7, **entry)
    assert Audit(registry).verify().length == before
