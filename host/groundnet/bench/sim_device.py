"""A virtual device on the bench: a virtual board with its firmware, fitted, and everything around it."""

from collections.abc import Callable

from groundnet.bench.fitting import Fitted
from groundnet.bench.interface import Lacking, T, Text
from groundnet.bench.screen_text import read_text
from groundnet.bench.sim_stimuli import (
    Bearer,
    Place,
    SimContact,
    SimCurrent,
    SimMotion,
    SimPir,
    SimPower,
    SimSky,
    SimSounder,
    SimVehicleSupply,
)
from groundnet.errors import GroundnetError
from groundnet.image.firmware_image import build, default_board
from groundnet.link import prompt
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.cells import Cells, Tower, read_towers
from groundnet.sim.chips.indicator import Contact, Pir
from groundnet.sim.chips.siren import Siren
from groundnet.sim.chips.ssd1306 import Ssd1306
from groundnet.sim.chips.supply import Supply
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.pacing import hold_while
from groundnet.sim.roles import Device as Assembled
from groundnet.sim.roles import make_device, production_flash
from groundnet.sim.scene import Scene
from groundnet.sim.sky import Sky
from groundnet.sim.state_files import state_files
from groundnet.sim.wiring import Environment
from groundnet.sim.world import US_PER_S

_INSTALL_POINT = "bench"
_PATIENCE_S = 60.0  # wall clock, for an answer at the prompt


class SimDevice:
    """See `interface.Device`. It has no power until ``power.restore()``."""

    def __init__(
        self,
        scene: Scene,
        fitted: Fitted,
        at: tuple[float, float],
        run: Callable[[float], None],
        bare: bool = False,
    ) -> None:
        self.name, self.role, self.fitted = fitted.name, fitted.role, fitted
        self._scene, world = scene, scene.world
        self.place = Place(world, scene.frame, at)
        self._towers: list[Tower] = []
        self._page_read, self._page_text = b"", [""]
        profile = MotionProfile(world.random(f"{self.name}/motion"))
        self._sky = Sky(world, self.name, self.place.journey)
        environment = Environment(
            profile,
            self._sky,
            Cells(self._towers, self.place.degrees),
            scene.medium,
            scene.network,
            self.place.metres,
        )
        self.assembled: Assembled = make_device(
            world, self.name, self.role, environment, fitted.device_id, fitted.board, self._flash(bare)
        )
        self.motion = SimMotion(world, profile)
        self.sky = SimSky(world, self._sky)
        self.power = SimPower(self.assembled)
        self.current = SimCurrent(self.assembled.power, run)

    def contact(self, part: str) -> SimContact | SimPir:
        model = self.part(part)
        if isinstance(model, Pir):
            return SimPir(model)
        if isinstance(model, Contact):
            return SimContact(self._scene.world, model)
        raise GroundnetError(f"'{part}' of {self.name} is no input", "name a button, strap, case or PIR")

    def sounder(self, part: str) -> SimSounder:
        model = self.part(part)
        if isinstance(model, Siren):
            return SimSounder(model)
        raise GroundnetError(
            f"'{part}' of {self.name} makes no sound", "name a siren, buzzer or vibration motor"
        )

    def vehicle_supply(self) -> SimVehicleSupply:
        model = self.part("supply")
        assert isinstance(model, Supply)
        return SimVehicleSupply(model)

    def cells(self, rows: str) -> None:
        self._towers[:] = read_towers(rows) if rows.strip() else []

    def texts(self) -> list[Text]:
        began_ms = self._scene.world.start_unix_ms
        sent = getattr(self.part("modem"), "sent_sms", [])
        return [Text((unix_ms - began_ms) / 1000, number, text) for unix_ms, number, text in sent]

    def light(self) -> bool:
        return bool(getattr(self.part("led"), "on", False))

    def screen(self) -> list[str]:
        display = self.part("display")
        assert isinstance(display, Ssd1306)
        if not display.visible:
            return []
        if (
            display.ram != self._page_read
        ):  # reading takes longer than a quarter of a second of a board's life
            self._page_read, self._page_text = bytes(display.ram), read_text(display.rows())
        return list(self._page_text)

    def picture(self) -> list[str]:
        display = self.part("display")
        assert isinstance(display, Ssd1306)
        return display.rows()

    def log(self) -> str:
        return self.assembled.board.log

    def carry_to(self, east_m: float, north_m: float, speed_mps: float) -> None:
        self.place.go(east_m, north_m, speed_mps)
        self._sky.journey = self.place.journey

    def at_cable(self, job: Callable[[str], T]) -> T:
        board = self.assembled.board
        port = board.console.open_pty().path
        return hold_while(self._scene.world, [board], lambda: job(port), patience_s=_PATIENCE_S)

    def faces(self, bearing_deg: float, turning_dps: float = 0.0) -> None:
        bearer = Bearer(self._scene.world, bearing_deg, turning_dps)
        self._scene.medium.patterns[self.name] = bearer.loss_db

    def radio_refusals(self) -> list[str]:
        """What the radio's silicon refused: commands in a wrong mode, a busy line."""
        return list(getattr(self.assembled.parts.get("radio"), "refusals", []))

    @property
    def now_s(self) -> float:
        return self._scene.world.now_us / US_PER_S

    def part(self, name: str) -> object:
        """The chip model of a part of the board. Raises Lacking."""
        if name not in self.assembled.parts:
            raise Lacking(self.name, name)
        return self.assembled.parts[name]

    @property
    def board(self) -> str:
        """Name of its board."""
        return self.fitted.board or default_board(self.role)

    def execute(self, code: str) -> str:
        return self.at_cable(lambda port: prompt.execute(port, code.encode(), _PATIENCE_S)).decode()

    def _flash(self, bare: bool) -> BoardFs:
        if bare:
            return BoardFs(build(self.role, self.board) | {"/main.py": b""})
        fitted = self.fitted
        flash = production_flash(self.role, self.board)
        files = state_files(fitted.name, fitted.fixed_to, _INSTALL_POINT, fitted.secret, fitted.settings)
        for path, data in files.items():
            flash[path] = data
        return flash
