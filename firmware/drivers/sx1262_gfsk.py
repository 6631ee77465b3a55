"""SX1262: GFSK (DS_SX1261-2_V2.1 6.2, 13.4.5.1, 13.4.6.1). Functions on a driver of ``sx1262``.

On the air: preamble, sync word of four bytes, length, data, CRC-CCITT of two bytes; length and data whitened
(6.2.3). The address filter is off: whom a frame is for is in the frame. The CRC only saves us the packets that
are wrong on sight: a packet that passes it is not trusted, its own MAC or CRC decides.
"""

import time

from drivers.sx1262 import PACKET_BYTES_MAX, Sx1262Error
from micropython import const

_SET_MODULATION = const(0x8B)  # 13.4.5.1: bit rate[3], pulse shape, bandwidth, deviation[3]
_REG_SYNC_WORD = const(0x06C0)  # 12.1: up to eight bytes
_REG_WHITENING = const(0x06B8)  # 6.2.3: initial value; the seven high bits must stay as they are
_REG_CRC = const(0x06BC)  # 6.2.3.5: initial value, polynomial
_REG_TX_MODULATION = const(0x0889)  # 15.1: bit 2 = 1 for everything but LoRa at 500 kHz

_BT_05 = const(0x09)  # table 13-43: Gaussian filter, bandwidth-time product 0.5
_DETECTOR_16_BITS = const(0x05)  # table 13-57; must be shorter than the sync word
_VARIABLE_LENGTH = const(1)
_CRC_2_BYTES_INVERTED = const(0x06)
_WHITENING = const(1)
_SYNC_WORD = b"\x6e\x4e\x57\x2d"
_SYNC_BITS = const(32)
_CCITT = b"\x1d\x0f\x10\x21"
_SETTLE_MS = const(1)  # of receiver and level meter, several bits
_LOOKS = const(5)  # EN 300 220 asks for 160 us of clear channel; a look costs about 100 us
# Double-sided receiver bandwidths (table 13-45), those above 20 kHz: hertz, code.
_BANDWIDTHS = (
    (23400, 0x15),
    (29300, 0x0D),
    (39000, 0x1C),
    (58600, 0x0C),
    (78200, 0x1B),
    (117300, 0x0B),
    (156200, 0x1A),
    (234300, 0x0A),
    (312000, 0x19),
    (467000, 0x09),
)


def configure(
    chip,
    frequency_hz: int,
    bitrate_bps: int = 50000,
    deviation_hz: int = 25000,
    bandwidth_hz: int = 117300,
    power_dbm: int = 14,
    preamble_bits: int = 64,
    boosted_gain: bool = False,
) -> None:
    """Set channel, modulation and power; then ``send``, ``receive`` and ``poll`` as with LoRa.

    Args:
        frequency_hz: 150_000_000..960_000_000.
        bitrate_bps: 600..300_000.
        deviation_hz: up to 200_000; bit rate + 2 x deviation must fit into the bandwidth.
        bandwidth_hz: of the receiver; the next wider one that the chip has is taken.
        power_dbm: -9..22.
        preamble_bits: 24..65535.
    """
    if not 600 <= bitrate_bps <= 300000 or not 24 <= preamble_bits <= 65535:
        raise Sx1262Error("bit rate or preamble out of range")
    if bitrate_bps + 2 * deviation_hz > bandwidth_hz or deviation_hz < 600:
        raise Sx1262Error("the receiver's bandwidth does not hold the signal")
    codes = [code for hertz, code in _BANDWIDTHS if hertz >= bandwidth_hz]
    if not codes:
        raise Sx1262Error("bandwidth out of range")
    chip.tune(0, frequency_hz, power_dbm, boosted_gain)
    chip.spreading_factor = 0
    chip.symbol_us = 1_000_000 // bitrate_bps
    rate = 32 * 32_000_000 // bitrate_bps
    deviation = (deviation_hz << 25) // 32_000_000
    chip.command(
        _SET_MODULATION,
        *rate.to_bytes(3, "big"),
        _BT_05,
        codes[0],
        *deviation.to_bytes(3, "big"),
    )
    chip.set_bits(_REG_TX_MODULATION, 0x04, 0x04)
    chip.write_register(_REG_SYNC_WORD, _SYNC_WORD)
    chip.write_register(_REG_CRC, _CCITT)
    chip.set_bits(_REG_WHITENING, 0x01, 0x01)
    chip.write_register(_REG_WHITENING + 1, b"\x00")
    packet = (
        preamble_bits >> 8,
        preamble_bits & 0xFF,
        _DETECTOR_16_BITS,
        _SYNC_BITS,
        0,  # no address
        _VARIABLE_LENGTH,
        PACKET_BYTES_MAX,
        _CRC_2_BYTES_INVERTED,
        _WHITENING,
    )
    byte_us = 8_000_000 // bitrate_bps + 1
    # As much again: the bound is for a chip that hangs, not for one that is slow.
    chip.set_packet(packet, 6, 2 * (preamble_bits // 8 + 8) * byte_us, 2 * byte_us)


def channel_busy(chip, threshold_dbm: int) -> bool:
    """Listen before talk: whether anything in the channel is at or above the threshold. Blocks about 2 ms."""
    chip.receive()
    time.sleep_ms(_SETTLE_MS)
    return any(chip.channel_rssi_dbm() >= threshold_dbm for _ in range(_LOOKS))
