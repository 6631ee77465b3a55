"""Everything that this package raises.

The first argument of each is `reason`, a short fixed word that programs may compare and vectors pin;
`detail` is for people. Neither ever holds key material.
"""


class WireError(Exception):
    """Base of all errors of this package."""

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(reason + ": " + detail if detail else reason)
        self.reason = reason
        self.detail = detail


class EncodeError(WireError):
    """Our own side asked for something that the wire cannot carry (a bug or a bad setting here)."""


class DecodeError(WireError):
    """The peer's bytes are not what the specification says."""


class AuthenticationError(WireError):
    """The bytes are well formed but not from the holder of the key, or not fresh."""
