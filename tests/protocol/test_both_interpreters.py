"""The same random cases on CPython and on real MicroPython, and what only MicroPython can prove."""

from pathlib import Path

import pytest
from groundnet.sim.runtime import available_runtimes, run_script
from groundnet.wire import vectors as golden

from protocol import fuzz_cases

CASES = 3000
SEED = 20

FUZZ_SCRIPT = f"""
import fuzz_cases
for line in fuzz_cases.run({SEED}, {CASES}):
    print(line)
"""

# Everything is made before the heap is locked. The last lines prove that the lock is real.
HEAP_SCRIPT = """
import micropython
from groundwire import beacon, keys

secret = bytes(range(32))
key = keys.derive(secret, keys.BEACON)
eid = keys.eid(keys.derive(secret, keys.IDENTITY), 0x1234)
buffer = bytearray(beacon.MAX_SIZE)
bodies = [bytes(size) for size in beacon.BODY_SIZES]
sizes = [0, 0, 0, 0]
kind = 0
micropython.heap_lock()
try:
    while kind < 4:
        sizes[kind] = beacon.encode_into(buffer, kind, 1, 0x43, 12, 0x3FFFFFFF, eid, bodies[kind])
        kind += 1
finally:
    micropython.heap_unlock()
print(sizes)

micropython.heap_lock()
try:
    beacon.protect(buffer, sizes[3], 0x12345, key)
    locked = False
except MemoryError:
    locked = True
finally:
    micropython.heap_unlock()
print(locked)
"""


OTHERS = [name for name in available_runtimes() if name != "cpython"]


def lines_of(script: str, runtime: str) -> list[str]:
    path = [*golden.search_path(), Path(fuzz_cases.__file__).parent]
    done = run_script(script, runtime=runtime, search_path=path)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize("runtime", OTHERS)
def test_values_and_errors_are_the_same_on_both(runtime):
    there = lines_of(FUZZ_SCRIPT, runtime)
    here = list(fuzz_cases.run(SEED, CASES))
    different = [(left, right) for left, right in zip(here, there, strict=True) if left != right]
    assert different == []
    assert len(here) == CASES


def test_the_cases_reach_values_and_every_kind_of_error():
    text = "\n".join(fuzz_cases.run(SEED, CASES))
    for reason in (
        "missing",
        "unexpected",
        "type",
        "range",
        "size",
        "short",
        "text",
        "version",
        "mac",
        "replay",
    ):
        assert f"Error({reason}" in text, reason
    assert len({line.split()[0] for line in text.splitlines()}) == len(set(fuzz_cases.CASES))


@pytest.mark.parametrize("runtime", OTHERS)
def test_encoding_a_beacon_allocates_nothing(runtime):
    sizes, locked = lines_of(HEAP_SCRIPT, runtime)
    assert sizes == "[9, 18, 11, 17]"
    assert locked == "True"


def test_the_comparison_tells_values_apart():
    assert (
        fuzz_cases.plain({"b": [b"\x00\xff", None, "é"], "a": (1, True)})
        == "{a=[1,True],b=[0x00ff,None,0xc3a9]}"
    )
