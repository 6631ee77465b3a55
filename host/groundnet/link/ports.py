"""Serial ports of this computer, and who holds them."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

from groundnet.errors import Text

_ESPRESSIF = 0x303A
_USB_JTAG = (
    0x1001  # the chip's own serial port, in bootloader and program alike; its serial number is the MAC
)
_USB_BOOTLOADERS = {
    0x0002: "esp32s2",
    0x0009: "esp32s3",
}  # what a ROM with USB-OTG calls itself: its image id
# Whose chips stand between USB and an ESP32: Espressif, Silicon Labs, WCH, FTDI, Prolific, Adafruit, Seeed.
_ESP32_MAKERS = (_ESPRESSIF, 0x10C4, 0x1A86, 0x0403, 0x067B, 0x239A, 0x2886)
_LEAST_SERIAL_CHARACTERS = 6
_MAC = re.compile(r"([0-9A-F]{2}:){5}[0-9A-F]{2}")


@dataclass(frozen=True)
class SerialPort:
    """One port; all but ``path`` comes from USB and may be empty. ``location`` is the hub and socket."""

    path: str
    product: str = ""
    serial_number: str = ""
    vendor_id: int | None = None
    product_id: int | None = None
    location: str = ""

    @property
    def board_key(self) -> str:
        """What stays the same when the device comes back on another path: its USB serial number, if it has one.

        Numbers that makers leave at a constant (0001 of a CP2102) tell no boards apart: those go by their socket.
        """
        if len(self.serial_number) >= _LEAST_SERIAL_CHARACTERS:
            return self.serial_number
        return self.location or os.path.abspath(self.path)

    @property
    def usb_jtag(self) -> bool:
        """Whether the USB device is a chip of Espressif itself, not a bridge with anything behind it."""
        return (self.vendor_id, self.product_id) == (_ESPRESSIF, _USB_JTAG)

    @property
    def mac(self) -> str:
        """The chip's MAC address where USB tells it, lower case without colons."""
        number = self.serial_number.upper()
        return number.replace(":", "").lower() if self.usb_jtag and _MAC.fullmatch(number) else ""

    @property
    def usb_bootloader(self) -> str:
        """The chip whose ROM bootloader is this very USB device; empty for any other."""
        return _USB_BOOTLOADERS.get(self.product_id or 0, "") if self.vendor_id == _ESPRESSIF else ""

    @property
    def may_be_ours(self) -> bool:
        """False for a USB device of a maker that makes nothing a board of ours could hang on."""
        return self.vendor_id is None or self.vendor_id in _ESP32_MAKERS


def serial_ports() -> list[SerialPort]:
    """Ports of devices that are plugged in, without the computer's own idle UARTs."""
    return [
        SerialPort(
            port.device,
            port.product or port.description or "",
            port.serial_number or "",
            port.vid,
            port.pid,
            port.location or "",
        )
        for port in sorted(list_ports.comports())
        if port.vid is not None
    ]


def find_ports(names: Sequence[str]) -> list[SerialPort]:
    """The ports with these paths or USB serial numbers, in this order; the ports are listed once for all.

    A path that USB does not know is taken as it is: a PTY, or a UART of the computer.
    """
    known = {os.path.realpath(port.path): port for port in serial_ports()}
    by_number = {port.serial_number: port for port in known.values() if port.serial_number}
    found = []
    for name in names:
        port = by_number.get(name) or known.get(os.path.realpath(name)) or SerialPort(name)
        if port not in found:  # one board named twice is one board
            found.append(port)
    return found


def holder_of(path: str) -> Text | None:
    """Name and process id of another program that has the port open; None when there is none to be seen.

    Seen are the programs of this user, and all of them by the administrator (Linux only). Whoever stands for the
    device behind a pseudo-terminal holds no port, though it may have this end open too.
    """
    wanted = os.path.realpath(path)
    if not (wanted.startswith("/dev/pts/") or Path("/sys/class/tty", Path(wanted).name).exists()):
        return None  # no terminal: /dev/null is open in every other program
    for process in sorted(Path("/proc").glob("[0-9]*")):
        if process.name == str(os.getpid()):
            continue
        try:
            links = {descriptor: os.readlink(descriptor) for descriptor in (process / "fd").iterdir()}
            if wanted in links.values() and not _is_device_end(process, links, wanted):
                name = (process / "comm").read_text().strip()
                return Text(f"{name} (process {process.name})", f"{name}（进程 {process.name}）")
        except OSError:
            continue  # the process ended, or belongs to somebody else
    return None


def _is_device_end(process: Path, links: Mapping[Path, str], path: str) -> bool:
    """Whether a process has the other end of a pseudo-terminal: proc(5), "tty-index" of /dev/ptmx."""
    index = f"tty-index:\t{path.removeprefix('/dev/pts/')}"
    return any(
        target.endswith("/ptmx") and index in (process / "fdinfo" / descriptor.name).read_text().splitlines()
        for descriptor, target in links.items()
    )
