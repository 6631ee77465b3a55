"""The line to an instrument: a serial port, or a socket as pyserial spells it (socket://HOST:PORT)."""

import serial

from groundnet.errors import GroundnetError

TIMEOUT_S = 2.0


class InstrumentError(GroundnetError):
    """An instrument that does not answer, or refuses."""

    def __init__(
        self, name: str, cause: str, action: str = "check its cable and that it is switched on"
    ) -> None:
        super().__init__(f"{name}: {cause}", action)


class Line:
    """Bytes to and from one instrument; every failure names it.

    Args:
        name: of the instrument in the rig's description.
        port: a device file, or a URL of pyserial.
        baudrate: of a serial port.
    """

    def __init__(self, name: str, port: str, baudrate: int, timeout_s: float = TIMEOUT_S) -> None:
        self.name = name
        try:
            self._serial = serial.serial_for_url(
                port, baudrate=baudrate, timeout=timeout_s, write_timeout=timeout_s
            )
        except (serial.SerialException, OSError, ValueError) as error:
            raise InstrumentError(
                name, f"{port} cannot be opened", "check the port, and who else uses it"
            ) from error

    def write(self, data: bytes) -> None:
        """Raises InstrumentError."""
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError) as error:
            raise InstrumentError(self.name, "is gone") from error

    def read_line(self) -> bytes:
        """One line without its end. Raises InstrumentError when none comes in time."""
        try:
            line = self._serial.read_until(b"\n")
        except (serial.SerialException, OSError) as error:
            raise InstrumentError(self.name, "is gone") from error
        if not line.endswith(b"\n"):
            raise InstrumentError(self.name, "does not answer")
        return line.rstrip(b"\r\n")

    def close(self) -> None:
        self._serial.close()
