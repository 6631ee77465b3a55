"""The collector as an operator runs it, in a process that may be killed and started again on the same port."""

import json
import socket
import subprocess
import sys

GROUNDNET = (sys.executable, "-m", "groundnet.cli.main")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class CollectProcess:
    """Runs from the constructor on; ``start`` it again after ``kill``."""

    def __init__(self, database, registry, *more: str) -> None:
        self.port = free_port()
        listen = ("--listen", f"127.0.0.1:{self.port}", "--json", "--open-stations")
        self._command = [
            *GROUNDNET,
            "collect",
            *listen,
            "--database",
            str(database),
            "--registry",
            str(registry),
        ]
        self._command += more
        self.start()

    def start(self) -> None:
        """Returns when it listens."""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None and self._process.stderr is not None
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        json.loads(line)

    def kill(self) -> None:
        """kill -9"""
        self._process.kill()
        self._process.communicate()

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()

    @property
    def running(self) -> bool:
        return self._process.poll() is None
