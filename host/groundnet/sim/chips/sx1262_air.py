"""The SX1262 in the air: transmission, reception at once and in turns, channel-activity detection."""

import random

from groundnet.sim.antenna import Frame, Reception, Turns
from groundnet.sim.chips import sx1262_tables as table
from groundnet.sim.chips.sx1262_modes import IDLE, Modes
from groundnet.sim.chips.sx1262_packets import half_db
from groundnet.sim.chips.sx1262_settings import LORA_TYPE, Refused

_RSSI_DEVIATION_DB = 0.5  # of one instant reading


class Transceiver(Modes):
    """Sends and hears frames."""

    _random: random.Random
    _continuous = False
    mismatch_db = 0.0  # what a badly matched antenna costs without the workaround of 15.2

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
        if self.mode in IDLE | {table.RX, table.TURNS}:
            self._port.hold_busy(table.COMMAND_US)
            self._on_timeout()

    def _channel_rssi(self) -> int:
        """GetRssiInst (13.5.4): valid only while receiving."""
        if self.mode != table.RX:
            return 0
        modulation, figure_db = self.settings.modulation(), self.settings.noise_figure_db
        level_dbm = self._medium.channel_dbm(self.antenna, modulation, figure_db)
        return half_db(level_dbm + self._random.gauss(0, _RSSI_DEVIATION_DB))

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
