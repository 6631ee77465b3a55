"""A counter whose program can be killed: virtual tags in this process, the page in another one, staff who use it."""

import json
import os
import queue
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from binascii import crc32
from concurrent.futures import Future
from pathlib import Path

import httpx
from groundnet.image.firmware_image import default_board
from groundnet.provision.counter import TAKES_ENTRIES, Event, State
from groundnet.provision.label import Label, encode
from groundnet.sim import groundcore_runtime
from groundnet.sim.desk import Desk, device_on
from groundnet.sim.pacing import run_held

store = groundcore_runtime.load("store")

PATIENCE_S = 60.0
BOOT_US = 500_000
ENTRY = {"profile": "vehicle", "province": "云", "subject": "A12345", "phone": "13800000000"}


class Tags:
    """Any number of tags, one after the other at one cable: one virtual board takes the flash and number of each."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir()
        self._jobs: queue.SimpleQueue = queue.SimpleQueue()
        self._flash: dict[int, dict[str, bytes]] = {}
        self._number = 0
        self._over = False
        self._thread = threading.Thread(target=self._run, name="tags")
        self._thread.start()

    def plug(self, number: int, volts: float = 3.6) -> None:
        """The cable is put into this tag, which starts."""
        self._do(lambda device: self._become(device, number, volts))

    def at_cable(self, number: int) -> bool:
        return self._number == number and (self.folder / "tag").exists()

    def unplug(self) -> None:
        """Port and power are gone."""
        (self.folder / "tag").unlink(missing_ok=True)
        self._do(lambda device: device.power_off())

    def identities(self) -> dict:
        """What each tag's flash holds of its identity, by number; None when it is blank."""
        return {number: _identity(flash) for number, flash in self.keep().items()}

    def keep(self) -> dict[int, dict[str, bytes]]:
        """The flash of every tag that was at the cable so far."""
        return self._do(lambda device: self._kept(device) or dict(self._flash))

    def restore(self, flash: dict[int, dict[str, bytes]]) -> None:
        self.unplug()
        self._number, self._flash = 0, dict(flash)

    def stop(self) -> None:
        self._over = True
        self._thread.join()

    def _do(self, job):
        answer: Future = Future()
        self._jobs.put((job, answer))
        return answer.result(PATIENCE_S)

    def _run(self) -> None:
        with device_on(Desk("tag", default_board("tag"))) as device:
            files = device.board.files
            self._factory = {path: files[path] for path in files.paths()}
            device.power_on()
            while not self._over:
                run_held(device.board.world, [device.board], self._called, PATIENCE_S, PATIENCE_S)
                while not self._jobs.empty():
                    job, answer = self._jobs.get()
                    answer.set_result(job(device))

    def _called(self) -> bool:
        return self._over or not self._jobs.empty()

    def _kept(self, device) -> None:
        if self._number:
            files = device.board.files
            self._flash[self._number] = {path: files[path] for path in files.paths()}

    def _become(self, device, number, volts):
        device.power_off()
        self._kept(device)
        files = device.board.files
        wanted = self._flash.get(number, self._factory)
        for path in files.paths():
            if path not in wanted:
                del files[path]
        for path, data in wanted.items():
            if path not in files.paths() or files[path] != data:
                files[path] = data
        self._number = number
        device.board.memory.unique_id = number.to_bytes(6, "big")
        device.parts["battery"].forced_volts = volts
        device.power_on()
        device.board.world.run_for(BOOT_US)
        place = self.folder / "tag"
        place.unlink(missing_ok=True)
        place.symlink_to(device.board.pty_path)


def _identity(flash):
    slots = [_slot(flash.get(f"/state/identity.{which}", b"")) for which in (0, 1)]
    newest = max((slot for slot in slots if slot), default=None)
    return store.decode_identity(newest[1]) if newest and newest[1] else None


def _slot(data: bytes):
    """Sequence number and record, None for a slot that was never finished (firmware/drivers/flash_records.py)."""
    if len(data) < 8 or struct.unpack_from("<I", data)[0] != crc32(data[4:]):
        return None
    return struct.unpack_from("<I", data, 4)[0], data[8:]


def device_id_of(number: int) -> bytes:
    return number.to_bytes(8, "big")


class PageProcess:
    """What starts the page, again and again."""

    def __init__(self, folder: Path, registry: Path):
        self.folder, self.registry = folder, registry
        self._pid = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "provision.page_process"],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, mine=None, faults=None) -> str:
        """Its address, once it answers."""
        argv = ["--lang", "zh", "provision", "serve", "--json", "--listen", "127.0.0.1:0"]
        argv += ["--port", str(self.folder), "--registry", str(self.registry), "--install-point", "dealer 12"]
        wish = {"argv": argv, "mine": mine, "faults": faults or {}, "tags": str(self.folder)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        self._pid = self._line()["pid"]
        return self._line()["url"]

    def ended(self) -> int:
        """The signal that ended it. Waits for it; one that lives on gets SIGTERM in the end."""
        patience = threading.Timer(PATIENCE_S, os.kill, (self._pid, signal.SIGTERM))
        patience.start()
        try:
            return self._line()["ended"]
        finally:
            patience.cancel()
            self._pid = 0

    def kill(self) -> None:
        """End it at once, if it lives."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self.ended()

    def stop(self) -> None:
        self.kill()
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()

    def _line(self):
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


class Staff:
    """Somebody signed in at the page, who does what an event of the table takes."""

    def __init__(self, url: str, tags: Tags, number: int):
        self._client = httpx.Client(base_url=url, trust_env=False, verify=False, timeout=PATIENCE_S)
        self._tags, self._number = tags, number
        self._token = re.search(r'data-token="([0-9a-f]{64})"', self._client.get("/").text)[1]
        self._post("/sign-in", name="Li Na", pin="1234")

    def close(self) -> None:
        self._client.close()

    def until(self, *states) -> State:
        """Wait for one of these states; ConnectionError when the page is dead before."""
        deadline_s, shown = time.monotonic() + PATIENCE_S, None
        try:
            with self._client.stream("GET", "/events") as stream:
                for line in stream.iter_lines():
                    if line.startswith('data: <div class="screen"'):
                        shown = State(re.search(r'data-state="(\w+)"', line)[1])
                        self._version = re.search(r'data-version="(\d+)"', line)[1]
                        if shown in states:
                            return shown
                    assert time.monotonic() < deadline_s, f"it stayed {shown}, not {states}"
        except httpx.TransportError as error:
            raise ConnectionError from error
        raise ConnectionError

    def bring_about(self, state: State, event: Event) -> None:
        """Do what makes this event happen in this state; most come by themselves."""
        act = {
            Event.APPEARED: lambda: self._tags.plug(self._number),
            Event.GONE: self._tags.unplug,
            Event.CARD: self.scan_card,
            Event.ORDER: lambda: self._post("/order", do="write", **ENTRY),
            Event.ADVANCE: lambda: self.press("advance"),
            Event.BACK: lambda: self.press("back"),
            Event.APPROVED: lambda: self._post("/approve", supervisor="Wang", pin="4711"),
        }.get(event)
        if state is State.LOOKING:
            return
        if act is not None:
            act()
        elif event is Event.TICK and state in TAKES_ENTRIES:
            self._post("/order", do="draft", **ENTRY)
        elif state is State.REFUSED and event is Event.REFUSED:
            self._post("/approve", supervisor="Wang", pin="0000")
        elif event is Event.SAME_TAG:
            self._tags.plug(self._number)
        elif state.startswith("cut_") and event in (Event.TAG, Event.REFUSED):
            self._tags.plug(self._number + 1, volts=3.6 if event is Event.TAG else 2.9)

    def scan_card(self) -> None:
        self._post("/scan", text=encode(Label(device_id_of(self._number))))

    def send_what_is_there(self) -> None:
        """Enter in a form that nobody typed into."""
        screen = self._client.get("/screen").text
        subject = re.search(r'name="subject".*? value="(.*?)"', screen)[1]
        assert subject == ENTRY["subject"]
        self._post("/order", do="write", **ENTRY)

    def press(self, what: str) -> None:
        self._post("/key", do=what, seen=self._version)

    def _post(self, path: str, **form: str) -> None:
        try:
            answer = self._client.post(path, data={"token": self._token, **form})
        except httpx.TransportError:
            return  # the page died of it: whoever waits for it will see
        assert answer.status_code == 303, (path, answer.status_code, answer.text)


def copy_of(registry: Path, folder: Path) -> Path:
    """A registry that nobody has open, beside its log."""
    for name in (registry.name, f"{registry.name}-wal", f"{registry.name}-shm"):
        (folder / name).unlink(missing_ok=True)
        if (registry.parent / name).exists():
            shutil.copy(registry.parent / name, folder / name)
    return folder / registry.name
