"""Files onto a board at its prompt, through mpremote's library: to a temporary name, hashed, then renamed.

What is there already with the same hash is not sent. A cable that is pulled leaves the old file or the new one.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from groundnet.link.errors import CodeFailed, NoAnswer

BAUDRATE = 115_200
PIECE_BYTES = 2048  # eight times mpremote's: fewer turns of the wire; well within a board's free heap
_TIMEOUT_S = 20.0
_PART = ".part"


def lay(port: str, files: Mapping[str, bytes], progress: Callable[[float], None]) -> int:
    """Write files by absolute path; the number of bytes that had to be sent.

    A program that runs is interrupted, nothing is restarted. Raises NoAnswer, CodeFailed, OSError.
    """
    try:
        board = SerialTransport(port, BAUDRATE, timeout=_TIMEOUT_S)
        try:
            board.enter_raw_repl(soft_reset=False)
            missing = {path: data for path, data in files.items() if not _is_there(board, path, data)}
            _write(board, port, missing, progress)
            board.exit_raw_repl()
        finally:
            board.close()
    except TransportExecError as error:
        raise CodeFailed(port, error.error_output.strip().splitlines()[-1]) from error
    except TransportError as error:
        raise NoAnswer(port) from error
    return sum(map(len, missing.values()))


def _write(
    board: SerialTransport, port: str, files: Mapping[str, bytes], progress: Callable[[float], None]
) -> None:
    total = sum(map(len, files.values()))
    before = 0
    for path, data in files.items():
        folder = str(PurePosixPath(path).parent)
        if not board.fs_exists(folder):
            board.fs_mkdir(folder)

        def tell(written: int, _size: int, before: int = before) -> None:
            progress((before + written) / total)

        board.fs_writefile(path + _PART, data, PIECE_BYTES, tell)
        if not _is_there(board, path + _PART, data):
            raise CodeFailed(port, f"{path} is not what was sent")
        board.exec(f"import os\nos.rename({path + _PART!r}, {path!r})")
        before += len(data)
    progress(1.0)


def _is_there(board: SerialTransport, path: str, data: bytes) -> bool:
    return bool(board.fs_exists(path)) and board.fs_hashfile(path, "sha256") == hashlib.sha256(data).digest()
