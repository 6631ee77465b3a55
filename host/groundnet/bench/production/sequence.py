"""A sequence of the production test: which device, and which measurements with which limits. Data only, TOML."""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path

from groundnet.bench import quantity
from groundnet.bench.production.measurements import MEASUREMENTS
from groundnet.bench.rig_file import ROLES
from groundnet.errors import GroundnetError


@dataclass(frozen=True)
class Step:
    """One measurement. ``low`` and ``high`` are its limits in its own unit, infinite where there is none.

    ``options`` are what the measurement takes: seconds, dB, names.
    """

    name: str
    measure: str
    low: float
    high: float
    options: dict[str, object]

    @property
    def unit(self) -> str:
        return MEASUREMENTS[self.measure].unit

    def passes(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Sequence:
    """What every unit goes through, in this order."""

    name: str
    role: str
    board: str
    profile: str
    steps: tuple[Step, ...]


class SequenceError(GroundnetError):
    """A sequence that cannot be run."""


def read(path: Path) -> Sequence:
    """Raises SequenceError, and GroundnetError for a wrong unit, with the place in the file."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SequenceError(f"{path} cannot be read", "give the path of a sequence") from error
    except tomllib.TOMLDecodeError as error:
        raise SequenceError(f"{path}: {error}", "correct it; the format is TOML") from error
    return parse(data)


def parse(data: dict) -> Sequence:
    """Raises SequenceError, and GroundnetError for a wrong unit."""
    unknown = set(data) - {"name", "role", "board", "profile", "steps"}
    if unknown:
        raise SequenceError(f"'{min(unknown)}' means nothing in a sequence", "remove it")
    steps = data.get("steps")
    if not isinstance(steps, list) or not steps:
        raise SequenceError("the sequence has no steps", "write each as [[steps]]")
    read_steps = tuple(_step(number, entry) for number, entry in enumerate(steps, 1))
    names = [step.name for step in read_steps]
    for name in names:
        if names.count(name) > 1:
            raise SequenceError(f"two steps are called '{name}'", "give each its own name")
    role = _text(data, "role", "the sequence")
    if role not in ROLES:
        raise SequenceError(f"there is no role '{role}'", f"choose of: {', '.join(ROLES)}")
    return Sequence(
        _text(data, "name", "the sequence"),
        role,
        _text(data, "board", "the sequence"),
        str(data.get("profile", "")),
        read_steps,
    )


def _step(number: int, entry: object) -> Step:
    where = f"step {number}"
    if not isinstance(entry, dict):
        raise SequenceError(f"{where} is no table", "write each as [[steps]]")
    measure = _text(entry, "measure", where)
    if measure not in MEASUREMENTS:
        raise SequenceError(
            f"{where}: nothing measures '{measure}'", f"choose of: {', '.join(sorted(MEASUREMENTS))}"
        )
    known = MEASUREMENTS[measure].options
    options: dict[str, object] = {}
    for key, value in entry.items():
        if key in ("name", "measure", "low", "high"):
            continue
        if key not in known:
            raise SequenceError(
                f"{where}: '{key}' means nothing to {measure}", f"it takes: {', '.join(known) or 'nothing'}"
            )
        options[key] = quantity.read(value, known[key], f"{where}.{key}") if known[key] else str(value)
    low, high = (_limit(entry, key, usual, where) for key, usual in (("low", -math.inf), ("high", math.inf)))
    if low == -math.inf and high == math.inf:
        raise SequenceError(f"{where} has no limit", "write low = ..., high = ... or both")
    if low > high:
        raise SequenceError(f"{where}: low is above high", "turn them round")
    return Step(_text(entry, "name", where), measure, low, high, options)


def _limit(entry: dict, key: str, usual: float, where: str) -> float:
    value = entry.get(key, usual)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SequenceError(
            f"{where}.{key}: {value!r} is no number", "write it in the unit of the measurement"
        )
    return float(value)


def _text(entry: dict, key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise SequenceError(f"{where}: '{key}' is missing", f'write {key} = "..."')
    return value
