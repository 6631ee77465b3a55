"""What a radio frame looks like on the air: LoRa and GFSK parameters, airtime, and the SNR they need."""

import math
from dataclasses import dataclass

THERMAL_NOISE_DBM_HZ = -174.0
# Signal-to-noise ratio in dB at which 1 % of LoRa frames are lost (SX1262 datasheet table 6-1).
_LORA_SNR_DB = {5: -2.5, 6: -5.0, 7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
# SNR in the receiver's bandwidth for 0.1 % bit errors, from the sensitivities of table 3-8 (boosted gain, noise figure
# 6 dB): about 7 dB at the usual indices; a large modulation index trades bandwidth for it.
_GFSK_SNR_DB = 7.2
_GFSK_USUAL_INDEX = 2.67


def noise_floor_dbm(bandwidth_hz: int, noise_figure_db: float) -> float:
    """Thermal noise in a receiver's bandwidth, dBm."""
    return THERMAL_NOISE_DBM_HZ + 10 * math.log10(bandwidth_hz) + noise_figure_db


@dataclass(frozen=True)
class Lora:
    """One LoRa configuration; ``coding_rate`` is the denominator of 4/x, 5..8."""

    frequency_hz: int
    spreading_factor: int
    bandwidth_hz: int = 125_000
    coding_rate: int = 5
    preamble_symbols: int = 8
    explicit_header: bool = True
    crc: bool = True
    inverted_iq: bool = False
    sync_word: int = 0x1424
    low_data_rate: bool | None = None  # None: on when a symbol lasts 16 ms or more, as the datasheet asks

    @property
    def symbol_us(self) -> float:
        return (1 << self.spreading_factor) * 1e6 / self.bandwidth_hz

    @property
    def required_snr_db(self) -> float:
        return _LORA_SNR_DB[self.spreading_factor]

    @property
    def preamble_us(self) -> float:
        """Preamble with sync word and the quarter symbols after it."""
        return (self.preamble_symbols + (6.25 if self.spreading_factor <= 6 else 4.25)) * self.symbol_us

    @property
    def lock_us(self) -> float:
        """How much of the preamble a receiver must still hear to lock on: five symbols."""
        return min(5 * self.symbol_us, self.preamble_us)

    @property
    def header_us(self) -> float:
        """The first eight symbols after the preamble hold the explicit header."""
        return 8 * self.symbol_us

    def airtime_us(self, payload_bytes: int) -> int:
        """Time on air (datasheet 6.1.4), microseconds.

        12 bytes at SF9/125 kHz take 144,384 us.
        """
        sf = self.spreading_factor
        bits = 8 * payload_bytes + 16 * self.crc - 4 * sf + 20 * self.explicit_header
        if sf >= 7:
            bits += 8
        per_block = 4 * (sf - 2 * self._optimised)
        symbols = 8 + math.ceil(max(bits, 0) / per_block) * self.coding_rate
        return round(self.preamble_us + symbols * self.symbol_us)

    @property
    def _optimised(self) -> bool:
        return self.symbol_us >= 16_000 if self.low_data_rate is None else self.low_data_rate

    def hears(self, sent: "Modulation") -> bool:
        """True when a receiver with this configuration locks on to a frame ``sent`` that is strong enough."""
        return (
            isinstance(sent, Lora)
            and abs(self.frequency_hz - sent.frequency_hz) <= self.bandwidth_hz / 4
            and self.spreading_factor == sent.spreading_factor
            and self.bandwidth_hz == sent.bandwidth_hz
            and self.inverted_iq == sent.inverted_iq
            and self.sync_word == sent.sync_word
        )

    def rejection_db(self, other: "Modulation") -> float:
        """How much stronger a disturbing frame may be; negative: it must be weaker by that much.

        The same spreading factor disturbs unless it is 6 dB weaker (capture); others are nearly orthogonal.
        """
        if isinstance(other, Lora) and other.bandwidth_hz == self.bandwidth_hz:
            return -6.0 if other.spreading_factor == self.spreading_factor else 16.0
        return 6.0  # spread against something narrow or wider: some processing gain remains


@dataclass(frozen=True)
class Gfsk:
    """One GFSK configuration with variable or fixed length."""

    frequency_hz: int
    bitrate_bps: int
    deviation_hz: int
    bandwidth_hz: int
    preamble_bits: int = 32
    sync_word: bytes = b"\x97\x23\x52\x25\x56\x53\x65\x64"
    variable_length: bool = True
    crc_bytes: int = 2
    whitening: bool = True

    @property
    def crc(self) -> bool:
        return self.crc_bytes > 0

    @property
    def explicit_header(self) -> bool:
        return self.variable_length

    @property
    def index(self) -> float:
        """Modulation index, 2 x deviation / bit rate."""
        return 2 * self.deviation_hz / self.bitrate_bps

    @property
    def occupied_hz(self) -> int:
        """Carson's rule for the first harmonic of the bits: what a receiver must let through."""
        return self.bitrate_bps + 2 * self.deviation_hz

    @property
    def required_snr_db(self) -> float:
        return _GFSK_SNR_DB - max(0.0, 10 * math.log10(self.index / _GFSK_USUAL_INDEX))

    @property
    def preamble_us(self) -> float:
        return (self.preamble_bits + 8 * len(self.sync_word)) * 1e6 / self.bitrate_bps

    @property
    def lock_us(self) -> float:
        """Sixteen bits of preamble and the sync word."""
        return min((16 + 8 * len(self.sync_word)) * 1e6 / self.bitrate_bps, self.preamble_us)

    @property
    def header_us(self) -> float:
        return 8e6 * self.variable_length / self.bitrate_bps

    def airtime_us(self, payload_bytes: int) -> int:
        """Time on air, microseconds: preamble, sync word, length, payload, CRC."""
        bits = 8 * (self.variable_length + payload_bytes + self.crc_bytes)
        return round(self.preamble_us + bits * 1e6 / self.bitrate_bps)

    def hears(self, sent: "Modulation") -> bool:
        """True when the signal fits through this receiver's filter and begins with its sync word."""
        if not isinstance(sent, Gfsk):
            return False
        offset_hz = abs(self.frequency_hz - sent.frequency_hz)
        return (
            offset_hz <= self.bandwidth_hz / 4
            and sent.occupied_hz + 2 * offset_hz <= self.bandwidth_hz
            and self.bitrate_bps == sent.bitrate_bps
            and 0.5 <= self.deviation_hz / sent.deviation_hz <= 2
            and self.sync_word == sent.sync_word
            and sent.preamble_bits >= 16
        )

    def rejection_db(self, other: "Modulation") -> float:
        return -6.0 if isinstance(other, Gfsk) else -8.0


@dataclass(frozen=True)
class Burst:
    """Somebody else's signal or a spark: energy in a band, which no receiver here can read."""

    frequency_hz: int
    bandwidth_hz: int
    crc: bool = False
    explicit_header: bool = False
    required_snr_db: float = math.inf
    preamble_us: float = 0.0
    lock_us: float = 0.0
    header_us: float = 0.0

    def airtime_us(self, payload_bytes: int) -> int:
        """Who sends a burst says how long it is."""
        raise NotImplementedError

    def hears(self, sent: "Modulation") -> bool:
        return False

    def rejection_db(self, other: "Modulation") -> float:
        return 0.0


Modulation = Lora | Gfsk | Burst
