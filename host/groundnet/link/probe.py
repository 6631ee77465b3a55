"""What is on a serial port: asked, not guessed, and nothing is written to what does not answer as ours."""

from dataclasses import dataclass

from groundnet.link.device import Device
from groundnet.link.errors import LinkError
from groundnet.link.ports import SerialPort, serial_ports
from groundnet.link.serial_link import SerialLink

PROBE_TIMEOUT_S = 3.0


@dataclass(frozen=True)
class Finding:
    """One port with what is on it and what to do next."""

    port: SerialPort
    what: str
    action: str
    device_id: str = ""
    role: str = ""
    state: str = ""
    firmware: str = ""


def probe(port: SerialPort, timeout_s: float = PROBE_TIMEOUT_S) -> Finding:
    """Open the port, ask who is there, close it again."""
    try:
        with SerialLink(port.path, timeout_s) as link:
            identity = Device(link).identity()
    except LinkError as error:
        return Finding(port, error.cause, error.action)
    return Finding(
        port,
        f"groundnet {identity.role} {identity.firmware}, {identity.state}",
        NEXT_ACTIONS[identity.state],
        identity.device_id.hex(),
        identity.role,
        identity.state,
        identity.firmware,
    )


def probe_all(paths: list[str]) -> list[Finding]:
    """The named ports, or every USB serial port of this computer."""
    ports = [SerialPort(path) for path in paths] or serial_ports()
    return [probe(port) for port in ports]


NEXT_ACTIONS = {
    "blank": "give it an identity with `groundnet provision one`",
    "provisioned": "repeat `groundnet provision one` to complete and lock it",
    "locked": "it is ready",
}
