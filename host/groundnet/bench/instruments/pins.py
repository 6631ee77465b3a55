"""A MicroPython board as a set of pins: outputs, inputs and a model servo that moves what is bolted to it.

Any board of the field does; what it runs is typed at its prompt and stays nowhere. Servo pulses of 0.5 to 2.5 ms at
50 Hz are -90 to 90 degrees, as analogue servos of the SG90 class take them.
"""

from groundnet.bench.instruments.line import InstrumentError
from groundnet.link import prompt
from groundnet.link.errors import LinkError

_WRITE = "import machine; machine.Pin({pin}, machine.Pin.OUT).value({level})"
_READ = "import machine; print(machine.Pin({pin}, machine.Pin.IN).value())"
# A timer of the board plays the moves: it returns at once, and a new order replaces the one under way.
_SERVO = """
import machine
if "arm{pin}" in globals():
    arm{pin}.deinit()
else:
    arm{pin} = machine.Timer(-1)
servo{pin} = machine.PWM(machine.Pin({pin}), freq=50, duty_ns={moves}[0][0])
def move{pin}(timer, moves={moves}, done=[0]):
    pulse_ns, stay_ms = moves[done[0] % len(moves)]
    servo{pin}.duty_ns(pulse_ns)
    done[0] += 1
    if done[0] < {count}:
        arm{pin}.init(mode=machine.Timer.ONE_SHOT, period=max(1, stay_ms), callback=move{pin})
move{pin}(None)
"""


class Pins:
    """The pins of one board.

    Args:
        name: of the instrument in the rig's description.
        port: of its prompt.
    """

    def __init__(self, name: str, port: str) -> None:
        self.name, self._port = name, port

    def identity(self) -> str:
        """What MicroPython says of itself. Raises InstrumentError."""
        try:
            found = prompt.ask(self._port)
        except LinkError as error:
            raise InstrumentError(
                self.name, "no MicroPython prompt answers", "reset it, and free its port"
            ) from error
        return f"{found.machine}, MicroPython {found.version}"

    def switch(self, channel: int, on: bool) -> None:
        """Drive a pin. Raises InstrumentError."""
        self._do(_WRITE.format(pin=channel, level=int(on)))

    def level(self, channel: int) -> int:
        """0 or 1 at a pin. Raises InstrumentError."""
        return int(self._do(_READ.format(pin=channel)))

    def play(self, channel: int, moves: list[list[float]], count: int) -> None:
        """Turn a servo: begins now and goes on by itself, whatever is asked meanwhile.

        Args:
            moves: (degrees, seconds to stay there), over and over.
            count: so many turns in all.

        Raises InstrumentError, also for an angle beyond 90 degrees.
        """
        for degrees, _ in moves:
            if not -90 <= degrees <= 90:
                raise InstrumentError(
                    self.name, f"{degrees:g} degrees are beyond a servo's reach", "stay within 90"
                )
        pulses = tuple((round((1.5 + degrees / 90) * 1e6), round(stay_s * 1000)) for degrees, stay_s in moves)
        self._do(_SERVO.format(pin=channel, moves=pulses, count=count))

    def close(self) -> None:
        """Nothing is held open."""

    def _do(self, code: str) -> str:
        try:
            return prompt.execute(self._port, code.encode()).decode().strip()
        except LinkError as error:
            raise InstrumentError(self.name, str(error.cause), "reset it, and free its port") from error
