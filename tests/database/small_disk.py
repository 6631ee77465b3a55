"""A small disk that a test may fill: a tmpfs in name spaces of its own, for which nobody needs rights."""

import shutil
import subprocess
from pathlib import Path

ARGUMENTS = ("unshare", "--user", "--map-root-user", "--mount")
PIECE = 4096


def why_not() -> str:
    """Why there can be none here; empty when there can."""
    if shutil.which("unshare") is None:
        return "no `unshare` on this machine: apt install util-linux"
    tried = subprocess.run(
        [*ARGUMENTS, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True
    )
    return f"this machine gives no name spaces to tests ({tried.stderr.strip()})" if tried.returncode else ""


class SmallDisk:
    """Mounted at ``folder`` for a command of `command`, and for nobody else; a test reaches it by the process.

    Args:
        folder: exists, and is empty.
        size: bytes.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self._size = size
        self._pid = 0

    def command(self, words: list[str]) -> list[str]:
        """What runs ``words`` on this disk."""
        script = f'mount -t tmpfs -o size={self._size} none "$0" && exec "$@"'
        return [*ARGUMENTS, "sh", "-c", script, str(self.folder), *words]

    def reach_by(self, pid: int) -> None:
        """A process that runs on it."""
        self._pid = pid

    def beside(self, words: list[str]) -> list[str]:
        """What runs ``words`` on the same disk as that process."""
        return ["nsenter", "--target", str(self._pid), "--user", "--mount", "--preserve-credentials", *words]

    @property
    def inside(self) -> Path:
        """The folder as that process sees it; SQLite would follow the link in this path back to our own disk."""
        return Path(f"/proc/{self._pid}/root{self.folder}")

    def fill(self) -> int:
        """To the last page; how many bytes that took."""
        taken = 0
        with (self.inside / "filler").open("ab", buffering=0) as filler:
            while True:
                try:
                    taken += filler.write(bytes(PIECE))
                except OSError:
                    return taken

    def make_room(self) -> None:
        """Again as before."""
        (self.inside / "filler").unlink()
