"""What changed between two bundles, read from their manifests."""

from dataclasses import dataclass
from typing import Any

from groundnet.bundle.container import Bundle


@dataclass(frozen=True)
class FileChange:
    """One file; a size is None where the file does not exist."""

    path: str
    old_bytes: int | None
    new_bytes: int | None


@dataclass(frozen=True)
class Difference:
    """Files that differ, and the manifest's other entries as (old, new)."""

    files: list[FileChange]
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
    entries = {
        name: (old.manifest[name], new.manifest[name])
        for name in sorted(old.manifest.keys() - {"files", "image_sha256"})
        if old.manifest[name] != new.manifest[name]
    }
    return Difference(files, entries, (len(old.image), len(new.image)))


def _size(files: dict[str, Any], path: str) -> int | None:
    return files[path].get("bytes") if isinstance(files.get(path), dict) else None
