"""Downlink: one authenticated command to a tag, in the receive window behind its beacon.

    0      version (bits 7-6) | 111 (bits 5-3) | 0 (bits 2-0)
    1      command
    2-5    downlink counter
    6-9    argument
    10-17  MAC, 8 bytes, over bytes 0-9 [and the tag's challenge]

There is no address: only the tag with the key accepts the MAC. The counter has 32 bits and only rises.
What would help a thief (lost-off, siren-off, disarm) is MACed together with the 8-byte challenge that the device
offers while it is lost or sounding, or while it could be disarmed.
"""

import struct
from collections import namedtuple

from groundwire.constant import const
from groundwire.errors import AuthenticationError, DecodeError, EncodeError
from groundwire.keys import Key, same

_HEAD = const(0x78)  # version 1, type 7
_BODY_SIZE = const(10)
_MAC_SIZE = const(8)

SIZE = 18  # bytes on air
CHALLENGE_SIZE = 8

LOST_ON = 1  # argument: beacon interval while lost, seconds; 0 = the device's own setting
LOST_OFF = 2  # answers a challenge; argument 0
SIREN_ON = 3  # argument: seconds, 0 = the device's own setting
SIREN_OFF = 4  # answers a challenge; argument 0
INTERVAL = 5  # argument: beacon interval at rest, seconds; 0 = back to the setting
LOCATE = 6  # a tracker: get a fix now and report; argument 0
TIME = 7  # argument: unix time, seconds, when the command was made
ARM = 8  # watch, whatever the setting says; argument 0
DISARM = 9  # answers a challenge; argument 0
COMMANDS = (
    None, "lost_on", "lost_off", "siren_on", "siren_off", "interval", "locate", "time", "arm", "disarm",
)  # fmt: skip
CHALLENGED = (LOST_OFF, SIREN_OFF, DISARM)

Command = namedtuple("Command", ("command", "counter", "argument"))


def encode(command: int, counter: int, argument: int, downlink_key: Key, challenge: bytes = b"") -> bytes:
    """The 18 bytes of a command. `challenge` (8 bytes) exactly for those in CHALLENGED.

    Raises EncodeError: range, challenge.
    """
    if not 1 <= command <= 0xFF or not 0 <= counter <= 0xFFFFFFFF or not 0 <= argument <= 0xFFFFFFFF:
        raise EncodeError("range", "command 1..255, counter and argument 0..2**32 - 1")
    if len(challenge) != (CHALLENGE_SIZE if command in CHALLENGED else 0):
        raise EncodeError("challenge", "lost_off, siren_off and disarm take an 8-byte challenge, others none")
    body = struct.pack(">BBII", _HEAD, command, counter, argument)
    return body + downlink_key.mac(body + challenge)[:_MAC_SIZE]


def is_downlink(data: bytes) -> bool:
    """Whether these bytes off the air are a downlink, not a beacon."""
    return len(data) > 0 and data[0] == _HEAD


def decode(data: bytes) -> Command:
    """Split a command. Raises DecodeError: short, version, size. Checks no MAC; `accept` does."""
    if len(data) < SIZE:
        raise DecodeError("short", "a downlink has 18 bytes")
    if not is_downlink(data):
        raise DecodeError("version", "not a downlink of version 1")
    if len(data) != SIZE:
        raise DecodeError("size", "a downlink has 18 bytes")
    _, command, counter, argument = struct.unpack_from(">BBII", data)
    return Command(command, counter, argument)


def accept(data: bytes, downlink_key: Key, last_counter: int, challenge: bytes = b"") -> Command:
    """The command, when it is authentic and fresh: what a tag does with whatever its window caught.

    `last_counter` is the highest counter accepted so far (0 at first), `challenge` the one on offer, b"" when
    none. Keep the counter of the Command before carrying it out, and drop the challenge it used.
    Raises DecodeError as `decode`, AuthenticationError: mac (not for this tag, or forged, or the wrong
    challenge), replay (counter not above `last_counter`), challenge (needs one and none is on offer).
    """
    found = decode(data)
    proof = b""
    if found.command in CHALLENGED:
        if len(challenge) != CHALLENGE_SIZE:
            raise AuthenticationError("challenge", "no challenge is on offer")
        proof = bytes(challenge)
    if not same(downlink_key.mac(bytes(data[:_BODY_SIZE]) + proof)[:_MAC_SIZE], data[_BODY_SIZE:]):
        raise AuthenticationError("mac", "the command is not for the holder of this key")
    if found.counter <= last_counter:
        raise AuthenticationError("replay", "the downlink counter is not above the last")
    return found


def make_challenge(downlink_key: Key, counter: int) -> bytes:
    """A challenge that never repeats: from the full beacon counter at which the tag begins to offer it."""
    return downlink_key.mac(b"challenge" + struct.pack(">I", counter))[:CHALLENGE_SIZE]
