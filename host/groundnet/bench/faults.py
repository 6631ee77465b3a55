"""Fault injection on a simulated bench: wires, air, supply, flash, clocks, modem and satellites, each by name.

Every fault begins when it is asked for and is drawn from the bench's seed. ``heal`` ends the ones of one device that
have an end. What each does to silicon is told beside the chip models in groundnet.sim.
"""

from dataclasses import replace

from groundnet.bench.disturbances import NoisyI2c, Rates, Spoiler, StuckI2c, modest
from groundnet.bench.sim_bench import SimBench
from groundnet.bench.sim_device import SimDevice
from groundnet.errors import GroundnetError
from groundnet.image.boards import board_literal
from groundnet.sim.antenna import Reception
from groundnet.sim.board import PWRON_RESET
from groundnet.sim.boardfs import FlashStep, PowerCut
from groundnet.sim.chips.air780e import Air780e
from groundnet.sim.chips.air780e_faults import Faults as ModemFaults
from groundnet.sim.chips.l76k import L76k
from groundnet.sim.chips.sx1262 import Sx1262
from groundnet.sim.signals import undisturbed
from groundnet.sim.wiring import power_cycle
from groundnet.sim.world import US_PER_S

SECONDS_A_WEEK = 7 * 24 * 3600


class Faults:
    """Faults for the devices of one bench. Each method returns what counts its strikes, where something is counted."""

    def __init__(self, bench: SimBench) -> None:
        self._bench, self._world = bench, bench.scene.world

    # --- wires

    def uart(self, device: SimDevice, part: str, rates: Rates) -> Spoiler:
        """Between the microcontroller and a part on a UART, in both directions."""
        uart = device.assembled.board.io.uart(_entry(device, part, "uart"))
        spoiler = self._spoiler(device, part, rates)
        uart.to_chip = uart.to_board = spoiler.carry
        return spoiler

    def i2c(self, device: SimDevice, part: str, rates: Rates) -> Spoiler:
        """Transactions with a part are not acknowledged, bits of it turn."""
        spoiler = self._spoiler(device, part, rates)
        self._wrap_i2c(device, part, lambda chip: NoisyI2c(chip, spoiler))
        return spoiler

    def hold_i2c(self, device: SimDevice, part: str) -> None:
        """The part's bus is held down: every transaction with it times out."""
        self._wrap_i2c(device, part, StuckI2c)

    def spi(self, device: SimDevice, part: str, rates: Rates) -> Spoiler:
        """Bits turn on the part's bus, in both directions."""
        bus = device.assembled.board.io.spi(_entry(device, part, "spi"))
        spoiler = self._spoiler(device, part, rates)
        bus.spoil = spoiler.flip
        return spoiler

    def stick(self, device: SimDevice, part: str, pin: str, level: int) -> None:
        """One net of a part is shorted; ``pin`` as the board's literal names it ("int1", "busy", "pin")."""
        device.assembled.board.io.line(_entry(device, part, pin)).stick(level)

    def free(self, device: SimDevice, part: str, pin: str) -> None:
        """The short of ``stick`` is gone."""
        device.assembled.board.io.line(_entry(device, part, pin)).free()

    def heal(self, device: SimDevice) -> None:
        """Wires, modem and sky of a device are good again, and its clock is right."""
        io = device.assembled.board.io
        for part, entry in board_literal(device.board)["parts"].items():
            if "uart" in entry:
                uart = io.uart(entry["uart"])
                uart.to_chip = uart.to_board = undisturbed
            if "i2c" in entry:
                self._wrap_i2c(device, part, lambda chip: chip)
            if "spi" in entry:
                io.spi(entry["spi"]).spoil = bytes
        modem = device.assembled.parts.get("modem")
        if isinstance(modem, Air780e):
            modem.faults.heal()
        device.sky.becomes("open")
        device.assembled.board.sleeping.clock_error = 0.0

    # --- air

    def air(self, receiver: SimDevice, rates: Rates) -> Spoiler:
        """Frames that a receiver got: dropped, spoiled, got twice, told late."""
        antenna = _radio(receiver).antenna
        spoiler, receive = self._spoiler(receiver, "air", rates), antenna.on_receive

        def spoiled(reception: Reception) -> None:
            def deliver(payload: bytes) -> None:
                receive(
                    replace(
                        reception, payload=payload, intact=reception.intact and payload == reception.payload
                    )
                )

            spoiler.carry(reception.payload, deliver)

        antenna.on_receive = spoiled
        return spoiler

    # --- supply, flash, clock

    def brown_out(self, device: SimDevice) -> None:
        """The supply dips for a moment: every chip starts anew, the memory of the RTC stays."""
        device.assembled.board.reset(PWRON_RESET)
        power_cycle(device.assembled.parts)

    def cut_flash_write(self, device: SimDevice, steps: int, off_s: float = 1.0) -> None:
        """The supply is cut right before the flash step after the next ``steps``; it comes back ``off_s`` later."""
        files = device.assembled.board.files
        last = files.steps + steps

        def cut(step: FlashStep) -> None:
            if step.number > last:
                files.on_step = lambda step: None
                self._world.after(round(off_s * US_PER_S), device.power.restore)
                raise PowerCut

        files.on_step = cut

    def clock_drift(self, device: SimDevice, ppm: float) -> None:
        """The clock that runs in deep sleep is off: positive sleeps longer."""
        device.assembled.board.sleeping.clock_error = ppm / 1e6

    # --- modem and satellites

    def modem_rubbish(self, device: SimDevice, rate: float) -> ModemFaults:
        """Noise, lost bytes, lines within lines, silence and restarts of the modem; returns what counts them."""
        modem = device.part("modem")
        if not isinstance(modem, Air780e):
            raise GroundnetError(f"the modem of {device.name} has no such fault", "choose another board")
        modem.faults.rate = rate
        return modem.faults

    def jam(self, device: SimDevice) -> None:
        """Satellites are there and too weak to use."""
        device.sky.becomes("jammed")

    def jump_time(self, device: SimDevice, seconds: float) -> None:
        """Satellite time is off from now on; 1 is a leap second nobody announced, -1024 weeks a rollover."""
        receiver = device.part("gnss")
        assert isinstance(receiver, L76k)
        receiver.clock_error_ms = round(seconds * 1000)

    # --- a bad day

    def bad_day(self, *devices: SimDevice) -> None:
        """A modest share of everything that heals by itself, drawn from the bench's seed."""
        rates = modest(self._world.random("faults/day"))
        for device in devices:
            for part, entry in board_literal(device.board)["parts"].items():
                if "uart" in entry:
                    self.uart(device, part, rates["uart"])
                if "i2c" in entry and part == "accelerometer":
                    self.i2c(device, part, rates["i2c"])
            self.air(device, rates["radio"])

    def _spoiler(self, device: SimDevice, part: str, rates: Rates) -> Spoiler:
        return Spoiler(self._world, f"{device.name}/{part}", rates)

    def _wrap_i2c(self, device: SimDevice, part: str, wrap) -> None:
        bus = device.assembled.board.io.i2c(_entry(device, part, "i2c"))
        address = _entry(device, part, "address")
        chip = bus.devices[address]
        bus.devices[address] = wrap(
            getattr(chip, "chip", chip) if isinstance(chip, NoisyI2c | StuckI2c) else chip
        )


def _radio(device: SimDevice) -> Sx1262:
    radio = device.part("radio")
    assert isinstance(radio, Sx1262)
    return radio


def _entry(device: SimDevice, part: str, key: str) -> int:
    entry = board_literal(device.board)["parts"].get(part, {})
    if key not in entry:
        raise GroundnetError(f"'{part}' of {device.name} has no {key}", "look at the board's literal")
    return entry[key]
