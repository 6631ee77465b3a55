"""What a device pays to prove an update: `make bench` runs this.

The verifier of the firmware on MicroPython: one LMS signature, and a whole signed bundle of 200 KB as a device proves
it (certificate, then the bundle, in pieces of a flash block). The peer is plain sha256 of the same interpreter over
as many blocks, and over the same bytes: what no verifier can be below. Bytecode takes no virtual time, so the times
are of this computer; what carries over to a chip is the ratio, the number of hashes and the memory. What is allocated
is mostly digests, which the collector takes back; `bytes_beyond_digests` bounds what lives.
Writes build/bench/update.json.
"""

import ast
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
sys.path[:0] = [str(ROOT / "host"), str(ROOT / "protocol"), str(ROOT / "tests")]

from bundle import quick_keys  # noqa: E402 - the clone's own modules, found by the line above
from groundnet.bundle import certificate, lms_keys  # noqa: E402
from groundnet.sim import groundcore_runtime, runtime  # noqa: E402

FOLDERS = [ROOT / "firmware", ROOT / "protocol"]
VERIFIER = ("firmware/groundcore/lms.py", "firmware/groundcore/bundle.py")
BUNDLE_BYTES = 200_000
PIECE_BYTES = 4096
SCRIPT = """
import gc, json, sys, time
from binascii import unhexlify
from hashlib import sha256
from groundcore import bundle, lms

root, release, signature, block, size, piece, hashes = json.loads(sys.stdin.readline())
root, release, signature, block = [unhexlify(text) for text in (root, release, signature, block)]
buffer = bytearray(55)  # a step of a chain: one block of SHA-256
held = memoryview(b"GNB1" * (piece // 4))

def pieces():
    for at in range(0, size, piece):
        yield held[:min(piece, size - at)]

def one_signature():
    assert lms.verify(release, signature, (b"GNB1",))

def as_many_hashes():
    for _ in range(hashes):
        sha256(buffer).digest()

def whole_bundle():
    bundle.check_signature(block, (root,), pieces(), None)

def its_bytes():
    hashing = sha256()
    for one in pieces():
        hashing.update(one)
    hashing.digest()

def allocated_by(work):
    gc.collect()
    before = gc.mem_alloc()
    work()
    return gc.mem_alloc() - before

def ms_of(work):
    gc.collect()
    began = time.ticks_us()
    for _ in range(10):
        work()
    return time.ticks_diff(time.ticks_us(), began) / 10000

works = one_signature, as_many_hashes, whole_bundle, its_bytes
rounds = [[ms_of(work) for work in works] for _ in range(15)]
least = [min(times) for times in zip(*rounds)]
print(json.dumps([{"ms": ms, "bytes_allocated": allocated_by(work)} for work, ms in zip(works, least)]))
"""


def code_lines(path: Path) -> int:
    """Lines with code on them: no comments, docstrings or blank lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [
        node for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
    documentation = {line for text in texts for line in range(text.lineno, (text.end_lineno or 0) + 1)}
    lines = path.read_text(encoding="utf-8").splitlines()
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in documentation
        for number, line in enumerate(lines, 1)
    )


def hashes_of(public_key: bytes, signature: bytes) -> int:
    """How many hashes the verifier makes for this signature."""
    lms: Any = groundcore_runtime.load("lms")
    real, made = lms.sha256, 0

    def counted(data: bytes):
        nonlocal made
        made += 1
        return real(data)

    lms.sha256 = counted
    try:
        assert lms.verify(public_key, signature, (b"GNB1",))
    finally:
        lms.sha256 = real
    return made


def measure(folder: Path) -> dict:
    root_path, root = quick_keys.root(folder)
    release_path, release = quick_keys.release(folder)
    signature = lms_keys.sign(release_path, b"GNB1")
    signed = b"GNB1" * (BUNDLE_BYTES // 4)  # a release key signs what begins as a bundle does
    block = certificate.signature_block(certificate.issue(root_path, release), release_path, signed)
    hashes = hashes_of(release, signature)
    said = [root.hex(), release.hex(), signature.hex(), block.hex(), BUNDLE_BYTES, PIECE_BYTES, hashes]
    done = runtime.run_script(SCRIPT, search_path=FOLDERS, stdin=json.dumps(said).encode() + b"\n")
    if done.returncode or done.stderr:
        sys.exit(f"error: the verifier failed on MicroPython: {done.stderr.decode()}")
    one, plain, whole, its_bytes = json.loads(done.stdout)
    return {
        "verifier_lines": sum(code_lines(ROOT / path) for path in VERIFIER),
        "signature_hashes": hashes,
        "signature_ms": one["ms"],
        "plain_sha256_ms": plain["ms"],
        "signature_to_plain": round(one["ms"] / plain["ms"], 2),
        "signature_bytes_allocated": one["bytes_allocated"],
        "plain_bytes_allocated": plain["bytes_allocated"],
        "bundle_bytes": BUNDLE_BYTES,
        "bundle_ms": whole["ms"],
        "bundle_plain_sha256_ms": its_bytes["ms"],
        "bundle_bytes_allocated": whole["bytes_allocated"],
        "bytes_beyond_digests": one["bytes_allocated"] - plain["bytes_allocated"],
    }


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="groundnet-") as folder:
        os.environ["XDG_STATE_HOME"] = folder  # the marks of the bench's own keys
        figures = measure(Path(folder))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "update.json").write_text(json.dumps(figures, indent=1))
    print("update", " ".join(f"{name}={value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
