"""What is on a serial port: heard first, then asked, and nothing is written to what is not ours.

A probe writes zero bytes, which open a link and mean nothing to a prompt; one CR, and only where all was silent;
and at a MicroPython prompt that showed itself one question in raw mode. It restarts nothing and stores nothing.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from groundnet.errors import Text
from groundnet.link import prompt
from groundnet.link.device import Device, Identity
from groundnet.link.errors import (
    BootloaderWaits,
    ForeignDevice,
    LinkError,
    NoAnswer,
    NothingToStart,
    PortBusy,
    PortGone,
    PortMissing,
    ReplAnswers,
    ScriptRuns,
)
from groundnet.link.listening import waits_for_download, who_speaks
from groundnet.link.ports import SerialPort, find_ports, serial_ports
from groundnet.link.serial_link import HEARD_SIZE, SerialLink, open_port

PROBE_TIMEOUT_S = 3.0
LISTEN_S = 1.2  # GNSS receivers, which must not be written to, speak once a second
_AT_ONCE = 32

GROUNDNET, MICROPYTHON, BOOTLOADER, EMPTY = "groundnet", "micropython", "bootloader", "empty"
SCRIPT, FOREIGN, HELD, SILENT = "script", "foreign", "held", "silent"
MISSING, GONE, UNUSABLE = "missing", "gone", "unusable"


@dataclass(frozen=True)
class Finding:
    """One port with what is on it and what to do next.

    ``kind`` is one of the names above; what the device did not tell is empty. ``mac`` has 12 hex digits;
    ``bytecode`` is MicroPython's ``sys.implementation._mpy``, ``rom`` whether it has a ROM partition. ``held_by`` is
    the program that has the port open, ``locked_by`` who works on the board (groundnet.flash.survey).
    """

    port: SerialPort
    what: str
    action: str
    kind: str = UNUSABLE
    device_id: str = ""
    mac: str = ""
    chip: str = ""
    board: str = ""
    role: str = ""
    state: str = ""
    firmware: str = ""
    micropython: str = ""
    bytecode: int = 0
    rom: bool = False
    held_by: str = ""
    locked_by: str = ""

    @property
    def busy(self) -> bool:
        """Somebody works with it: a program, a colleague, or a script on it."""
        return bool(self.held_by or self.locked_by) or self.kind == SCRIPT


def probe(port: SerialPort, timeout_s: float = PROBE_TIMEOUT_S, listen_s: float = LISTEN_S) -> Finding:
    """Listen, open a link, ask who is there, close it again. ``timeout_s`` is per answer."""
    if port.usb_bootloader:
        return _failed(port, BootloaderWaits(port.path, port.usb_bootloader))
    try:
        with SerialLink(port.path, timeout_s, listen_s=listen_s) as link:
            return _groundnet(port, Device(link).identity())
    except ReplAnswers as answer:
        return _at_prompt(port, answer, timeout_s)
    except LinkError as error:
        return _failed(port, error)


def overhear(port: SerialPort, patience_s: float) -> Finding:
    """Listen only, until a bootloader offers to take a download or the time is up."""
    heard = b""
    deadline_s = time.monotonic() + patience_s
    try:
        with open_port(port.path) as line:
            while time.monotonic() < deadline_s and not waits_for_download(heard):
                heard = (heard + line.read(max(1, line.in_waiting)))[-HEARD_SIZE:]
    except LinkError as error:
        return _failed(port, error)
    except OSError:
        return _failed(port, PortGone(port.path))
    return _failed(port, who_speaks(port.path, heard))


def probe_all(names: Sequence[str], ask: Callable[[SerialPort], Finding] = probe) -> list[Finding]:
    """The named ports (paths or USB serial numbers), or every USB serial port of this computer; all at once.

    A device of a maker that has nothing to do with our boards is opened only when it is named.
    """
    ports = find_ports(names) if names else serial_ports()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(
            pool.map(lambda port: ask(port) if names or port.may_be_ours else _left_alone(port), ports)
        )


def _groundnet(port: SerialPort, identity: Identity) -> Finding:
    name = f"groundnet {identity.role} {identity.firmware}"
    return Finding(
        port,
        Text(f"{name}, {identity.state}", f"{name}，{STATES_ZH[identity.state]}"),
        NEXT_ACTIONS[identity.state],
        GROUNDNET,
        device_id=identity.device_id.hex(),
        mac=identity.device_id[-6:].hex(),
        board=identity.board,
        role=identity.role,
        state=identity.state,
        firmware=identity.firmware,
    )


def _at_prompt(port: SerialPort, answer: ReplAnswers, timeout_s: float) -> Finding:
    try:
        found = prompt.ask(port.path, timeout_s)
    except LinkError:
        return _failed(port, answer)  # a prompt it is; which one it does not say
    action = FLASH_IT if found.esp32 else Text("it is no ESP32: use another board", "不是 ESP32，请换一块板")
    return Finding(
        port,
        Text(
            f"a MicroPython prompt: {found.version}, {found.machine}",
            f"MicroPython 提示符：{found.version}，{found.machine}",
        ),
        action,
        MICROPYTHON,
        mac=found.unique_id.hex(),
        chip=found.chip,
        micropython=found.version,
        bytecode=found.bytecode,
        rom=found.rom,
    )


def _failed(port: SerialPort, error: LinkError) -> Finding:
    finding = Finding(port, error.cause, error.action, KINDS.get(type(error), UNUSABLE), mac=port.mac)
    if isinstance(error, BootloaderWaits | NothingToStart):
        return replace(finding, chip=error.chip)
    if isinstance(error, PortBusy):
        return replace(finding, held_by=error.holder or Text("another program", "另一个程序"))
    return finding


def _left_alone(port: SerialPort) -> Finding:
    return Finding(
        port,
        Text(f"{port.product}: another device, not opened", f"{port.product}：其他设备，未打开"),
        Text("nothing to do; name the port to ask it all the same", "无需处理；如仍要查询，请指定该串口"),
        FOREIGN,
    )


KINDS = {
    BootloaderWaits: BOOTLOADER,
    NothingToStart: EMPTY,
    ReplAnswers: MICROPYTHON,
    ScriptRuns: SCRIPT,
    ForeignDevice: FOREIGN,
    PortBusy: HELD,
    PortGone: GONE,
    PortMissing: MISSING,
    NoAnswer: SILENT,
}
STATES_ZH = {"blank": "未写入身份", "provisioned": "已写入身份，未锁定", "locked": "已锁定"}
FLASH_IT = Text("flash the firmware: `groundnet flash`", "烧录固件：`groundnet flash`")
NEXT_ACTIONS = {
    "blank": Text(
        "give it an identity with `groundnet provision one`", "用 `groundnet provision one` 写入身份"
    ),
    "provisioned": Text(
        "repeat `groundnet provision one` to complete and lock it",
        "再次运行 `groundnet provision one` 完成写入并锁定",
    ),
    "locked": Text("it is ready", "可以使用"),
}
