"""Each room imports only what its row in the README's table of rooms allows."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEVICE_LIBRARY = {"struct", "binascii", "hashlib", "collections", "micropython"}
HARDWARE = {"machine", "time", "bluetooth", "network", "esp32", "socket", "ssl", "select", "errno"}
PURE = DEVICE_LIBRARY | {"array", "math"}

# room -> (folder, modules it may import beside itself)
ROOMS = {
    "groundwire": ("protocol/groundwire", DEVICE_LIBRARY),
    "groundcore": ("firmware/groundcore", PURE | {"groundwire"}),
    "drivers": ("firmware/drivers", PURE | HARDWARE | {"sys", "os", "io"}),
    "apps": (
        "firmware/apps",
        PURE | HARDWARE | {"sys", "os", "io", "gc", "board", "drivers", "groundcore", "groundwire"},
    ),
}


def imported_modules(path: Path) -> list[tuple[int, str]]:
    """(line, top-level module) of every absolute import in a file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.append((node.lineno, node.module))
    return found


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_only_what_it_may(room):
    folder, allowed = ROOMS[room]
    files = python_files(folder)
    assert files, f"{folder} is empty"
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in files
        for line, module in imported_modules(path)
        if module.split(".")[0] not in allowed | {room}
    ]
    assert wrong == []


def test_boards_are_literals():
    for path in python_files("firmware/boards"):
        if path.name == "board.py":
            tree = ast.parse(path.read_text())
            assert [type(node) for node in tree.body] == [ast.Assign], path
            ast.literal_eval(tree.body[0].value)


def test_asyncio_never_runs_on_a_device():
    for folder, _ in ROOMS.values():
        for path in python_files(folder):
            assert "asyncio" not in {module for _, module in imported_modules(path)}, path


def test_host_never_imports_firmware_except_sim():
    firmware = {"groundcore", "drivers", "apps", "boards"}
    wrong = []
    for path in python_files("host/groundnet"):
        in_sim = "sim" in path.relative_to(ROOT / "host/groundnet").parts[:1]
        for line, module in imported_modules(path):
            top = module.split(".")[0]
            if top in firmware and not (in_sim and (top == "groundcore" or "shim" in path.parts)):
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert wrong == []


def test_host_library_never_imports_the_command_line():
    wrong = []
    for path in python_files("host/groundnet"):
        if "cli" in path.relative_to(ROOT / "host/groundnet").parts[:1]:
            continue
        wrong += [
            f"{path}:{line}" for line, module in imported_modules(path) if module.startswith("groundnet.cli")
        ]
    assert wrong == []


def test_only_the_command_line_exits():
    wrong = []
    for path in python_files("host/groundnet"):
        parts = path.relative_to(ROOT / "host/groundnet").parts
        if parts[0] == "cli" or "shim" in parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Attribute(value=ast.Name(id="sys" | "os"), attr="exit" | "_exit"):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


def test_tools_are_imported_by_nothing():
    tool_names = {path.stem for path in python_files("tools")}
    for folder in ("host", "protocol", "firmware"):
        for path in python_files(folder):
            imported = {module.split(".")[0] for _, module in imported_modules(path)}
            assert not imported & (tool_names - set(sys.stdlib_module_names)), path
