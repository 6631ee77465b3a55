"""Which version a board runs, tries and has given up: one blob of NVS, written whole or not at all.

The boot loader (loader.py) holds this form a second time, because it must not depend on what it starts.
"""

import struct

import esp32
from micropython import const

NONE = const(255)  # no slot
SLOTS = ("/slots/a.gnb", "/slots/b.gnb")
FOLDER = "/slots"

_FORMAT = const(1)
_FIELDS = "<BBBBBIHHHHHH"
_HEAD_BYTES = const(21)
_REASON_BYTES = const(64)


class BootState:
    """The state; ``found`` is False on a board that was never updated: slot a is what is in ROM.

    ``active``, ``trial``, ``rom`` are slots or NONE; ``rom`` is NONE while the partition is written. ``counter``
    and ``least`` hold off older versions. ``given_up`` is the version that was rolled back last, with ``reason``.
    """

    def __init__(self):
        self._nvs = esp32.NVS("groundnet")
        blob = bytearray(_HEAD_BYTES + _REASON_BYTES)
        try:
            count = self._nvs.get_blob("boot", blob)
        except OSError:
            count = 0
        self.found = count >= _HEAD_BYTES and blob[0] == _FORMAT
        values = (
            struct.unpack_from(_FIELDS, blob) if self.found else (_FORMAT, 0, NONE, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        )
        self.active, self.trial, self.tries, self.rom, self.counter = values[1:6]
        self.least, self.given_up = values[6:9], values[9:12]
        self.reason = bytes(blob[_HEAD_BYTES:count]) if self.found else b""

    def keep(self) -> None:
        """It is in flash when this returns. Raises OSError."""
        head = struct.pack(
            _FIELDS,
            _FORMAT,
            self.active,
            self.trial,
            self.tries,
            self.rom,
            self.counter,
            *self.least,
            *self.given_up,
        )
        self._nvs.set_blob("boot", head + self.reason[:_REASON_BYTES])
        self._nvs.commit()

    def begin_trial(self, slot: int) -> None:
        """The loader brings it into ROM at the next start and lets it run once."""
        self.trial, self.tries = slot, 1
        self.given_up, self.reason = (0, 0, 0), b""
        self.keep()

    def confirm(self, counter: int, least: tuple) -> None:
        """The trial is what runs from now on, and nothing older than it allows."""
        self.active, self.trial, self.reason = self.trial, NONE, b""
        self.counter, self.least = max(self.counter, counter), max(self.least, least)
        self.keep()

    def condemn(self, reason: str) -> None:
        """Why the trial is going to end; the next start takes it back."""
        if self.trial != NONE and not self.reason:
            self.reason, self.tries = reason.encode()[:_REASON_BYTES], 0
            self.keep()
