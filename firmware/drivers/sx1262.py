"""Semtech SX1262 radio on SPI, LoRa (DS_SX1261-2_V2.1; numbers in brackets are its sections).

Non-blocking: ``send`` / ``receive`` start, ``poll`` tells what happened. Every wait for BUSY has a timeout. A
packet whose CRC or header failed is never handed out; one that passed is not trusted for it: the frame's own
MAC decides. Not every device needs ``sx1262_gfsk``, ``sx1262_cad`` and ``sx1262_watch``: they are modules of
functions that take this driver, and cost no heap until imported.
"""

import time

from drivers.sx1262_port import Port, Sx1262Error
from micropython import const

# Commands (section 13)                args after the opcode
_SET_SLEEP = const(0x84)  # 13.1.1: config
_SET_STANDBY = const(0x80)  # 13.1.2: 0 = RC 13 MHz, 1 = crystal
_SET_TX = const(0x83)  # 13.1.4: timeout[3] x 15.625 us, 0 = none
_SET_RX = const(0x82)  # 13.1.5: timeout[3], 0 = one packet, 0xFFFFFF = continuous
_SET_REGULATOR_MODE = const(0x96)  # 13.1.11: 1 = DC-DC
_CALIBRATE = const(0x89)  # 13.1.12: blocks
_CALIBRATE_IMAGE = const(0x98)  # 13.1.13: freq1, freq2
_SET_PA_CONFIG = const(0x95)  # 13.1.14: duty, hp max, device, lut
_SET_FALLBACK = const(0x93)  # 13.1.15: 0x20 = standby RC
_WRITE_BUFFER = const(0x0E)  # 13.2.3: offset, data
_READ_BUFFER = const(0x1E)  # 13.2.4: offset, nop
_SET_DIO_IRQ = const(0x08)  # 13.3.1: irq[2], dio1[2], dio2[2], dio3[2]
_GET_IRQ = const(0x12)  # 13.3.3
_CLEAR_IRQ = const(0x02)  # 13.3.4: irq[2]
_SET_DIO2_RF_SWITCH = const(0x9D)  # 13.3.5: 1
_SET_DIO3_TCXO = const(0x97)  # 13.3.6: voltage, delay[3] x 15.625 us
_SET_FREQUENCY = const(0x86)  # 13.4.1: freq[4] = Hz * 2^25 / 32 MHz
_SET_PACKET_TYPE = const(0x8A)  # 13.4.2: 1 = LoRa
_SET_TX_PARAMS = const(0x8E)  # 13.4.4: dBm, ramp
_SET_MODULATION = const(0x8B)  # 13.4.5.2: sf, bw, cr, low data rate optimisation
_SET_PACKET = const(0x8C)  # 13.4.6.2: preamble[2], implicit, length, crc, inverted iq
_SET_BUFFER_BASE = const(0x8F)  # 13.4.8: tx, rx
_GET_RX_BUFFER = const(0x13)  # 13.5.2: length, start
_GET_PACKET_STATUS = const(0x14)  # 13.5.3: rssi, snr, signal rssi
_GET_RSSI = const(0x15)  # 13.5.4
_GET_ERRORS = const(0x17)  # 13.6.1
_CLEAR_ERRORS = const(0x07)  # 13.6.2: 0, 0

# Registers (section 12) and errata (section 15)
_REG_IQ = const(0x0736)  # 15.4: bit 2 = 1 for standard IQ, 0 for inverted
_REG_SYNC_WORD = const(0x0740)  # LoRa sync word, two bytes
_REG_TX_MODULATION = const(0x0889)  # 15.1: bit 2 = 0 only for LoRa at 500 kHz
_REG_RX_GAIN = const(0x08AC)  # 9.6: 0x94 power saving, 0x96 boosted
_REG_TX_CLAMP = const(0x08D8)  # 15.2: bits 4..1 = 1, antenna mismatch
_REG_OVER_CURRENT = const(0x08E7)  # 5.1: limit of the amplifier in steps of 2.5 mA
_REG_RETENTION = const(0x029F)  # 9.6: count and addresses kept in warm sleep

# Interrupts (table 13-29)
_TX_DONE = const(0x0001)
_RX_DONE = const(0x0002)
_HEADER_ERROR = const(0x0020)
_CRC_ERROR = const(0x0040)
_TIMEOUT = const(0x0200)
_ALL = const(0x03FF)

_TCXO_DELAY = const(320)  # 5 ms in steps of 15.625 us
_CONTINUOUS = const(0xFFFFFF)
_SYNC_PRIVATE = b"\x14\x24"
_RETENTION_LIST = b"\x01\x08\xac"  # one register: the receive gain; its count is 0 after a cold start
_RAMP_200_US = const(0x04)

# Voltage codes of DIO3 (table 13-35): millivolts -> code.
_TCXO_CODES = {1600: 0, 1700: 1, 1800: 2, 2200: 3, 2400: 4, 2700: 5, 3000: 6, 3300: 7}
# Bandwidth codes (table 13-48): hertz -> code.
_BANDWIDTH_CODES = {62500: 3, 125000: 4, 250000: 5, 500000: 6}
# Image calibration (table 9-2): band edges in MHz, then the two arguments.
_IMAGE_BANDS = (
    (430, 440, b"\x6b\x6f"),
    (470, 510, b"\x75\x81"),
    (779, 787, b"\xc1\xc5"),
    (863, 870, b"\xd7\xdb"),
    (902, 928, b"\xe1\xe9"),
)
# Optimal PA settings (table 13-21): output dBm, duty cycle, hp max; SetTxParams is +22 at each. Then the current
# limit, half as much again as a matched antenna takes (45, 58, 84, 118 mA), at most the 140 mA of the data sheet.
_PA_SETTINGS = ((14, 2, 2, 28), (17, 2, 3, 36), (20, 3, 5, 50), (22, 4, 7, 56))

# What poll() answers.
NOTHING = 0
SENT = 1
RECEIVED = 2
RX_TIMEOUT = 3
RX_CORRUPT = 4  # header or CRC failed; counted in corrupt_count
TX_TIMEOUT = 5

PACKET_BYTES_MAX = 255


class Sx1262(Port):
    """One SX1262.

    Args:
        spi: machine.SPI, mode 0, at most 16 MHz.
        cs: machine.Pin, output, 1.
        busy, dio1: machine.Pin, inputs.
        reset: machine.Pin, output, 1.
        tcxo_mv: supply of a TCXO on DIO3 in millivolts (see the module's data sheet), 0 for a crystal.
        dio2_rf_switch: True when DIO2 drives the antenna switch.
        rx_enable: machine.Pin, output, of a switch that needs a second line: 1 while the chip may receive.
    """

    def __init__(
        self, spi, cs, busy, dio1, reset, tcxo_mv: int = 0, dio2_rf_switch: bool = True, rx_enable=None
    ):
        if tcxo_mv and tcxo_mv not in _TCXO_CODES:
            raise Sx1262Error("no such TCXO voltage")
        super().__init__(spi, cs, busy)
        self.dio1 = dio1
        self._reset = reset
        self._tcxo_mv = tcxo_mv
        self._dio2_rf_switch = dio2_rf_switch
        self._rx_enable = rx_enable
        self._image_band = b""
        self.packet_format = bytearray()  # arguments of SetPacketParams; what configures the chip sets these
        self._length_at = 0
        self._packet_us = 0  # a bound on the airtime: so much, and so much for every byte
        self._byte_us = 0
        self.spreading_factor = 0  # 0: GFSK
        self.symbol_us = 0  # of a LoRa symbol or a GFSK bit
        self._sending = False
        self.rssi_dbm = 0  # of the last packet received
        self.snr_quarter_db = 0  # LoRa only
        self.corrupt_count = 0

    # --- bring-up

    def begin(self, warm: bool = False) -> None:
        """Reset and set up what does not depend on the channel.

        Args:
            warm: the chip kept its registers in ``sleep`` while the microcontroller slept: only wake it
                (unless it forgot them).
        """
        self._image_band = b""
        if warm:
            self.asleep = True
            self.standby()
            if self.read_register(_REG_RETENTION) == _RETENTION_LIST[0]:
                return
        self._reset(0)
        time.sleep_ms(1)  # 8.1: at least 100 us
        self._reset(1)
        self.asleep = False
        self.wait_idle()
        self.standby()
        self.command(_SET_REGULATOR_MODE, 1)
        if self._tcxo_mv:
            code = _TCXO_CODES[self._tcxo_mv]
            self.command(_SET_DIO3_TCXO, code, 0, _TCXO_DELAY >> 8, _TCXO_DELAY & 0xFF)
            self.command(_CLEAR_ERRORS, 0, 0)  # 13.3.6: the crystal start failed before the TCXO had power
        self.command(_CALIBRATE, 0x7F)
        errors = self.errors()
        if errors:
            raise Sx1262Error("calibration failed: 0x%04x" % errors)
        if self._dio2_rf_switch:
            self.command(_SET_DIO2_RF_SWITCH, 1)
        self.command(_SET_FALLBACK, 0x20)
        self.command(_SET_BUFFER_BASE, 0, 0)
        self.write_register(_REG_SYNC_WORD, _SYNC_PRIVATE)
        if self.read_register(_REG_SYNC_WORD) != _SYNC_PRIVATE[0]:
            raise Sx1262Error("no answer on SPI")
        self.set_bits(_REG_TX_CLAMP, 0x1E, 0x1E)
        self.write_register(_REG_RETENTION, _RETENTION_LIST)

    def configure(
        self,
        frequency_hz: int,
        spreading_factor: int = 9,
        bandwidth_hz: int = 125000,
        coding_rate: int = 5,
        power_dbm: int = 14,
        preamble_symbols: int = 8,
        boosted_gain: bool = False,
    ) -> None:
        """LoRa: set channel, modulation and power; explicit header, CRC on, standard IQ, private sync word.

        The header being explicit, the timer that 15.3 tells of stops as it should.

        Args:
            frequency_hz: 150_000_000..960_000_000.
            spreading_factor: 5..12.
            bandwidth_hz: 62500, 125000, 250000 or 500000.
            coding_rate: 5..8, the denominator of 4/x.
            power_dbm: -9..22.
            preamble_symbols: 6..65535.
            boosted_gain: 2 dB better reception for 0.7 mA.
        """
        if (
            bandwidth_hz not in _BANDWIDTH_CODES
            or not 5 <= spreading_factor <= 12
            or not 5 <= coding_rate <= 8
        ):
            raise Sx1262Error("bandwidth, spreading factor or coding rate out of range")
        self.tune(1, frequency_hz, power_dbm, boosted_gain)
        self.spreading_factor = spreading_factor
        self.symbol_us = symbol_us = (1 << spreading_factor) * 1_000_000 // bandwidth_hz
        slow = 1 if symbol_us >= 16_000 else 0  # 6.1.1.4
        self.command(_SET_MODULATION, spreading_factor, _BANDWIDTH_CODES[bandwidth_hz], coding_rate - 4, slow)
        self.set_bits(_REG_TX_MODULATION, 0x04, 0 if bandwidth_hz == 500000 else 0x04)
        packet = bytes((preamble_symbols >> 8, preamble_symbols & 0xFF, 0, PACKET_BYTES_MAX, 1, 0))
        # Sync word, header and rounding; a byte takes at most 3.2 symbols (SF5, 4/8).
        self.set_packet(packet, 3, (preamble_symbols + 64) * symbol_us, 4 * symbol_us)
        self.set_bits(_REG_IQ, 0x04, 0x04)

    def tune(self, packet_type: int, frequency_hz: int, power_dbm: int, boosted_gain: bool) -> None:
        """What LoRa (packet type 1) and GFSK (0) have in common; the type comes first (14.2)."""
        if not 150_000_000 <= frequency_hz <= 960_000_000 or not -9 <= power_dbm <= 22:
            raise Sx1262Error("frequency or power out of range")
        self.standby()
        self.command(_SET_PACKET_TYPE, packet_type)
        self._set_frequency(frequency_hz)
        self._set_power(power_dbm)
        self.write_register(_REG_RX_GAIN, b"\x96" if boosted_gain else b"\x94")

    def set_packet(self, packet_format, length_at: int, packet_us: int, byte_us: int) -> None:
        """Keep the arguments of SetPacketParams, where the length is in them, and a bound on the airtime."""
        self.packet_format = bytearray(packet_format)
        self._length_at = length_at
        self._packet_us = packet_us
        self._byte_us = byte_us
        self.set_packet_length(PACKET_BYTES_MAX)

    def _set_frequency(self, frequency_hz: int) -> None:
        """Also calibrates for the image when the band is another (9.2.1)."""
        frequency_mhz = frequency_hz // 1_000_000
        for low_mhz, high_mhz, band in _IMAGE_BANDS:
            if low_mhz <= frequency_mhz <= high_mhz and band != self._image_band:
                self.command(_CALIBRATE_IMAGE, band[0], band[1])
                self._image_band = band
        steps = (frequency_hz << 25) // 32_000_000
        self.command(_SET_FREQUENCY, steps >> 24 & 0xFF, steps >> 16 & 0xFF, steps >> 8 & 0xFF, steps & 0xFF)

    def _set_power(self, power_dbm: int) -> None:
        """The smallest amplifier that reaches ``power_dbm``, then less drive (13.1.14)."""
        for reach_dbm, duty, hp_max, limit in _PA_SETTINGS:
            if power_dbm <= reach_dbm:
                self.command(_SET_PA_CONFIG, duty, hp_max, 0, 1)
                self.write_register(_REG_OVER_CURRENT, bytes((limit,)))  # after SetPaConfig, which resets it
                self.command(_SET_TX_PARAMS, max(22 - (reach_dbm - power_dbm), -9) & 0xFF, _RAMP_200_US)
                return

    # --- work

    def send(self, data) -> None:
        """Start to transmit ``data`` (1..255 bytes); ``poll`` answers SENT or TX_TIMEOUT."""
        if not 1 <= len(data) <= PACKET_BYTES_MAX:
            raise Sx1262Error("a packet has 1..255 bytes")
        self.standby()
        self.set_packet_length(len(data))
        self.open(_WRITE_BUFFER, 0)
        self.spi.write(data)
        self.cs(1)
        self.expect(_TX_DONE | _TIMEOUT)
        self._start(_SET_TX, self._packet_us + len(data) * self._byte_us)

    def receive(self, timeout_ms: int | None = None) -> None:
        """Listen for one packet within ``timeout_ms``, or for ever when None.

        ``poll`` answers RECEIVED (once per packet, for ever) or RX_TIMEOUT.
        """
        self.prepare_reception()
        if timeout_ms is None:
            self.command(_SET_RX, 0xFF, 0xFF, 0xFF)
        else:
            self._start(_SET_RX, timeout_ms * 1000)

    def prepare_reception(self) -> None:
        """All of a reception but the command that begins it."""
        self.standby()
        self.set_packet_length(PACKET_BYTES_MAX)
        self.expect(_RX_DONE | _HEADER_ERROR | _CRC_ERROR | _TIMEOUT)

    def poll(self) -> int:
        """What happened since the last call: one of the constants above. Costs nothing while DIO1 is low."""
        if not self.dio1():
            return NOTHING
        irq = self.take_interrupts()
        if irq & (_HEADER_ERROR | _CRC_ERROR):
            self.corrupt_count += 1
            return RX_CORRUPT
        if irq & _RX_DONE:
            return RECEIVED
        if irq & _TX_DONE:
            return SENT
        if irq & _TIMEOUT:
            return TX_TIMEOUT if self._sending else RX_TIMEOUT
        return NOTHING

    def take_interrupts(self) -> int:
        """The interrupts raised since the last call (table 13-29); DIO1 falls."""
        self.ask(_GET_IRQ, 2)
        irq = self.answer[2] << 8 | self.answer[3]
        self.command(_CLEAR_IRQ, irq >> 8, irq & 0xFF)
        return irq

    def read_into(self, into) -> int:
        """Move the received packet into ``into`` and set ``rssi_dbm`` and ``snr_quarter_db``.

        Returns:
            Its length; a packet longer than ``into`` counts as corrupt and gives 0.
        """
        answer = self.answer
        self.ask(_GET_PACKET_STATUS, 3)
        if self.spreading_factor:
            self.rssi_dbm = -(answer[2] >> 1)
            self.snr_quarter_db = answer[3] - 256 if answer[3] >= 128 else answer[3]
        else:  # status, RSSI at the sync word, average: the last
            self.rssi_dbm = -(answer[4] >> 1)
            self.snr_quarter_db = 0
        self.ask(_GET_RX_BUFFER, 2)
        length = answer[2]
        start = answer[3]
        if length > len(into):
            self.corrupt_count += 1
            return 0
        self.open(_READ_BUFFER, start, 0)
        self.spi.readinto(memoryview(into)[:length])
        self.cs(1)
        return length

    def channel_rssi_dbm(self) -> int:
        """Power in the channel now; valid only while receiving (13.5.4)."""
        return -(self.ask(_GET_RSSI, 1) >> 1)

    def errors(self) -> int:
        """Device error bits (table 13-85), 0 when all calibrations and the oscillator are well."""
        self.ask(_GET_ERRORS, 2)
        return self.answer[2] << 8 | self.answer[3]

    def standby(self) -> None:
        """Stop whatever runs; wakes the chip when it sleeps."""
        if self.asleep:
            self.wake()
        self.command(_SET_STANDBY, 0)

    def sleep(self, retain: bool = True) -> None:
        """Warm sleep, 0.6 uA: registers are kept, the packet buffer is not; or cold, 0.16 uA: ``begin`` anew."""
        self.standby()
        self.command(_SET_SLEEP, 0x04 if retain else 0)
        self.asleep = True
        time.sleep_us(500)  # 13.1.1: so long it must not be selected, and the core may want to listen at once
        if self._rx_enable is not None:
            self._rx_enable(0)

    def set_packet_length(self, length: int) -> None:
        packet = self.packet_format
        packet[self._length_at] = length
        self.command(_SET_PACKET, *packet)

    def expect(self, irq: int) -> None:
        """Clear old interrupts; raise DIO1 for those in ``irq``. Points the antenna, too."""
        self._sending = bool(irq & _TX_DONE)
        if self._rx_enable is not None:
            self._rx_enable(0 if self._sending else 1)
        self.command(_CLEAR_IRQ, _ALL >> 8, _ALL & 0xFF)
        high, low = irq >> 8, irq & 0xFF
        self.command(_SET_DIO_IRQ, high, low, high, low, 0, 0, 0, 0)

    def _start(self, opcode: int, duration_us: int) -> None:
        steps = min(duration_us * 8 // 125, _CONTINUOUS - 1)
        self.command(opcode, steps >> 16, steps >> 8 & 0xFF, steps & 0xFF)
