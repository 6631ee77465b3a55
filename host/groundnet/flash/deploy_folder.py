"""A developer's folder onto a board on a port, which is looked at first as `groundnet flash` does."""

from pathlib import Path, PurePosixPath

from groundnet.errors import GroundnetError, Text
from groundnet.flash.board_lock import BoardLocks
from groundnet.flash.deploy import DeployReport, Progress, check_path, deploy
from groundnet.flash.one_board import Locked, Refusal
from groundnet.link.ports import SerialPort, find_ports
from groundnet.link.probe import GROUNDNET, MICROPYTHON, probe
from groundnet.link.serial_link import BAUDRATE

_ROOT = PurePosixPath("/")
_STARTS = ("boot.py", "main.py")  # comes last: until then the board starts what it had
_LEFT_OUT = "__pycache__"


def deploy_folder(
    port: str,
    folder: Path,
    to: str = "/",
    *,
    baudrate: int = BAUDRATE,
    prune: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda share: None,
    locks: Path | None = None,
) -> DeployReport:
    """Bring a folder onto the board on ``port``, a path or USB serial number.

    Args:
        to: folder on the board.
        prune: remove from it what is not in ``folder``.
        locks: as groundnet.flash.board_lock.BoardLocks takes it.

    Raises Refusal for what is no MicroPython at its prompt and no groundnet device that is open, BoardTaken, LinkError,
    and GroundnetError for a folder without files.
    """
    files = read_folder(folder, to)
    (found,) = find_ports([port])
    with BoardLocks(locks) as held:
        token = held.take(found.board_key)
        try:
            _admit(found)
            return deploy(
                found.path,
                files,
                baudrate=baudrate,
                progress=progress,
                prune=str(_ROOT / to) if prune else None,
                dry_run=dry_run,
            )
        finally:
            held.give_back(found.board_key, token)


def read_folder(folder: Path, to: str = "/") -> dict[str, bytes]:
    """Its files by their path on the board; without hidden ones and caches, what starts last.

    Raises GroundnetError when there is none, BadName.
    """
    target = _ROOT / to
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _left_out(path, folder)]
    if not paths:
        raise GroundnetError(
            Text(f"there is no file in the folder {folder}", f"文件夹 {folder} 中没有文件"),
            Text("name the folder that holds your main.py", "请指定存放 main.py 的文件夹"),
        )
    files = {str(target / path.relative_to(folder).as_posix()): path for path in paths}
    for name in files:
        check_path(name)
    last = [str(target / name) for name in _STARTS]
    return {name: files[name].read_bytes() for name in sorted(files, key=lambda name: (name in last, name))}


def _left_out(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return any(part.startswith(".") or part == _LEFT_OUT for part in parts)


def _admit(port: SerialPort) -> None:
    """Raises Refusal for what must not be written to."""
    found = probe(port)
    if found.state == "locked":
        raise Locked(port.path)
    if found.kind not in (MICROPYTHON, GROUNDNET):
        raise Refusal(found.what, found.action)
