"""Messages between a device with an uplink and the collector: is there an update, and its bytes.

The device asks and decides; what makes a bundle good is its signature, not who handed it over.
"""

from groundwire.messages import PEER

PIECE_BYTES = 240

STATES = (
    "idle",
    "receiving",
    "complete",
    "verified",
    "trial",
    "confirmed",
    "failed",
)  # UPDATE_STATES of link_table

MESSAGES = (
    (0x50, "update_check", PEER, (
        ("device_id", "8s"),
        ("firmware", "text", 24),
        ("state", "enum", STATES),
        ("version", "text", 24),
        ("detail", "text", 80),
    )),
    (0xD0, "update_offer", PEER, (
        ("size_bytes", "I"),
        ("sha256", "32s"),
        ("version", "text", 24),
        ("security_counter", "I"),
    )),
    (0x51, "update_fetch", PEER, (
        ("device_id", "8s"),
        ("sha256", "32s"),
        ("offset_bytes", "I"),
    )),
    (0xD1, "update_piece", PEER, (
        ("offset_bytes", "I"),
        ("data", "blob", 1, PIECE_BYTES),
    )),
)  # fmt: skip
