"""What can be wrong between a computer and a device, each with its own next action."""

from groundnet.errors import GroundnetError


class LinkError(GroundnetError):
    """A serial link that does not do what was asked."""


class PortMissing(LinkError):
    def __init__(self, port: str) -> None:
        named = f"there is no serial port {port}" if port.strip() else "no serial port was named"
        super().__init__(named, "plug the device in and run `groundnet doctor`")


class PortForbidden(LinkError):
    def __init__(self, port: str) -> None:
        super().__init__(
            f"this user may not open {port}", "become a member of its group (often dialout) and log in again"
        )


class NotASerialPort(LinkError):
    def __init__(self, port: str) -> None:
        super().__init__(f"{port} is not a serial port", "run `groundnet doctor` to see the serial ports")


class PortBusy(LinkError):
    def __init__(self, port: str, holder: str | None) -> None:
        who = holder or "another program"
        super().__init__(f"{port} is held by {who}", "close that program, then try again")


class PortGone(LinkError):
    def __init__(self, port: str) -> None:
        super().__init__(
            f"{port} disappeared during the work", "plug the device in again and repeat the command"
        )


class NoAnswer(LinkError):
    def __init__(self, port: str) -> None:
        super().__init__(f"nothing answers on {port}", "press the device's reset button and try again")


class ReplAnswers(LinkError):
    def __init__(self, port: str) -> None:
        super().__init__(
            f"a MicroPython prompt answers on {port}, not groundnet firmware", "flash the firmware first"
        )


class ForeignDevice(LinkError):
    def __init__(self, port: str) -> None:
        super().__init__(f"what answers on {port} is not a groundnet device", "check which port is the tag's")


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
    """The device answered with an error message; ``code`` is its name in the wire's table."""

    def __init__(self, request: str, code: str, detail: str) -> None:
        why = f"{code}: {detail}" if detail else code
        super().__init__(f"the device refused {request} ({why})", ACTIONS.get(code, "read the device's log"))
        self.code = code


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
