"""The application of a role as it goes onto a board: what starts it, and a bundle in the first slot.

The bundle's image runs from the ROM partition. It is copied there by the device itself, out of the slot, and
its hash is compared with the manifest's before the board is started.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from groundnet.bundle import build as bundle_build
from groundnet.bundle import container, manifest, verify
from groundnet.errors import GroundnetError, Text
from groundnet.flash import rom_copy
from groundnet.flash.laying import lay
from groundnet.image.boards import board_literal
from groundnet.image.firmware_image import BOOT_FILES, build, default_board
from groundnet.link import prompt

SLOT_PATH = "/slots/a.gnb"
_LAYING_SHARE = 0.9  # of the progress; the rest is the copy into the ROM partition


@dataclass(frozen=True)
class Application:
    """What a board shall become; ``files`` by absolute path on the board."""

    role: str
    board: str
    chip: str
    version: str
    image_sha256: str
    counter: int
    least: tuple[int, int, int]
    files: Mapping[str, bytes]

    def lay_down(self, port: str, progress: Callable[[float], None]) -> None:
        """Write the files, copy the image where it runs, restart the board.

        Raises LinkError, CopyFailed, and OSError when the cable is pulled.
        """
        lay(port, self.files, lambda share: progress(_LAYING_SHARE * share))
        rom_copy.copy(port, self.image_sha256, self.counter, self.least)
        progress(1.0)
        prompt.restart(port)


def load(role: str | None, board: str | None = None, bundle: Path | None = None) -> Application:
    """From a bundle, or built from the sources that are installed.

    Raises GroundnetError for a bundle of another role or board, and for what cannot be built.
    """
    if bundle is None:
        assert role is not None
        data = bundle_build.build(role, board or default_board(role))
    else:
        data = _read(bundle)
    found = container.parse(data)
    verify.check_image(found)  # signed or not: who flashes by cable holds the board
    about = found.manifest
    if manifest.kind_of(about) != manifest.APPLICATION:
        raise GroundnetError(
            Text("the bundle holds MicroPython, not an application", "该固件包是 MicroPython，而不是应用"),
            Text(
                "give MicroPython's firmware.bin with --base-image, or update devices with `groundnet update`",
                "用 --base-image 指定 MicroPython 的 firmware.bin，或用 `groundnet update` 更新设备",
            ),
        )
    for name, wanted in (("role", role), ("board", board)):
        if wanted is not None and about[name] != wanted:
            raise GroundnetError(
                Text(
                    f"the bundle is for {name} '{about[name]}', not '{wanted}'",
                    f"该固件包用于 {name}“{about[name]}”，不是“{wanted}”",
                ),
                Text("choose the bundle for these boards", "请选择适用于这些板的固件包"),
            )
    files = build(about["role"], about["board"])
    return Application(
        about["role"],
        about["board"],
        board_literal(about["board"])["chip"],
        about["version"],
        about["image_sha256"],
        about["security_counter"],
        _numbers(about["least_version"]),
        {SLOT_PATH: data} | {path: files[path] for path in reversed(BOOT_FILES)},  # what starts comes last
    )


def _numbers(version: str) -> tuple[int, int, int]:
    major, minor, patch = (int(number) for number in version.split("."))
    return major, minor, patch


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise GroundnetError(
            Text(f"the bundle {path} cannot be read ({error.strerror})", f"无法读取固件包 {path}"),
            Text("name a bundle with --bundle, or none", "用 --bundle 指定固件包，或不指定"),
        ) from error
