"""What the SX1262 has been told: packet type, modulation, packet format, amplifier, registers, buffer."""

from groundnet.sim.chips import sx1262_tables as table
from groundnet.sim.modulation import Gfsk, Lora, Modulation

GFSK_TYPE, LORA_TYPE = 0, 1
_FALLBACKS = {0x20: table.STANDBY_RC, 0x30: table.STANDBY_XOSC, 0x40: table.FS}
_GFSK_CRC_BYTES = {0x00: 1, 0x01: 0, 0x02: 2, 0x04: 1, 0x06: 2}  # table 13-64


class Refused(Exception):
    """The silicon would not carry the command out."""


class Settings:
    """Settings that a warm sleep keeps and a cold start or reset forgets."""

    def __init__(self) -> None:
        self.packet_type = GFSK_TYPE
        self.packet_type_told = False
        self.frequency_hz = 0
        self.modulation_args = b""
        self.packet_args = b""
        self.pa_args = b""  # duty, hp max, device, lut
        self.tx_power_code = 0
        self.ramp_us = 40
        self.tx_base = 0
        self.rx_base = 0
        self.irq_mask = 0
        self.dio1_mask = 0
        self.fallback = table.STANDBY_RC
        self.stop_timer_on_preamble = False
        self.dc_dc = False
        self.dio2_switch = False
        self.tcxo_mv = 0
        self.tcxo_delay_us = 0
        self.calibrated = 0  # bits of table 13-18 that are good
        self.image_band_mhz: tuple[int, int] = (902, 928)
        self.cad_args = b"\x01\x18\x0a\x00\x00\x00\x00"
        self.symbol_timeout = 0
        self.registers: dict[int, int] = {}
        for start, values in table.REGISTER_RESET.items():
            for offset, value in enumerate(values):
                self.registers[start + offset] = value

    # --- commands that only set something; args are the bytes after the opcode

    def set_packet_type(self, args: bytes) -> None:
        if args[0] not in (GFSK_TYPE, LORA_TYPE):
            raise Refused(f"packet type {args[0]}")
        self.packet_type_told = True
        if args[0] != self.packet_type:
            self.packet_type = args[0]
            self.modulation_args = self.packet_args = b""

    def set_frequency(self, args: bytes) -> None:
        frequency_hz = round(int.from_bytes(args[0:4], "big") * 32e6 / (1 << 25))
        if not 150_000_000 <= frequency_hz <= 960_000_000:
            raise Refused(f"{frequency_hz} Hz")
        self.frequency_hz = frequency_hz

    def set_modulation(self, args: bytes) -> None:
        if self.packet_type == LORA_TYPE:
            valid = 5 <= args[0] <= 12 and args[1] in table.LORA_BANDWIDTH_HZ and 1 <= args[2] <= 4
        else:
            valid = len(args) >= 8 and args[4] in table.GFSK_BANDWIDTH_HZ and any(args[0:3])
        if not valid:
            raise Refused(f"modulation {args.hex()} for packet type {self.packet_type}")
        self.modulation_args = args

    def set_packet(self, args: bytes) -> None:
        if len(args) < (6 if self.packet_type == LORA_TYPE else 9):
            raise Refused(f"packet parameters {args.hex()} for packet type {self.packet_type}")
        self.packet_args = args

    def set_pa(self, args: bytes) -> None:
        if args[0] > 7 or args[1] > 7 or args[2] != 0 or args[3] != 1:
            raise Refused(f"amplifier settings {args.hex()}")
        self.pa_args = args
        self.registers[table.REG_OVER_CURRENT] = table.OVER_CURRENT_USUAL

    def set_tx_params(self, args: bytes) -> None:
        if 22 < args[0] < 256 - 9 or args[1] > 7:
            raise Refused(f"transmit parameters {args.hex()}")
        self.tx_power_code = args[0]
        self.ramp_us = table.PA_RAMP_US[args[1]]

    def set_fallback(self, args: bytes) -> None:
        if args[0] not in _FALLBACKS:
            raise Refused(f"fallback mode 0x{args[0]:02x}")
        self.fallback = _FALLBACKS[args[0]]

    def set_tcxo(self, args: bytes) -> None:
        self.tcxo_mv = table.TCXO_MV[args[0] & 7]
        self.tcxo_delay_us = round(int.from_bytes(args[1:4], "big") * table.TIMER_STEP_US)

    def set_regulator(self, args: bytes) -> None:
        self.dc_dc = bool(args[0])

    def set_dio2_switch(self, args: bytes) -> None:
        self.dio2_switch = bool(args[0])

    def set_buffer_base(self, args: bytes) -> None:
        self.tx_base, self.rx_base = args[0], args[1]

    def set_cad_params(self, args: bytes) -> None:
        self.cad_args = args

    def set_symbol_timeout(self, args: bytes) -> None:
        self.symbol_timeout = args[0]

    def set_stop_timer_on_preamble(self, args: bytes) -> None:
        self.stop_timer_on_preamble = bool(args[0])

    # --- derived

    @property
    def symbol_us(self) -> float:
        """Duration of a LoRa symbol."""
        return (1 << self.modulation_args[0]) * 1e6 / table.LORA_BANDWIDTH_HZ[self.modulation_args[1]]

    @property
    def output_dbm(self) -> float:
        """Power at the antenna pin (13.1.14): the amplifier's reach, less what SetTxParams holds back.

        The over-current protection (5.1) allows no more than its limit's worth.
        """
        code = self.tx_power_code - 256 if self.tx_power_code > 127 else self.tx_power_code
        asked_dbm = table.PA_REACH_DBM[self.pa_args[1]] - (22 - code)
        limit_ua = self.registers[table.REG_OVER_CURRENT] * table.OVER_CURRENT_STEP_UA
        return min(asked_dbm, table.power_at_dbm(limit_ua))

    @property
    def payload_length(self) -> int:
        """SetPacketParams: the length to send, or the longest to accept."""
        return self.packet_args[3] if self.packet_type == LORA_TYPE else self.packet_args[6]

    @property
    def boosted(self) -> bool:
        return self.registers[table.REG_RX_GAIN] == table.RX_GAIN_BOOSTED

    @property
    def noise_figure_db(self) -> float:
        """6 dB with boosted gain, 2 dB worse without (9.6), 6 dB worse when the image is not calibrated."""
        low_mhz, high_mhz = self.image_band_mhz
        figure_db = 6.0 if self.boosted else 8.0
        if not low_mhz <= self.frequency_hz / 1e6 <= high_mhz:
            figure_db += 6.0  # 9.2.1 says that image rejection suffers; how much, only hardware can tell
        return figure_db

    @property
    def tx_clamp_fixed(self) -> bool:
        """Errata 15.2: bits 4..1 of 0x08D8 keep a mismatched antenna from cutting the power."""
        return self.registers[table.REG_TX_CLAMP] & 0x1E == 0x1E

    @property
    def modulation_quality(self) -> bool:
        """Errata 15.1: bit 2 of 0x0889 must be 0 for LoRa at 500 kHz and 1 for everything else."""
        at_500_khz = self.packet_type == LORA_TYPE and self.modulation_args[1] == 0x06
        return bool(self.registers[table.REG_TX_MODULATION] & 0x04) != at_500_khz

    @property
    def inverted_iq_works(self) -> bool:
        """Errata 15.4: bit 2 of 0x0736 must be 0 for inverted IQ, 1 for standard."""
        if self.packet_type != LORA_TYPE:
            return True
        standard = bool(self.registers[table.REG_IQ] & 0x04)
        return standard != bool(self.packet_args[5])

    def check_complete(self) -> None:
        """Raise Refused when something must still be set before the radio can be used."""
        if not self.frequency_hz:
            raise Refused("no frequency")
        if not self.packet_type_told:
            raise Refused("no packet type")
        if not self.modulation_args:
            raise Refused("no modulation parameters")
        if not self.packet_args:
            raise Refused("no packet parameters")

    def modulation(self) -> Modulation:
        """The frame format for the medium."""
        if self.packet_type == LORA_TYPE:
            return self._lora()
        args, packet = self.modulation_args, self.packet_args
        bitrate_code = int.from_bytes(args[0:3], "big")
        deviation_code = int.from_bytes(args[5:8], "big")
        sync_bytes = (packet[3] + 7) // 8
        return Gfsk(
            frequency_hz=self.frequency_hz,
            bitrate_bps=round(32 * 32e6 / bitrate_code),
            deviation_hz=round(deviation_code * 32e6 / (1 << 25)),
            bandwidth_hz=table.GFSK_BANDWIDTH_HZ[args[4]],
            preamble_bits=packet[0] << 8 | packet[1],
            sync_word=bytes(self.registers[table.REG_SYNC_GFSK + i] for i in range(sync_bytes)),
            variable_length=bool(packet[5]),
            crc_bytes=_GFSK_CRC_BYTES.get(packet[7], 2),
            whitening=bool(packet[8]),
        )

    def _lora(self) -> Lora:
        args, packet = self.modulation_args, self.packet_args
        sync = self.registers[table.REG_SYNC_LORA] << 8 | self.registers[table.REG_SYNC_LORA + 1]
        return Lora(
            frequency_hz=self.frequency_hz,
            spreading_factor=args[0],
            bandwidth_hz=table.LORA_BANDWIDTH_HZ[args[1]],
            coding_rate=args[2] + 4,
            preamble_symbols=packet[0] << 8 | packet[1],
            explicit_header=packet[2] == 0,
            crc=bool(packet[4]),
            inverted_iq=bool(packet[5]),
            sync_word=sync,
            low_data_rate=bool(args[3]),
        )

    def forget_what_warm_sleep_loses(self) -> None:
        """9.6: the gain register survives a warm sleep only when the retention list names it."""
        count = min(self.registers[table.REG_RETENTION], 4)
        kept = {
            self.registers[table.REG_RETENTION + 1 + 2 * i] << 8
            | self.registers[table.REG_RETENTION + 2 + 2 * i]
            for i in range(count)
        }
        if table.REG_RX_GAIN not in kept:
            self.registers[table.REG_RX_GAIN] = table.REGISTER_RESET[table.REG_RX_GAIN][0]
