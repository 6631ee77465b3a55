"""Blocks of identities: signed by one centre, for one point, once; and whoever else writes one gets a sentence."""

import base64
import contextlib
import itertools
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from groundnet.provision import blocks, calls, identities, known_points, parcel, point, signing
from groundnet.provision.audit import Audit
from groundnet.provision.record import RegistryError
from groundnet.provision.registry import Registry
from groundnet.provision.vault import Cost, VaultDamaged, VaultLocked

from provision.crash_bench import Blow, CutDatabase, Killed

PASSPHRASE = "seven tired horses"
CHEAP = Cost(8, 1, 1)
# RFC 8032, section 7.1, test 2.
RFC_KEY = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
RFC_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


@pytest.fixture
def open_registry(tmp_path):
    opened = []

    def make(name):
        opened.append(Registry(tmp_path / f"{name}.db"))
        return opened[-1]

    yield make
    for registry in opened:
        registry.close()


@pytest.fixture
def centre(open_registry):
    registry = open_registry("centre")
    point.init(registry, "county", PASSPHRASE, 1, own_ids=True, cost=CHEAP)
    return registry


@pytest.fixture
def here(open_registry, centre):
    """A point that trusts the centre."""
    registry = open_registry("here")
    point.init(registry, "north", PASSPHRASE, 1, cost=CHEAP)
    signing.trust(registry, signing.own(centre), 1)
    return registry


def point_of(registry):
    found = point.read(registry)
    assert found is not None
    return found


def held(registry):
    """Every identity of a registry, in the order of its numbers."""
    rows = registry.database.execute("SELECT * FROM identities ORDER BY number").fetchall()
    return [(row["number"], registry.opened("secret", row["secret"], row)) for row in rows]


def changed(text, **fields):
    return json.dumps({**json.loads(text), **fields})


def test_a_block_is_taken_by_its_point_once(here, centre):
    text = blocks.issue(centre, point_of(here), 3, 1)
    here.lock()
    with pytest.raises(VaultLocked):
        blocks.load(here, text, 1)
    here.unlock(PASSPHRASE)
    assert identities.free(here) == 0
    assert blocks.load(here, text, 1).count == identities.free(here) == 3
    assert held(here) == held(centre)
    with pytest.raises(parcel.BlockError, match="loaded already"):
        blocks.load(here, text, 1)
    with pytest.raises(parcel.BlockError, match="own ids from blocks"):
        blocks.issue(here, point_of(here), 1, 1)


def test_a_signature_is_ed25519_over_the_canonical_body(here, centre):
    assert signing.Centre("", RFC_KEY).signed(b"\x72", RFC_SIGNATURE)
    assert not signing.Centre("", RFC_KEY).signed(b"\x73", RFC_SIGNATURE)
    fields = json.loads(blocks.issue(centre, point_of(here), 3, 1))
    signature = base64.b64decode(fields.pop("signature"))
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    Ed25519PublicKey.from_public_bytes(signing.own(centre).public_key).verify(signature, canonical)


def test_whatever_of_a_block_is_changed_nothing_is_loaded(here, centre):
    text = blocks.issue(centre, point_of(here), 3, 1)
    other = blocks.issue(centre, point_of(here), 3, 1)
    for name in ("block_id", "first", "ephemeral", "sealed", "receipt", "signature"):
        with pytest.raises(parcel.BlockError, match="changed after the centre signed it"):
            blocks.load(here, changed(text, **{name: json.loads(other)[name]}), 1)
    for fields in ({"count": 2}, {"point_id": "00"}):
        with pytest.raises(parcel.BlockError, match="changed after the centre signed it"):
            blocks.load(here, changed(text, **fields), 1)
    for fields in ({"sealed": "?"}, {"ephemeral": ""}, {"format": "x"}, {"centre": None, "first": "x"}):
        with pytest.raises(parcel.BlockError, match="no block"):
            blocks.load(here, changed(text, **fields), 1)
    assert identities.free(here) == 0


def test_a_block_for_another_point_is_named(here, centre, open_registry):
    other = open_registry("other")
    text = blocks.issue(centre, point.init(other, "south", PASSPHRASE, 1, cost=CHEAP), 3, 1)
    with pytest.raises(parcel.BlockError, match="for another point"):
        blocks.load(here, text, 1)
    assert identities.free(here) == 0


def test_a_block_of_another_centre_is_named_also_when_it_says_that_it_is_ours(here, centre, open_registry):
    impostor = open_registry("impostor")
    text = blocks.issue(impostor, point_of(here), 3, 1)
    with pytest.raises(parcel.BlockError, match="of another central registry"):
        blocks.load(here, text, 1)
    with pytest.raises(parcel.BlockError, match="changed after the centre signed it"):
        blocks.load(here, changed(text, centre=signing.own(centre).centre_id), 1)
    assert identities.free(here) == 0


def test_a_point_without_a_centre_and_a_block_without_a_signature(open_registry, centre):
    here = open_registry("new")
    text = blocks.issue(centre, point.init(here, "east", PASSPHRASE, 1, cost=CHEAP), 3, 1)
    with pytest.raises(parcel.BlockError, match="trusts no central registry"):
        blocks.load(here, text, 1)
    with pytest.raises(parcel.BlockError, match="were not signed"):
        blocks.load(here, changed(text, format="groundnet block 1"), 1)


def test_numbers_that_were_loaded_under_another_block_id_are_not_loaded_again(here, centre):
    """A centre that was brought back from an old copy counts its numbers once more."""
    blocks.load(here, blocks.issue(centre, point_of(here), 3, 1), 1)
    centre.database.execute("DELETE FROM identities")
    centre.database.execute("DELETE FROM blocks")
    with pytest.raises(parcel.BlockError, match="given to this point before"):
        blocks.load(here, blocks.issue(centre, point_of(here), 3, 1), 1)


def test_a_lost_block_is_written_again_with_the_same_ids_and_secrets(here, centre):
    lost = blocks.describe(blocks.issue(centre, point_of(here), 3, 1))
    again = [blocks.issue_again(centre, lost.block_id, 2) for _ in range(2)]
    assert [blocks.describe(text) for text in again] == [lost, lost]
    blocks.load(here, again[0], 3)
    assert held(here) == held(centre)
    with pytest.raises(parcel.BlockError, match="loaded already"):
        blocks.load(here, again[1], 3)
    assert identities.next_number(centre) == lost.first + lost.count, "no number was given away anew"
    actions = [entry.action for entry in Audit(centre).entries()]
    assert actions == ["init", "issue block", "issue block again", "issue block again"]
    with pytest.raises(parcel.BlockError, match="no block 'feed'"):
        blocks.issue_again(centre, "feed", 4)
    with pytest.raises(parcel.BlockError, match="no block"):
        blocks.issue_again(here, lost.block_id, 4)


def test_a_block_from_before_points_were_known_needs_the_points_file(here, centre, open_registry):
    lost = blocks.describe(blocks.issue(centre, point_of(here), 3, 1))
    centre.database.execute("DELETE FROM known_points")
    other = point.init(open_registry("other"), "south", PASSPHRASE, 1, cost=CHEAP)
    for wrong in (None, other):
        with pytest.raises(known_points.PointChanged, match="not known here"):
            blocks.issue_again(centre, lost.block_id, 2, wrong)
    assert blocks.load(here, blocks.issue_again(centre, lost.block_id, 2, point_of(here)), 3) == lost


def test_who_shows_a_key_of_their_own_under_a_points_id_gets_no_block(here, centre):
    lost = blocks.describe(blocks.issue(centre, point_of(here), 3, 1))
    thief = point.Point(point_of(here).point_id, "north", False, bytes(range(32)))
    with pytest.raises(known_points.PointChanged, match="another public key before"):
        blocks.issue(centre, thief, 3, 2)
    with pytest.raises(known_points.PointChanged, match="another public key before"):
        blocks.issue_again(centre, lost.block_id, 2, thief)
    assert len(held(centre)) == 3


def test_a_point_changes_its_centre_only_when_it_is_told_to(here, centre, open_registry):
    other = signing.own(open_registry("other centre"))
    signing.trust(here, signing.own(centre), 2)
    with pytest.raises(signing.TrustError, match="another central registry"):
        signing.trust(here, other, 2)
    assert signing.trusted(here) == signing.own(centre)
    signing.trust(here, signing.parse(other.text()), 3, replace=True)
    assert signing.trusted(here) == other
    with pytest.raises(RegistryError, match="makes its own ids"):
        signing.trust(centre, other, 3)
    with pytest.raises(RegistryError, match="not to a centre"):
        signing.own(here)
    with pytest.raises(signing.TrustError, match="not the public key"):
        signing.parse(changed(other.text(), centre="00" * 8))


def test_who_has_the_file_but_not_the_passphrase_cannot_put_another_centre_there(here, centre, open_registry):
    other = open_registry("other centre")
    text = blocks.issue(other, point_of(here), 3, 1)
    here.database.execute("UPDATE centre SET public_key = ?", (signing.own(other).public_key,))
    with pytest.raises(VaultDamaged):
        blocks.load(here, text, 1)


def test_a_centres_key_goes_under_its_vault_and_stays_the_same(open_registry, tmp_path):
    registry = open_registry("engineer")
    before = signing.own(registry)
    (plain,) = registry.database.execute("SELECT private_key FROM signing").fetchone()
    point.init(registry, "county", PASSPHRASE, 1, own_ids=True, cost=CHEAP)
    assert signing.own(registry).public_key == before.public_key
    assert before.signed(b"x", signing.sign(registry, b"x"))
    on_disk = b"".join(path.read_bytes() for path in tmp_path.glob("engineer.db*"))
    assert plain not in on_disk
    registry.lock()
    with pytest.raises(VaultLocked):
        signing.sign(registry, b"x")


def test_a_centre_that_was_brought_back_from_an_old_copy_learns_which_numbers_it_gave_away(here, centre):
    """Else the next block, for another point, would have the same numbers."""
    given = blocks.load(here, blocks.issue(centre, point_of(here), 3, 1), 1)
    for table in ("identities", "blocks", "known_points"):
        centre.database.execute(f"DELETE FROM {table}")
    status = calls.status_of(here, identities.free(here), 0)
    (receipt,) = status["blocks"]
    forged = [{**receipt, "block_id": "00" * 8, "count": 900}, {**receipt, "receipt": "?"}, {}, [], None, 7]
    calls.keep(centre, "north", {**status, "blocks": forged}, 2)
    assert identities.next_number(centre) == given.first, "anybody could use up all numbers"
    for _ in range(2):
        calls.keep(centre, "north", json.loads(json.dumps(status)), 3)
    assert identities.next_number(centre) == given.first + given.count
    (state,) = calls.points(centre)
    (block,) = state.blocks
    assert (state.point, block.block_id, block.secrets_here) == ("north", given.block_id, False)
    with pytest.raises(parcel.BlockError, match="not here: the registry is of an older copy"):
        blocks.issue_again(centre, given.block_id, 4)
    assert [entry.action for entry in Audit(centre).entries()].count("learn block") == 1


def test_blocks_that_share_numbers_are_named(here, centre, open_registry):
    blocks.load(here, blocks.issue(centre, point_of(here), 3, 1), 1)
    for table in ("identities", "blocks"):
        centre.database.execute(f"DELETE FROM {table}")
    other = point.init(open_registry("other"), "south", PASSPHRASE, 1, cost=CHEAP)
    blocks.issue(centre, other, 3, 2)
    calls.keep(centre, "north", calls.status_of(here, 3, 0), 3)
    assert [block.shares_numbers for state in calls.points(centre) for block in state.blocks] == [True, True]


def killed(registry, at, job):
    """Do it with a blow at one step of the registry; whether it fell."""
    blow = Blow(at)
    registry.database, real = CutDatabase(registry.database, blow), registry.database
    with contextlib.suppress(Killed):
        job()
    registry.database = real
    return blow.fell


def test_a_block_that_is_loaded_is_there_whole_or_not_at_all_wherever_it_is_killed(here, centre):
    text = blocks.issue(centre, point_of(here), 3, 1)
    for at in itertools.count():
        assert killed(here, at, lambda: blocks.load(here, text, 1))
        if held(here):
            break
    assert held(here) == held(centre) and at > 6, "only the last step was after the commit"
    with pytest.raises(parcel.BlockError, match="loaded already"):
        blocks.load(here, text, 1)


def test_a_block_whose_issue_was_killed_is_written_again_or_was_never_there(here, centre):
    at = 0
    while killed(centre, at, lambda: blocks.issue(centre, point_of(here), 3, 1)):
        at += 1
    issued = centre.database.execute("SELECT block_id FROM blocks ORDER BY first").fetchall()
    assert len(issued) == 2 and at > 6, "the one that was killed after the commit, and the last"
    for row in issued:
        blocks.load(here, blocks.issue_again(centre, row["block_id"], 2), 3)
    assert held(here) == held(centre) and len(held(here)) == 6
