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
        # "?": the guard imports the app that it is told to start
        # board, start and trust are made with the image; the boot loader stands alone
        PURE
        | HARDWARE
        | {
            "sys",
            "os",
            "io",
            "gc",
            "json",
            "vfs",
            "framebuf",
            "__main__",
            "board",
            "start",
            "trust",
            "loader",
        }
        | {"drivers", "groundcore", "groundwire", "?"},
    ),
}


def imported_modules(path: Path) -> list[tuple[int, str]]:
    """(line, module) of every absolute import in a file, also of those that importlib carries out."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        match node:
            case ast.Import(names=names):
                found += [(node.lineno, alias.name) for alias in names]
            case ast.ImportFrom(level=0, module=str(module)):
                found.append((node.lineno, module))
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"),
                args=[name, *_],
            ):
                found.append((node.lineno, named_at_run_time(name)))
    return found


def named_at_run_time(name: ast.expr) -> str:
    """The fixed beginning of a module's name given to importlib; "?" when even that is computed."""
    match name:
        case ast.Constant(value=str(text)) | ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            return text.rstrip(".")
    return "?"


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


SIMULATES = {"sim", "bench", "cli"}  # and wire/vectors.py, which runs the vectors on MicroPython


def test_what_works_on_real_devices_never_imports_the_simulator():
    wrong = []
    for path in python_files("host/groundnet"):
        inside = path.relative_to(ROOT / "host/groundnet")
        if inside.parts[0] in SIMULATES or inside == Path("wire/vectors.py"):
            continue
        wrong += [
            f"{inside}:{line} imports {module}"
            for line, module in imported_modules(path)
            if module.startswith("groundnet.sim")
        ]
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
            assert not imported & (tool_names - set(sys.stdlib_module_names) - {"__main__"}), path


COMMAND_LINE_MAY_IMPORT = set(sys.stdlib_module_names) | {
    "typer",
    "rich",
    "platformdirs",
    "groundnet",
    "groundwire",
}
COMMAND_LINE_DOES_NOT = {"sqlite3", "struct", "hashlib", "hmac", "socket", "serial", "threading", "math", "?"}


def test_the_command_line_only_parses_calls_and_prints():
    """No store, socket, key or arithmetic of its own: what those modules are for is in the library."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in python_files("host/groundnet/cli")
        for line, module in imported_modules(path)
        if module.split(".")[0] not in COMMAND_LINE_MAY_IMPORT - COMMAND_LINE_DOES_NOT
    ]
    assert wrong == []


def test_the_command_line_asks_no_database_itself():
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files("host/groundnet/cli")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in {"row", "rows", "execute", "executemany", "transaction"}
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("import importlib\nimportlib.import_module('drivers.gnss')", "drivers.gnss"),
        ("from importlib import import_module\nimport_module(f'groundcore.{x}')", "groundcore"),
        ("__import__(x)", "?"),
    ],
)
def test_an_import_at_run_time_is_seen(tmp_path, text, module):
    path = tmp_path / "sly.py"
    path.write_text(text)
    assert module in {name for _, name in imported_modules(path)}
