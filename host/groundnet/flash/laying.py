"""The files of an application onto a board at its prompt: whole or not at all, and not twice.

What is there already with the same hash is not sent. A cable that is pulled leaves the old file or the new one.
"""

from collections.abc import Callable, Mapping

from groundnet.flash.deploy import deploy


def lay(port: str, files: Mapping[str, bytes], progress: Callable[[float], None]) -> int:
    """Write files by absolute path, in this order; the number of bytes that were not there yet.

    A program that runs is interrupted, nothing is restarted. Raises NoAnswer, CodeFailed, PortGone, and what
    opening a port or ``progress`` raises.
    """
    return deploy(port, files, progress=progress).bytes
