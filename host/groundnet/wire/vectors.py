"""The golden vectors: found, read, and run against the codec on CPython or on real MicroPython."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import groundwire

from groundnet.errors import GroundnetError
from groundnet.wire import plain, vector_check

RUNTIMES = ("cpython", "micropython")

# The script for MicroPython: one line of JSON for each vector, in order.
_SCRIPT = """
import json
import sys
sys.path.insert(0, "/")
from groundnet.wire.vector_check import check
with open("/vectors.jsonl") as lines:
    for line in lines:
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
    """Run vectors on a runtime of RUNTIMES; verdicts come in the order of the vectors."""
    runners: dict[str, Callable[[list[dict]], Iterator[str | None]]] = {
        "cpython": _on_cpython,
        "micropython": _on_micropython,
    }
    if runtime not in runners:
        raise GroundnetError(f"no runtime is called {runtime}", "use cpython or micropython")
    for vector, problem in zip(vectors, runners[runtime](vectors), strict=True):
        yield Verdict(vector["name"], vector["origin"], problem)


def _on_cpython(vectors: list[dict]) -> Iterator[str | None]:
    return (vector_check.check(vector) for vector in vectors)


def _on_micropython(vectors: list[dict]) -> Iterator[str | None]:
    from groundnet.sim import runtime  # starting the interpreter's glue is not worth it for a CPython run

    files = micropython_files()
    files["/vectors.jsonl"] = "".join(json.dumps(vector) + "\n" for vector in vectors).encode()
    for line in runtime.run_script(_SCRIPT, files=files).splitlines():
        yield json.loads(line)[1]


def micropython_files() -> dict[str, bytes]:
    """The codec and the checker as files for a MicroPython board: path -> source."""
    codec = Path(groundwire.__file__).parent
    files = {f"/groundwire/{path.name}": path.read_bytes() for path in codec.glob("*.py")}
    for module in (plain, vector_check):
        path = Path(str(module.__file__))
        files[f"/groundnet/wire/{path.name}"] = path.read_bytes()
    return {"/groundnet/__init__.py": b"", "/groundnet/wire/__init__.py": b"", **files}
