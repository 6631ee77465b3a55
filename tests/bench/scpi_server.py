"""A small SCPI instrument on a real TCP port: a supply with two outputs, a meter, an attenuator.

It keeps the rules of SCPI-99 that the drivers count on: an error queue of (number, text), -113 for a header that it
does not know, -222 for a value out of its range, each question answered by one line.
"""

import re
import socketserver
import threading

MAX_VOLTS, MAX_DB = 32.0, 95.0


class Instrument:
    """What the knobs stand at."""

    def __init__(self) -> None:
        self.channel = 1
        self.volts, self.limits_a = {1: 0.0, 2: 0.0}, {1: 3.2, 2: 3.2}
        self.on = {1: False, 2: False}
        self.attenuation_db: dict[int, float] = {}
        self.load_a = 0.012
        self.errors: list[tuple[int, str]] = []
        self.log: list[str] = []
        self.mute = False

    def answer(self, command: str) -> str | None:
        """One line of input; the line to send, or None."""
        self.log.append(command)
        if self.mute:
            return None
        questions = {
            "*IDN?": lambda: "Example,SPD2,0001,1.0",
            "SYST:ERR?": self._next_error,
            "MEAS:VOLT?": lambda: f"{self.volts[self.channel] if self.on[self.channel] else 0.0:.4f}",
            "MEAS:CURR?": lambda: f"{self.load_a if self.on[self.channel] else 0.0:.6E}",
            "MEAS:CURR:DC?": lambda: f"{self.load_a:.6E}",
        }
        if command in questions:
            return questions[command]()
        self._obey(command)
        return None

    def _next_error(self) -> str:
        code, text = self.errors.pop(0) if self.errors else (0, "No error")
        return f'{code},"{text}"'

    def _obey(self, command: str) -> None:
        found = re.fullmatch(r"(INST:NSEL|VOLT|CURR|OUTP|INP(\d+):ATT) (\S+)", command)
        if found is None:
            self.errors.append((-113, "Undefined header"))
            return
        header, input_number, value = found.groups()
        if header == "INST:NSEL" and int(value) in self.volts:
            self.channel = int(value)
        elif header == "VOLT" and 0 <= float(value) <= MAX_VOLTS:
            self.volts[self.channel] = float(value)
        elif header == "CURR":
            self.limits_a[self.channel] = float(value)
        elif header == "OUTP":
            self.on[self.channel] = value == "ON"
        elif input_number and float(value) <= MAX_DB:
            self.attenuation_db[int(input_number)] = float(value)
        else:
            self.errors.append((-222, "Data out of range"))


class ScpiServer:
    """Serves one instrument until it is closed; ``url`` is how pyserial reaches it."""

    def __init__(self) -> None:
        instrument = self.instrument = Instrument()
        self._changed = changed = threading.Condition()
        self._open = held = [0]

        class Connection(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with changed:
                    held[0] += 1
                for line in self.rfile:
                    said = instrument.answer(line.decode().strip())
                    if said is not None:
                        self.wfile.write(said.encode() + b"\n")
                with changed:
                    held[0] -= 1
                    changed.notify_all()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection)
        self._server.daemon_threads = True
        self.url = f"socket://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def let_go(self, timeout_s: float = 10.0) -> bool:
        """Whether every connection was closed within a time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open[0] == 0, timeout_s)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
