"""An SX1262 model on bare wires: commands as byte strings, BUSY waited for as a driver does."""

from groundnet.sim.chips.sx1262 import Sx1262
from groundnet.sim.power import PowerAccount
from groundnet.sim.radio import Medium
from groundnet.sim.signals import Line
from groundnet.sim.world import World


class Node:
    """One radio at a fixed place."""

    def __init__(self, world: World, medium: Medium, name: str, east_m: float = 0, tcxo_mv: int = 1800):
        self.world = world
        self.busy, self.dio1, self.reset = Line("busy"), Line("dio1"), Line("reset", 1)
        self.power = PowerAccount(world)
        self.chip = Sx1262(
            world,
            name,
            medium,
            lambda now_us: (east_m, 0.0),
            busy=self.busy,
            dio1=self.dio1,
            reset=self.reset,
            power=self.power,
            tcxo_mv=tcxo_mv,
        )

    def wait(self) -> int:
        """Until BUSY falls. Returns microseconds waited."""
        since_us = self.world.now_us
        while self.busy.level:
            assert self.world.step(), "busy for ever"
        return self.world.now_us - since_us

    def raw(self, command: str, more: bytes = b"", read: int = 0) -> bytes:
        """One transaction without waiting."""
        self.chip.select()
        data = bytes.fromhex(command) + more
        self.chip.spi_transfer(data)
        out = self.chip.spi_transfer(bytes(read)) if read else b""
        self.chip.deselect()
        return out

    def do(self, command: str, more: bytes = b"", read: int = 0) -> bytes:
        self.wait()
        return self.raw(command, more, read)

    def irq(self) -> int:
        return int.from_bytes(self.do("12", read=3)[1:], "big")

    def errors(self) -> int:
        return int.from_bytes(self.do("17", read=3)[1:], "big")

    def begin(self) -> "Node":
        """Bring-up as the data sheet asks (14.2), then LoRa SF9/125 kHz at 470 MHz, +14 dBm."""
        self.do("8000")
        self.do("9601")
        self.do("9702000140")  # TCXO 1.8 V, 5 ms
        self.do("070000")
        self.do("897f")
        self.do("9d01")
        self.do("8a01")
        self.do("861d600000")  # 470 MHz
        self.do("987581")
        self.do("9502020001")
        self.do("8e1604")
        self.do("8f0000")
        self.do("0d088905")  # 15.1: all but LoRa at 500 kHz
        self.lora(9)
        return self

    def lora(self, spreading_factor: int, bandwidth: int = 4) -> None:
        self.do("8b", bytes((spreading_factor, bandwidth, 1, 0)))
        self.packet(255)
        self.do("08ffffffff00000000")

    def packet(self, length: int, implicit: int = 0, crc: int = 1, inverted: int = 0) -> None:
        self.do("8c", bytes((0, 8, implicit, length, crc, inverted)))

    def send(self, payload: bytes) -> None:
        self.packet(len(payload))
        self.do("0e00", payload)
        self.do("83000000")

    def receive(self, timeout: int = 0xFFFFFF) -> None:
        self.packet(255)
        self.do("82", timeout.to_bytes(3, "big"))
        self.wait()

    def packet_read(self) -> bytes:
        length, start = self.do("13", read=3)[1:]
        return self.do("1e", bytes((start, 0)), read=length)
