"""The verifier of the boards against the RFC's signatures and against pyhsslms, on both interpreters."""

import json
from pathlib import Path

import groundwire
import pyhsslms
import pytest
from bundle import quick_keys
from bundle.lms_vectors import damaged, flipped, rfc_cases, rfc_content
from groundcore import lms
from groundnet.bundle import lms_key_file, lms_keys, lms_tree
from groundnet.sim import runtime
from groundnet.sim.groundcore_runtime import firmware_directory
from hypothesis import given, settings
from hypothesis import strategies as st

RFC = rfc_cases()
FOLDERS = (firmware_directory(), Path(groundwire.__file__).parents[1])
MESSAGE = b"GNB1" + bytes(range(256)) * 9

VERIFY_EACH_LINE = """
import sys, json
from binascii import unhexlify
from groundcore import lms
for line in sys.stdin:
    key, signature, message = [unhexlify(text) for text in json.loads(line)]
    pieces = (message[start : start + 100] for start in range(0, len(message), 100))
    print(lms.verify(key, signature, pieces))
"""

# With the collector off, what a chain leaves behind is what its hashes alone leave behind.
GARBAGE = """
import gc, micropython
from hashlib import sha256
from groundcore import lms

def left_by(work):
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    work()
    after = gc.mem_alloc()
    gc.enable()
    return after - before

buffer = bytearray(55)
value = memoryview(buffer)[23:]

def chain():
    lms._run_chain(buffer, value, 0, 255)

def digests():
    hashed = sha256
    step = 0
    while step < 255:
        hashed(buffer).digest()
        step += 1

chain()
digests()
print(left_by(chain), left_by(digests))
"""


def verify(key: bytes, signature: bytes, message: bytes) -> bool:
    return lms.verify(key, signature, [message])


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """(public key, signature, message) by a key file."""
    folder = tmp_path_factory.mktemp("keys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        path, key = quick_keys.release(folder)
        return key, lms_keys.sign(path, MESSAGE), MESSAGE


@pytest.mark.parametrize("case", RFC, ids=[case[0] for case in RFC])
def test_the_rfcs_signatures_are_good(case):
    _, key, signature, message, _ = case
    assert verify(key, signature, message) is True


@pytest.mark.parametrize("case", RFC, ids=[case[0] for case in RFC])
def test_any_damage_to_the_rfcs_signatures_is_seen(case):
    assert [name for name, *values, _ in damaged(case) if verify(*values) is not False] == []


def test_a_signature_of_ours_is_good_for_both_verifiers_and_any_damage_for_neither(ours):
    key, signature, message = ours
    assert verify(*ours) is True and lms_tree.verify(*ours) is True
    cases = damaged(("ours", *ours, True))
    assert len(cases) > 120
    for name, key, signature, message, _ in cases:
        assert (verify(key, signature, message), lms_tree.verify(key, signature, message)) == (False,) * 2, (
            name
        )


@pytest.mark.parametrize("ots_type", [pyhsslms.lmots_sha256_n32_w4, pyhsslms.lmots_sha256_n32_w8])
def test_what_pyhsslms_signs_by_itself_is_good(ots_type):
    theirs = pyhsslms.LmsPrivateKey(pyhsslms.lms_sha256_m32_h5, ots_type, SEED=bytes(32), I=bytes(16), q=0)
    key = theirs.publicKey().serialize()
    for leaf in (0, 17, 31):
        theirs.q = leaf
        assert verify(key, theirs.sign(MESSAGE), MESSAGE)


def test_pyhsslms_by_itself_takes_what_a_key_file_signed(ours):
    key, signature, message = ours
    assert pyhsslms.LmsPublicKey.deserialize(key).verify(message, signature)


@pytest.mark.parametrize("kind", ["lms", "ots"])
def test_types_of_others_are_refused(ours, kind):
    key, signature, message = ours
    for number in (*range(5), *range(7, 40), 0x80000006, 0xFFFFFFFF):
        types = {"lms": (number, 4), "ots": (6, number)}[kind]
        if types == (6, 4):
            continue
        other = b"".join(value.to_bytes(4, "big") for value in types) + key[8:]
        assert verify(other, signature, message) is False


def test_the_keys_of_the_rfc_come_from_its_seeds_and_sign_as_there(monkeypatch):
    """Test case 2, lower level: the tree and the signature, byte for byte; C from its random numbers."""
    case = rfc_content()["test case 2"]
    seed, identifier = (bytes.fromhex(case["seeds"]["second"][name]) for name in ("seed", "identifier"))
    _, key, signature, message, _ = RFC[3]
    leaf = int.from_bytes(signature[:4], "big")
    tree = lms_tree.nodes(
        identifier, b"".join(lms_tree.one_time_key(identifier, seed, number) for number in range(32))
    )
    assert key == pyhsslms.lms_sha256_m32_h5 + pyhsslms.lmots_sha256_n32_w8 + identifier + tree[1]
    monkeypatch.setattr("pyhsslms.pyhsslms.randBytes", lambda size: signature[8:40])
    mine = lms_tree.sign(identifier, seed, tree, leaf, message)
    types = slice(1128, 1132)  # where ours says H10
    assert mine[: types.start] + signature[types] + mine[types.stop :] == signature


def test_the_message_may_come_in_any_pieces(ours):
    key, signature, message = ours
    for size in (1, 63, 64, 512, len(message)):
        pieces = (memoryview(message)[start : start + size] for start in range(0, len(message), size))
        assert lms.verify(memoryview(key), bytearray(signature), pieces)


def test_a_wrong_form_is_refused_before_the_message_is_read(ours):
    key, signature, _ = ours
    pieces = iter([b"untouched"])
    assert not lms.verify(key, signature[:-1], pieces)
    assert not lms.verify(key[:-1], signature, pieces)
    assert not lms.verify(key, b"\0\0\4\0" + signature[4:], pieces)  # leaf 1024 of 1024
    assert next(pieces) == b"untouched"


def test_what_reading_the_message_raises_goes_through(ours):
    key, signature, _ = ours

    def broken():
        yield b"GNB1"
        raise OSError("flash")

    with pytest.raises(OSError, match="flash"):
        lms.verify(key, signature, broken())


def test_the_longest_work_is_as_the_page_says(monkeypatch):
    """A digest of zeros needs every step of its chains: all other digests need as many or fewer."""
    hashes = 0

    class Counted:
        def __init__(self, data):
            nonlocal hashes
            hashes += 1

        def update(self, data):
            pass

        def digest(self):
            return bytes(32)

    monkeypatch.setattr(lms, "sha256", Counted)
    key = bytes([0, 0, 0, 6, 0, 0, 0, 4]) + bytes(48)
    signature = bytes(7) + b"\4" + bytes(1120) + b"\0\0\0\6" + bytes(320)
    assert lms.verify(key, signature, [])  # the root of zeros that this hash makes
    assert f"at most {hashes} hashes" in str(lms.__doc__)


DAMAGE = {
    "flip": flipped,
    "cut": lambda data, place: data[:place],
    "insert": lambda data, place: data[:place] + b"\7" + data[place:],
}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(sorted(DAMAGE)), st.integers(0)), max_size=3))
def test_whatever_happens_to_the_bytes_both_verifiers_agree(ours, steps):
    parts = list(ours)
    for part, kind, place in steps:
        if parts[part]:
            parts[part] = DAMAGE[kind](parts[part], place % len(parts[part]))
    good = tuple(parts) == ours
    assert verify(*parts) is good
    assert lms_tree.verify(*parts) is good


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=70), st.binary(max_size=3000), st.lists(st.binary(max_size=20), max_size=3))
def test_random_bytes_are_no_signature(key, signature, pieces):
    assert lms.verify(key, signature, pieces) is False
    assert lms_tree.verify(key, signature, b"".join(pieces)) is False


@pytest.mark.parametrize("name", [name for name in runtime.available_runtimes() if name != "cpython"])
def test_answers_on_micropython_are_the_same(name, ours):
    cases = [*RFC, ("ours", *ours, True), *damaged(RFC[1])[::3], *damaged(("ours", *ours, True))[1::4]]
    lines = [json.dumps([value.hex() for value in values]) for _, *values, _ in cases]
    done = runtime.run_script(
        VERIFY_EACH_LINE, runtime=name, search_path=FOLDERS, stdin="\n".join([*lines, ""]).encode()
    )
    assert done.stderr == b""
    assert done.stdout.decode().split() == [str(good) for *_, good in cases]


def test_a_chain_leaves_no_garbage_but_its_digests():
    done = runtime.run_script(GARBAGE, search_path=FOLDERS)
    assert done.stderr == b""
    chain, digests = map(int, done.stdout.split())
    assert 0 < chain <= digests


def test_sizes_are_those_of_the_parameters(ours):
    key, signature, _ = ours
    assert (len(key), len(signature)) == (lms.PUBLIC_KEY_SIZE, lms.SIGNATURE_SIZE)
    assert (lms_tree.PUBLIC_KEY_SIZE, lms_tree.SIGNATURE_SIZE) == (lms.PUBLIC_KEY_SIZE, lms.SIGNATURE_SIZE)
    assert tuple(lms_keys.SIGNS) == lms_key_file.ROLES
