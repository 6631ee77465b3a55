"""The SX1262's packet engine: the data buffer and its pointers (7), what a frame leaves behind (13.5)."""

from groundnet.sim.antenna import Reception
from groundnet.sim.chips import sx1262_tables as table
from groundnet.sim.chips.sx1262_settings import LORA_TYPE, Settings
from groundnet.sim.modulation import Gfsk

# RxStatus of GFSK (table 13-80)
_RECEIVED, _LENGTH_ERROR, _CRC_ERROR = 0x02, 0x08, 0x10
_SNR_SHOWN_MAX_DB = 14.0  # stronger signals show no better ratio


class PacketEngine:
    """Buffer of 256 bytes, last packet, counters.

    Args:
        settings: packet format and buffer addresses.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._buffer = bytearray(256)
        self._write_at = 0
        self.received = (0, 0)  # length and start of the last packet
        self.packet_status = bytes(3)
        self.statistics = [0, 0, 0]  # received, CRC errors, header errors

    def write(self, start: int, data: bytes) -> None:
        """Store at an offset; the buffer wraps."""
        for offset, value in enumerate(data):
            self._buffer[(start + offset) & 0xFF] = value

    def read(self, start: int, length: int) -> bytes:
        return bytes(self._buffer[(start + offset) & 0xFF] for offset in range(length))

    def forget(self) -> None:
        """Sleep, warm or cold, loses the buffer (9.3)."""
        self._buffer[:] = bytes(256)

    def begin_reception(self) -> None:
        """SetRx: the write pointer goes back to the base; its packets then follow each other (7.2)."""
        self._write_at = self._settings.rx_base

    def take(self, reception: Reception) -> int:
        """Keep a frame as far as this format can read it. Returns the interrupts that it raises."""
        mine, sent = self._settings.modulation(), reception.frame.modulation
        if isinstance(mine, Gfsk):
            return self._take_gfsk(mine, reception)
        length, payload = self._settings.payload_length, reception.payload
        intact = reception.intact and self._settings.inverted_iq_works
        checked = sent.crc if mine.explicit_header else mine.crc
        if mine.explicit_header:
            if not (reception.header_intact and sent.explicit_header and len(payload) <= length):
                self.statistics[2] += 1
                return table.HEADER_ERROR
        else:
            intact &= len(payload) == length and mine.crc == sent.crc and not sent.explicit_header
            payload = payload.ljust(length, b"\0")[:length]
        self._keep(payload, reception, intact)
        self.statistics[0] += 1
        if checked and not intact:
            self.statistics[1] += 1
            return table.RX_DONE | table.CRC_ERROR
        return table.RX_DONE

    def _take_gfsk(self, mine: Gfsk, reception: Reception) -> int:
        """6.2.3: whitening and CRC must be the sender's, or the CRC fails; a wrong length drops the packet unheard."""
        sent, payload = reception.frame.modulation, reception.payload
        assert isinstance(sent, Gfsk)
        intact = reception.intact and reception.header_intact
        intact &= mine.whitening == sent.whitening and mine.crc_bytes == sent.crc_bytes
        intact &= mine.variable_length == sent.variable_length
        longest = self._settings.payload_length
        if len(payload) > longest if mine.variable_length else len(payload) != longest:
            self.packet_status = bytes((_LENGTH_ERROR, 0, 0))
            return 0
        self._keep(payload, reception, intact)
        self.statistics[0] += 1
        if mine.crc and not intact:
            self.statistics[1] += 1
            return table.RX_DONE | table.CRC_ERROR
        return table.RX_DONE

    def _keep(self, payload: bytes, reception: Reception, intact: bool) -> None:
        self.write(self._write_at, payload)
        self.received = (len(payload), self._write_at)
        self._write_at = (self._write_at + len(payload)) & 0xFF
        rssi = half_db(reception.rssi_dbm)
        if self._settings.packet_type == LORA_TYPE:
            snr = round(4 * min(reception.snr_db, _SNR_SHOWN_MAX_DB)) & 0xFF
            self.packet_status = bytes((rssi, snr, half_db(reception.signal_dbm)))
        else:
            self.packet_status = bytes((_RECEIVED if intact else _RECEIVED | _CRC_ERROR, rssi, rssi))


def half_db(dbm: float) -> int:
    """A level as the chip shows it: -dBm x 2 in one byte."""
    return max(0, min(255, round(-2 * dbm)))
