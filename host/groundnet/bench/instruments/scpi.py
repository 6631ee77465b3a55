"""Instruments that speak SCPI-99 over IEEE 488.2: supplies, meters, attenuators.

Behind every setting the error queue is asked (SCPI-99, 21.8.8), so that what an instrument refused is an error here
and not a wrong measurement later.
"""

from groundnet.bench.instruments.line import InstrumentError, Line


class Scpi:
    """Commands and questions to one instrument."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.name = line.name

    def identity(self) -> str:
        """Maker, model, serial number, version (IEEE 488.2, 10.14). Raises InstrumentError."""
        return self._ask("*IDN?")

    def close(self) -> None:
        self._line.close()

    def _set(self, command: str) -> None:
        self._line.write(command.encode() + b"\n")
        code, _, text = self._ask("SYST:ERR?").partition(",")
        if int(_number(self.name, code)) != 0:
            raise InstrumentError(
                self.name, f"refuses '{command}': {text.strip(' ' + chr(34))}", "look up its ranges"
            )

    def _ask(self, question: str) -> str:
        self._line.write(question.encode() + b"\n")
        return self._line.read_line().decode("ascii", errors="replace")

    def _measure(self, question: str) -> float:
        return _number(self.name, self._ask(question))


class Supply(Scpi):
    """A programmable supply with one or several outputs (SCPI-99 vol. 4, power supplies)."""

    def set_volts(self, channel: int, volts: float) -> None:
        """Raises InstrumentError, also when the output cannot give that."""
        self._set(f"INST:NSEL {channel}")
        self._set(f"VOLT {volts:.4f}")

    def set_limit(self, channel: int, amperes: float) -> None:
        self._set(f"INST:NSEL {channel}")
        self._set(f"CURR {amperes:.4f}")

    def switch(self, channel: int, on: bool) -> None:
        self._set(f"INST:NSEL {channel}")
        self._set(f"OUTP {'ON' if on else 'OFF'}")

    def measure_volts(self, channel: int) -> float:
        self._set(f"INST:NSEL {channel}")
        return self._measure("MEAS:VOLT?")

    def measure_amperes(self, channel: int) -> float:
        self._set(f"INST:NSEL {channel}")
        return self._measure("MEAS:CURR?")


class Meter(Scpi):
    """A current meter in the supply line (SCPI-99 vol. 2, MEASure). One channel, whatever its number."""

    def measure_amperes(self, channel: int) -> float:
        return self._measure("MEAS:CURR:DC?")


class Attenuator(Scpi):
    """A step attenuator. ``command`` sets it, with {channel} and {db} in place of the numbers."""

    def __init__(self, line: Line, command: str = "INP{channel}:ATT {db}") -> None:
        super().__init__(line)
        self._command = command

    def set_db(self, channel: int, attenuation_db: float) -> None:
        self._set(self._command.format(channel=channel, db=f"{attenuation_db:.2f}"))


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InstrumentError(
            name, f"answers '{text[:40]}', which is no number", "check which instrument it is"
        ) from None
