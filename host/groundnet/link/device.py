"""What a host asks a device, with the values as Python objects."""

from dataclasses import dataclass

from groundwire import keys

from groundnet.link.errors import Refused
from groundnet.link.serial_link import SerialLink


@dataclass(frozen=True)
class Identity:
    """What a device says of itself; ``device_id`` is its chip's own id, 8 bytes."""

    device_id: bytes
    role: str
    state: str  # blank, provisioned or locked
    board: str
    product: str
    firmware: str
    hardware_revision: int
    boot_count: int
    capabilities: tuple[str, ...]


@dataclass(frozen=True)
class Provision:
    """What a device holds of its identity; never the secret, only its check value."""

    state: str
    tag_id: str
    profile: str
    install_point: str
    check_value: bytes


class Device:
    """Typed operations over an open link. Every one may raise the errors of ``groundnet.link.errors``."""

    def __init__(self, link: SerialLink) -> None:
        self._link = link

    def identity(self) -> Identity:
        values = self._link.ask("identity_get").values
        return Identity(
            device_id=values["device_id"],
            role=values["role"],
            state=values["state"],
            board=values["board"],
            product=values["product"],
            firmware=values["firmware"],
            hardware_revision=values["hardware_revision"],
            boot_count=values["boot_count"],
            capabilities=tuple(values["capabilities"]),
        )

    def provision(self) -> Provision:
        values = self._link.ask("provision_read").values
        return Provision(
            values["state"],
            values["tag_id"],
            values["profile"],
            values["install_point"],
            values["check_value"],
        )

    def write_identity(self, tag_id: str, profile: str, install_point: str, secret: bytes) -> None:
        self._link.ask(
            "provision_write", tag_id=tag_id, profile=profile, install_point=install_point, secret=secret
        )

    def proves(self, secret: bytes, challenge: bytes) -> bool:
        """Whether the device answers a fresh 16-byte challenge as only the holder of the secret can."""
        proof = self._link.ask("provision_prove", challenge=challenge).values["proof"]
        expected = keys.provision_proof(secret, challenge)
        return keys.same(proof, expected)

    def lock(self, secret: bytes) -> None:
        """Close the device: from now on nothing can be written without a session."""
        self._link.ask("provision_lock", check_value=keys.check_value(secret))

    def write_settings(self, settings: dict[str, str]) -> None:
        records = [{"name": name, "value": value} for name, value in settings.items()]
        self._link.ask("settings_write", settings=records)

    def settings(self) -> dict[str, str]:
        """Every setting, read in as many requests as it takes. A locked device tells them inside a session."""
        found: dict[str, str] = {}
        while True:
            values = self._link.ask("settings_read", first=len(found)).values
            found |= {record["name"]: record["value"] for record in values["settings"]}
            if len(found) >= values["total"] or not values["settings"]:
                return found

    def set_time(self, unix_ms: int) -> None:
        self._link.ask("time_write", time_ms=unix_ms)

    def self_test(self, parts: tuple[str, ...] = ()) -> list[dict]:
        """Results by part: {part, result (passed/failed/skipped), measured, text}."""
        return list(self._link.ask("self_test", parts=list(parts)).values["tests"])

    def open_console(self, duration_s: int) -> None:
        """Let Ctrl-C, prompt and files in for a while, once the link is closed; 1 to 7200 s, in a session."""
        self._link.ask("service_open", duration_s=duration_s)

    def factory_reset(self, secret: bytes) -> None:
        """Forget settings and history; identity, counters and lost mode stay. In a session."""
        self._link.ask("factory_reset", check_value=keys.check_value(secret))

    def erase(self, secret: bytes) -> None:
        """Make it blank again: identity, settings and history go. In a session."""
        self._link.ask("provision_erase", check_value=keys.check_value(secret))

    def supports(self, request: str) -> bool:
        """Whether the device knows a request without values."""
        try:
            self._link.ask(request)
        except Refused as refusal:
            return refusal.code not in ("unknown_kind", "unsupported")
        return True
