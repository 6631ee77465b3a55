"""A stolen computer tells nothing: vault, sealed registry, blocks, and what is forgotten."""

import json
import secrets
from pathlib import Path

import pytest
from groundnet.provision import blocks, parcel, point, signing
from groundnet.provision.audit import Audit
from groundnet.provision.people import People
from groundnet.provision.record import Record, Secret
from groundnet.provision.registry import Registry, RegistryError
from groundnet.provision.vault import Cost, Vault, VaultDamaged, VaultError, VaultLocked, WrongPassphrase
from hypothesis import given, settings
from hypothesis import strategies as st

PASSPHRASE = "seven tired horses"
CHEAP = Cost(memory_kib=8, passes=1, lanes=1)
VAULT = Vault.create(PASSPHRASE, CHEAP)
PLATE, PHONE = "云A54321", "+8613712345678"


def draft(number: int, secret: bytes = bytes(32)) -> Record:
    device_id = number.to_bytes(8, "big")
    owner = {"plate": PLATE, "owner_phone": PHONE, "consent": "guardian"}
    return Record(
        device_id, "", "tag", "b", "vehicle", state="reserved", operation="0a", changed_ms=1,
        secret=Secret(secret), **owner,
    )  # fmt: skip


@pytest.fixture
def registry(tmp_path):
    opened = Registry(tmp_path / "point.db", who="Li Na")
    yield opened
    opened.close()


@pytest.fixture
def central(tmp_path):
    opened = Registry(tmp_path / "central.db")
    yield opened
    opened.close()


def on_disk(registry: Registry) -> bytes:
    """Every byte of the file and of what SQLite keeps beside it."""
    path = Path(registry.address)
    return b"".join(one.read_bytes() for one in path.parent.glob(path.name + "*"))


def leaks(registry: Registry, *private: bytes | str) -> list:
    """What of it is on the disk, as it is or in hex, text or base 64 of JSON."""
    disk = on_disk(registry)
    found = []
    for value in private:
        raw = value.encode() if isinstance(value, str) else value
        spelled = (
            raw,
            raw.hex().encode(),
            raw.hex().upper().encode(),
            json.dumps(raw.decode("latin-1")).encode(),
        )
        found += [value for form in spelled if form in disk]
    return found


@given(st.binary(max_size=80), st.text(max_size=8), st.text(max_size=8))
def test_what_is_sealed_opens_for_what_it_belongs_to_and_nothing_else(plain, about, other):
    sealed = VAULT.seal("secret", plain, about)
    assert VAULT.open("secret", sealed, about) == plain
    for label, named in (("owner", about), ("secret", other + about + "x")):
        with pytest.raises(VaultDamaged):
            VAULT.open(label, sealed, named)


@settings(max_examples=40)
@given(st.data())
def test_a_damaged_vault_is_told_from_a_wrong_passphrase(data):
    header = bytearray(VAULT.header)
    at = data.draw(st.integers(0, len(header) - 1))
    header[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(VaultDamaged):
        Vault(bytes(header))
    with pytest.raises(WrongPassphrase):
        Vault(VAULT.header).unlock(PASSPHRASE + "x")


@pytest.mark.parametrize("header", [b"", b"{}", b"[1]", b"null", VAULT.header[:-1]])
def test_half_a_vault_is_named(header):
    with pytest.raises(VaultDamaged):
        Vault(header)


def test_another_passphrase_opens_the_same_secrets_and_the_old_one_no_longer():
    vault = Vault(VAULT.header)
    with pytest.raises(WrongPassphrase):
        vault.change_passphrase("not this one", "eight fresh horses")
    vault.change_passphrase(PASSPHRASE, "eight fresh horses")
    again = Vault(vault.header)
    with pytest.raises(WrongPassphrase):
        again.unlock(PASSPHRASE)
    again.unlock("ｅight fresh horses")  # one letter full-width, as an input method types it
    assert again.open("secret", VAULT.seal("secret", b"s", "t"), "t") == b"s"
    with pytest.raises(VaultError, match="short"):
        Vault.create("1234567", CHEAP)


def test_a_locked_vault_opens_and_seals_nothing_and_shows_nothing():
    vault = Vault.create(PASSPHRASE, CHEAP)
    vault.lock()
    for job in (
        lambda: vault.seal("s", b"", ""),
        lambda: vault.open("s", bytes(40), ""),
        lambda: vault.mac("m", b""),
    ):
        with pytest.raises(VaultLocked):
            job()
    assert repr(vault) == "<Vault locked>"
    assert json.loads(vault.header).keys() == {
        "format", "memory_kib", "passes", "lanes", "salt", "wrapped", "sha256",
    }  # fmt: skip


def test_the_file_of_a_point_reveals_no_secret_and_no_owner(registry, central):
    block = blocks.issue(central, point.init(registry, "dealer 12", PASSPHRASE, 1, cost=CHEAP), 20, 1)
    signing.trust(registry, signing.own(central), 1)
    blocks.load(registry, block, 1)
    for number in range(1, 6):
        record = registry.reserve(draft(number), {"install_point": "", "settings": {"owner_phone": PHONE}})
        registry.advance(record.device_id, "writing", "0a", 2)
    secret_of = [
        row["secret"] for row in central.database.execute("SELECT secret FROM identities").fetchall()
    ]
    assert [record.secret.reveal() for record in registry.devices()] == secret_of[:5]
    private = [
        *secret_of,
        PLATE,
        PHONE,
        "guardian",
        point.private_key(registry).private_bytes_raw(),
        PASSPHRASE,
    ]
    assert leaks(registry, *private) == []
    assert all(secret not in block.encode() and secret.hex() not in block for secret in secret_of)
    assert leaks(central, secret_of[0]), "the search finds what is there"
    registry.lock()
    (record, *_) = registry.devices()
    assert (record.plate, record.owner_phone, record.sealed) == (None, None, True)
    for job in (record.secret.reveal, lambda: registry.find(PLATE), lambda: registry.reserve(draft(9))):
        with pytest.raises(VaultLocked):
            job()
    assert registry.find(record.tag_id) == [record], "an id is no secret"
    registry.unlock(PASSPHRASE)
    assert len(registry.find("云a·54321")) == 5


def test_an_engineers_registry_that_gets_a_vault_keeps_no_plain_copy(registry):
    private = [secrets.token_bytes(32) for _ in range(30)]
    for number, secret in enumerate(private):
        registry.reserve(draft(number, secret))
    People(registry).add("Wang", "4711", "supervisor", 1)
    assert leaks(registry, private[3], PLATE)
    with pytest.raises(point.PointError, match="ids of its own"):
        point.init(registry, "dealer 12", PASSPHRASE, 2, cost=CHEAP)
    point.init(registry, "centre", PASSPHRASE, 2, own_ids=True, cost=CHEAP)
    assert leaks(registry, *private, PLATE, PHONE) == []
    assert [record.secret.reveal() for record in registry.devices()] == private
    assert People(registry).sign_in("Wang", "4711", 3).role == "supervisor"
    with pytest.raises(point.PointError, match="already"):
        point.init(registry, "centre", PASSPHRASE, 2, own_ids=True, cost=CHEAP)


@pytest.mark.parametrize("sealed", [False, True])
def test_an_owner_who_is_forgotten_is_in_no_file_and_the_audit_is_whole(registry, sealed):
    if sealed:
        point.init(registry, "centre", PASSPHRASE, 1, own_ids=True, cost=CHEAP)
    record = registry.reserve(draft(1), {"settings": {"owner_phone": PHONE}})
    with pytest.raises(RegistryError, match="being provisioned"):
        registry.forget_owner(record.device_id, 2)
    registry.advance(record.device_id, "handed_over", "0a", 2)
    kept = registry.database.execute("SELECT owner FROM devices").fetchone()["owner"]
    forgotten = registry.forget_owner(record.device_id, 3)
    assert (forgotten.plate, forgotten.owner_phone, forgotten.consent) == (None, None, None)
    assert leaks(registry, PLATE, PHONE, "guardian", *([kept] if sealed else [])) == []
    assert forgotten.secret.reveal() == bytes(32)
    assert Audit(registry).verify().length == len(list(Audit(registry).entries())) >= 3


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "groundnet point 1"}', VAULT.header.decode()])
def test_what_is_no_public_key_or_block_is_named(registry, text):
    with pytest.raises(point.PointError, match="not the public key"):
        point.parse(text)
    with pytest.raises(parcel.BlockError, match="no block"):
        blocks.load(registry, text, 1)
    with pytest.raises(signing.TrustError, match="not the public key"):
        signing.parse(text)


def test_the_passphrase_of_a_registry_can_be_changed_while_another_program_has_it_open(registry):
    mine = point.init(registry, "centre", PASSPHRASE, 1, own_ids=True, cost=CHEAP)
    assert point.parse(mine.text()).public_key == mine.public_key
    other = Registry(registry.address)
    other.unlock(PASSPHRASE)
    point.change_passphrase(registry, PASSPHRASE, "eight fresh horses", 2)
    other.lock()
    with pytest.raises(WrongPassphrase):
        other.unlock(PASSPHRASE)
    other.unlock("eight fresh horses")
    assert point.private_key(other).private_bytes_raw() == point.private_key(registry).private_bytes_raw()
    other.close()
