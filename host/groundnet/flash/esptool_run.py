"""esptool as a program of its own, one per board: its command line, its progress and what its errors mean.

esptool's logger is one for a whole process and its licence is the GPL: neither comes into this library.
Its messages are those of esptool 5 (loader.py, `FatalError`).
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO

from groundnet.errors import GroundnetError, Text

WRITE_BAUDRATE = 460_800  # what cheap bridges reach; native USB ignores it
_CONNECT_ATTEMPTS = 3
_PERCENT = re.compile(rb"(\d{1,3}(?:\.\d+)?) ?%")
_LAST_WORDS_BYTES = 8192
_QUOTED_CHARACTERS = 120

Progress = Callable[[float], None]


class BaseImageError(GroundnetError):
    """esptool gave up; ``transient`` when the same command may work after a replug or a reset."""

    def __init__(self, cause: Text, action: Text, transient: bool = True) -> None:
        super().__init__(cause, action)
        self.transient = transient


def write_command(
    port: str,
    chip: str,
    writes: Iterable[tuple[int, Path]],
    *,
    in_bootloader: bool,
    baudrate: int = WRITE_BAUDRATE,
) -> list[str]:
    """The command that writes files at flash offsets and starts what was written.

    Args:
        chip: as esptool spells it; esptool refuses a port with another one.
        in_bootloader: the ROM bootloader waits already; otherwise the lines of the port bring it up.
    """
    head = [sys.executable, "-m", "esptool", "--port", port, "--chip", chip, "--baud", str(baudrate)]
    before = "no-reset" if in_bootloader else "default-reset"
    modes = ["--before", before, "--after", "hard-reset", "--connect-attempts", str(_CONNECT_ATTEMPTS)]
    files = [text for offset, path in writes for text in (f"{offset:#x}", str(path))]
    # The header of a build for 4 MiB would make the boot loader refuse a table that goes beyond.
    return [*head, *modes, "write-flash", "--flash-size", "detect", *files]


def run(port: str, command: Sequence[str], progress: Progress = lambda share: None) -> None:
    """Run esptool to its end; ``progress`` hears the share of what is written, 0 to 1. Raises BaseImageError."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    ) as tool:
        assert tool.stdout is not None
        try:
            said = _follow(tool.stdout, progress)
        except BaseException:
            tool.kill()
            raise
    if tool.returncode:
        raise explain(port, said.decode("utf-8", errors="replace"))
    progress(1.0)


def _follow(output: IO[bytes], progress: Progress) -> bytes:
    """The last words of the tool; a bar that it redraws ends in a carriage return."""
    said = b""
    while piece := output.read1(4096):  # type: ignore[attr-defined]
        said = (said + piece)[-_LAST_WORDS_BYTES:]
        percents = _PERCENT.findall(piece)
        if percents:
            progress(min(1.0, float(percents[-1]) / 100))
    return said


def explain(port: str, said: str) -> BaseImageError:
    """What esptool's last words mean, and what to do next."""
    sentence = " ".join(said.split())  # it breaks its lines at the width of a terminal
    for pattern, cause, action, transient in _MEANINGS:
        found = re.search(pattern, sentence, re.IGNORECASE)
        if found:
            words = {"port": port} | {name: text or "" for name, text in found.groupdict().items()}
            return BaseImageError(
                Text(cause[0].format(**words), cause[1].format(**words)), Text(*action), transient
            )
    last = sentence.rpartition("rror occurred: ")[2][:_QUOTED_CHARACTERS] or "no message"
    return BaseImageError(
        Text(f"esptool failed on {port}: {last}", f"esptool 在 {port} 上失败：{last}"),
        Text("hold BOOT, press reset, then repeat the command", "按住 BOOT 键再按复位键，然后重试"),
    )


_BOOT_BUTTON = (
    "hold BOOT, press reset, release BOOT, then repeat the command",
    "按住 BOOT 键、按一下复位键、松开 BOOT 键，然后重试",
)
_CABLE = ("check cable and plug, then repeat the command", "检查数据线和插头，然后重试")
# (what esptool says, cause, action, whether another try may succeed)
_MEANINGS = (
    (
        r"Wrong boot mode detected \((?P<mode>0x[0-9a-f]+)\)",
        (
            "the chip on {port} started its program instead of the bootloader (boot mode {mode})",
            "{port} 上的芯片启动了程序而没有进入下载模式（启动模式 {mode}）",
        ),
        _BOOT_BUTTON,
        True,
    ),
    (
        r"serial TX path seems to be down",
        (
            "the bootloader on {port} talks but does not hear",
            "{port} 上的引导程序有输出但收不到数据",
        ),
        ("check the wire from the computer's TX to the chip's RX", "检查电脑 TX 到芯片 RX 的连线"),
        True,
    ),
    (
        r"No serial data received",
        ("no bootloader answers on {port}", "{port} 上没有引导程序应答"),
        _BOOT_BUTTON,
        True,
    ),
    (
        r"could not open .*(Permission denied|Access is denied)",
        ("this user may not open {port}", "当前用户无权打开 {port}"),
        (
            "become a member of its group (often dialout) and log in again",
            "加入其用户组（通常是 dialout）后重新登录",
        ),
        False,
    ),
    (
        r"could not open .*(exclusively lock|Resource busy|Device or resource busy|temporarily unavailable)",
        ("{port} is held by another program", "{port} 正被另一个程序占用"),
        ("close that program, then repeat the command", "关闭该程序后重试"),
        False,
    ),
    (
        r"could not open",
        ("{port} is not there any more", "{port} 已经不在"),
        ("plug the device in again and repeat the command", "重新插入设备后重试"),
        True,
    ),
    (
        r"This chip is (?P<found>ESP[\w-]+),? not (?P<wanted>ESP[\w-]+)",
        ("the chip on {port} is an {found}, not an {wanted}", "{port} 上的芯片是 {found}，不是 {wanted}"),
        ("choose the board that it is with --board", "用 --board 选择正确的板型"),
        False,
    ),
    (
        r"Secure Download Mode",
        ("the chip on {port} is closed to plain downloads", "{port} 上的芯片禁止普通下载"),
        ("update it with `groundnet update`", "用 `groundnet update` 更新"),
        False,
    ),
    (
        r"MD5 of file does not match|Invalid head of packet|Serial data stream stopped|Packet content transfer stopped"
        r"|chip stopped responding|device reports readiness to read|Input/output error|Device not configured",
        ("the transfer to {port} broke off", "与 {port} 的传输中断"),
        _CABLE,
        True,
    ),
    (
        r"will not fit in",
        ("the base image is larger than the flash on {port}", "基础固件大于 {port} 上的闪存"),
        ("take the image for this board", "请使用该板型对应的固件"),
        False,
    ),
)
