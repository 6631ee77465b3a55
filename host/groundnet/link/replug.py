"""A board that was unplugged comes back, perhaps under another path: known by its USB serial number."""

import os
import time
from collections.abc import Callable, Iterable

from groundnet.errors import Text
from groundnet.link.errors import LinkError
from groundnet.link.ports import SerialPort, serial_ports

_LOOK_EVERY_S = 0.2


class Gone(LinkError):
    """A board did not come back in time."""

    def __init__(self, port: str, patience_s: float) -> None:
        super().__init__(
            Text(
                f"{port} did not come back within {patience_s:.0f} s",
                f"{port} 在 {patience_s:.0f} 秒内没有恢复连接",
            ),
            Text("plug the device in again and repeat the command", "重新插入设备，再运行一次该命令"),
        )


def await_return(
    port: SerialPort, patience_s: float, listing: Callable[[], Iterable[SerialPort]] = serial_ports
) -> SerialPort:
    """Where the board on ``port`` is now. Raises Gone.

    A port without a USB serial number is known by its hub and socket, one that USB does not know by its path.
    """
    deadline_s = time.monotonic() + patience_s
    while True:
        if port.vendor_id is None:
            if os.path.exists(port.path):
                return port
        else:
            for now in listing():
                if now.board_key == port.board_key:
                    return now
        if time.monotonic() >= deadline_s:
            raise Gone(port.path, patience_s)
        time.sleep(_LOOK_EVERY_S)
