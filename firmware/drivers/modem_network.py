"""A modem in its network: SIM, registration, time and signal.

3GPP TS 27.007 sections 8.3 (+CPIN), 8.5 (+CSQ), 8.15 (+CCLK), 10.1.20 (+CGREG), 10.1.22 (+CEREG).
"""

import time

from drivers import modem_life
from drivers.at_port import OK, TIMEOUT
from drivers.modem_life import READY_STATE, REGISTERING, SET_UP, SETTING_UP, WISH, ModemLife
from drivers.network_time import unix_time
from micropython import const

# Events: poll() answers (kind, value).
READY = 1  # value: True when roaming
TIME = 10  # value: Unix seconds as the network says

NO_NETWORK = b"no network"

_SIM = modem_life.KIND_NEXT
_REGISTRATION = modem_life.KIND_NEXT + 1
_SMS_MODE = modem_life.KIND_NEXT + 2
KIND_NEXT = modem_life.KIND_NEXT + 3

_SIM_STATE = (b"AT+CPIN?", OK, (), 5000)
_PDU_MODE = (b"AT+CMGF=0", OK, (), 1000)  # TS 27.005 3.2.3
_SMS_WISHES = (
    (b"AT+CMGD=1,4", OK, (), 25_000),  # old texts must not fill the SIM
    (b"AT+CNMI=2,1,0,0,0", OK, (), 1000),  # +CMTI when one comes
)
_SIGNAL_QUALITY = (b"AT+CSQ", OK, (), 1000)

_SIM_TRIES = const(5)  # a SIM is busy for some seconds after power-on
_POLL_MS = const(2000)
_REGISTER_LIMIT_MS = const(180_000)
_DENIED_LIMIT_MS = const(60_000)  # who is refused by one network may be welcome in another after a restart
_CHECK_MS = const(1_800_000)  # ready and quiet: does it still live?

_DENIED = const(3)
_ROAMING = (5, 7, 10)
_SERVED = (1, 5, 6, 7, 9, 10)  # home or roaming, whole or for texts only


class ModemNetwork(ModemLife):
    """Registers and stays registered.

    Attributes:
        status: registration as +CEREG numbers it (0 not searching, 1 home, 2 searching, 3 denied, 5 roaming ...).
        signal_dbm: received power, None while unknown.
        text_mode: it refuses texts as PDUs.
    """

    def __init__(self, uart, power_key, model: bytes | None = None):
        super().__init__(uart, power_key, model)
        self.status = 0
        self.signal_dbm = None
        self.text_mode = False
        self._stats = {}  # domain -> status
        self._sim = b""
        self._sim_tries = 0
        self._set_up_done = False  # the network may be found before
        self._endings.extend([self._sim_ended, self._registration_ended, self._sms_mode_ended])
        self._listeners.extend(
            [
                (b"+CEREG:", self._hear_registration),
                (b"+CGREG:", self._hear_registration),  # the Air780EP answers AT+CEREG? so
                (b"+CPIN:", self._hear_sim),
                (b"+CSQ:", self._hear_signal),
                (b"+NITZ:", self._hear_network_time),
                (b"+CCLK:", self._hear_clock),
                (b"+QLTS:", self._hear_clock),
            ]
        )

    def _advance(self) -> None:
        if self.state == SETTING_UP:
            self.port.push(_SIM, _SIM_STATE)
        elif self.state == REGISTERING:
            self._ask_registration()
        elif self.state == READY_STATE:
            self._look_after()
        else:
            super()._advance()

    def _fall(self) -> None:
        super()._fall()
        self._stats = {}
        self.status = 0

    # --- SIM and set-up

    def _probe_ended(self, well: bool, answer: bytes) -> None:
        self._sim_tries = 0
        super()._probe_ended(well, answer)

    def _hear_sim(self, line: bytes) -> None:
        self._sim = line[6:].strip()

    def _sim_ended(self, well: bool, answer: bytes) -> None:
        """+CPIN: READY, another state, or +CME ERROR (TS 27.007 9.2: 10 no SIM, 11 PIN needed, 14 busy ...)."""
        if well and self._sim == b"READY":
            self._set_up()
            return
        self._sim_tries += 1
        if self._sim_tries >= _SIM_TRIES:
            self.restart(b"SIM: " + (self._sim if well else answer))
        else:
            self._enter(SETTING_UP, _POLL_MS)

    def _set_up(self) -> None:
        dialect = self.dialect
        if dialect is None:
            return
        for command in dialect["setup"]:
            self.port.push(SET_UP, command)
        self.port.push(_SMS_MODE, _PDU_MODE)
        for command in _SMS_WISHES + dialect["wishes"]:
            self.port.push(WISH, command)
        self._since_ms = time.ticks_ms()
        self._set_up_done = False
        self._enter(REGISTERING, 0)

    def _sms_mode_ended(self, well: bool, answer: bytes) -> None:
        self.text_mode = not well and answer is not TIMEOUT

    # --- registration

    def _ask_registration(self) -> None:
        self._set_up_done = True
        if self.dialect is not None:
            self.port.sleeps = self.dialect["sleeps"]
            for command in self.dialect["registration"]:
                self.port.push(_REGISTRATION, command)

    def _hear_registration(self, line: bytes) -> None:
        """Asked: mode, status, ...; unasked: status alone or status, "area", "cell", ... ."""
        fields = line[7:].strip().split(b",")
        status = fields[1] if len(fields) > 1 and len(fields[1]) <= 2 else fields[0]
        if status.isdigit():
            self._stats[line[:6]] = int(status)
            self._weigh()

    def _weigh(self) -> None:
        """One domain that serves is enough; else a refusal says most."""
        statuses = list(self._stats.values())
        served = [status for status in statuses if status in _SERVED]
        if served:
            self.status = served[0]
        else:
            self.status = _DENIED if _DENIED in statuses else max(statuses)
        if self.state == REGISTERING and served and self._set_up_done:
            self._since_ms = time.ticks_ms()
            self._enter(READY_STATE, 0)
            self._emit(READY, self.status in _ROAMING)
        elif self.ready and not served:
            self._since_ms = time.ticks_ms()
            self._enter(REGISTERING, _POLL_MS)
            self._emit(modem_life.LOST)

    def _registration_ended(self, well: bool, answer: bytes) -> None:
        """Still not registered: ask again later, restart when it takes too long."""
        if self.state != REGISTERING or self.port.waiting(_REGISTRATION):
            return
        denied = self.status == _DENIED
        limit_ms = _DENIED_LIMIT_MS if denied else _REGISTER_LIMIT_MS
        if time.ticks_diff(time.ticks_ms(), self._since_ms) > limit_ms:
            self.restart(b"registration denied" if denied else NO_NETWORK)
        else:
            self._enter(REGISTERING, _POLL_MS)

    # --- ready

    def _look_after(self) -> None:
        """Now and then: is it alive, what time is it, how good is the signal?"""
        self._ask_registration()
        if self.dialect is not None:
            self.port.push(WISH, self.dialect["clock"])
        self.port.push(WISH, _SIGNAL_QUALITY)
        self._enter(READY_STATE, _CHECK_MS)

    def _hear_signal(self, line: bytes) -> None:
        """+CSQ: <rssi>,<ber>; 0..31 in steps of 2 dB from -113 dBm, 99 unknown."""
        rssi = line[5:].split(b",")[0].strip()
        known = rssi.isdigit() and int(rssi) <= 31
        self.signal_dbm = 2 * int(rssi) - 113 if known else None

    def _hear_clock(self, line: bytes) -> None:
        self._tell_time(line, self.dialect is not None and self.dialect["clock_is_utc"])

    def _hear_network_time(self, line: bytes) -> None:
        self._tell_time(line, True)

    def _tell_time(self, line: bytes, is_utc: bool) -> None:
        unix_s = unix_time(line.partition(b":")[2], is_utc)
        if unix_s is not None:
            self._emit(TIME, unix_s)
