"""The vibration motor between driver and core; a module of its own, because a tag that has one has nothing else."""

from apps.run_loop import Part
from drivers import siren
from groundcore import events


class Vibration(Part):
    """Carries out BUZZ."""

    actions = ((events.BUZZ, "buzz"),)

    def __init__(self, hardware):
        pin = hardware.output(hardware.part("vibration")["pin"], 0)
        self._motor = siren.Siren(pin, siren.MOTOR_BURST_MS, siren.BUZZ_MS)
        self.buzz = self._motor.chirp
        self.due_ms = self._motor.poll

    def poll(self) -> None:
        self._motor.poll()

    def busy(self) -> bool:
        return self._motor.sounding

    def test(self) -> tuple:
        self._motor.chirp(1)
        return True, 1, "one vibration was asked for"
