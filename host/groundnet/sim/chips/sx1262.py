"""SX1262 radio at command level (Semtech DS_SX1261-2_V2.1; numbers in brackets are its sections).

Modelled: SPI transactions, BUSY and mode-switch times (8.2, 8.3), all modes and who may be called in which
(9, 13.1), cold and warm sleep with the retention list (9.6), reset, TCXO on DIO3 and its start-up errors
(13.3.6), calibration and image calibration (9.2.1), LoRa and GFSK packets, buffer pointers (7), timers (9.2,
13.1.4), interrupts and DIO1 (8.5), packet status units (13.5.3), instant RSSI over noise and interferers (13.5.4),
statistics, CAD (13.1.9), duty-cycled receive turn by turn (13.1.7), the four errata of section 15, output power,
current and over-current limit of the amplifier settings (13.1.14, 5.1). What silicon would refuse or spoil is
refused: command while BUSY, wrong mode, missing crystal or calibration, unknown opcode, short arguments, no packet
type first, a transmission with bad modulation quality. ``refusals`` lists each with its time; a test may ask that
it is empty.

Duty-cycled receive keeps BUSY high from its command to its end. Real silicon lowers it while it listens, but a driver
cannot know when that is: it has to wake the chip first, and here it always has to.

Not modelled: LR-FHSS, GFSK address filtering and data whitening as such, DIO2/DIO3 interrupts, detection parameters
of CAD. Only hardware can tell: real sensitivity and image rejection, frequency error and its drift in a long frame,
spurious CAD, what a shared supply does to the TCXO.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from groundnet.sim.antenna import Position
from groundnet.sim.chips import sx1262_tables as table
from groundnet.sim.chips.sx1262_air import Transceiver
from groundnet.sim.chips.sx1262_link import CommandPort
from groundnet.sim.chips.sx1262_modes import AWAKE, IDLE, READY
from groundnet.sim.chips.sx1262_settings import Refused, Settings
from groundnet.sim.power import PowerAccount
from groundnet.sim.radio import Medium
from groundnet.sim.signals import Line
from groundnet.sim.world import World


@dataclass(frozen=True)
class _Command:
    name: str
    least_args: int
    modes: set[str]
    run: Callable[["Sx1262", bytes], None]


@dataclass(frozen=True)
class _Query:
    name: str
    args: int
    read: Callable[["Sx1262", bytes], bytes]


class Sx1262(Transceiver):
    """One chip. Attach it to an SPI bus.

    Args:
        world: clock and random streams.
        name: unique in the medium.
        medium: the air.
        position: metres east and north at a time in microseconds.
        busy, dio1: pins that the chip drives.
        reset: pin that the board drives, active low.
        power: account of the board.
        tcxo_mv: supply that the module's TCXO needs on DIO3; 0 for a crystal.
        dio2_rf_switch: True when DIO2 drives the antenna switch of the module.
        part: name in the power account.
    """

    def __init__(
        self,
        world: World,
        name: str,
        medium: Medium,
        position: Callable[[int], Position],
        busy: Line,
        dio1: Line,
        reset: Line,
        power: PowerAccount,
        tcxo_mv: int = 0,
        dio2_rf_switch: bool = True,
        part: str = "radio",
    ) -> None:
        self._random = world.random(f"sx1262/{name}")
        port = CommandPort(world, busy, self)
        self.select = port.select
        self.deselect = port.deselect
        self.spi_transfer = port.spi_transfer
        antenna = medium.attach(name, position, self._on_receive, self._on_lock)
        super().__init__(world, port, medium, antenna, dio1, reset, power, part, tcxo_mv, dio2_rf_switch)

    # --- what the port asks

    def on_select(self) -> str:
        """Falling chip select: wakes a sleeping chip, whose transaction is then lost (9.3)."""
        if not self._reset_pin.level:
            return "in reset"
        if self.mode == table.TURNS:
            self._port.hold_busy(table.WARM_START_US)
            self._enter(table.RX)  # until SetStandby it listens
            return "waking"
        if self.mode != table.SLEEP:
            return ""
        if self._world.now_us - self._slept_us < table.SLEEP_QUIET_US:
            self.refuse("selected within 500 us of SetSleep")
        if self._warm:
            self.settings.forget_what_warm_sleep_loses()
            self._enter(table.STANDBY_RC)
            self._port.hold_busy(table.WARM_START_US)
        else:
            self._cold_start()
        return "waking"

    def execute(self, command: bytes) -> None:
        """Rising chip select: run the command, unless this chip in this mode would not."""
        if command[0] in _QUERIES:
            return
        entry = _COMMANDS.get(command[0])
        if entry is None:
            self.refuse(f"unknown opcode 0x{command[0]:02x}")
        elif len(command) - 1 < entry.least_args:
            self.refuse(f"{entry.name} with {len(command) - 1} argument bytes")
        elif self.mode not in entry.modes:
            self.refuse(f"{entry.name} in {self.mode}")
        else:
            self._command_status = 0
            self._port.hold_busy(table.COMMAND_US)
            try:
                entry.run(self, command[1:])
            except Refused as refused:
                self.refuse(f"{entry.name}: {refused}")

    def answer(self, command: bytes) -> bytes | None:
        query = _QUERIES.get(command[0]) if command else None
        if query is None or len(command) < 1 + query.args:
            return None
        return query.read(self, bytes(command[1:]))

    def status_byte(self) -> int:
        return table.MODE_BITS[self.mode] << 4 | self._command_status << 1

    # --- registers and buffer

    def _write_register(self, args: bytes) -> None:
        address = args[0] << 8 | args[1]
        for offset, value in enumerate(args[2:]):
            self.settings.registers[address + offset] = value
        if address <= table.REG_RTC_CONTROL < address + len(args) - 2:
            self._stop_left_timer()  # errata 15.3

    def _read_register(self, args: bytes) -> bytes:
        address = args[0] << 8 | args[1]
        return bytes(self._register(address + offset) for offset in range(256))

    def _register(self, address: int) -> int:
        if table.REG_RANDOM <= address < table.REG_RANDOM + 4 and self.mode == table.RX:
            return self._random.getrandbits(8)
        return self.settings.registers.get(address, 0)

    def _write_buffer(self, args: bytes) -> None:
        self._packets.write(args[0], args[1:])

    # --- the rest

    def _clear_errors(self, args: bytes) -> None:
        self.errors = 0

    def _reset_statistics(self, args: bytes) -> None:
        self._packets.statistics = [0, 0, 0]


def _setting(setter: Callable[[Settings, bytes], None]) -> Callable[[Sx1262, bytes], None]:
    return lambda chip, args: setter(chip.settings, args)


def _words(values: Iterable[int]) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


# opcode -> name, least number of argument bytes, modes that accept it (13.1 to 13.6), what it does
_COMMANDS = {
    0x84: _Command("SetSleep", 1, IDLE, Sx1262._set_sleep),
    0x80: _Command("SetStandby", 1, AWAKE, Sx1262._set_standby),
    0xC1: _Command("SetFs", 0, AWAKE, Sx1262._set_fs),
    0x83: _Command("SetTx", 3, READY | {table.RX}, Sx1262._set_tx),
    0x82: _Command("SetRx", 3, READY | {table.RX}, Sx1262._set_rx),
    0x9F: _Command("StopTimerOnPreamble", 1, AWAKE, _setting(Settings.set_stop_timer_on_preamble)),
    0x94: _Command("SetRxDutyCycle", 6, {table.STANDBY_RC}, Sx1262._set_rx_duty_cycle),
    0xC5: _Command("SetCad", 0, READY | {table.RX}, Sx1262._set_cad),
    0x96: _Command("SetRegulatorMode", 1, IDLE, _setting(Settings.set_regulator)),
    0x89: _Command("Calibrate", 1, {table.STANDBY_RC}, Sx1262._calibrate),
    0x98: _Command("CalibrateImage", 2, IDLE, Sx1262._calibrate_image),
    0x95: _Command("SetPaConfig", 4, READY, _setting(Settings.set_pa)),
    0x93: _Command("SetRxTxFallbackMode", 1, AWAKE, _setting(Settings.set_fallback)),
    0x0D: _Command("WriteRegister", 3, AWAKE, Sx1262._write_register),
    0x0E: _Command("WriteBuffer", 1, AWAKE, Sx1262._write_buffer),
    0x08: _Command("SetDioIrqParams", 8, AWAKE, Sx1262._set_dio_irq),
    0x02: _Command("ClearIrqStatus", 2, AWAKE, Sx1262._clear_irq),
    0x9D: _Command("SetDIO2AsRfSwitchCtrl", 1, IDLE, _setting(Settings.set_dio2_switch)),
    0x97: _Command("SetDIO3AsTcxoCtrl", 4, {table.STANDBY_RC}, _setting(Settings.set_tcxo)),
    0x86: _Command("SetRfFrequency", 4, READY, _setting(Settings.set_frequency)),
    0x8A: _Command("SetPacketType", 1, READY, _setting(Settings.set_packet_type)),
    0x8E: _Command("SetTxParams", 2, READY, _setting(Settings.set_tx_params)),
    0x8B: _Command("SetModulationParams", 4, READY, _setting(Settings.set_modulation)),
    0x8C: _Command("SetPacketParams", 6, READY, _setting(Settings.set_packet)),
    0x88: _Command("SetCadParams", 7, READY, _setting(Settings.set_cad_params)),
    0x8F: _Command("SetBufferBaseAddress", 2, READY, _setting(Settings.set_buffer_base)),
    0xA0: _Command("SetLoRaSymbNumTimeout", 1, READY, _setting(Settings.set_symbol_timeout)),
    0x07: _Command("ClearDeviceErrors", 2, AWAKE, Sx1262._clear_errors),
    0x00: _Command("ResetStats", 6, AWAKE, Sx1262._reset_statistics),
}

# opcode -> name, number of argument bytes before the status byte, the answer
_QUERIES = {
    0x1D: _Query("ReadRegister", 2, Sx1262._read_register),
    0x1E: _Query("ReadBuffer", 1, lambda chip, args: chip._packets.read(args[0], 256)),
    0x12: _Query("GetIrqStatus", 0, lambda chip, args: _words([chip.irq])),
    0x11: _Query("GetPacketType", 0, lambda chip, args: bytes([chip.settings.packet_type])),
    0xC0: _Query("GetStatus", 0, lambda chip, args: b""),
    0x13: _Query("GetRxBufferStatus", 0, lambda chip, args: bytes(chip._packets.received)),
    0x14: _Query("GetPacketStatus", 0, lambda chip, args: chip._packets.packet_status),
    0x15: _Query("GetRssiInst", 0, lambda chip, args: bytes([chip._channel_rssi()])),
    0x10: _Query("GetStats", 0, lambda chip, args: _words(chip._packets.statistics)),
    0x17: _Query("GetDeviceErrors", 0, lambda chip, args: _words([chip.errors])),
}
