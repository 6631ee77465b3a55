"""Runs once before the first boot: puts the chip's own modules in place of the interpreter's."""

import sys

sys.modules.pop("time", None)  # frozen into the interpreter, without the world's clock

import _board  # noqa: E402
import esp32  # noqa: E402, F401
import machine  # noqa: E402, F401
import gc  # noqa: E402
import micropython  # noqa: E402
import network  # noqa: E402, F401
import os  # noqa: E402
import random  # noqa: E402
import select  # noqa: E402, F401
import socket  # noqa: E402, F401
import ssl  # noqa: E402, F401
import time  # noqa: E402, F401


def _urandom(count: int) -> bytes:
    return bytes(random.getrandbits(8) for _ in range(count))


os.urandom = _urandom  # the interpreter's build leaves it out
micropython.kbd_intr(3)
gc.collect()
_board.BASELINE_BYTES = gc.mem_alloc()  # heap that is C on a real chip: leave it out of an account
