"""A virtual board: real MicroPython in a process of its own, driven by the world's events (calls.py).

Here is its life: power, reset, sleep, boot, and what it is made of.
"""

import struct
from collections.abc import Mapping, Sequence

from groundnet.errors import GroundnetError
from groundnet.image.partition_table import Partition
from groundnet.sim.base_flash import BaseFlash
from groundnet.sim.boardfs import BoardFs, PowerCut
from groundnet.sim.calls import Calls
from groundnet.sim.chip import find_chip
from groundnet.sim.console import Console
from groundnet.sim.memory import Memory
from groundnet.sim.network import Network
from groundnet.sim.power import PowerAccount
from groundnet.sim.process import BoardProcess, Request
from groundnet.sim.rom_loader import RomLoader
from groundnet.sim.services import PARKED, Result
from groundnet.sim.shim import operations as op
from groundnet.sim.signals import BoardIo
from groundnet.sim.sleeping import Sleeping
from groundnet.sim.sockets import Sockets
from groundnet.sim.streams import Streams
from groundnet.sim.terminals import Terminals
from groundnet.sim.world import World

OFF, BOOTING, RUNNING, DEEP_SLEEP = "off", "boot", "running", "deep sleep"
DOWNLOAD = "download"

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5  # machine.reset_cause()

BOOT_US = 49_000  # from wake-up to Python, frozen code first (ESP32-S3, measured in public work)
_HANG_US = 2_000_000  # a board that computes without end is reset after so long
_HEAP_PATIENCE_US = 60_000_000


class VirtualBoard(Calls):
    """One board.

    Args:
        world: clock and seed.
        name: unique in the world; decides its random numbers.
        io: its terminals, to which chips are attached.
        files: content of its flash.
        unique_id: what ``machine.unique_id()`` gives, at most 8 bytes.
        power: account for the microcontroller's current.
        chip: key of groundnet.sim.chip.CHIPS.
        network: what its sockets reach; None has no network.
        boot_us: from power, reset or wake-up to the first line of Python.
        sleep_clock_error: relative error of the clock that runs in deep sleep, 0.01 = sleeps 1 % too long.
        partitions: of its flash chip; default: two base images in 4 MiB.
    """

    def __init__(
        self,
        world: World,
        name: str,
        io: BoardIo | None = None,
        files: BoardFs | Mapping[str, bytes] | None = None,
        unique_id: bytes = b"\x02\x00\x00\x00\x00\x01",
        power: PowerAccount | None = None,
        chip: str = "esp32c3",
        network: Network | None = None,
        boot_us: int = BOOT_US,
        sleep_clock_error: float = 0.0,
        partitions: Sequence[Partition] | None = None,
    ) -> None:
        super().__init__(world)
        self.name = name
        self.io = io or BoardIo(name)
        self.files = files if isinstance(files, BoardFs) else BoardFs(files)
        self.power = power or PowerAccount(world)
        self.chip = find_chip(chip)
        self.console = Console()
        self.console.on_input = self._console_input
        self.state = OFF
        self.boots = 0
        self.reset_cause = PWRON_RESET
        self.boot_us = boot_us
        self.memory = Memory(self, unique_id)
        self.terminals = Terminals(self)
        self.sleeping = Sleeping(self, sleep_clock_error)
        self.sockets = Sockets(self, network)
        self.streams = Streams(self)
        self.base = BaseFlash(self, chip, partitions)
        self._services = (
            self.memory,
            self.terminals,
            self.sleeping,
            self.sockets,
            self.streams,
            self.base,
        )
        self._handlers = {
            op.BOOT: self._on_boot,
            op.SOFT_RESET: self._on_soft_reset,
            op.RESET: self._on_reset,
            op.SYNC: lambda request: 0,
            op.HEAP: self._on_heap,
        }
        for service in self._services:
            self._handlers |= service.handlers()
        self.loader: RomLoader | None = None  # in download mode: what answers the serial port
        self._heap_bytes: int | None = None
        self._boot_random = world.random(f"{name}/boot")
        self.draw("off", 0.0)

    # --- what others do to a board

    def power_on(self) -> None:
        """Supply comes up; Python runs ``boot_us`` later. Nothing happens to a board that has power."""
        if self.state == OFF:
            self.memory.lose_power()
            self._restart(PWRON_RESET)

    def power_off(self) -> None:
        """Supply is cut at this instant: RAM and RTC memory are lost, flash keeps what was committed."""
        self._stop(OFF)
        self.draw("off", 0.0)

    def press_reset(self) -> None:
        """The reset button, or a supply that stays up through a reset of the chip."""
        if self.state != OFF:
            self._restart(HARD_RESET)

    def start_download(self) -> None:
        """Reset, or power on, with the boot button held: the loader in the chip's ROM waits for esptool."""
        if self.state == OFF:
            self.memory.lose_power()
        self._stop(DOWNLOAD)
        self.draw("active", self.chip.active_ua)
        self.loader = RomLoader(self, self.base.chip, self.memory.unique_id, self.press_reset)

    def brown_out(self) -> None:
        """Supply dips below the detector's threshold and recovers: a power-on reset."""
        self.power_off()
        self.power_on()

    def close(self) -> None:
        """End the board's process and its PTY."""
        self.power_off()
        self._end_process()
        self.console.close()

    def __enter__(self) -> "VirtualBoard":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def pty_path(self) -> str:
        """The serial device for host programs."""
        return self.console.pty_path

    @property
    def log(self) -> str:
        """What the board printed."""
        return self.console.log

    @property
    def awake(self) -> bool:
        return self.state == RUNNING

    def memory_bytes(self) -> int:
        """Resident memory of the board's process; 0 before the first power-on."""
        return self._process.memory_bytes() if self._process else 0

    def measure_heap(self) -> int:
        """Bytes of heap in use after a collection, without the shim's own; lets the world run until it is told.

        Raises GroundnetError when the board does not come to tell.
        """
        self._heap_bytes = None
        deadline_us = self.world.now_us + _HEAP_PATIENCE_US
        while self._heap_bytes is None and self.world.now_us < deadline_us:
            self.interrupt(op.INTERRUPT_HEAP, 0)
            if not self.world.step():
                break
        if self._heap_bytes is None:
            raise GroundnetError(f"board {self.name} does not tell its heap", "measure while it is awake")
        return self._heap_bytes

    # --- what services use

    def draw(self, state: str, current_ua: float) -> None:
        """The microcontroller's state for the power account."""
        self.power.set_state("mcu", state, current_ua)

    def sleep_deeply(self) -> None:
        """Everything but the RTC goes off; ``wake`` follows."""
        self._stop(DEEP_SLEEP, speaks_out=True)
        self.draw("deep sleep", self.chip.deep_sleep_ua)

    def wake(self) -> None:
        """Out of deep sleep: a boot with empty RAM."""
        self._restart(DEEPSLEEP_RESET)

    def reset(self, cause: int) -> None:
        self._restart(cause)

    # --- life

    def _stop(self, state: str, speaks_out: bool = False) -> None:
        """RAM and everything that hangs on it is gone."""
        self.state = state
        self.loader = None
        self._drop_calls()
        self.console.reset(speaks_out)
        for service in self._services:
            service.reset()

    def _restart(self, cause: int, speaks_out: bool = False) -> None:
        self._stop(BOOTING, speaks_out)
        self.reset_cause = cause
        self.draw("boot", self.chip.boot_ua)
        self._event = self.world.after(self.boot_us, self._boot)

    def _boot(self) -> None:
        try:
            started = self.base.boot(from_deep_sleep=self.reset_cause == DEEPSLEEP_RESET)
        except PowerCut:
            self.power_off()
            return
        if not started:  # the boot loader resets for ever
            self.reset_cause = HARD_RESET
            self._event = self.world.after(self.boot_us, self._boot)
            return
        self.state = RUNNING
        self.boots += 1
        self.draw("active", self.chip.active_ua)
        self._local_us = self.world.now_us
        if self._process is None:
            self._process = BoardProcess(self.name)
        elif self._request is not None:
            self._process.reply(0, b"", self.world.now_us, [], reset=True)
        self._serve()

    # --- calls

    def _show(self, output: bytes) -> None:
        self.console.show(output)

    def _compute(self) -> None:
        self.draw("active", self.chip.active_ua)

    def _hang(self) -> None:
        """No call for two seconds of computing: the watchdog or a finger on the button resets the board."""
        self._end_process()
        bite_us = self.sleeping.watchdog_left_us()
        cause = WDT_RESET if bite_us is not None and bite_us < _HANG_US else HARD_RESET
        self._stop(BOOTING)
        self.reset_cause = cause
        self._event = self.world.after(
            (bite_us if bite_us is not None and cause == WDT_RESET else _HANG_US) + self.boot_us, self._boot
        )

    def _on_boot(self, request: Request) -> Result:
        version = self.files.version
        head = struct.pack("<dI", self.memory.clock_us, self._boot_random.getrandbits(32))
        return version, head + (b"" if request.argument == version else self.files.packed())

    def _on_soft_reset(self, request: Request) -> Result:
        self.reset_cause = SOFT_RESET
        self._interrupts.clear()
        for service in self._services:
            service.soft_reset()
        return 0

    def _on_heap(self, request: Request) -> Result:
        self._heap_bytes = request.argument
        return 0

    def _on_reset(self, request: Request) -> Result:
        self._restart(HARD_RESET, speaks_out=True)
        return PARKED

    def _console_input(self, data: bytes) -> None:
        if self.loader is not None:
            self.loader.receive(data)
        if self.state != RUNNING:
            return  # no USB, no receiver
        key = self._request.interrupt_key if self._request is not None else -1
        for byte in data:
            if byte == key:
                self._ctrl_c = True
            else:
                self.console.keep(byte)
        if self._ctrl_c and self._parked is not None and self._parked.interrupted is not None:
            self.unpark(self._parked.interrupted())
        self.streams.something_changed()
