"""What the SX1262 stands on: supply, reset, crystal, calibration, modes and interrupts (sx1262.py has the rest)."""

from collections.abc import Callable

from groundnet.sim.antenna import Antenna, Frame
from groundnet.sim.chips import sx1262_tables as table
from groundnet.sim.chips.sx1262_link import CommandPort
from groundnet.sim.chips.sx1262_packets import PacketEngine
from groundnet.sim.chips.sx1262_settings import Refused, Settings
from groundnet.sim.power import PowerAccount
from groundnet.sim.radio import Medium
from groundnet.sim.signals import Line
from groundnet.sim.world import Event, World

IDLE = {table.STANDBY_RC, table.STANDBY_XOSC}
READY = IDLE | {table.FS}
AWAKE = READY | {table.RX, table.TX, table.CAD}
_SWITCH_LOSS_DB = 40.0  # the antenna switch that DIO2 should drive stays open


class Modes:
    """The chip without its packets. Arguments as of Sx1262, with what it has made of them."""

    def __init__(
        self,
        world: World,
        port: CommandPort,
        medium: Medium,
        antenna: Antenna,
        dio1: Line,
        reset: Line,
        power: PowerAccount,
        part: str,
        tcxo_mv: int,
        dio2_rf_switch: bool,
    ) -> None:
        self._world = world
        self._port = port
        self._medium = medium
        self.antenna = antenna
        self.matching_db = 0.0  # how much better or worse than usual this board's antenna is matched
        self._dio1 = dio1
        self._reset_pin = reset
        self._power = power
        self._part = part
        self._tcxo_mv = tcxo_mv
        self._dio2_rf_switch = dio2_rf_switch
        self.refusals: list[tuple[int, str]] = []
        self._reset_low_us = 0
        self._slept_us = -table.SLEEP_QUIET_US
        self._events: dict[str, Event] = {}
        self._left_timer: Event | None = None  # 15.3: the RTC that a reception left running
        self._frame: Frame | None = None
        self._cold_start()
        reset.listen(self._on_reset)

    def power_cycle(self) -> None:
        """The supply was cut and came back."""
        self._cold_start()

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
        if self.mode in AWAKE - {table.STANDBY_RC} or not self._tcxo_mv:
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
        self.antenna.gain_db = self.matching_db - (0.0 if connected else _SWITCH_LOSS_DB)

    def _stop_left_timer(self) -> None:
        if self._left_timer is not None:
            self._left_timer.cancel()
            self._left_timer = None

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
