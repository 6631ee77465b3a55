"""MAX17048 fuel gauge at register level (Maxim 19-6171 rev 7).

Modelled: the register table with its reset values, voltage each 250 ms (45 s in hibernation), charge from the
cell's discharge curve, hibernation after six minutes of little change, the alert, the reset indicator, power-on
reset by command (which is not acknowledged). Not modelled: how the chip's estimate learns and errs, temperature
compensation, the voltage alerts, sleep mode. Only hardware can tell: how far the charge is off on a worn cell.
"""

from groundnet.sim.chips.battery import Battery
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import BusError, Line
from groundnet.sim.world import World

ACTIVE_UA = 23.0  # electrical characteristics, I_DD1
HIBERNATE_UA = 3.0  # I_DD0
VCELL, SOC, MODE, VERSION, HIBRT, CONFIG, VALRT, CRATE, VRESET, STATUS, CMD = (
    0x02, 0x04, 0x06, 0x08, 0x0A, 0x0C, 0x14, 0x16, 0x18, 0x1A, 0xFE,
)  # fmt: skip
_RESET = {VERSION: 0x0012, HIBRT: 0x8030, CONFIG: 0x971C, VALRT: 0x00FF, VRESET: 0x9600, STATUS: 0x0100}
_WRITABLE = {MODE, HIBRT, CONFIG, VALRT, VRESET, STATUS}
_STEP_V = 78.125e-6
_ACTIVE_US, _HIBERNATE_US = 250_000, 45_000_000
_QUIET_US = 360_000_000  # "Hibernate": this long below the threshold
_RATE_STEP_PERCENT_H = 0.208


class Max17048:
    """One gauge on the cell ``battery``. Attach it to an I2C bus at 0x36."""

    def __init__(
        self,
        world: World,
        battery: Battery,
        power: PowerAccount,
        part: str = "battery",
        alert: Line | None = None,
    ) -> None:
        self._world = world
        self.battery = battery
        self._power = power
        self._part = part
        self._alert = alert
        self._registers: dict[int, int] = {}
        self._pointer = 0
        self.power_cycle()

    def power_cycle(self) -> None:
        """The cell was put in, or the reset command came."""
        self._registers = dict(_RESET)
        self._measured_us = self._quiet_us = self._world.now_us
        self._hibernating = False
        self._measure(0)
        self._account()

    # --- bus

    def i2c_write(self, data: bytes) -> None:
        """First byte: register; then words, most significant byte first."""
        if not data:
            return
        self._pointer = data[0]
        for index in range(1, len(data) - 1, 2):
            self._write(self._pointer, data[index] << 8 | data[index + 1])
            self._pointer += 2

    def i2c_read(self, count: int) -> bytes:
        """Bytes from the register pointer on; both bytes of a register belong together."""
        self._update()
        values = bytearray()
        for _ in range(count):
            word = self._registers.get(self._pointer & 0xFE, 0)
            values.append(word & 0xFF if self._pointer & 1 else word >> 8)
            self._pointer += 1
        return bytes(values)

    def _write(self, register: int, value: int) -> None:
        if register == CMD and value == 0x5400:
            self.power_cycle()
            raise BusError(5, "the reset command is not acknowledged")
        if register == MODE and value & 0x4000:
            self._measure(0)
        if register in _WRITABLE:
            self._registers[register] = value
            self._drive_alert()

    # --- measuring

    def _update(self) -> None:
        """Catch up with the conversions since the last look."""
        now_us = self._world.now_us
        if not self._hibernating and now_us - self._quiet_us >= _QUIET_US:
            self._hibernating = True
            self._account()
        period_us = _HIBERNATE_US if self._hibernating else _ACTIVE_US
        if now_us - self._measured_us >= period_us:
            elapsed_us = now_us - self._measured_us
            self._measured_us = now_us - elapsed_us % period_us
            self._measure(elapsed_us)

    def _measure(self, elapsed_us: int) -> None:
        charge_percent = self.battery.charge_share * 100
        if elapsed_us:
            rate = (charge_percent - self._registers[SOC] / 256) / (elapsed_us / 3.6e9) / _RATE_STEP_PERCENT_H
            self._registers[CRATE] = round(max(-32768, min(32767, rate))) & 0xFFFF
            if abs(rate) > self._registers[HIBRT] >> 8:
                self._quiet_us = self._world.now_us
                self._hibernating = False
                self._account()
        self._registers[VCELL] = min(0xFFFF, round(self.battery.volts / _STEP_V))
        self._registers[SOC] = round(charge_percent * 256)
        mode = self._registers.get(MODE, 0) & ~0x1000
        self._registers[MODE] = mode | (0x1000 if self._hibernating else 0)
        if charge_percent < 32 - (self._registers[CONFIG] & 0x1F):
            self._registers[CONFIG] |= 0x20
            self._registers[STATUS] |= 0x1000
        self._drive_alert()

    def _drive_alert(self) -> None:
        if self._alert is not None:
            self._alert.drive(0 if self._registers[CONFIG] & 0x20 else 1)

    def _account(self) -> None:
        state, current_ua = ("hibernating", HIBERNATE_UA) if self._hibernating else ("active", ACTIVE_UA)
        self._power.set_state(self._part, state, current_ua)
