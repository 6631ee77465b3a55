"""Images of the read-only file system that a board maps into its memory, so that bytecode runs where it lies."""

from collections.abc import Mapping

from mpremote.romfs import VfsRomWriter

Tree = dict[str, "bytes | Tree"]


def image(files: Mapping[str, bytes]) -> bytes:
    """The image of files by absolute path, as ``mpremote romfs build`` makes it."""
    tree: Tree = {}
    for path, data in files.items():
        *folders, name = path.strip("/").split("/")
        place = tree
        for folder in folders:
            below = place.setdefault(folder, {})
            if isinstance(below, bytes):
                raise ValueError(f"{path}: {folder} is a file")
            place = below
        place[name] = data
    writer = VfsRomWriter()
    _write(writer, tree)
    return bytes(writer.finalise())


def _write(writer: VfsRomWriter, tree: Tree) -> None:
    for name, entry in sorted(tree.items()):
        if isinstance(entry, bytes):
            writer.mkfile(name, entry)
        else:
            writer.opendir(name)
            _write(writer, entry)
            writer.closedir()
