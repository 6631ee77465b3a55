"""A counter with an empty folder for its tags, and virtual tags that are plugged into it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from groundnet.provision.counter import Counter
from groundnet.provision.counter_desk import CounterDesk, Settings
from groundnet.provision.registry import Registry
from groundnet.provision.subject import Draft
from groundnet.provision.tag_places import TagPlaces

PATIENCE_S = 60.0  # a machine that has other work to do; nothing waits as long by itself


class Watched:
    """A running counter, and a way to wait for what its screen shows."""

    def __init__(self, folder: Path, open_registry=None, **options):
        self.socket = folder / "tags"
        self.socket.mkdir(exist_ok=True)
        self.registry_path = folder / "registry.db"
        self._changed = threading.Condition()
        self.desk = CounterDesk(
            Counter(draft=Draft(province="云"), **options),
            TagPlaces([str(self.socket)]),
            open_registry or (lambda: Registry(self.registry_path)),
            Settings("dealer 12", answer_s=10.0),
        )
        self.desk.listen(self._wake)

    def _wake(self):
        with self._changed:
            self._changed.notify_all()

    def until(self, *states):
        """The screen once it is in one of these states."""
        return self._wait_for(lambda screen: screen.state in states)

    def until_reason(self, name):
        """The screen once it says no for this reason."""
        return self._wait_for(lambda screen: screen.notice and screen.notice.reason.name == name)

    def _wait_for(self, fits):
        with self._changed:
            came = self._changed.wait_for(lambda: fits(self.desk.look()), PATIENCE_S)
        assert came, f"it stayed {self.desk.look()}"
        return self.desk.look()

    def settled(self, question=lambda registry: None):
        """Ask the registry; what was handed to the thread before is done by then."""
        return self.desk.call(question).result(PATIENCE_S)

    def plug(self, tag):
        (self.socket / "tag").symlink_to(tag.pty)

    def unplug(self):
        (self.socket / "tag").unlink()


@pytest.fixture
def counter(tmp_path):
    watched = Watched(tmp_path)
    watched.desk.start()
    yield watched
    watched.desk.stop()


class VirtualTag:
    """`groundnet sim board` in a process of its own; its flash outlives it in a folder."""

    def __init__(self, flash: Path, unique_id: str, *options: str):
        self.device_id = bytes.fromhex(unique_id.zfill(16))
        self._command = [
            *(str(Path(sys.executable).with_name("groundnet")), "sim", "board", "--id", unique_id),
            *("--files", str(flash), *options),
        ]
        self.power_on()

    def power_on(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.pty = self._process.stdout.readline().strip()

    def kill(self):
        """The cable is pulled: port and power are gone at once."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGTERM)
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@pytest.fixture
def virtual_tag(tmp_path):
    made = []

    def make(unique_id, *options):
        tag = VirtualTag(tmp_path / f"flash-{unique_id}", unique_id, *(options or ("--role", "tag")))
        made.append(tag)
        return tag

    yield make
    for tag in made:
        tag.stop()
