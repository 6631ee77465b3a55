"""The first start of an application: the device copies it from its slot into the ROM partition, where it runs.

It is the device that reads, writes and hashes; the host compares the hash with the manifest's. What mpremote's
`romfs deploy` does over the wire happens here inside the board, as fast as its flash is.
"""

import struct

from groundnet.errors import GroundnetError, Text
from groundnet.link import prompt

COPY_TIMEOUT_S = 60.0

# Runs at the prompt: slot -> ROM partition, in pieces, then the hash of what can be read back. Around it the boot state
# (firmware/apps/boot_state.py) says that the partition is being written, so that the boot loader ends what a power cut
# interrupts. %s: what follows its first five bytes, and the hash that the image shall have.
_COPY = """exec('''
import esp32, hashlib, struct, vfs
nvs = esp32.NVS("groundnet")
def state(rom):
    nvs.set_blob("boot", bytes((1, 0, 255, 0, rom)) + %s)
    nvs.commit()
with open("/slots/a.gnb", "rb") as bundle:
    _, manifest_bytes, size = struct.unpack("<4sII", bundle.read(12))
    bundle.seek(12 + manifest_bytes)
    state(255)
    least = vfs.rom_ioctl(3, 0, size)
    if least < 0:
        raise OSError(-least, "no ROM partition of " + str(size) + " bytes")
    piece = memoryview(bytearray(4096))
    at = 0
    while at < size:
        count = bundle.readinto(piece[:min(4096, size - at)])
        padded = -(-count // least) * least
        for spare in range(count, padded):
            piece[spare] = 255
        if vfs.rom_ioctl(4, 0, at, piece[:padded]) < 0:
            raise OSError(5, "ROM partition")
        at += count
    vfs.rom_ioctl(5, 0)
    sha256 = hashlib.sha256(memoryview(vfs.rom_ioctl(2, 0))[:size]).digest().hex()
    if sha256 == "%s":
        state(0)
    print(sha256)
''', {})"""
_LIMITS = struct.Struct("<IHHHHHH")  # counter, least version, the version that was given up last


class CopyFailed(GroundnetError):
    """The ROM partition does not hold what the slot holds."""

    def __init__(self, port: str) -> None:
        super().__init__(
            Text(f"{port} did not keep what was written to its flash", f"{port} 的闪存未能保存写入的内容"),
            Text("flash it again; if it fails again, replace the board", "重新烧录；若再次失败，请更换该板"),
        )


def copy(port: str, image_sha256: str, counter: int = 0, least: tuple[int, int, int] = (0, 0, 0)) -> None:
    """Copy the image in the first slot, which is from then on the version in force.

    Args:
        counter, least: security counter and least bootable version that hold off older updates from now on.

    Raises CopyFailed, and CodeFailed where there is no ROM partition.
    """
    limits = _LIMITS.pack(counter, *least, 0, 0, 0)
    code = _COPY % (repr(limits).replace("\\", "\\\\"), image_sha256)
    copied = prompt.execute(port, code.encode(), COPY_TIMEOUT_S)
    if copied.decode().strip() != image_sha256:
        raise CopyFailed(port)
