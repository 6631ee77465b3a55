"""machine.UART."""

import io
import struct
import time

import operations as op
from _board import call, on_interrupt

_IOCTL_POLL = 3
_POLLIN = 1
_POLLOUT = 4


class UART(io.IOBase):
    """A serial port with the receive buffer of the ESP32 (256 bytes unless ``rxbuf`` says otherwise)."""

    IRQ_RX = 1
    IRQ_BREAK = 2
    IRQ_RXIDLE = 4096
    INV_RX = 4
    INV_TX = 32
    RTS = 1
    CTS = 2

    def __init__(self, number: int, baudrate=115_200, bits=8, parity=None, stop=1, **options):
        super().__init__()
        self._number = number
        self._stream = (op.STREAM_UART, number)
        self._byte = bytearray(1)
        self.init(baudrate, bits, parity, stop, **options)

    def init(
        self,
        baudrate=115_200,
        bits=8,
        parity=None,
        stop=1,
        *,
        tx=None,
        rx=None,
        rts=None,
        cts=None,
        txbuf=256,
        rxbuf=256,
        timeout=0,
        timeout_char=0,
        invert=0,
        flow=0,
    ) -> None:
        self._timeout_ms = timeout
        call(op.UART_SETUP, self._number, struct.pack("<IH", baudrate, rxbuf))

    def deinit(self) -> None:
        on_interrupt(op.INTERRUPT_UART, self._number, None, None)
        call(op.UART_INTERRUPT, self._number, struct.pack("<H", 0))

    def any(self) -> int:
        return call(op.UART_ANY, self._number)

    def readinto(self, buffer, count=None):
        """Bytes read; None when nothing came within the timeout."""
        view = memoryview(buffer) if count is None else memoryview(buffer)[:count]
        got = call(op.UART_READ, self._number, b"", view)
        deadline_ms = time.ticks_add(time.ticks_ms(), self._timeout_ms)
        while got < len(view) and self._timeout_ms and time.ticks_diff(deadline_ms, time.ticks_ms()) > 0:
            time.sleep_ms(1)
            got += call(op.UART_READ, self._number, b"", view[got:])
        return got or None

    def read(self, count=None):
        buffer = bytearray(self.any() if count is None else count)
        got = self.readinto(buffer) if buffer else None
        return None if got is None else bytes(buffer[:got])

    def readline(self):
        line = b""
        while not line.endswith(b"\n") and self.readinto(self._byte):
            line += self._byte
        return line or None

    def write(self, buffer, *_) -> int:
        call(op.UART_WRITE, self._number, buffer)
        return len(buffer)

    def flush(self) -> None:
        pass

    def txdone(self) -> bool:
        return True

    def irq(self, handler=None, trigger=0, hard=False):
        on_interrupt(op.INTERRUPT_UART, self._number, handler, self)
        call(op.UART_INTERRUPT, self._number, struct.pack("<H", trigger if handler else 0))
        return self

    def ioctl(self, request: int, argument: int) -> int:
        if request == _IOCTL_POLL:
            return argument & (_POLLOUT | (_POLLIN if self.any() else 0))
        return 0
