"""The device logic of the firmware on CPython: for the simulator and for `groundnet gnss`.

A checkout has it in firmware/groundcore, an installed wheel in groundnet/_firmware/groundcore. Only that one
package is made importable: names such as `drivers` and `apps` stay free for others.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from groundnet.errors import GroundnetError


def firmware_directory() -> Path:
    """Where the firmware sources are: in the wheel, else in the checkout that holds this file.

    Raises GroundnetError when neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "_firmware", package.parents[1] / "firmware"):
        if (candidate / "groundcore" / "__init__.py").is_file():
            return candidate
    raise GroundnetError("the firmware sources are missing", "install groundnet again, or run in a checkout")


def load(module: str) -> ModuleType:
    """A module of the device logic by its name in groundcore, such as "gnss"."""
    if "groundcore" not in sys.modules:
        _install(firmware_directory() / "groundcore")
    return importlib.import_module(f"groundcore.{module}")


def _install(folder: Path) -> None:
    package = ModuleType("groundcore")
    package.__path__ = [str(folder)]
    sys.modules["groundcore"] = package
