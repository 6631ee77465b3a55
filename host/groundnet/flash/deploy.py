"""Files onto a board, fast: only what is not there yet, packed, in blocks that a bad line cannot harm.

A small program (agent.py) runs on the board meanwhile. It says what is there, takes a deflate stream and replaces each
file whole, when the hash of what the flash holds is right. Whatever is cut leaves every file old or new.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from groundnet.errors import GroundnetError, Text
from groundnet.flash import agent_code
from groundnet.flash.blocks import BlockSender, dismiss
from groundnet.flash.listing import Listing, hashes_by_folder, read_listing, summary
from groundnet.flash.orders import PART, Plan, plan_of
from groundnet.flash.raw_mode import Line, RawMode
from groundnet.link.errors import CodeFailed, LinkError, NoAnswer
from groundnet.link.serial_link import BAUDRATE, open_port

WINDOW_BYTES = 256  # the receive buffer of an ESP32's console holds 260
_LONGEST_PATH_BYTES = 200
_FLASH_S = 10.0  # the longest that a board may be busy with its flash
_TALK_TRIES = 4
_NO_SPACE = ("OSError: 28", "[Errno 28]")  # as ports print it
_BITS_PER_BYTE = 10  # start, 8 data, stop

Progress = Callable[[float], None]


class BadName(GroundnetError):
    """A path that no board can hold, or that deploying uses itself."""

    def __init__(self, path: str) -> None:
        super().__init__(
            Text(f"a file cannot be called '{path}' on a board", f"板上的文件不能命名为“{path}”"),
            Text(
                f"give absolute paths of at most 200 bytes that do not end in {PART}",
                f"请使用不超过 200 字节、不以 {PART} 结尾的绝对路径",
            ),
        )


class InTheWay(GroundnetError):
    """A file is where a folder has to be."""

    def __init__(self, path: str) -> None:
        super().__init__(
            Text(
                f"on the board {path} is a file, and a folder is wanted",
                f"板上的 {path} 是文件，而此处需要文件夹",
            ),
            Text("remove it, for example with --prune", "请将其删除，例如使用 --prune"),
        )


class FlashFull(CodeFailed):
    """The files do not fit; the old ones are all there."""

    def __init__(self, port: str) -> None:
        GroundnetError.__init__(
            self,
            Text(f"the flash of the board on {port} is full", f"{port} 上的板闪存已满"),
            Text(
                "deploy fewer files, or remove old ones with --prune",
                "减少要部署的文件，或用 --prune 删除旧文件",
            ),
        )


@dataclass(frozen=True)
class DeployReport:
    """What was done. ``bytes`` are those of the files sent; ``wire_bytes`` what went over the line for all of it.

    Shares of ``seconds``, 0 to 1: ``wire`` what the bytes take at the line's rate (less on a USB device, which ignores
    the rate), ``host`` what this computer worked, ``device`` the rest, which the board took.
    """

    sent: tuple[str, ...]
    skipped: tuple[str, ...]
    removed: tuple[str, ...]
    bytes: int
    wire_bytes: int
    seconds: float
    shares: Mapping[str, float] = field(default_factory=dict)


def deploy(
    port: str | Line,
    files: Mapping[str, bytes],
    *,
    baudrate: int = BAUDRATE,
    progress: Progress = lambda share: None,
    prune: str | None = None,
    dry_run: bool = False,
    window_bytes: int = WINDOW_BYTES,
    clock: Callable[[], float] = time.monotonic,
) -> DeployReport:
    """Bring ``files``, absolute path -> content, onto the board at its prompt, in this order.

    A program that runs is interrupted, nothing is restarted. To be called for a port that showed a prompt or a
    groundnet device (groundnet.link.probe).

    Args:
        port: path of a serial port, or an open line.
        progress: told the share that is done, 0 to 1; what it raises ends the work.
        prune: folder in which files and folders that are not in ``files`` are removed; None removes nothing.
        dry_run: only find out what would be done, which the report then tells.
        window_bytes: how much may be under way that the board has not confirmed; its receive buffer at most.
        clock: seconds; that of the line, if it lives in virtual time.

    Raises BadName, InTheWay, FlashFull, CodeFailed, NoAnswer, PortGone, and what opening a port raises.
    """
    for path in files:
        check_path(path)
    with _opened(port, baudrate) as line:
        return _Deployment(line, files, progress, prune, dry_run, window_bytes, clock).run(baudrate)


@contextlib.contextmanager
def _opened(port: str | Line, baudrate: int) -> Iterator[Line]:
    if not isinstance(port, str):
        yield port
        return
    with open_port(port) as line:
        line.baudrate = baudrate
        yield line


def check_path(path: str) -> None:
    """Raises BadName."""
    parts = path.split("/")
    whole = parts[0] == "" and all(part not in ("", ".", "..") for part in parts[1:]) and len(parts) > 1
    if not whole or path.endswith(PART) or len(path.encode()) > _LONGEST_PATH_BYTES or "\0" in path:
        raise BadName(path)


class _Deployment:
    """One talk with one board."""

    def __init__(
        self,
        line: Line,
        files: Mapping[str, bytes],
        progress: Progress,
        prune: str | None,
        dry_run: bool,
        window_bytes: int,
        clock: Callable[[], float],
    ) -> None:
        self._raw = RawMode(line, clock)
        self._files = files
        self._progress = progress
        self._prune = None if prune is None else prune.rstrip("/")
        self._dry_run = dry_run
        self._window = window_bytes

    def run(self, baudrate: int) -> DeployReport:
        raw = self._raw
        began_s, worked_s = raw.clock(), time.thread_time()
        self._enter()
        there = self._talk()
        plan = plan_of(self._files, there, self._prune)
        self._send(plan, there.window_bits)
        self._progress(1.0)
        seconds = max(raw.clock() - began_s, 1e-9)
        host = min(1.0, (time.thread_time() - worked_s) / seconds)
        wire = min(1.0 - host, raw.wire_bytes * _BITS_PER_BYTE / baudrate / seconds)
        shares = {"wire": wire, "device": 1.0 - wire - host, "host": host}
        return DeployReport(
            tuple(plan.missing),
            tuple(path for path in self._files if path not in plan.missing),
            plan.removed,
            sum(map(len, plan.missing.values())),
            raw.wire_bytes,
            seconds,
            {name: round(share, 4) for name, share in shares.items()},
        )

    def _enter(self) -> None:
        """To raw mode, also where the agent of an interrupted deploy still waits for its host."""
        try:
            self._raw.enter()
        except NoAnswer:
            if not dismiss(self._raw):
                raise
            self._raw.enter()

    def _talk(self) -> Listing:
        """Start the agent and hear what is there; again, when a bad line garbled what was said."""
        wanted = hashes_by_folder(self._files)
        if self._prune is not None:
            wanted.setdefault(self._prune, {})
        known = {folder: summary(hashes) for folder, hashes in wanted.items()}
        packed = True

        def talk() -> Listing:
            self._raw.start(agent_code.code(known, self._prune, packed))
            return read_listing(self._raw, wanted)

        for _ in range(_TALK_TRIES - 1):
            try:
                return talk()
            except CodeFailed as error:
                packed = packed and "deflate" not in str(error)
            except NoAnswer:
                self._enter()
        return talk()

    def _send(self, plan: Plan, window_bits: int) -> None:
        """Raises what goes wrong; the board is back at its prompt then, if it still hears."""
        sender = BlockSender(self._raw, self._window)
        try:
            if self._dry_run:
                self._send_away(sender)
            elif plan.in_the_way:
                raise InTheWay(plan.in_the_way)
            else:
                sender.send(plan.stream(window_bits), self._progress)
                self._raw.ended(_FLASH_S)
                self._raw.leave()
        except CodeFailed as error:
            self._raw.leave()
            if any(words in str(error) for words in _NO_SPACE):
                raise FlashFull(self._raw.port) from error
            raise
        except LinkError:
            raise
        except BaseException:
            with contextlib.suppress(LinkError):  # what was first is told
                self._send_away(sender)
            raise

    def _send_away(self, sender: BlockSender) -> None:
        sender.stop()
        with contextlib.suppress(CodeFailed):  # it says that it was stopped
            self._raw.ended()
        self._raw.leave()
