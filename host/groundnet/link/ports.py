"""Serial ports of this computer, and who holds them."""

import os
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports


@dataclass(frozen=True)
class SerialPort:
    """One port; ``serial_number`` and ``product`` come from USB and may be empty."""

    path: str
    product: str = ""
    serial_number: str = ""


def serial_ports() -> list[SerialPort]:
    """Ports of devices that are plugged in, without the computer's own idle UARTs."""
    return [
        SerialPort(port.device, port.product or port.description or "", port.serial_number or "")
        for port in sorted(list_ports.comports())
        if port.vid is not None
    ]


def holder_of(path: str) -> str | None:
    """Name and process id of a program that has the port open; None when that cannot be seen (Linux only)."""
    wanted = os.path.realpath(path)
    for process in sorted(Path("/proc").glob("[0-9]*")):
        if process.name == str(os.getpid()):
            continue
        try:
            if any(os.path.realpath(link) == wanted for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue  # the process ended, or belongs to somebody else
    return None
