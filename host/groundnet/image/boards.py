"""Boards as their literals in firmware/boards say; nothing of them is run."""

import ast
from pathlib import Path

from groundnet.errors import GroundnetError, Text
from groundnet.image.firmware_image import board_file


def board_literal(board: str) -> dict:
    """The literal of a board in firmware/boards. Raises GroundnetError for an unknown board."""
    return read_board(board_file(board))


def read_board(path: Path) -> dict:
    """The literal ``BOARD = {...}`` of a board.py, read without running it.

    Raises GroundnetError when the file is missing or is not a literal.
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        match tree.body:
            case [ast.Assign(targets=[ast.Name(id="BOARD")], value=ast.Dict() as literal)]:
                return ast.literal_eval(literal)
        raise ValueError("more or less than one dictionary")
    except FileNotFoundError:
        boards = ", ".join(
            sorted(folder.name for folder in path.parent.parent.glob("*/") if (folder / "board.py").exists())
        )
        raise GroundnetError(
            Text(f"there is no board '{path.parent.name}'", f"没有板“{path.parent.name}”"),
            Text(f"choose one of: {boards}", f"可选：{boards}"),
        ) from None
    except (SyntaxError, ValueError) as error:
        raise GroundnetError(
            f"{path} is not a board literal", "write it as BOARD = {...} with literals only"
        ) from error
