"""The NOR flash chip beside a microcontroller: erased in sectors, programmed from ones to zeros.

Only what was written takes memory. A cut of the supply in the middle of programming leaves the first half of
the piece there; one before an erase leaves the sector as it was. Wear and half-erased cells are not modelled.
"""

from collections.abc import Callable

from groundnet.sim.boardfs import PowerCut

SECTOR_BYTES = 4096
_ERASED_SECTOR = b"\xff" * SECTOR_BYTES

StepHook = Callable[[str, int], None]  # ("erase" or "write", address); may raise PowerCut


class FlashChip:
    """Content of a flash chip of ``size`` bytes.

    ``on_step`` hears each step before it takes place: one for every sector that is erased or written to.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.on_step: StepHook = lambda kind, address: None
        self.changes = 0
        self._sectors: dict[int, bytes] = {}

    def read(self, address: int, count: int) -> bytes:
        """Bytes from ``address``; beyond the end the chip begins anew, which nobody should want."""
        parts = []
        while count > 0:
            sector, offset = divmod(address, SECTOR_BYTES)
            piece = self._sectors.get(sector, _ERASED_SECTOR)[offset : offset + count]
            parts.append(piece)
            address, count = address + len(piece), count - len(piece)
        return b"".join(parts)

    def erase(self, address: int, count: int) -> None:
        """Erase every sector that the range touches."""
        for sector in range(address // SECTOR_BYTES, -(-(address + count) // SECTOR_BYTES)):
            self.on_step("erase", sector * SECTOR_BYTES)
            self._sectors.pop(sector, None)
            self.changes += 1

    def program(self, address: int, data: bytes) -> None:
        """Clear bits: a one stays a one only where ``data`` has a one too."""
        while data:
            piece = data[: SECTOR_BYTES - address % SECTOR_BYTES]
            try:
                self.on_step("write", address)
            except PowerCut:
                self._clear_bits(address, piece[: len(piece) // 2])
                raise
            self._clear_bits(address, piece)
            address, data = address + len(piece), data[len(piece) :]

    def _clear_bits(self, address: int, piece: bytes) -> None:
        sector, offset = divmod(address, SECTOR_BYTES)
        before = self._sectors.get(sector, _ERASED_SECTOR)
        old = int.from_bytes(before[offset : offset + len(piece)])
        merged = (old & int.from_bytes(piece)).to_bytes(len(piece))
        self._sectors[sector] = before[:offset] + merged + before[offset + len(piece) :]
        self.changes += 1
