"""One device as a registry knows it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from groundnet.errors import GroundnetError

BOUND = frozenset(("handed_over", "synced"))  # it belongs to its owner


class RegistryError(GroundnetError):
    """The registry is not there, is full, or does not hold what was asked for."""


class Secret:
    """32 bytes that are never shown; ``reveal`` is the one way to them: VaultLocked where they are sealed."""

    __slots__ = ("_reveal",)

    def __init__(self, value: bytes | Callable[[], bytes]) -> None:
        self._reveal = value if callable(value) else lambda: value

    def reveal(self) -> bytes:
        return self._reveal()

    def __repr__(self) -> str:
        return "<Secret>"


@dataclass(frozen=True)
class Record:
    """One device of the registry. ``plate``, ``owner_phone`` and ``consent`` are None while they are sealed."""

    device_id: bytes
    tag_id: str
    role: str
    board: str
    profile: str
    plate: str | None
    owner_phone: str | None
    state: str
    operation: str
    changed_ms: int
    secret: Secret = field(compare=False)
    consent: str | None = None  # of whom, for a wearable: wearer or guardian
    sealed: bool = False
