"""The golden vectors: found, read, and run against the codec on CPython or on a MicroPython."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import groundwire

import groundnet
from groundnet.errors import GroundnetError
from groundnet.sim.runtime import run_script
from groundnet.wire import vector_check

# The script for another interpreter: one line of JSON for each vector, in order.
_SCRIPT = """
import json
import sys
from groundnet.wire.vector_check import check
for line in sys.stdin:
    vector = json.loads(line)
    print(json.dumps([vector["name"], check(vector)]))
"""


@dataclass(frozen=True)
class Verdict:
    """What the codec made of one vector."""

    name: str
    origin: str
    problem: str | None  # None: it agrees


def folder() -> Path:
    """Where the vectors are: in the clone, else in the installed package."""
    in_clone = Path(__file__).resolve().parents[3] / "protocol" / "vectors"
    if in_clone.is_dir():
        return in_clone
    return Path(str(resources.files("groundnet") / "_vectors"))


def load(place: Path | None = None) -> list[dict]:
    """All vectors, in the order of their files. Raises GroundnetError when none or a broken one is found."""
    place = place or folder()
    found = []
    for path in sorted(place.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                found.append(json.loads(line))
            except ValueError as error:
                raise GroundnetError(f"{path}:{number} is not JSON", "restore the file") from error
    if not found:
        raise GroundnetError(f"no vectors in {place}", "run from a clone or reinstall groundnet")
    return found


def run(runtime: str, vectors: list[dict]) -> Iterator[Verdict]:
    """Run vectors on one of groundnet.sim.runtime.RUNTIMES; verdicts come in the order of the vectors."""
    if runtime == "cpython":
        problems = [vector_check.check(vector) for vector in vectors]
    else:
        problems = _elsewhere(runtime, vectors)
    for vector, problem in zip(vectors, problems, strict=True):
        yield Verdict(vector["name"], vector["origin"], problem)


def _elsewhere(runtime: str, vectors: list[dict]) -> list[str | None]:
    lines = "".join(json.dumps(vector) + "\n" for vector in vectors).encode()
    done = run_script(_SCRIPT, runtime=runtime, search_path=search_path(), stdin=lines)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise GroundnetError(
            f"the vectors stopped on {runtime}: {words[-1] if words else 'no word'}", "see `groundnet doctor`"
        )
    return [json.loads(line)[1] for line in done.stdout.splitlines()]


def search_path() -> list[Path]:
    """The folders in which any interpreter finds the codec and its checker."""
    return [Path(groundwire.__file__).parents[1], Path(groundnet.__file__).parents[1]]
