"""What changed between two bundles, read from their manifests."""

from dataclasses import dataclass
from typing import Any

from groundnet.bundle.container import Bundle

_OWN = {"files", "settings", "image_sha256"}  # entries that are told in a place of their own


@dataclass(frozen=True)
class FileChange:
    """One file; a size is None where the file does not exist."""

    path: str
    old_bytes: int | None
    new_bytes: int | None


@dataclass(frozen=True)
class Difference:
    """Files and settings that differ, and the manifest's other entries, as (old, new).

    A setting is None where the bundle leaves it to the firmware.
    """

    files: list[FileChange]
    settings: dict[str, tuple[Any, Any]]
    entries: dict[str, tuple[Any, Any]]
    image_bytes: tuple[int, int]


def diff(old: Bundle, new: Bundle) -> Difference:
    """Everything by which two bundles differ; hashes of the whole follow from the files."""
    before, after = old.manifest["files"], new.manifest["files"]
    files = [
        FileChange(path, _size(before, path), _size(after, path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]
    return Difference(
        files,
        _changes(old.manifest["settings"], new.manifest["settings"]),
        _changes(*({key: one.manifest[key] for key in one.manifest.keys() - _OWN} for one in (old, new))),
        (len(old.image), len(new.image)),
    )


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    }


def _size(files: dict[str, Any], path: str) -> int | None:
    return files[path]["bytes"] if path in files else None
