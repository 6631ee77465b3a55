"""What MicroPython says of itself at its prompt: read in raw mode, without a restart, and nothing is stored."""

import ast
import contextlib
import time
from dataclasses import dataclass

import serial

from groundnet.link.errors import CodeFailed, NoAnswer, PortGone
from groundnet.link.serial_link import open_port

_RAW_MODE, _FRIENDLY_MODE, _END = b"\r\x01", b"\x02", b"\x04"
_RAW_READY = b"raw REPL; CTRL-B to exit\r\n>"
_TIMEOUT_S = 3.0
# In a name space of its own: nothing stays behind at the prompt.
_QUESTION = b"""exec('''
import sys, machine, vfs
try:
    import esp32
    ours = True
except ImportError:
    ours = False
about = sys.implementation
rom = hasattr(vfs, "rom_ioctl") and vfs.rom_ioctl(1) > 0
print(repr((about.version[:3], getattr(about, "_machine", ""), machine.unique_id(), about._mpy, ours, rom)))
''', {})"""


@dataclass(frozen=True)
class Prompt:
    """A MicroPython without a program.

    ``machine`` is "board with chip" as the port spells it, ``chip`` as esptool does; ``unique_id`` is the MAC
    on an ESP32. ``bytecode`` is ``sys.implementation._mpy``; ``esp32`` whether the port has that module,
    ``rom`` whether the flash has a partition that bytecode can run from.
    """

    version: str
    machine: str
    unique_id: bytes
    bytecode: int
    esp32: bool
    rom: bool

    @property
    def chip(self) -> str:
        name = self.machine.rpartition(" with ")[2].lower().replace("-", "")
        return name if name.startswith("esp32") else ""


def ask(port: str, timeout_s: float = _TIMEOUT_S) -> Prompt:
    """Ask the prompt on a port; to be called only where one showed itself.

    Raises NoAnswer when it is no MicroPython after all, and what opening a port raises.
    """
    answer = execute(port, _QUESTION, timeout_s)
    try:
        version, *others = ast.literal_eval(answer.decode().strip())
        return Prompt(".".join(map(str, version)), *others)
    except (ValueError, SyntaxError, TypeError) as error:
        raise NoAnswer(port) from error


def execute(port: str, code: bytes, timeout_s: float = _TIMEOUT_S) -> bytes:
    """What ``code`` printed at the prompt on a port; the prompt is left as it was found.

    Raises CodeFailed when it raised, NoAnswer, and what opening a port raises.
    """
    with open_port(port) as line:
        raw = _RawMode(line, timeout_s)
        try:
            raw.begin(code)
            printed = raw.read_until(_END)
            raised = raw.read_until(_END + b">")
            line.write(_FRIENDLY_MODE)
        except (serial.SerialException, OSError) as error:
            raise PortGone(port) from error
    if raised.strip():
        raise CodeFailed(port, raised.decode(errors="replace").strip().splitlines()[-1])
    return printed


def restart(port: str, timeout_s: float = _TIMEOUT_S) -> None:
    """Reset the chip from its prompt. Raises NoAnswer, and what opening a port raises."""
    with open_port(port) as line, contextlib.suppress(serial.SerialException, OSError):
        # A chip with a USB port of its own takes the port along.
        _RawMode(line, timeout_s).begin(b"import machine; machine.reset()")


class _RawMode:
    """The raw mode of a prompt (docs, "The MicroPython interactive interpreter mode")."""

    def __init__(self, line: serial.Serial, timeout_s: float) -> None:
        self._line = line
        self._timeout_s = timeout_s
        self._heard = b""

    def begin(self, code: bytes) -> None:
        """Hand over code; it runs when this returns. Raises NoAnswer."""
        self._line.reset_input_buffer()
        self._line.write(_RAW_MODE)
        self.read_until(_RAW_READY)
        self._line.write(code + _END)
        self.read_until(b"OK")

    def read_until(self, end: bytes) -> bytes:
        """What comes before ``end``; what comes behind it is kept for the next call. Raises NoAnswer."""
        deadline_s = time.monotonic() + self._timeout_s
        while end not in self._heard:
            if time.monotonic() > deadline_s:
                raise NoAnswer(str(self._line.port))
            self._heard += self._line.read(max(1, self._line.in_waiting))
        before, _, self._heard = self._heard.partition(end)
        return before
