"""Fewer names in an image: the same behaviour, and nothing left that another module still asks for."""

import ast
import subprocess
import sys
from pathlib import Path

import groundwire
import pytest
from groundnet.image.firmware_image import firmware_folder
from groundnet.image.shrink import shrink

NUMBERS = """
from micropython import const
from groundwire.constant import const
_UNIT = const(1 << 4)
LIMIT = const(_UNIT * 2 + 1)
LOW = const(-3)
NAMES = ("a", "b")
changing = 1
"""
THING = """
from room import numbers
from room.numbers import LIMIT, NAMES as KNOWN

class Thing:
    def __init__(self, first_value, step=2, *rest_values):
        self._first = first_value
        self._rest = rest_values
        self.step = step

    def _sum(self, more_of_it):
        add = lambda one_value: one_value + more_of_it
        return sum([add(value) for value in self._rest], self._first)

    def total(self, more_of_it):
        return self._sum(more_of_it) * self.step, LIMIT, numbers.LOW, numbers.changing, KNOWN
"""
OTHER = """
from room.thing import Thing

_seen = []

class Other(Thing):
    def __init__(self, kept_value):
        super().__init__(kept_value, step=3)
        self._own = kept_value
        _seen.append(self._own)

    def both(self):
        return self._own, self._first, getattr(self, "_table"), len(_seen)

    _table = "found by its name"
"""
ROOM = {"room.numbers": NUMBERS, "room.thing": THING, "room.other": OTHER}

TAG_LIFE = """
from groundcore import store
from groundcore.tag import Tag, restore
identity = store.Identity("A1", "wearable", "town", bytes(range(32)), True)
settings = b"sos_button=1\\nstill_after_s=30"
tag = Tag({"identity": store.encode_identity(identity), "settings": settings})
now_ms = 1000
for event in [(1, 0), (9, 3300), (3,), (20, 1, 1), (20, 1, 0), (9, 2000), *[(2,)] * 40, (6, 3), (20, 3, 1)]:
    for action in tag.handle(event, now_ms):
        print(now_ms, action)
        if action[0] == 35:
            print(now_ms, tag.handle((5,), now_ms + 5), tag.handle((8,), now_ms + 300))
    now_ms = max(now_ms + 1000, tag.next_deadline() or 0)
    if tag.snapshot():
        print(tag.snapshot().hex())
        tag = restore(tag.snapshot())
print(tag.refused, tag.next_deadline())
"""


def load(texts: dict[str, str]) -> dict[str, dict]:
    """The modules, executed in this order; what they import from outside is there."""
    names = {
        "micropython": {"const": lambda value: value},
        "groundwire.constant": {"const": lambda value: value},
    }
    for name, text in texts.items():
        body = ast.parse(text).body
        scope = names[name] = {"__name__": name}
        for node in body:
            if not isinstance(node, ast.ImportFrom):
                exec(compile(ast.Module([node], []), name, "exec"), scope)
                continue
            for alias in node.names:
                inner = names.get(f"{node.module}.{alias.name}")
                found = (
                    type("Module", (), inner) if inner is not None else names[node.module or ""][alias.name]
                )
                scope[alias.asname or alias.name] = found
    return names


@pytest.mark.parametrize("texts", [ROOM, shrink(ROOM)], ids=["as written", "shrunk"])
def test_modules_do_what_they_did(texts):
    other = load(texts)["room.other"]["Other"](5)
    assert other.total(10) == (15, 33, -3, 1, ("a", "b"))
    assert other.both() == (5, 5, "found by its name", 1)
    thing = load(texts)["room.thing"]["Thing"](1, 2, 3, 4)
    assert thing.total(10) == ((1 + 13 + 14) * 2, 33, -3, 1, ("a", "b"))


def test_names_that_nobody_needs_are_gone():
    small = shrink(ROOM)
    text = "\n".join(small.values())
    for name in (
        "LIMIT",
        "LOW",
        "_UNIT",
        "const",
        "first_value",
        "more_of_it",
        "one_value",
        "_first",
        "_seen",
    ):
        assert name not in text
    for name in (
        "_sum",
        "total",
        "step",
        "_table",
        "NAMES",
        "changing",
    ):  # called, spoken of, passed, no number
        assert name in text


def test_private_names_of_one_object_stay_different():
    """Its classes may lie in two modules."""
    names = {
        node.attr
        for text in shrink(ROOM).values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and node.attr[1:].isdigit()
    }
    assert len(names) == 3  # _first, _rest, _own


def test_what_a_module_hands_on_stays_there():
    room = {
        "room.table": "LIMIT = 7\nNAMES = ('a',)\nOTHER = ('b',)\n",
        "room.rules": "from room.table import LIMIT, NAMES, OTHER\n",
        "room.desk": "from room.rules import OTHER\n",
        "room.user": "from room import rules\nfrom room.desk import OTHER as more\n"
        "def all_of_it():\n    return rules.LIMIT, rules.NAMES, more\n",
    }
    small = shrink(room)
    assert load(small)["room.user"]["all_of_it"]() == (7, ("a",), ("b",))
    assert "LIMIT" not in "".join(small.values())


def test_one_name_for_two_things_is_left_alone():
    room = {
        "room.near": "LIMIT = 1\n",
        "room.far": "LIMIT = 2\n",
        "room.user": "def near():\n    from room import near as place\n    return place.LIMIT\n"
        "def far():\n    from room import far as place\n    return place.LIMIT\n"
        "def here():\n    from room.far import LIMIT\n    LIMIT = 3\n    return LIMIT\n",
    }
    small = shrink(room)
    assert (
        small["room.user"].count("place.LIMIT") == 2 and "LIMIT = 3\n    return LIMIT" in small["room.user"]
    )
    assert small["room.near"] == "LIMIT = 1" and small["room.far"] == "LIMIT = 2"


def test_a_name_that_is_given_twice_is_no_constant():
    small = shrink({"m": "STATE = 1\ndef set(to):\n    global STATE\n    STATE = to\n"})
    assert "STATE = 1" in small["m"]


def test_a_tag_lives_the_same_life(tmp_path):
    """The whole logic, shrunk, under the interpreter that runs this test."""
    homes = {"groundcore": firmware_folder(), "groundwire": Path(groundwire.__file__).parents[1]}
    texts = {
        ".".join(path.relative_to(home).with_suffix("").parts).removesuffix(".__init__"): path.read_text()
        for package, home in homes.items()
        for path in sorted((home / package).glob("*.py"))
    }
    for name, text in shrink(texts).items():
        inside = "/__init__" if name in homes else ""
        path = tmp_path / f"{name.replace('.', '/')}{inside}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    as_written = life_in(*homes.values())
    assert as_written.count("\n") > 60
    assert life_in(tmp_path) == as_written


def life_in(*folders: Path) -> str:
    code = f"import sys; sys.path[:0] = {[str(folder) for folder in folders]!r}\n{TAG_LIFE}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
