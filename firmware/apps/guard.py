"""What stands around every app: a crash is written down and ends in a reset; Ctrl-C ends in the REPL where the
console is open.

main.py switches Ctrl-C off and calls `boot`. Only an app that found no locked identity, or was asked to by an
authenticated host, switches it on (drivers/console.py). On a locked device nothing else leads to the REPL.
"""

import io
import sys
import time

import machine
import micropython
from apps.run_loop import relax_watchdog
from drivers.flash_records import FlashRecord, append_limited, make_folder
from micropython import const

_CRASH_LOG = "/state/crash.log"
_CRASH_LOG_BYTES = const(4096)
_CTRL_C = const(3)
_CRASH_REST_MS = const(5000)  # a window for Ctrl-C, so that a board that always crashes can be reached
_SHORTEST_PROMPT_MS = const(1000)

prompt_end_ticks = (
    None  # when the watchdog must end a prompt again; None: a day is fine. Set by apps.service.
)


def boot(name: str) -> None:
    """Import an app's module and call its ``main``; an image that cannot be imported is a crash, too."""
    try:
        __import__(name)
    except Exception as error:  # noqa: BLE001  what is broken in flash raises anything
        _crash(error)
    except KeyboardInterrupt:
        machine.reset()  # typed before main.py had switched it off
    sys.modules[name].main()


def run(start) -> None:
    """Run an app for ever.

    Args:
        start: makes the app; its ``run`` never ends.
    """
    app = None
    try:
        try:
            app = start()
            app.run()
        except Exception as error:  # noqa: BLE001  the last resort of an unattended device
            _crash(error)
    except KeyboardInterrupt:
        if app is None and _locked():
            machine.reset()  # typed before main.py had switched it off
        if prompt_end_ticks is None:
            relax_watchdog()
        else:
            relax_watchdog(max(_SHORTEST_PROMPT_MS, time.ticks_diff(prompt_end_ticks, time.ticks_ms())))
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


def _crash(error: Exception) -> None:
    """Write it down and start anew; a device that is not locked lets Ctrl-C in before."""
    micropython.kbd_intr(-1 if _locked() else _CTRL_C)
    report(error)
    time.sleep_ms(_CRASH_REST_MS)
    machine.reset()


def _locked() -> bool:
    """Whether an identity is locked into flash; what cannot be read counts as locked."""
    try:
        from groundcore import store

        identity = store.decode_identity(FlashRecord("/state/" + store.IDENTITY).load())
    except Exception:  # noqa: BLE001  whatever is broken, it opens nothing
        return True
    return identity is not None and identity.locked
