"""What can be wrong between a computer and a device, each with its own next action."""

from groundnet.errors import GroundnetError, Text


class LinkError(GroundnetError):
    """A serial link that does not do what was asked."""


class PortMissing(LinkError):
    def __init__(self, port: str) -> None:
        if port.strip():
            cause = Text(f"there is no serial port {port}", f"没有串口 {port}")
        else:
            cause = Text("no serial port was named", "没有指定串口")
        super().__init__(
            cause,
            Text("plug the device in and run `groundnet doctor`", "插入设备，然后运行 `groundnet doctor`"),
        )


class PortForbidden(LinkError):
    def __init__(self, port: str) -> None:
        super().__init__(
            Text(f"this user may not open {port}", f"当前用户无权打开 {port}"),
            Text(
                "become a member of its group (often dialout) and log in again",
                "加入该设备所属的用户组（通常是 dialout），然后重新登录",
            ),
        )


class NotASerialPort(LinkError):
    def __init__(self, port: str) -> None:
        super().__init__(
            Text(f"{port} is not a serial port", f"{port} 不是串口"),
            Text("run `groundnet doctor` to see the serial ports", "运行 `groundnet doctor` 查看现有串口"),
        )


class PortBusy(LinkError):
    def __init__(self, port: str, holder: Text | None) -> None:
        named = holder or Text("another program", "另一个程序")
        super().__init__(
            Text(f"{port} is held by {named}", f"{port} 正被 {named.zh} 占用"),
            Text("close that program, then try again", "关闭该程序后重试"),
        )
        self.holder = holder


class PortGone(LinkError):
    def __init__(self, port: str) -> None:
        super().__init__(
            Text(f"{port} disappeared during the work", f"{port} 在操作途中断开"),
            Text("plug the device in again and repeat the command", "重新插入设备，再运行一次该命令"),
        )


class NoAnswer(LinkError):
    def __init__(self, port: str) -> None:
        super().__init__(
            Text(f"nothing answers on {port}", f"{port} 上没有应答"),
            Text(
                "check its power and the cable, press its reset button, then try again",
                "检查供电和数据线，按一下设备的复位键后重试",
            ),
        )


class BootloaderWaits(LinkError):
    def __init__(self, port: str, chip: str = "") -> None:
        named = chip or "ESP32"
        super().__init__(
            Text(
                f"the bootloader of an {named} waits on {port} for a download",
                f"{port} 上的 {named} 处于引导程序下载模式",
            ),
            Text(
                "write firmware with `groundnet flash`, or press reset to start what is on it",
                "用 `groundnet flash` 写入固件，或按复位键启动已有程序",
            ),
        )
        self.chip = chip


class NothingToStart(LinkError):
    def __init__(self, port: str, chip: str = "") -> None:
        named = chip or "ESP32"
        super().__init__(
            Text(
                f"the {named} on {port} finds no program to start", f"{port} 上的 {named} 找不到可启动的程序"
            ),
            Text(
                "hold BOOT, press reset, then write firmware with `groundnet flash`",
                "按住 BOOT 键再按复位键，然后用 `groundnet flash` 写入固件",
            ),
        )
        self.chip = chip


class ReplAnswers(LinkError):
    def __init__(self, port: str) -> None:
        super().__init__(
            Text(
                f"a MicroPython prompt answers on {port}, not groundnet firmware",
                f"{port} 上应答的是 MicroPython 提示符，不是 groundnet 固件",
            ),
            Text("flash the firmware first", "请先烧录固件：`groundnet flash`"),
        )


class CodeFailed(LinkError):
    """A prompt ran what it was given, and that raised."""

    def __init__(self, port: str, raised: str) -> None:
        super().__init__(
            Text(f"MicroPython on {port} says: {raised}", f"{port} 上的 MicroPython 报告：{raised}"),
            Text("press reset and repeat the command", "按复位键，再运行一次该命令"),
        )


class ScriptRuns(LinkError):
    """What runs there prints text, but is not ours; it is not interrupted."""

    def __init__(self, port: str, said: str) -> None:
        super().__init__(
            Text(
                f"a program that is not groundnet's runs on {port} and prints '{said}'",
                f"{port} 上正运行着非 groundnet 的程序，输出“{said}”",
            ),
            Text(
                f"if it is a MicroPython script, end it with Ctrl-C in `mpremote connect {port}`, then try again",
                f"如果是 MicroPython 脚本，在 `mpremote connect {port}` 中按 Ctrl-C 结束它，然后重试",
            ),
        )


class ForeignDevice(LinkError):
    def __init__(self, port: str, what: Text | None = None) -> None:
        if what is None:
            cause = Text(
                f"what answers on {port} is neither a groundnet device nor MicroPython",
                f"{port} 上应答的既不是 groundnet 设备，也不是 MicroPython",
            )
        else:
            cause = Text(
                f"what answers on {port} is not a groundnet device but {what}",
                f"{port} 上应答的不是 groundnet 设备，而是 {what.zh}",
            )
        super().__init__(
            cause,
            Text(
                "leave it alone and name the device's own port: `groundnet doctor` lists them",
                "请勿操作它，改用设备所在的串口：`groundnet doctor` 可列出所有串口",
            ),
        )


class WrongSecret(LinkError):
    def __init__(self, detail: str) -> None:
        super().__init__(
            f"the device holds another secret ({detail})", "use the registry that provisioned it"
        )


class TriesExhausted(LinkError):
    """Somebody showed the device wrong secrets; for a while it takes none, not even the right one."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"the device takes no secret for now, after wrong ones ({detail})",
            "leave it powered and try again then",
        )


class Unsendable(LinkError):
    def __init__(self, request: str, detail: str) -> None:
        super().__init__(f"{request} cannot be sent ({detail})", "give a shorter value, or one in its range")


class Refused(LinkError):
    """The device answered with an error message; ``code`` is its name in the wire's table, ``detail`` its words."""

    def __init__(self, request: str, code: str, detail: str) -> None:
        why = f"{code}: {detail}" if detail else code
        super().__init__(f"the device refused {request} ({why})", ACTIONS.get(code, "read the device's log"))
        self.code = code
        self.detail = detail


ACTIONS = {
    "locked": "it already has an identity: open a session with its registry first",
    "not_authenticated": "open a session with the device's secret first",
    "out_of_range": "give it a value that the firmware allows",
    "malformed": "update groundnet on this computer, or the device's firmware",
    "refused": "read the device's log",
    "wrong_state": "ask the device what it is with `groundnet doctor`, then repeat the command",
    "too_large": "give a shorter value",
    "bad_signature": "use the bundle that the maker signed",
    "busy": "wait a moment and try again",
    "storage": "the device cannot write its flash: replace it",
    "hardware": "a part of the device failed: run its self-test",
    "unsupported": "update the device's firmware",
    "unknown_kind": "update the device's firmware",
}
