"""Board literals become chips on the right pins."""

from pathlib import Path

import pytest
from groundnet.errors import GroundnetError
from groundnet.image.boards import read_board
from groundnet.sim.cells import Cells
from groundnet.sim.chips.lis2dw12 import Lis2dw12
from groundnet.sim.chips.sx1262 import Sx1262
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.network import Network
from groundnet.sim.power import PowerAccount
from groundnet.sim.radio import Medium
from groundnet.sim.signals import BoardIo
from groundnet.sim.sky import Journey, Sky
from groundnet.sim.wiring import Environment, Site, attach, power_cycle
from groundnet.sim.world import World

BOARDS = Path(__file__).resolve().parents[2] / "firmware" / "boards"
NAMES = sorted(path.parent.name for path in BOARDS.glob("*/board.py"))


def site(name: str = "bike") -> Site:
    world = World()
    environment = Environment(
        MotionProfile(world.random("motion")),
        Sky(world, name, Journey.parked(25.5, 103.8)),
        Cells([], lambda unix_ms: (25.5, 103.8)),
        Medium(world),
        Network(world),
    )
    return Site(world, name, BoardIo(name), PowerAccount(world), environment)


@pytest.mark.parametrize("name", NAMES)
def test_every_part_of_every_board_has_a_model(name):
    board = read_board(BOARDS / name / "board.py")
    place = site(name)
    models = attach(place, board)
    assert set(models) == set(board["parts"])
    place.world.run_for(10_000_000)
    assert place.power.current_ua() > 0
    power_cycle(models)


def test_chips_answer_on_their_buses():
    board = read_board(BOARDS / "xiao_c3_sx1262" / "board.py")
    place = site()
    models = attach(place, board)
    accelerometer, radio = board["parts"]["accelerometer"], board["parts"]["radio"]
    device = place.io.i2c(accelerometer["i2c"]).device(accelerometer["address"])
    assert device is models["accelerometer"] and isinstance(device, Lis2dw12)
    device.i2c_write(b"\x0f")
    assert device.i2c_read(1) == b"\x44"
    place.world.run_for(10_000)
    assert place.io.spi(radio["spi"]).transfer(b"\xc0\x00") == b"\0\0", "nothing is selected at start"
    place.io.line(radio["cs"]).drive(0)
    assert place.io.spi(radio["spi"]).transfer(b"\xc0\x00")[1] >> 4 == 2
    place.io.line(radio["cs"]).drive(1)
    assert isinstance(models["radio"], Sx1262) and models["radio"].refusals == []


def test_an_unknown_part_a_missing_board_and_a_program_are_named(tmp_path):
    with pytest.raises(GroundnetError, match="no chip model for part 'toaster'"):
        attach(site(), {"parts": {"x": {"part": "toaster"}}})
    with pytest.raises(GroundnetError, match=r"there is no board 'none'; choose one of: .*heltec_v3"):
        read_board(BOARDS / "none" / "board.py")
    program = tmp_path / "board.py"
    program.write_text("BOARD = open('x')\n")
    with pytest.raises(GroundnetError, match="is not a board literal"):
        read_board(program)
