"""What a finder is lent: the coming ids of one tag and commands for it, for a limited time.

Two records: the loan, written once, and its use, written every two minutes. The use belongs to its loan by a
checksum; a loan without its use counts as absent. So whatever is cut off when, a loan ends early or in time, never
late.
"""

import struct
from binascii import crc32

from groundwire import beacon
from groundwire.constant import const
from groundwire.finder_table import PURPOSES
from groundwire.keys import EID_SIZE

from groundcore import events

LOAN = "loan"  # names of the records; only a finder has them
USE = "loan_use"
NAMES = (LOAN, USE)

_VERSION = const(1)
_LOAN_FORMAT = "<B8sIHIIB"  # version, code, first epoch, ids, expires (UTC, s), budget (s), commands
_LOAN_SIZE = struct.calcsize(_LOAN_FORMAT)
_COMMAND_SIZE = const(19)  # purpose and downlink
_USE_FORMAT = "<BIIIB"  # version, checksum of the loan, left (s), last counter + 1, commands that are used up
_USE_SIZE = struct.calcsize(_USE_FORMAT)
_BLOCK_S = const(120)  # of the budget, taken in advance: what a restart costs at most


class Loan:
    """One loan and how much of it is left.

    Args:
        record, use: as flash holds them; `restore` makes only whole ones.
    """

    def __init__(self, record: bytes, use: bytes):
        fields = struct.unpack_from(_LOAN_FORMAT, record, 0)
        self.code = fields[1].rstrip(b"\x00").decode()
        self.first_epoch = fields[2]
        self.count = fields[3]
        self.expires_s = fields[4]
        end = _LOAN_SIZE + self.count * EID_SIZE
        self._eids = record[_LOAN_SIZE:end]
        self._commands = record[end:]
        self._check = crc32(record)
        _, _, self._kept_s, self._next_counter, self._used = struct.unpack(_USE_FORMAT, use)
        self._block_end_ms = None  # of the running block; None: none was taken yet

    def use(self) -> bytes:
        """The record of what is used up."""
        return _use(self._check, self._kept_s, self._next_counter, self._used)

    # --- time

    def take_time(self, now_ms: int) -> bool:
        """Take the next block when the last is over: True when the use must be stored."""
        if self._block_end_ms is not None and now_ms < self._block_end_ms:
            return False
        block_s = min(_BLOCK_S, self._kept_s)
        if self._block_end_ms is None:
            self._block_end_ms = now_ms
        self._block_end_ms += block_s * 1000
        self._kept_s -= block_s
        return block_s > 0

    def over(self, now_ms: int, utc_s: int | None) -> bool:
        """Whether its time is up: by the clock where there is one, by its budget in any case."""
        if utc_s is not None and utc_s >= self.expires_s:
            return True
        return self._block_end_ms is not None and now_ms >= self._block_end_ms and not self._kept_s

    def left_s(self, now_ms: int) -> int:
        """Of the budget."""
        running_ms = 0 if self._block_end_ms is None else max(0, self._block_end_ms - now_ms)
        return self._kept_s + (running_ms + 999) // 1000

    def due_ms(self) -> int | None:
        """When the next block must be taken."""
        return self._block_end_ms

    # --- beacons

    def takes(self, eid: bytes, low: int) -> bool:
        """Whether a beacon is the tag's and newer than the last one taken. Allocates nothing while it is not."""
        at = self._eids.find(eid)
        while at >= 0 and at % EID_SIZE:
            at = self._eids.find(eid, at + 1)
        if at < 0:
            return False
        counter = beacon.expand(self.first_epoch + at // EID_SIZE, low)
        if counter < self._next_counter:
            return False
        self._next_counter = counter + 1
        return True

    # --- commands

    def commands_left(self) -> int:
        return len(self._commands) // _COMMAND_SIZE - self._used

    def command(self, purpose: str) -> tuple | None:
        """(number, downlink) of the next command of a purpose; None: there is none left."""
        wanted = PURPOSES.index(purpose)
        for number in range(self._used, len(self._commands) // _COMMAND_SIZE):
            at = number * _COMMAND_SIZE
            if self._commands[at] == wanted:
                return number, self._commands[at + 1 : at + _COMMAND_SIZE]
        return None

    def used(self, number: int):
        """A command went out: it and those below are worthless now. Store the use."""
        self._used = max(self._used, number + 1)


def make(code: str, first_epoch: int, eids: list, expires_s: int, budget_s: int, commands: list) -> tuple:
    """(record, use) of a new loan; `commands`: (purpose, downlink) in the order of their counters."""
    head = struct.pack(
        _LOAN_FORMAT, _VERSION, code.encode(), first_epoch, len(eids), expires_s, budget_s, len(commands)
    )
    body = [bytes((PURPOSES.index(purpose),)) + data for purpose, data in commands]
    record = head + b"".join(eids) + b"".join(body)
    return record, _use(crc32(record), budget_s, 0, 0)


def restore(record: bytes | None, use: bytes | None) -> Loan | None:
    """The loan in flash; None when there is none, when it is not whole, or when nothing of its time is left."""
    if not record or not use or len(use) != _USE_SIZE or len(record) < _LOAN_SIZE:
        return None
    fields = struct.unpack_from(_LOAN_FORMAT, record, 0)
    version, check, left_s, _, _ = struct.unpack(_USE_FORMAT, use)
    whole = len(record) == _LOAN_SIZE + fields[3] * EID_SIZE + fields[6] * _COMMAND_SIZE
    if fields[0] != _VERSION or version != _VERSION or not whole or check != crc32(record) or not left_s:
        return None
    return Loan(record, use)


def erase(actions: list):
    """Nothing of a loan stays: a record has two copies in flash, and each STORE writes over the older one."""
    for name in (USE, LOAN, LOAN):
        actions.append((events.STORE, name, b""))


def _use(check, left_s, next_counter, used):
    return struct.pack(_USE_FORMAT, _VERSION, check, left_s, next_counter, used)
