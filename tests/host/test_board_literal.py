"""A board.py is one dictionary called BOARD, and nothing else is taken for one."""

import pytest
from groundnet.errors import GroundnetError
from groundnet.image.boards import read_board


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BOARD = 5",
        "BOARD = []",
        "OTHER = {}",
        "BOARD = {'a': f()}",
        "BOARD = {",
        "import os",
        "BOARD = {}\nx = 1",
    ],
)
def test_what_is_no_board_is_named(tmp_path, text):
    path = tmp_path / "board.py"
    path.write_text(text)
    with pytest.raises(GroundnetError, match="not a board literal"):
        read_board(path)


def test_a_board_is_read_without_being_run(tmp_path):
    path = tmp_path / "board.py"
    path.write_text('# A board.\nBOARD = {"name": "x", "parts": {"led": {"pin": 3}}}\n')
    assert read_board(path)["parts"] == {"led": {"pin": 3}}
