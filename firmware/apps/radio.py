"""The radio between driver and core: one frame out or one window open at a time, and nothing outside the plan."""

import time

from apps.hardware import PinStream
from apps.run_loop import Part
from drivers import sx1262
from groundcore import events, region
from micropython import const

_IDLE = 0
_WAITING = 1  # for the start of a delayed transmission
_SENDING = 2
_WINDOW = 3
_LISTENING = 4  # until told otherwise
_WATCHING = 5  # the same, asleep in between
_SETTLE_MS = const(5)  # of the receiver's level meter
_QUIETEST_DBM = const(-130)  # below thermal noise: the receiver is deaf
_LOUDEST_DBM = const(-30)


class Radio(Part):
    """Carries out RADIO_SEND, RADIO_LISTEN, RADIO_WATCH and RADIO_SLEEP.

    Whatever the core asks for, it sends only on channels of the plan, with their power, not longer than they allow,
    and listens first where they say so. `ledger` is its own account of the hour, not the core's.

    Args:
        loop, hardware: of this device.
        warm: the chip kept its registers while the microcontroller slept.
        boosted_gain: hear 2 dB better for 0.7 mA; for a station on mains.
        plan: region.Plan of this device; None: it may not transmit.
        spent: the ledger as packed before the sleep.
        name: of the part on its board.
        number: of the plan among those that a station serves, told with each frame.
    """

    actions = (
        (events.RADIO_SEND, "send"),
        (events.RADIO_LISTEN, "listen"),
        (events.RADIO_WATCH, "watch"),
        (events.RADIO_SLEEP, "sleep"),
    )
    errors = (sx1262.Sx1262Error, OSError)

    number = 0

    def __init__(
        self,
        loop,
        hardware,
        warm: bool = False,
        boosted_gain: bool = False,
        plan=None,
        spent=b"",
        name: str = "radio",
        number: int = 0,
    ):
        entry = hardware.part(name)
        if number:
            self.number = number
        dio1 = hardware.input(entry["dio1"])
        rx_enable = entry.get("rx_enable")
        self._chip = sx1262.Sx1262(
            hardware.spi(entry["spi"]),
            hardware.output(entry["cs"], 1),
            hardware.input(entry["busy"]),
            dio1,
            hardware.output(entry["reset"], 1),
            entry["tcxo_mv"],
            entry["dio2_rf_switch"],
            None if rx_enable is None else hardware.output(rx_enable, 0),
        )
        self.ledger = region.DutyLedger(spent)
        self._loop = loop
        self._plan = plan
        self._warm = warm
        self._boosted_gain = boosted_gain
        self._begun = False
        self._channel = None
        self._state = _IDLE
        self._frame = b""
        self._preamble = 0  # of the channel that is watched
        self._start_ticks = time.ticks_ms()
        self._end_ticks = time.ticks_ms()
        self._buffer = bytearray(sx1262.PACKET_BYTES_MAX)
        self.wake_pin = lambda: dio1
        loop.watch(PinStream(dio1))
        if not warm:
            self._begin()

    # --- actions

    def send(self, data: bytes, channel, delay_ms: int) -> None:
        if not self._allowed(data, channel):
            self._refuse(events.FAILED_NOT_ALLOWED)
            return
        self._state = _WAITING
        self._start_ticks = time.ticks_add(self._loop.event_ticks, delay_ms)
        self._tune(channel)
        self._frame = data
        self.poll()

    def listen(self, channel, window_ms: int) -> None:
        self._state = _WINDOW if window_ms else _LISTENING
        self._tune(channel)
        self._end_ticks = time.ticks_add(time.ticks_ms(), window_ms)
        self.receive(window_ms)

    def receive(self, window_ms: int) -> None:
        """Let the chip listen so long, 0: for ever, on the channel that is tuned."""
        self._chip.receive(window_ms or None)

    def watch(self, channel) -> None:
        self._state = _WATCHING
        self._tune(channel)
        self._preamble = channel.preamble
        self._watch_on()

    def sleep(self) -> None:
        self._state = _IDLE
        if self._begun:
            self._chip.sleep()

    # --- for the loop

    def poll(self) -> None:
        if self._state == _WAITING:
            if time.ticks_diff(self._start_ticks, time.ticks_ms()) <= 0:
                self._transmit()
            return
        if self._state == _IDLE:
            return
        what = self._chip.poll()
        if what == sx1262.SENT:
            self._state = _IDLE
            self._loop.post(events.RADIO_SENT)
        elif what == sx1262.TX_TIMEOUT:
            self.failed(events.RADIO_SEND)
        elif what == sx1262.RECEIVED:
            self._received()
        elif what == sx1262.RX_TIMEOUT:
            self._silent()
        elif what == sx1262.RX_CORRUPT:
            self._listen_on()

    def due_ms(self) -> int | None:
        if self._state == _WAITING:
            return max(0, time.ticks_diff(self._start_ticks, time.ticks_ms()))
        return None

    def busy(self) -> bool:
        return self._state not in (_IDLE, _WATCHING)  # a watch needs no microcontroller until DIO1 rises

    @property
    def waiting(self) -> bool:
        """Only DIO1 can bring news: the microcontroller may doze lightly until it rises."""
        return self._state in (_SENDING, _WINDOW, _LISTENING, _WATCHING)

    def level_dbm(self) -> int | None:
        """Power in the channel now; None while this radio does not listen for ever."""
        return self._chip.channel_rssi_dbm() if self.listening else None

    @property
    def listening(self) -> bool:
        """For ever, until told otherwise."""
        return self._state == _LISTENING

    def permits(self, channel) -> bool:
        """Whether the plan has this channel."""
        return region.permits(self._plan, channel)

    def failed(self, action: int) -> None:
        """The chip went wrong: start it afresh next time, and do not leave the core waiting."""
        self._begun = self._warm = False
        self._channel = None
        state = self._state
        self._state = _IDLE
        if state in (_WAITING, _SENDING):
            self._loop.post(events.RADIO_FAILED, events.FAILED_HARDWARE)
        elif state == _WINDOW:
            self._loop.post(events.RADIO_SILENT)

    def test(self) -> tuple:
        """Noise on the channel in dBm, which tells of receiver and antenna, and the chip's own error bits.

        Before the first frame no channel is set; then measured is the error bits. What it transmits only a second
        radio can judge.
        """
        if not self._begun:
            self._begin()
        chip = self._chip
        if self._state in (_IDLE, _WATCHING):
            chip.standby()  # asleep it answers nothing
        errors = chip.errors()
        noise_dbm = None
        if self._channel is not None and self._state in (_IDLE, _LISTENING):
            if self._state == _IDLE:
                chip.receive()
            time.sleep_ms(_SETTLE_MS)
            noise_dbm = chip.channel_rssi_dbm()
        if self._state == _WATCHING:
            self._watch_on()
        elif self._state == _IDLE:
            chip.sleep()
        if noise_dbm is None:
            return errors == 0, errors, "error bits"
        plausible = _QUIETEST_DBM < noise_dbm < _LOUDEST_DBM
        return errors == 0 and plausible, noise_dbm, "dBm of noise, errors %d" % errors

    # --- details

    def _begin(self) -> None:
        self._chip.begin(self._warm)
        self._begun = True
        self._warm = False
        self._channel = None

    def _tune(self, channel) -> None:
        if not self._begun:
            self._begin()
        if channel == self._channel:
            return
        self._channel = None
        if channel.bitrate_bps:
            from drivers import sx1262_gfsk  # here and below: a device without it pays no heap for it

            sx1262_gfsk.configure(
                self._chip,
                channel.frequency_hz,
                channel.bitrate_bps,
                channel.deviation_hz,
                channel.bandwidth_hz,
                channel.power_dbm,
                channel.preamble,
                self._boosted_gain,
            )
        else:
            self._chip.configure(
                channel.frequency_hz,
                channel.spreading_factor,
                channel.bandwidth_hz,
                channel.coding_rate,
                channel.power_dbm,
                channel.preamble,
                self._boosted_gain,
            )
        self._channel = channel

    def _allowed(self, data, channel) -> bool:
        now_ms = self._loop.clock.now_ms()
        return self.permits(channel) and self.ledger.may_send(channel, len(data), now_ms)

    def _transmit(self) -> None:
        """The time has come: listen first where the plan says so, and send."""
        channel = self._channel
        if channel is None:  # the chip was begun anew while the frame waited
            self.failed(events.RADIO_SEND)
            return
        if channel.listen_first and self._taken(channel):
            self._refuse(events.FAILED_CHANNEL_BUSY)
            return
        self._state = _SENDING
        self.ledger.sent(channel, len(self._frame), self._loop.clock.now_ms())
        self._chip.send(self._frame)

    def _taken(self, channel) -> bool:
        if channel.bitrate_bps:
            from drivers import sx1262_gfsk

            return sx1262_gfsk.channel_busy(self._chip, region.LISTEN_DBM)
        from drivers import sx1262_cad

        return sx1262_cad.channel_busy(self._chip)

    def _refuse(self, reason: int) -> None:
        self._state = _IDLE
        self._loop.post(events.RADIO_FAILED, reason)

    def _received(self) -> None:
        size = self._chip.read_into(self._buffer)
        if size == 0:
            self._listen_on()
            return
        if self._state == _WINDOW:
            self._state = _IDLE
        elif self._state == _WATCHING:
            self._watch_on()
        data = bytes(self._buffer[:size])
        chip = self._chip
        self._loop.post(events.RADIO_RECEIVED, data, chip.rssi_dbm, chip.snr_quarter_db * 25, self.number)

    def _listen_on(self) -> None:
        """A frame that was not good must not shut the window."""
        if self._state == _WATCHING:
            self._watch_on()
        elif self._state == _WINDOW:
            left_ms = time.ticks_diff(self._end_ticks, time.ticks_ms())
            if left_ms > 0:
                self._chip.receive(left_ms)
            else:
                self._silent()

    def _silent(self) -> None:
        if self._state == _WATCHING:
            self._watch_on()  # a preamble without a frame ends a watch
        elif self._state == _WINDOW:
            self._state = _IDLE
            self._loop.post(events.RADIO_SILENT)

    def _watch_on(self) -> None:
        from drivers import sx1262_watch

        sx1262_watch.watch(self._chip, self._preamble)
