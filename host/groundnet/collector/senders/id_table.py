"""Rotating ids and whose they are, in two flat arrays: 12 bytes a slot, where a dict of Python objects takes over 100.

Open addressing with linear probing (Knuth, The Art of Computer Programming, volume 3, section 6.4, algorithm L), and
its deletion without marks (algorithm R). Ids are the output of a MAC: their low bits are as good as any hash, and
nobody who does not hold the keys chooses what stands in the table.
"""

from array import array

EPOCH_LOW_BITS = 16
EPOCH_LOW_MASK = (1 << EPOCH_LOW_BITS) - 1
LOAD = 0.7  # of the slots are in use at most
SMALLEST = 1024  # slots
LARGEST_OWNER = 0xFFFF_FFFE


class IdTable:
    """(id, epoch) -> owner; one id may have several owners, since 48 bits meet now and then.

    Args:
        room: entries that fit without growing.
    """

    def __init__(self, room: int = 0) -> None:
        self._used = 0
        self._make(room)

    def __len__(self) -> int:
        return self._used

    def reserve(self, room: int) -> None:
        """See that so many entries fit; growing slot by slot would copy the table again and again."""
        if room > LOAD * (self._mask + 1):
            old_keys, old_owners = self._keys, self._owners
            self._make(room)
            for at, owner in enumerate(old_owners):
                if owner:
                    self._put(old_keys[at], owner)

    def add(self, eid: int, epoch: int, owner: int) -> None:
        """Put an entry in; nothing happens when it is there. ``eid`` has 48 bits, ``owner`` is 0..2**32 - 2."""
        if self._used >= self._most:
            self.reserve(2 * self._used)
        if self._put(eid << EPOCH_LOW_BITS | epoch & EPOCH_LOW_MASK, owner + 1):
            self._used += 1

    def discard(self, eid: int, epoch: int, owner: int) -> None:
        """Take an entry out; nothing happens when it is not there."""
        keys, owners, mask = self._keys, self._owners, self._mask
        key, at = eid << EPOCH_LOW_BITS | epoch & EPOCH_LOW_MASK, eid & mask
        while owners[at] != owner + 1 or keys[at] != key:
            if not owners[at]:
                return
            at = at + 1 & mask
        self._used -= 1
        behind = at
        while owners[behind := behind + 1 & mask]:
            home = keys[behind] >> EPOCH_LOW_BITS & mask
            if (behind - home & mask) >= (behind - at & mask):  # it may move up into the gap
                keys[at], owners[at] = keys[behind], owners[behind]
                at = behind
        owners[at] = 0

    def owners(self, eid: int) -> list[tuple[int, int]]:
        """(owner, low 16 bits of the epoch) of every entry of an id; nearly always one or none."""
        keys, owners, mask = self._keys, self._owners, self._mask
        found, at = [], eid & mask
        while owner := owners[at]:
            key = keys[at]
            if key >> EPOCH_LOW_BITS == eid:
                found.append((owner - 1, key & EPOCH_LOW_MASK))
            at = at + 1 & mask
        return found

    def _make(self, room: int) -> None:
        slots = SMALLEST
        while room > LOAD * slots:
            slots *= 2
        self._mask = slots - 1
        self._most = int(LOAD * slots)
        self._keys = array("Q", bytes(8)) * slots
        self._owners = array("I", bytes(4)) * slots

    def _put(self, key: int, owner: int) -> bool:
        keys, owners, mask = self._keys, self._owners, self._mask
        at = key >> EPOCH_LOW_BITS & mask
        while owners[at]:
            if keys[at] == key and owners[at] == owner:
                return False
            at = at + 1 & mask
        keys[at], owners[at] = key, owner
        return True
