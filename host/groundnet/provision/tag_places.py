"""Where a counter looks for tags: all serial ports, the named ones, or what appears in a folder."""

import os
from collections.abc import Sequence
from pathlib import Path

from groundnet.link.ports import SerialPort, find_ports, serial_ports


class TagPlaces:
    """The places of one counter.

    Args:
        names: paths or USB serial numbers; a path that is a folder stands for what is linked in it (as udev rules
            or virtual boards do). None: every USB serial port of a maker whose chips stand before our boards.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = [name for name in names if not Path(name).is_dir()]
        self._folders = [Path(name) for name in names if Path(name).is_dir()]
        self.named = bool(names)

    def ports(self) -> list[SerialPort]:
        """What is plugged in now."""
        if not self.named:
            return [port for port in serial_ports() if port.may_be_ours]
        linked = [str(path) for folder in self._folders for path in _entries(folder)]
        return [port for port in find_ports([*self._names, *linked]) if os.path.exists(port.path)]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_char_device())
    except OSError:
        return []  # the folder went away: nothing is plugged in
