"""How a device leaves the install point: identity, profile and settings, fixed by a name so that runs repeat."""

import hashlib
from dataclasses import dataclass, field

from groundwire import keys

PROFILES = ("none", "vehicle", "livestock", "wearable", "sentry")
_USUAL_PROFILE = {"tag": "vehicle", "tracker": "vehicle", "base": "none", "finder": "none"}
_DEVICE_ID_SIZE = 8


@dataclass(frozen=True)
class Fitted:
    """What the install point decided. ``settings`` are names and values of the firmware's table.

    The secret follows from the name: nobody's bench is a secret, and nothing real carries it.
    """

    role: str
    name: str
    profile: str = ""
    board: str | None = None
    settings: dict[str, object] = field(default_factory=dict)
    registered_id: bytes | None = None  # of a real device, which has an identity of its own

    @property
    def fixed_to(self) -> str:
        """The profile that was asked for, else the usual one of the role."""
        return self.profile or _USUAL_PROFILE.get(self.role, "none")

    @property
    def device_id(self) -> bytes:
        return self.registered_id or b"\x02" + self._digest("id")[: _DEVICE_ID_SIZE - 1]

    @property
    def secret(self) -> bytes:
        return self._digest("secret")[: keys.SECRET_SIZE]

    def _digest(self, purpose: str) -> bytes:
        return hashlib.sha256(f"groundnet bench/{self.name}/{purpose}".encode()).digest()
