"""machine.I2C and machine.SPI."""

import struct

import operations as op
from _board import call


class I2C:
    """A hardware I2C bus; its chips are models in the world."""

    def __init__(self, bus: int, *, scl=None, sda=None, freq=400_000, timeout=50_000):
        self._bus = bus
        self.init(freq=freq)

    def init(self, *, scl=None, sda=None, freq=400_000) -> None:
        call(op.I2C_SETUP, self._bus, struct.pack("<I", freq))

    def deinit(self) -> None:
        pass

    def scan(self) -> list:
        found = bytearray(112)
        return list(found[: call(op.I2C_SCAN, self._bus, b"", found)])

    def writeto(self, address: int, buffer, stop=True) -> int:
        return call(op.I2C_WRITE, self._bus * 128 + address, buffer)

    def writevto(self, address: int, vector, stop=True) -> int:
        return self.writeto(address, b"".join(bytes(part) for part in vector))

    def readfrom_into(self, address: int, buffer, stop=True) -> None:
        call(op.I2C_READ, self._bus * 128 + address, b"", buffer)

    def readfrom(self, address: int, count: int, stop=True) -> bytes:
        buffer = bytearray(count)
        self.readfrom_into(address, buffer)
        return bytes(buffer)

    def readfrom_mem_into(self, address: int, register: int, buffer, *, addrsize=8) -> None:
        call(op.I2C_READ, self._bus * 128 + address, _register(register, addrsize), buffer)

    def readfrom_mem(self, address: int, register: int, count: int, *, addrsize=8) -> bytes:
        buffer = bytearray(count)
        self.readfrom_mem_into(address, register, buffer, addrsize=addrsize)
        return bytes(buffer)

    def writeto_mem(self, address: int, register: int, buffer, *, addrsize=8) -> None:
        self.writeto(address, _register(register, addrsize) + bytes(buffer))


class SPI:
    """A hardware SPI bus in mode 0; chip selects are ordinary pins."""

    MSB = 0
    LSB = 1

    def __init__(
        self,
        bus: int,
        baudrate=1_000_000,
        *,
        polarity=0,
        phase=0,
        bits=8,
        firstbit=MSB,
        sck=None,
        mosi=None,
        miso=None,
    ):
        self._bus = bus
        self.init(baudrate)

    def init(
        self, baudrate=1_000_000, *, polarity=0, phase=0, bits=8, firstbit=MSB, sck=None, mosi=None, miso=None
    ) -> None:
        call(op.SPI_SETUP, self._bus, struct.pack("<I", baudrate))

    def deinit(self) -> None:
        pass

    def write(self, buffer) -> None:
        call(op.SPI_TRANSFER, self._bus, buffer)

    def write_readinto(self, out, into) -> None:
        if len(out) != len(into):
            raise ValueError("buffers must be the same length")
        call(op.SPI_TRANSFER, self._bus, out, into)

    def readinto(self, buffer, write=0x00) -> None:
        for index in range(len(buffer)):
            buffer[index] = write
        call(op.SPI_TRANSFER, self._bus, buffer, buffer)

    def read(self, count: int, write=0x00) -> bytes:
        buffer = bytearray(count)
        self.readinto(buffer, write)
        return bytes(buffer)


def _register(number: int, address_bits: int) -> bytes:
    return number.to_bytes(address_bits // 8, "big")
