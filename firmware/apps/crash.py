"""What a crash leaves behind: a line in flash, and on a device that is not locked a moment for Ctrl-C.

Loaded only when something went wrong.
"""

import io
import sys
import time

import micropython
from drivers.flash_records import FlashRecord, append_limited, make_folder
from groundcore import store
from micropython import const

_LOG = "/state/crash.log"
_LOG_BYTES = const(4096)
_CTRL_C = const(3)
_REST_MS = const(5000)  # a window for Ctrl-C, so that a board that always crashes can be reached


def tell(error: Exception) -> None:
    """Write it down, and rest before the restart."""
    micropython.kbd_intr(-1 if locked() else _CTRL_C)  # an open link had switched it off
    report(error)
    time.sleep_ms(_REST_MS)


def report(error: Exception) -> None:
    """Print a crash and keep it in flash, as far as flash still works."""
    trace = io.StringIO()
    sys.print_exception(error, trace)  # pyright: ignore  the stubs do not know StringIO as a stream
    text = trace.getvalue()  # pyright: ignore
    print(text)
    try:
        make_folder("/state")
        append_limited(_LOG, text, _LOG_BYTES)
    except OSError as refused:
        print("crash log:", refused)


def locked() -> bool:
    """Whether an identity is locked into flash; what cannot be read counts as locked."""
    try:
        identity = store.decode_identity(FlashRecord("/state/" + store.IDENTITY).load())
    except Exception:  # noqa: BLE001  whatever is broken, it opens nothing
        return True
    return identity is not None and identity.locked
