"""The firmware of each role: what goes onto a board, and that it runs there."""

import pytest
from groundnet.errors import GroundnetError
from groundnet.image import firmware_image
from groundnet.sim.desk import Desk, device_on

ROLE_BOARDS = [(role, board) for role in firmware_image.ROLES for board in firmware_image.boards_for(role)]


@pytest.mark.parametrize(("role", "board"), ROLE_BOARDS)
def test_image_holds_what_it_imports_and_nothing_else(role, board):
    files = firmware_image.build(role, board)
    assert b"import start" in files["/main.py"] and f"apps.{role}".encode() in files["/start.mpy"]
    assert f"/apps/{role}.mpy" in files and "/groundwire/frame.mpy" in files
    others = {f"/apps/{other}.mpy" for other in firmware_image.ROLES if other != role}
    assert not others & files.keys()
    assert all(data[:2] == b"M\x06" for path, data in files.items() if path.endswith(".mpy"))


@pytest.mark.parametrize(("role", "board"), ROLE_BOARDS)
def test_firmware_boots_and_its_heap_is_known(role, board):
    with device_on(Desk(role, board)) as device:
        device.power_on()
        device.board.world.run_for(300_000)
        assert "Traceback" not in device.board.log
        assert 5_000 < device.board.measure_heap() < 200_000


def test_wrong_names_and_broken_modules_are_told(tmp_path):
    with pytest.raises(GroundnetError, match="no firmware for role 'base'; choose one of these boards"):
        firmware_image.build("base", "xiao_c3_sx1262")
    with pytest.raises(GroundnetError, match="choose a role"):
        firmware_image.build("pilot", "xiao_c3_sx1262")
    (tmp_path / "broken.py").write_text("def f(:\n")
    with pytest.raises(GroundnetError, match="does not compile: SyntaxError"):
        firmware_image.compile_module(tmp_path / "broken.py", "broken")
