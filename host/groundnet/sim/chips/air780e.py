"""Luat Air780E LTE Cat.1 modem on a UART, with openLuat's AT firmware (AT command manual for EC618, V1.6).

Modelled: PWRKEY, boot and its unsolicited lines, echo, one command at a time, error verbosity, registration
with its reports, signal and cell information (+CCED), the single-connection TCP client with its state
machine, text messages in PDU and text mode decoded as the network reads them, sleep (+CSCLK, +WAKETIM) that
loses the bytes which wake it, PSM+, restarts, current per state. Latencies are typical ones.

Not modelled: more than one connection, TLS, HTTP, MQTT, transparent mode, calls, DTR, RI, RESET_N, +IPR,
saved settings, periodic +CCED. Only hardware can tell: the true times to register, what weak signal costs,
whether the supply survives 1 A pulses, and how long PWRKEY must be low to switch off (the manual has no
number; here 1.5 s). Firmware of the sibling Air780EP answers AT+CEREG? as +CGREG: (two independent logs);
``cereg_answers_as_cgreg`` shows how a driver copes.

Failure modes may be switched at any time: ``no_network`` (no coverage), ``silent`` (it hangs: hears and says
nothing), ``rubbish`` (random bytes instead of every answer, and a burst now and then), ``faults.rate`` (some
of what passes the UART is spoilt, silent or a restart), ``radio.denied``, ``radio.sim_inserted``,
``radio.sim_locked``, ``sms.refuses_pdus``.
"""

from collections.abc import Callable

from groundnet.sim.cells import Cells
from groundnet.sim.chips import air780e_currents as currents
from groundnet.sim.chips.air780e_commands import CommandLine
from groundnet.sim.chips.air780e_dialect import NOT_ALLOWED, OK, Handler, Refused, Reply, integer
from groundnet.sim.chips.air780e_faults import Faults
from groundnet.sim.chips.air780e_radio import Radio
from groundnet.sim.chips.air780e_sleep import Sleep
from groundnet.sim.chips.air780e_sms import SmsSender
from groundnet.sim.chips.air780e_tcp import TcpClient
from groundnet.sim.chips.l76k_transmitter import Transmitter
from groundnet.sim.chips.sms_inbox import Inbox, deliver_pdu
from groundnet.sim.network import Network
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import Line, Uart
from groundnet.sim.world import US_PER_S, Event, World

_BAUD_RATE = 115_200
_ROM_US = 150_000
_BOOT_US = 2_000_000  # until RDY; deaf before it
_POWER_DOWN_US = 1_000_000
_NOISE_US = 3 * US_PER_S
_NOISE_MAX = 64


class Air780e:
    """One modem. Attach it to its UART.

    Args:
        world: clock and seed.
        uart: the port it is wired to, 115200 baud.
        power: account of the board.
        cells: what its antenna hears.
        network: where its connections lead.
        power_key: PWRKEY, low for 1 s switches on; None when it is tied to ground (on with the supply).
        number: the subscriber's number.
        name: unique; decides search and delivery times.
        part: name in the power account.

    Attributes:
        sent_sms: (Unix milliseconds, number, text) of every text that reached the service centre.
        state: "unpowered", "off", "booting", "on" or "PSM+".

    Other families of modems are made from this one: they answer other commands and mind the key otherwise.
    """

    KEY_ON_US = 1_000_000  # hardware design guide: low for more than 1 s
    KEY_OFF_US = 1_500_000
    TCP: type[TcpClient] = TcpClient

    def __init__(
        self,
        world: World,
        uart: Uart,
        power: PowerAccount,
        cells: Cells,
        network: Network,
        power_key: Line | None = None,
        number: str = "+8613800000001",
        name: str = "modem",
        part: str = "modem",
    ) -> None:
        self._world = world
        self._key = power_key
        self._random = world.random(f"air780e/{name}")
        self._run = 0  # counts switch-offs: what was scheduled before one never happens
        self._key_event: Event | None = None
        self.sent_sms: list[tuple[int, str, str]] = []
        self.silent = False
        self._rubbish = False
        self._noise_event: Event | None = None
        self.state = "unpowered"
        self.faults = Faults(world, world.random(f"air780e-faults/{name}"), self._restart)
        self._output = Transmitter(world, uart)
        self._output.baud_rate = _BAUD_RATE
        self._currents = currents.Currents(world, power, part)
        self.radio = Radio(world, self._random, cells, self._currents, self._announce, self._network_lost)
        self._tcp = self.TCP(network, self.radio, self._currents, self._after, self._send, self._random)
        self.sms = SmsSender(self.radio, self._currents, self._deliver_sms, self._random)
        self.inbox = Inbox(self._announce)
        self._commands = CommandLine(self._after, self._send, number, lambda: self.radio.sim_state)
        self._sleep = Sleep(world, self.radio, self._currents, lambda: self._commands.idle)
        for service in (self.radio, self._tcp, self.sms, self.inbox, self._sleep):
            self._commands.add(service.commands())
        self._commands.add(self._own_commands())
        self._change_commands(self._commands)
        if power_key is not None:
            power_key.level = 1  # pulled up inside the module
            power_key.listen(self._on_key)
        self.power_cycle()

    @property
    def no_network(self) -> bool:
        """Failure mode: no cell is heard."""
        return self.radio.blocked

    @no_network.setter
    def no_network(self, blocked: bool) -> None:
        self.radio.blocked = blocked

    @property
    def rubbish(self) -> bool:
        """Failure mode: only random bytes leave it."""
        return self._rubbish

    @rubbish.setter
    def rubbish(self, rubbish: bool) -> None:
        self._rubbish = rubbish
        _cancel(self._noise_event)
        if rubbish and self.state == "on":
            self._make_noise()

    # --- power

    def power_cycle(self) -> None:
        """The supply was cut and came back."""
        self._halt("off")
        if self._key is None:
            self._boot()
        else:
            self._on_key(self._key.level)

    def power_off(self) -> None:
        """The supply is cut until ``power_cycle``."""
        self._halt("unpowered")

    def _halt(self, state: str) -> None:
        """Stop everything; ``state`` also names the current."""
        self._run += 1
        self.state = state
        for event in (self._key_event, self._noise_event):
            _cancel(event)
        self._output.stop()
        self._tcp.reset()
        self.sms.reset()
        self.inbox.reset()
        self.radio.reset()
        self._commands.reset()
        self._sleep.reset()
        self._currents.stop(state)

    def _boot(self) -> None:
        self._halt("booting")
        self._after(_ROM_US, lambda: self._send(b"^boot.rom'v\x81'!\n"))
        self._after(_BOOT_US, self._booted)

    def _booted(self) -> None:
        self.state = "on"
        self._currents.rest(currents.IDLE)
        self._announce("RDY")
        self.radio.start()
        self.rubbish = self._rubbish

    def _on_key(self, level: int) -> None:
        _cancel(self._key_event)
        if level or self.state == "unpowered":
            return
        if self.state == "off":
            self._key_event = self._world.after(self.KEY_ON_US, self._boot)
        elif self.state == "PSM+":
            self._boot()
        else:
            self._key_event = self._world.after(self.KEY_OFF_US, self._key_off)

    def _key_off(self) -> None:
        """Works even when the firmware hangs."""
        self._announce("NORMAL POWER DOWN")
        self._after(_POWER_DOWN_US, lambda: self._halt("off"))

    def _after(self, delay_us: int, action: Callable[[], None]) -> None:
        """Schedule an action that a switch-off forgets."""
        run = self._run
        self._world.after(delay_us, lambda: action() if run == self._run else None)

    # --- UART

    def receive(self, data: bytes) -> None:
        """Characters from the board; those that wake it from sleep are lost, at least in part."""
        if self.state == "PSM+":
            self._boot()
            return
        if self.state != "on" or self.silent or not self._output.matches_board:
            return
        self._commands.receive(self._sleep.heard(self.faults.from_board(data)))

    def _send(self, data: bytes) -> None:
        if self.silent:
            return
        if self._rubbish:
            data = self._random.randbytes(len(data))
        data = self.faults.to_board(data)
        if data:
            self._output.send([data])
        if self.state == "on":
            self._sleep.stay_awake()

    def _announce(self, line: str) -> None:
        self._send(f"\r\n{line}\r\n".encode())

    def _make_noise(self) -> None:
        self._send(bytes(self._random.randint(1, _NOISE_MAX)))
        self._noise_event = self._world.after(_NOISE_US, self._make_noise)

    def _restart(self) -> None:
        """It starts again for no reason that the board could see."""
        if self.state in ("on", "booting"):
            self._boot()

    # --- what the parts tell each other

    def _network_lost(self) -> None:
        self._tcp.deactivate()

    def receive_sms(self, number: str, text: str) -> None:
        """A text of somebody arrives, when the network reaches the modem."""
        if self.radio.reach():
            self.inbox.put(deliver_pdu(number, text, self._world.unix_ms))

    def _deliver_sms(self, number: str, text: str) -> None:
        self.sent_sms.append((self._world.unix_ms, number, text))

    # --- commands

    def _change_commands(self, commands: CommandLine) -> None:
        """Where another family differs."""

    def _own_commands(self) -> dict[str, Handler]:
        return {
            "+CFUN": self._function,
            "+RESET": lambda form, arguments: Reply(then=self._boot_soon),
            "+CPOWD": self._power_down,
            "+POWERMODE": self._power_mode,
        }

    def _boot_soon(self) -> None:
        self._after(_ROM_US, self._boot)

    def _function(self, form: str, arguments: list[str]) -> Reply:
        """0 and 4: radio off; 1: on; 1,1: restart."""
        if form == "?":
            return Reply((f"+CFUN: {int(self.radio.on)}",))
        level = integer(arguments, 0, 0, 4)
        if len(arguments) > 1 and integer(arguments, 1, 0, 1):
            return Reply(then=self._boot_soon)
        if level == 1:
            return Reply(after_us=200_000, then=self.radio.start)
        if level not in (0, 4):
            raise Refused(NOT_ALLOWED)
        return Reply(after_us=800_000, then=self._silence_radio)

    def _silence_radio(self) -> None:
        self._tcp.deactivate()
        self.radio.stop()
        self._currents.stop(currents.IDLE)

    def _power_down(self, form: str, arguments: list[str]) -> Reply:
        """0: at once and without a word; 1: leave the network first."""
        if integer(arguments, 0, 0, 1) == 0:
            return Reply(final=None, then=lambda: self._halt("off"))
        return Reply(
            final="NORMAL POWER DOWN",
            after_us=_POWER_DOWN_US,
            then=lambda: self._after(_POWER_DOWN_US, lambda: self._halt("off")),
        )

    def _power_mode(self, form: str, arguments: list[str]) -> Reply:
        """ "PRO" and "STD" sleep when quiet, "PSM+" forgets everything until the UART wakes it."""
        mode = arguments[0] if arguments else ""
        if mode == "PSM+":
            return Reply(then=lambda: self._after(_ROM_US, lambda: self._halt("PSM+")))
        if mode not in ("PRO", "STD", "CLOSE"):
            raise Refused(NOT_ALLOWED)
        self._sleep.mode = 0 if mode == "CLOSE" else 2
        return OK


def _cancel(event: Event | None) -> None:
    if event is not None:
        event.cancel()
