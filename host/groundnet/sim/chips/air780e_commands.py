"""The command line: echo, prompts, one command at a time, and the commands about the module itself."""

from collections.abc import Callable

from groundnet.sim.chips.air780e_dialect import (
    CTRL_Z,
    ESCAPE,
    NO_SIM,
    NOT_ALLOWED,
    NOT_SUPPORTED,
    OK,
    QUICK_US,
    Handler,
    Prompt,
    Refused,
    Reply,
    integer,
    parse,
)

FIRMWARE = "AirM2M_780E_V1171_LTE_AT"
_IMEI, _IMSI, _ICCID = "864269060001662", "460005926307603", "89860622180012345678"
_INPUT_MAX = 4096


class CommandLine:
    """Reads what the board sends and answers it.

    Args:
        after: schedules an action that a power-off forgets.
        send: bytes towards the board.
        number: the subscriber's number.
        sim_state: what +CPIN says, None without a SIM.
    """

    def __init__(
        self,
        after: Callable[[int, Callable[[], None]], None],
        send: Callable[[bytes], None],
        number: str,
        sim_state: Callable[[], str | None],
    ) -> None:
        self._after, self._send, self._number, self._sim_state = after, send, number, sim_state
        self._handlers: dict[str, Handler] = {
            "": lambda form, arguments: OK,
            "E": self._set_echo,
            "I": lambda form, arguments: Reply((FIRMWARE,)),
            "&W": lambda form, arguments: OK,
            "+CMEE": self._set_verbosity,
            "+CPIN": self._pin,
            "+CGMI": lambda form, arguments: Reply(('+CGMI: "AirM2M"',)),
            "+CGMM": lambda form, arguments: Reply(('+CGMM: "Air780E"',)),
            "+CGMR": lambda form, arguments: Reply((f'+CGMR: "{FIRMWARE}"',)),
            "+CGSN": lambda form, arguments: Reply((_IMEI,)),
            "+CIMI": self._of_sim(_IMSI),
            "+CCID": self._of_sim(_ICCID),
            "+ICCID": self._of_sim(f"+ICCID: {_ICCID}"),
            "+CNUM": self._of_sim(f'+CNUM: "","{number}",145'),
        }
        self.reset()

    def add(self, commands: dict[str, Handler]) -> None:
        self._handlers.update(commands)

    def remove(self, *names: str) -> None:
        """Commands that this family does not know."""
        for name in names:
            del self._handlers[name]

    def reset(self) -> None:
        """As after a restart."""
        self._input = bytearray()
        self._prompt: Prompt | None = None
        self._echo, self._verbosity = True, 1
        self.busy = False

    @property
    def idle(self) -> bool:
        """Nothing is being read or answered."""
        return not self.busy and self._prompt is None and not self._input

    def receive(self, data: bytes) -> None:
        self._input += data[: max(0, _INPUT_MAX - len(self._input))]
        if self._prompt is None:
            self._skip_line_feeds()
        self._work()

    # --- input

    def _work(self) -> None:
        """Go on until an answer is due or the input is used up."""
        while not self.busy:
            step = self._read_line if self._prompt is None else self._read_data
            if not step():
                return

    def _read_line(self) -> bool:
        """A command ends with CR; what does not begin with AT is ignored."""
        end = self._input.find(b"\r")
        if end < 0:
            return False
        line = bytes(self._input[:end]).strip()
        del self._input[: end + 1]
        self._skip_line_feeds()
        if line[:2].upper() != b"AT":
            return True
        if self._echo:
            self._send(line + b"\r")
        self._answer(lambda: self._execute(line.decode("ascii", "replace")))
        return True

    def _skip_line_feeds(self) -> None:
        while self._input[:1] == b"\n":
            del self._input[0]

    def _read_data(self) -> bool:
        prompt = self._prompt
        assert prompt is not None
        if prompt.length is not None:
            end, used = prompt.length, prompt.length
        else:
            ends = [place for mark in (CTRL_Z, ESCAPE) if (place := self._input.find(mark)) >= 0]
            end = min(ends, default=len(self._input) + 1)
            used = end + 1
        if len(self._input) < used:
            return False
        cancelled = prompt.length is None and self._input[end] == ESCAPE
        data = None if cancelled else bytes(self._input[:end])
        del self._input[:used]
        self._prompt = None
        self._answer(lambda: prompt.take(data))
        return True

    # --- answers

    def _execute(self, line: str) -> Reply:
        command = parse(line)
        if command is None or command[0] not in self._handlers:
            return Reply(final="ERROR")
        name, form, arguments = command
        if form == "=?":
            return OK
        return self._handlers[name](form, arguments)

    def _answer(self, work: Callable[[], Reply]) -> None:
        try:
            reply = work()
        except Refused as refusal:
            reply = Reply(final=refusal.text(self._verbosity))
        self.busy = True
        self._after(reply.after_us, lambda: self._finish(reply))

    def _finish(self, reply: Reply) -> None:
        lines = [*reply.lines, *([] if reply.final is None else [reply.final])]
        text = "".join(f"\r\n{line}\r\n" for line in lines)
        if reply.prompt is not None:
            text += "\r\n> "
            self._prompt = reply.prompt
            self._input.clear()  # what did not wait for the prompt is lost
        self.busy = False
        if text:
            self._send(text.encode())
        if reply.then is not None:
            reply.then()
        self._work()

    # --- commands

    def _set_echo(self, form: str, arguments: list[str]) -> Reply:
        self._echo = bool(integer(arguments, 0, 0, 1))
        return OK

    def _set_verbosity(self, form: str, arguments: list[str]) -> Reply:
        if form == "?":
            return Reply((f"+CMEE: {self._verbosity}",))
        self._verbosity = integer(arguments, 0, 0, 2)
        return OK

    def _pin(self, form: str, arguments: list[str]) -> Reply:
        if form != "?":
            raise Refused(NOT_ALLOWED)
        state = self._sim_state()
        if state is None:
            raise Refused(NO_SIM)
        return Reply((f"+CPIN: {state}",), after_us=2 * QUICK_US)

    def _of_sim(self, line: str) -> Handler:
        def handle(form: str, arguments: list[str]) -> Reply:
            if form not in ("", "?"):
                raise Refused(NOT_SUPPORTED)
            if self._sim_state() is None:
                raise Refused(NO_SIM)
            return Reply((line,))

        return handle
