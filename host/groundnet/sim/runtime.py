"""Runs a Python script on CPython, on MicroPython (WebAssembly) or on a native MicroPython binary.

A plain runtime without a board: the script reads the host's files, its arguments and its standard input.
"""

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from groundnet.errors import GroundnetError
from groundnet.sim.node import find_node

RUNTIMES = ("cpython", "micropython", "native")
NATIVE_VARIABLE = "MICROPYTHON"  # names the native binary

INTERPRETER = Path(__file__).parent / "interpreter"


@dataclass(frozen=True)
class RuntimeResult:
    """What a finished script left: its two output streams and its exit code."""

    stdout: bytes
    stderr: bytes
    returncode: int


def available_runtimes() -> tuple[str, ...]:
    """The runtimes to compare on this machine: "native" only when MICROPYTHON names a binary."""
    return tuple(name for name in RUNTIMES if name != "native" or os.environ.get(NATIVE_VARIABLE))


def run_script(
    script: str | Path,
    *,
    runtime: str = "micropython",
    search_path: Sequence[str | Path] = (),
    arguments: Sequence[str] = (),
    stdin: bytes = b"",
    timeout_s: float = 120.0,
) -> RuntimeResult:
    """Run a script to its end.

    Args:
        script: a path, or source text when it is a ``str``.
        runtime: "cpython", "micropython" or "native".
        search_path: folders that imports are looked up in, first to last.
        arguments: ``sys.argv[1:]``.
        stdin: what the script reads from its standard input.
        timeout_s: wall-clock seconds before the script is ended.

    Raises GroundnetError when the runtime is not installed or the time is over.
    """
    with _script_file(script) as path:
        command, environment = _command(runtime, path, search_path, arguments)
        try:
            done = subprocess.run(
                command, input=stdin, capture_output=True, env=environment, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired:
            raise _too_slow(runtime, timeout_s) from None
    return RuntimeResult(done.stdout, done.stderr, done.returncode)


class Session:
    """A script that stays alive and answers each line of its standard input with one line.

    The script loops ``for line in sys.stdin: print(...)``. Use as a context manager.

    Args: as for ``run_script``; ``timeout_s`` is the longest wait for one answer.
    """

    def __init__(
        self,
        script: str | Path,
        *,
        runtime: str = "micropython",
        search_path: Sequence[str | Path] = (),
        arguments: Sequence[str] = (),
        timeout_s: float = 60.0,
    ) -> None:
        self._runtime = runtime
        self._timeout_s = timeout_s
        self._resources = contextlib.ExitStack()
        path = self._resources.enter_context(_script_file(script))
        command, environment = _command(runtime, path, search_path, arguments)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the session
        self._resources.callback(self._errors.close)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            bufsize=0,
        )
        self._received = bytearray()

    def ask(self, line: bytes) -> bytes:
        """Send one line and wait for its answer, both without the line end.

        Raises GroundnetError with the script's last words when it ended instead.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
        except BrokenPipeError:
            raise self._ended() from None
        while (end := self._received.find(b"\n")) < 0:
            self._received += self._read()
        answer = bytes(self._received[:end])
        del self._received[: end + 1]
        return answer.removesuffix(b"\r")

    def close(self) -> None:
        """End the script."""
        if self._process.poll() is None:
            self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()
        self._resources.close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _read(self) -> bytes:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], self._timeout_s)
        if not ready:
            raise _too_slow(self._runtime, self._timeout_s)
        data = os.read(self._process.stdout.fileno(), 65536)
        if not data:
            raise self._ended()
        return data

    def _ended(self) -> GroundnetError:
        code = self._process.wait()
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip().splitlines()
        said = words[-1] if words else f"exit code {code}"
        return GroundnetError(f"the script on {self._runtime} ended: {said}", "run it alone to see why")


def interpreter_command(program: str, *arguments: str) -> list[str]:
    """Command line of a Node program of the interpreter folder.

    Raises GroundnetError when Node.js or the interpreter is not installed.
    """
    package = INTERPRETER / "node_modules" / "@micropython" / "micropython-webassembly-pyscript"
    if not (package / "micropython.wasm").exists():
        raise GroundnetError("the MicroPython interpreter is not installed", "run `make setup`")
    return [str(find_node()), str(INTERPRETER / program), *arguments]


def _command(
    runtime: str, script: Path, search_path: Sequence[str | Path], arguments: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    folders = [str(Path(folder).resolve()) for folder in search_path]
    environment = dict(os.environ)
    if runtime == "micropython":
        task = {"script": str(script), "arguments": list(arguments), "search": folders}
        return interpreter_command("runtime.mjs", json.dumps(task)), environment
    if runtime == "cpython":
        environment |= {"PYTHONPATH": os.pathsep.join(folders), "PYTHONDONTWRITEBYTECODE": "1"}
        return [sys.executable, "-u", str(script), *arguments], environment
    if runtime == "native":
        environment["MICROPYPATH"] = os.pathsep.join([*folders, ".frozen"])
        return [_native_binary(), str(script), *arguments], environment
    raise GroundnetError(f"there is no runtime {runtime!r}", f"choose one of {', '.join(RUNTIMES)}")


def _native_binary() -> str:
    named = os.environ.get(NATIVE_VARIABLE)
    if not named:
        raise GroundnetError("no native MicroPython is named", f"set {NATIVE_VARIABLE} to its path")
    found = shutil.which(named)
    if found is None:
        raise GroundnetError(f"{named} is not a program", f"set {NATIVE_VARIABLE} to a micropython binary")
    return found


@contextlib.contextmanager
def _script_file(script: str | Path) -> Iterator[Path]:
    if isinstance(script, Path):
        if not script.is_file():
            raise GroundnetError(f"{script} is not a file", "check the path of the script")
        yield script.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="groundnet-") as folder:
        path = Path(folder) / "script.py"
        path.write_text(script, encoding="utf-8")
        yield path


def _too_slow(runtime: str, timeout_s: float) -> GroundnetError:
    return GroundnetError(
        f"the script on {runtime} gave no answer for {timeout_s:g} s", "look for an endless loop in it"
    )
