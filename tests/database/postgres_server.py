"""A real PostgreSQL of its own, made by initdb in a temporary folder and reached by a socket in it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
from groundnet.database.address import PostgresUrl, address_of

FOLDERS = ("/usr/local/bin", *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True))
USER = "groundnet"
READY = "database system is ready to accept connections"


def program(name: str) -> str | None:
    """Where a program of PostgreSQL is: Debian keeps initdb and postgres out of the PATH."""
    return shutil.which(name) or shutil.which(name, path=":".join(FOLDERS))


def why_not() -> str:
    """Why there can be no server here; empty when there can."""
    missing = [name for name in ("initdb", "postgres") if program(name) is None]
    return f"no PostgreSQL on this machine ({', '.join(missing)}): apt install postgresql" if missing else ""


class PostgresServer:
    """The server process; ``start`` again after ``kill`` lets it recover. Settings are those it is shipped with."""

    def __init__(self) -> None:
        self._folder = Path(
            tempfile.mkdtemp(prefix="groundnet-pg-", dir="/tmp")
        )  # a socket's path must be short
        self._data = self._folder / "data"
        self._account = _account()
        self._process: subprocess.Popen | None = None
        if self._account:
            shutil.chown(self._folder, self._account)
        self._run(
            "initdb", "-D", str(self._data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"
        )
        self.start()

    def start(self) -> None:
        """Returns when it takes connections; after a kill that is when it has recovered."""
        command = (program("postgres"), "-D", self._data, "-k", self._folder, "-h", "")
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", user=self._account, text=True
        )
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            if READY in line:
                break
        else:
            raise AssertionError("".join(said))
        self._drain = subprocess.Popen(["cat"], stdin=self._process.stderr, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        """kill -9 of the server and of every process it has; nothing is written any more."""
        assert self._process is not None
        children = _children(self._process.pid)
        for pid in (self._process.pid, *children):
            os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._drain.wait()  # every holder of its log is gone

    def stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)  # fast: connections are cut
        self._process.wait()
        self._drain.wait()

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()  # a stop would write everything down first
        shutil.rmtree(self._folder)

    def url(self, schema: str) -> PostgresUrl:
        """The address of a store of one test."""
        found = address_of(f"postgresql://{USER}@/postgres?host={self._folder}&schema={schema}")
        assert isinstance(found, PostgresUrl)
        return found

    def connect(self, schema: str) -> psycopg.Connection:
        """A connection past the program under test."""
        connection = psycopg.connect(self.url(schema).text, autocommit=True)
        connection.execute(f"SET search_path TO {schema}".encode())
        return connection

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(program(name)), *arguments]
        done = subprocess.run(command, cwd="/", user=self._account, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def _account() -> str | None:
    """PostgreSQL refuses to be run by root: then as the account that the package made, or as nobody."""
    if os.getuid() != 0:
        return None
    known = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
