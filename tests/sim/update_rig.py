"""Devices that take updates: signed bundles of the real firmware or of a tiny one, and a link without a cable."""

import contextlib
import datetime
import functools
import hashlib
import json
import struct
from pathlib import Path

from bundle import quick_keys
from groundnet.bundle import certificate
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.stations.station_door import Peer, StationDoor
from groundnet.image import firmware_image, romfs
from groundnet.sim import groundcore_runtime
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.cells import Cells, Tower
from groundnet.sim.desk import quiet_place
from groundnet.sim.network import Network
from groundnet.sim.roles import make_device
from groundnet.sim.state_files import record
from groundnet.sim.world import World
from groundwire import frame, messages

BLOCK_BYTES = certificate.BLOCK_SIZE
BOOT = (b"groundnet", b"boot")  # entry of NVS
SECRET = bytes(range(32))
UNIQUE_ID = b"\2\0\0\0\0\1"
DEVICE_ID = bytes(2) + UNIQUE_ID
PLACE = (45.2783, 13.7230)
store = groundcore_runtime.load("store")
settings = groundcore_runtime.load("settings")


class Signer:
    """A root, and release keys that it certified: a new one when the quick key of before has no leaf left."""

    def __init__(self, folder: Path, not_after_day: int = certificate.NEVER, number: int = 1):
        self._folder = folder
        self._not_after_day = not_after_day
        self.root_path, self.root = quick_keys.root(folder, number)
        self._left = 0
        self._number = 0

    def sign(self, bundle: bytes) -> bytes:
        return bundle + self.block(bundle, self.certify(self.root_path, self._not_after_day))

    def certify(self, root_path: Path, not_after_day: int = certificate.NEVER) -> bytes:
        """A certificate by any root for the release key that signs next."""
        if not self._left:
            self._number += 1
            self._release_path, self._release = quick_keys.release(self._folder, self._number)
            self._left = len(quick_keys.REAL_LEAVES) - 1
            self._certificates = {}
        asked = root_path, not_after_day
        if asked not in self._certificates:
            self._certificates[asked] = certificate.issue(root_path, self._release, not_after_day)
        return self._certificates[asked]

    def block(self, bundle: bytes, issued: bytes) -> bytes:
        """The signature block with this certificate, whatever it is worth."""
        self._left -= 1
        return certificate.signature_block(issued, self._release_path, bundle)


@functools.cache
def firmware(role: str, board: str, roots: tuple, version: str = "0.1.0", change: tuple = ("", "")) -> bytes:
    """The image of a role as it lies in the ROM partition; ``change`` replaces text in the board's literal."""
    files = firmware_image.build(role, board, roots, version)
    for path in (*firmware_image.BOOT_FILES, "/board.py"):
        del files[path]
    files["/board.mpy"] = firmware_image.compile_text(
        firmware_image.board_file(board).read_text().replace(*change), "board"
    )
    return romfs.image(files)


def tiny(text: str, padding_bytes: int = 5000) -> bytes:
    """The image of an application that is one module; with its padding it is more than one piece of flash."""
    padding = {"/padding": bytes(padding_bytes)}
    return romfs.image({"/start.mpy": firmware_image.compile_text(text, "start"), **padding})


def bundle(image: bytes, version: str = "0.2.0", **changes) -> bytes:
    """Unsigned; ``changes`` of the manifest of a tag's."""
    manifest = {
        "format": 1,
        "role": "tag",
        "board": "xiao_c3_sx1262",
        "product": "groundnet tag",
        "hardware_revisions": [0],
        "version": version,
        "mpy": "6.3",
        "security_counter": 1,
        "least_version": "0.1.0",
        "not_after": None,
        "image_sha256": hashlib.sha256(image).hexdigest(),
        "files": {},
        "settings": {},
    } | changes
    packed = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    return struct.pack("<4sII", b"GNB1", len(packed), len(image)) + packed + image


def flash(image: bytes, first: bytes, role: str = "tag", board: str = "xiao_c3_sx1262") -> BoardFs:
    """Flash as a tray leaves it: what starts it, the bundle in slot a, its image in ROM."""
    files = firmware_image.build(role, board)
    start = {path: files[path] for path in firmware_image.BOOT_FILES}
    return BoardFs(start | {"/slots/a.gnb": first}, rom=image)


def boot_state(
    active: int, trial: int = 255, tries: int = 0, rom: int = 0, reason: bytes = b"", limits=(0, (0, 0, 0))
) -> bytes:
    """The blob of NVS, as boot_state.py has it; ``limits`` are security counter and least version."""
    counter, least = limits
    return struct.pack("<BBBBBIHHHHHH", 1, active, trial, tries, rom, counter, *least, 0, 0, 0) + reason


def day_before(date: datetime.date) -> str:
    return (date - datetime.timedelta(days=1)).isoformat()


# --- a device and its collector


class CollectorServer:
    """The real collector's core and door at the far end of connections; ``lost`` is asked before each is heard."""

    def __init__(self, collector: Collector, door: StationDoor, now_ms) -> None:
        self._collector = collector
        self.door = door
        self._now_ms = now_ms
        self.requests = []  # names
        self.lost = lambda message: False

    def connect(self):
        return _Peer(self)

    def answer(self, peer: Peer, request: frame.Frame) -> bytes:
        return peer.answer(request, self._now_ms(), self._judge)

    def _judge(self, request: frame.Frame, now_ms: int) -> bytes:
        message = messages.decode(request.kind, request.payload)
        self.requests.append(message.name)
        if self.lost(message):
            raise OSError("the line is cut")
        return self._collector.receive(request, now_ms)


class _Peer:
    """One connection."""

    def __init__(self, server: CollectorServer) -> None:
        self._server = server
        self._peer = server.door.connection("rig")
        self._decoder = frame.Decoder(4400, frame.REQUESTS)

    def receive(self, data: bytes) -> bytes:
        self._decoder.feed(data)
        answer = b""
        while (found := self._decoder.next()) is not frame.NEED_MORE:
            if isinstance(found, frame.Frame):
                answer += self._server.answer(self._peer, found)
        return answer

    def close(self) -> None:
        pass


class County:
    """One device with the firmware in its flash, still without power, and a collector that it may reach."""

    def __init__(self, role: str, board: str, files: BoardFs, database: Path) -> None:
        self.world = World(5)
        self.network = Network(self.world)
        place = quiet_place(self.world, self.network)
        place.cells = Cells([Tower("LTE", 219, 1, 100, 1000, 45.28, 13.72, 3000)], lambda at_ms: PLACE)
        self.device = make_device(self.world, role, role, place, UNIQUE_ID, board, files)
        self.board = self.device.board
        self.database = Database(database)
        core = Collector(self.database, [(DEVICE_ID, SECRET)])
        door = StationDoor(self.database, draw=self.world.random("collector").randbytes)
        door.learn([(DEVICE_ID, SECRET)])
        self.collector = CollectorServer(core, door, self.now_ms)

    def now_ms(self) -> int:
        return 1_790_000_000_000 + self.world.now_us // 1000

    def serve(self) -> None:
        self.network.serve("collector", 4710, self.collector.connect)

    def run(self, seconds: float) -> None:
        self.world.run_for(round(seconds * 1e6))

    def boot_state(self) -> bytes:
        return self.board.memory.nvs[BOOT]


@contextlib.contextmanager
def county(role: str, board: str, files: BoardFs, folder: Path):
    made = County(role, board, files, folder / "collector.db")
    with made.board:
        yield made
    made.database.close()


def provision(files: BoardFs, **changed) -> None:
    """Identity and settings into flash, as records."""
    identity = store.encode_identity(store.Identity("GN-1", "vehicle", "bench", SECRET, True))
    files["/state/identity.0"] = record(identity)
    files["/state/settings.0"] = record(settings.encode(changed))
