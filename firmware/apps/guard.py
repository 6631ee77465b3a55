"""What stands around every app: a crash is written down and ends in a reset, Ctrl-C ends in the REPL."""

import io
import sys
import time

import machine
import micropython
from apps.run_loop import relax_watchdog
from drivers.flash_records import append_limited, make_folder
from micropython import const

_CRASH_LOG = "/state/crash.log"
_CRASH_LOG_BYTES = const(4096)
_CTRL_C = const(3)
_CRASH_REST_MS = const(5000)  # a window for Ctrl-C, so that a board that always crashes can be reached


def run(start) -> None:
    """Run an app for ever.

    Args:
        start: makes the app; its ``run`` never ends.
    """
    try:
        try:
            start().run()
        except Exception as error:  # noqa: BLE001  the last resort of an unattended device
            micropython.kbd_intr(_CTRL_C)  # an open link had switched it off
            report(error)
            time.sleep_ms(_CRASH_REST_MS)
            machine.reset()
    except KeyboardInterrupt:
        relax_watchdog()
        raise


def report(error: Exception) -> None:
    """Print a crash and keep it in flash, as far as flash still works."""
    trace = io.StringIO()
    sys.print_exception(error, trace)  # pyright: ignore  the stubs do not know StringIO as a stream
    text = trace.getvalue()  # pyright: ignore
    print(text)
    try:
        make_folder("/state")
        append_limited(_CRASH_LOG, text, _CRASH_LOG_BYTES)
    except OSError as refused:
        print("crash log:", refused)
