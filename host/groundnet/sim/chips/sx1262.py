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

from groundnet.sim.chips import sx1262_tables as table
from groundnet.sim.chips.sx1262_link import CommandPort
from groundnet.sim.chips.sx1262_packets import PacketEngine, half_db
from groundnet.sim.chips.sx1262_settings import LORA_TYPE, Refused, Settings
from groundnet.sim.power import PowerAccount
from groundnet.sim.radio import Frame, Medium, Position, Reception, Turns
from groundnet.sim.signals import Line
from groundnet.sim.world import Event, World

_IDLE = {table.STANDBY_RC, table.STANDBY_XOSC}
_READY = _IDLE | {table.FS}
_AWAKE = _READY | {table.RX, table.TX, table.CAD}
_SWITCH_LOSS_DB = 40.0  # the antenna switch that DIO2 should drive stays open
_RSSI_DEVIATION_DB = 0.5  # of one instant reading


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


class Sx1262:
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
        self._world = world
        self._medium = medium
        self._dio1 = dio1
        self._reset_pin = reset
        self._power = power
        self._part = part
        self._tcxo_mv = tcxo_mv
        self._dio2_rf_switch = dio2_rf_switch
        self._port = CommandPort(world, busy, self)
        self.select = self._port.select
        self.deselect = self._port.deselect
        self.spi_transfer = self._port.spi_transfer
        self._random = world.random(f"sx1262/{name}")
        self.antenna = medium.attach(name, position, self._on_receive, self._on_lock)
        self.refusals: list[tuple[int, str]] = []
        self.mismatch_db = 0.0  # what a badly matched antenna costs without the workaround of 15.2
        self._reset_low_us = 0
        self._slept_us = -table.SLEEP_QUIET_US
        self._events: dict[str, Event] = {}
        self._left_timer: Event | None = None  # 15.3: the RTC that a reception left running
        self._frame: Frame | None = None
        self._continuous = False
        self._cold_start()
        reset.listen(self._on_reset)

    def power_cycle(self) -> None:
        """The supply was cut and came back."""
        self._cold_start()

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

    def refuse(self, reason: str) -> None:
        """Note what the silicon would not have done."""
        self.refusals.append((self._world.now_us, reason))
        self._command_status = table.EXECUTION_FAILED

    # --- start, reset, sleep

    def _cold_start(self) -> None:
        self._stop()
        self._stop_left_timer()
        self.settings = Settings()
        self._packets = PacketEngine(self.settings)
        self.irq = 0
        self.errors = 0
        self._command_status = 0
        self._warm = False
        self._enter(table.STANDBY_RC)
        self._calibrate_blocks(0x7F)
        self._drive_dio1()
        self._port.hold_busy(table.COLD_START_US)

    def _on_reset(self, level: int) -> None:
        if not level:
            self._reset_low_us = self._world.now_us
        elif self._world.now_us - self._reset_low_us < table.RESET_PULSE_US:
            self.refuse("reset pulse under 100 us")
        else:
            self._cold_start()

    def _set_sleep(self, args: bytes) -> None:
        self._warm = bool(args[0] & 0x04)
        self._slept_us = self._world.now_us
        self._stop_left_timer()
        self._packets.forget()
        self._enter(table.SLEEP)
        self._port.hold_busy_until_woken()

    def _set_standby(self, args: bytes) -> None:
        self._stop()
        if args[0] & 1:
            self._switch(table.STANDBY_XOSC)
        else:
            self._enter(table.STANDBY_RC)

    def _set_fs(self, args: bytes) -> None:
        self._stop()
        self._switch(table.FS)

    # --- crystal, calibration

    def _crystal_delay_us(self) -> int | None:
        """Time until the 32 MHz clock runs; None when it does not start (13.3.6)."""
        if self.mode in _AWAKE - {table.STANDBY_RC} or not self._tcxo_mv:
            return 0
        if self.settings.tcxo_mv < self._tcxo_mv or self.settings.tcxo_delay_us < table.TCXO_START_US:
            self.errors |= table.XOSC_START
            return None
        return self.settings.tcxo_delay_us

    def _calibrate_blocks(self, blocks: int) -> None:
        """Calibrate (13.1.12): blocks that need the crystal fail without it."""
        delay_us = self._crystal_delay_us()
        good = blocks & 0x03
        if delay_us is not None:
            good = blocks
            if blocks & 0x40:
                self.settings.image_band_mhz = (902, 928)
        elif blocks & 0x7C:
            self.errors |= table.CALIBRATIONS_WITH_CRYSTAL & (blocks & 0x0C | 0x10)
        self.settings.calibrated = self.settings.calibrated & ~blocks | good
        self._port.hold_busy(table.CALIBRATION_US + (delay_us or 0))

    def _calibrate(self, args: bytes) -> None:
        self._calibrate_blocks(args[0])

    def _calibrate_image(self, args: bytes) -> None:
        delay_us = self._crystal_delay_us()
        if delay_us is None:
            self.errors |= table.IMAGE_CALIBRATION
            raise Refused("no crystal")
        self.settings.image_band_mhz = (args[0] * 4, args[1] * 4)
        self._port.hold_busy(table.CALIBRATION_US + delay_us)

    # --- modes

    def _enter(self, mode: str, detail: str = "", current_ua: float = 0.0) -> None:
        self.mode = mode
        if mode == table.SLEEP:
            current_ua = table.SLEEP_WARM_UA if self._warm else table.SLEEP_COLD_UA
        elif not current_ua:
            current_ua = table.CURRENT_UA[mode][0 if self.settings.dc_dc else 1]
            if mode == table.RX and self.settings.boosted:
                current_ua += table.BOOSTED_GAIN_UA
        self._power.set_state(self._part, mode + detail, current_ua)

    def _switch(self, mode: str, detail: str = "", current_ua: float = 0.0) -> int:
        """Change to a mode that needs the crystal; BUSY until it is reached.

        Returns:
            Microseconds until the mode is reached.
        """
        delay_us = self._crystal_delay_us()
        if delay_us is None:
            raise Refused("no crystal")
        if mode != table.STANDBY_XOSC and not self.settings.calibrated & 0x04:
            self.errors |= table.PLL_LOCK
            raise Refused("PLL not calibrated")
        delay_us += table.SWITCH_US.get((self.mode, table.RX if mode == table.CAD else mode), 40)
        self._enter(mode, detail, current_ua)
        self._port.hold_busy(delay_us)
        return delay_us

    def _stop(self) -> None:
        """End whatever runs: reception, transmission, timers."""
        for event in self._events.values():
            event.cancel()
        self._events.clear()
        self.antenna.deafen()
        if self._frame is not None:
            frame, self._frame = self._frame, None
            self._medium.abort(frame)

    def _fall_back(self) -> None:
        """The mode after a transmission or a received packet (13.1.15)."""
        self._stop()
        self._enter(self.settings.fallback)

    def _later(self, name: str, delay_us: float, action: Callable[[], None]) -> None:
        if name in self._events:
            self._events[name].cancel()
        self._events[name] = self._world.after(round(delay_us), action)

    def _connect_antenna(self) -> None:
        connected = self.settings.dio2_switch or not self._dio2_rf_switch
        self.antenna.gain_db = 0.0 if connected else -_SWITCH_LOSS_DB

    # --- transmit

    def _set_tx(self, args: bytes) -> None:
        settings = self.settings
        settings.check_complete()
        if not settings.pa_args:
            raise Refused("no amplifier settings")
        if not settings.modulation_quality:
            self.refuse("SetTx: modulation quality, see 15.1")
        self._stop()
        power_dbm = settings.output_dbm - (0.0 if settings.tx_clamp_fixed else self.mismatch_db)
        delay_us = self._switch(table.TX, f" {power_dbm:+.0f} dBm", table.tx_current_ua(power_dbm))
        self._connect_antenna()
        delay_us += settings.ramp_us
        self._port.hold_busy(delay_us)
        payload = self._packets.read(settings.tx_base, settings.payload_length)
        timeout_us = int.from_bytes(args[0:3], "big") * table.TIMER_STEP_US
        self._later("start", delay_us, lambda: self._start_frame(payload, power_dbm, timeout_us))

    def _start_frame(self, payload: bytes, power_dbm: float, timeout_us: float) -> None:
        modulation = self.settings.modulation()
        airtime_us = modulation.airtime_us(len(payload))
        self._frame = self._medium.transmit(self.antenna, payload, modulation, power_dbm, airtime_us)
        self._later("done", airtime_us, self._on_sent)
        if 0 < timeout_us < airtime_us:
            self._later("timeout", timeout_us, self._on_timeout)

    def _on_sent(self) -> None:
        self._frame = None
        self._fall_back()
        self._command_status = table.TX_FINISHED
        self._raise(table.TX_DONE)

    # --- receive

    def _set_rx(self, args: bytes) -> None:
        timeout = int.from_bytes(args[0:3], "big")
        delay_us = self._start_listening()
        self._continuous = timeout == table.CONTINUOUS
        if 0 < timeout < table.CONTINUOUS:
            self._later("timeout", delay_us + timeout * table.TIMER_STEP_US, self._on_rx_timer)
        if self.settings.symbol_timeout and self.settings.packet_type == LORA_TYPE:
            symbols_us = self.settings.symbol_timeout * self.settings.symbol_us
            self._later("symbols", delay_us + symbols_us, self._on_rx_timer)

    def _set_rx_duty_cycle(self, args: bytes) -> None:
        """13.1.7: listen, sleep with the context saved, wake by itself, until a packet or a falling chip select."""
        listen_us = round(int.from_bytes(args[0:3], "big") * table.TIMER_STEP_US)
        sleep_us = round(int.from_bytes(args[3:6], "big") * table.TIMER_STEP_US)
        sleep_us += table.WARM_START_US + self.settings.tcxo_delay_us  # until the receiver is back
        turns = Turns(listen_us, sleep_us)
        listen_ua = table.CURRENT_UA[table.RX][0 if self.settings.dc_dc else 1]
        mean_ua = table.SLEEP_WARM_UA + listen_ua * listen_us / turns.period_us
        self._continuous = False
        self._start_listening(turns, mean_ua)
        self._port.hold_busy_until_woken()

    def _start_listening(self, turns: Turns | None = None, mean_ua: float = 0.0) -> int:
        """Go to receive. Returns microseconds until the receiver hears."""
        self.settings.check_complete()
        self._stop()
        delay_us = self._switch(table.RX)
        if turns is not None:
            self._enter(table.TURNS, current_ua=mean_ua)
        self._connect_antenna()
        self._packets.begin_reception()
        since_us = self._world.now_us + delay_us
        self.antenna.listen(self.settings.modulation(), since_us, self.settings.noise_figure_db, turns)
        return delay_us

    def _on_rx_timer(self) -> None:
        """The timer stops at the header (LoRa) or sync word (GFSK), or at the preamble when told so (13.1.6)."""
        heard = self._medium.header_valid(self.antenna)
        if self.settings.stop_timer_on_preamble or self.settings.packet_type != LORA_TYPE:
            heard = self.antenna.locked is not None
        if not heard:
            self._on_timeout()

    def _on_timeout(self) -> None:
        self._stop()
        self._enter(table.STANDBY_RC)
        self._command_status = table.TIMED_OUT
        self._raise(table.TIMEOUT)

    def _on_lock(self, frame: Frame) -> None:
        if self.settings.packet_type != LORA_TYPE:
            self._raise(table.PREAMBLE_DETECTED | table.SYNC_WORD_VALID)
            return
        self._raise(table.PREAMBLE_DETECTED)
        if self.settings.irq_mask & table.HEADER_VALID:
            self._later("header", frame.header_end_us - self._world.now_us, self._on_header)

    def _on_header(self) -> None:
        if self._medium.header_valid(self.antenna):
            self._raise(table.HEADER_VALID)

    def _on_receive(self, reception: Reception) -> None:
        raised = self._packets.take(reception)
        if raised & table.RX_DONE:
            if not self._continuous:
                self._end_reception()
            self._command_status = table.DATA_AVAILABLE
        self._raise(raised)

    def _end_reception(self) -> None:
        """Fall back; errata 15.3: behind an implicit header, or a turn, the timer runs on unless the RTC is stopped."""
        timer = None
        if self.mode == table.TURNS:
            turns = self.antenna.turns
            timer = self._world.after(turns.patience_us if turns else 0, self._on_left_timer)
            self._port.hold_busy(table.COMMAND_US)
        elif not self.settings.modulation().explicit_header and "timeout" in self._events:
            left_us = self._events["timeout"].time_us - self._world.now_us
            timer = self._world.after(left_us, self._on_left_timer)
        self._fall_back()
        if timer is not None:
            self._stop_left_timer()
            self._left_timer = timer

    def _on_left_timer(self) -> None:
        self._left_timer = None
        if self.mode in _IDLE | {table.RX, table.TURNS}:
            self._port.hold_busy(table.COMMAND_US)
            self._on_timeout()

    def _stop_left_timer(self) -> None:
        if self._left_timer is not None:
            self._left_timer.cancel()
            self._left_timer = None

    # --- channel-activity detection

    def _set_cad(self, args: bytes) -> None:
        self.settings.check_complete()
        if self.settings.packet_type != LORA_TYPE:
            raise Refused("packet type is not LoRa")
        self._stop()
        delay_us = self._switch(table.CAD)
        self._connect_antenna()
        since_us = self._world.now_us + delay_us
        symbols = (1 << min(self.settings.cad_args[0], 4)) + 0.5
        self._later("cad", delay_us + symbols * self.settings.symbol_us, lambda: self._on_cad(since_us))

    def _on_cad(self, since_us: int) -> None:
        figure_db = self.settings.noise_figure_db
        heard = self._medium.activity(self.antenna, self.settings.modulation(), figure_db, since_us)
        raised = table.CAD_DONE | (table.CAD_DETECTED if heard else 0)
        if heard and self.settings.cad_args[3] == 1:
            self._enter(table.FS)
            self._set_rx(self.settings.cad_args[4:7])
        else:
            self._stop()
            self._enter(table.STANDBY_RC)
        self._raise(raised)

    # --- interrupts

    def _raise(self, irq: int) -> None:
        self.irq |= irq & self.settings.irq_mask
        self._drive_dio1()

    def _drive_dio1(self) -> None:
        self._dio1.drive(int(bool(self.irq & self.settings.dio1_mask)))

    def _set_dio_irq(self, args: bytes) -> None:
        self.settings.irq_mask = args[0] << 8 | args[1]
        self.settings.dio1_mask = args[2] << 8 | args[3]
        self.irq &= self.settings.irq_mask
        self._drive_dio1()

    def _clear_irq(self, args: bytes) -> None:
        self.irq &= ~(args[0] << 8 | args[1])
        self._drive_dio1()

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

    def _channel_rssi(self) -> int:
        """GetRssiInst (13.5.4): valid only while receiving."""
        if self.mode != table.RX:
            return 0
        modulation, figure_db = self.settings.modulation(), self.settings.noise_figure_db
        level_dbm = self._medium.channel_dbm(self.antenna, modulation, figure_db)
        return half_db(level_dbm + self._random.gauss(0, _RSSI_DEVIATION_DB))


def _setting(setter: Callable[[Settings, bytes], None]) -> Callable[[Sx1262, bytes], None]:
    return lambda chip, args: setter(chip.settings, args)


def _words(values: Iterable[int]) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


# opcode -> name, least number of argument bytes, modes that accept it (13.1 to 13.6), what it does
_COMMANDS = {
    0x84: _Command("SetSleep", 1, _IDLE, Sx1262._set_sleep),
    0x80: _Command("SetStandby", 1, _AWAKE, Sx1262._set_standby),
    0xC1: _Command("SetFs", 0, _AWAKE, Sx1262._set_fs),
    0x83: _Command("SetTx", 3, _READY | {table.RX}, Sx1262._set_tx),
    0x82: _Command("SetRx", 3, _READY | {table.RX}, Sx1262._set_rx),
    0x9F: _Command("StopTimerOnPreamble", 1, _AWAKE, _setting(Settings.set_stop_timer_on_preamble)),
    0x94: _Command("SetRxDutyCycle", 6, {table.STANDBY_RC}, Sx1262._set_rx_duty_cycle),
    0xC5: _Command("SetCad", 0, _READY | {table.RX}, Sx1262._set_cad),
    0x96: _Command("SetRegulatorMode", 1, _IDLE, _setting(Settings.set_regulator)),
    0x89: _Command("Calibrate", 1, {table.STANDBY_RC}, Sx1262._calibrate),
    0x98: _Command("CalibrateImage", 2, _IDLE, Sx1262._calibrate_image),
    0x95: _Command("SetPaConfig", 4, _READY, _setting(Settings.set_pa)),
    0x93: _Command("SetRxTxFallbackMode", 1, _AWAKE, _setting(Settings.set_fallback)),
    0x0D: _Command("WriteRegister", 3, _AWAKE, Sx1262._write_register),
    0x0E: _Command("WriteBuffer", 1, _AWAKE, Sx1262._write_buffer),
    0x08: _Command("SetDioIrqParams", 8, _AWAKE, Sx1262._set_dio_irq),
    0x02: _Command("ClearIrqStatus", 2, _AWAKE, Sx1262._clear_irq),
    0x9D: _Command("SetDIO2AsRfSwitchCtrl", 1, _IDLE, _setting(Settings.set_dio2_switch)),
    0x97: _Command("SetDIO3AsTcxoCtrl", 4, {table.STANDBY_RC}, _setting(Settings.set_tcxo)),
    0x86: _Command("SetRfFrequency", 4, _READY, _setting(Settings.set_frequency)),
    0x8A: _Command("SetPacketType", 1, _READY, _setting(Settings.set_packet_type)),
    0x8E: _Command("SetTxParams", 2, _READY, _setting(Settings.set_tx_params)),
    0x8B: _Command("SetModulationParams", 4, _READY, _setting(Settings.set_modulation)),
    0x8C: _Command("SetPacketParams", 6, _READY, _setting(Settings.set_packet)),
    0x88: _Command("SetCadParams", 7, _READY, _setting(Settings.set_cad_params)),
    0x8F: _Command("SetBufferBaseAddress", 2, _READY, _setting(Settings.set_buffer_base)),
    0xA0: _Command("SetLoRaSymbNumTimeout", 1, _READY, _setting(Settings.set_symbol_timeout)),
    0x07: _Command("ClearDeviceErrors", 2, _AWAKE, Sx1262._clear_errors),
    0x00: _Command("ResetStats", 6, _AWAKE, Sx1262._reset_statistics),
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
