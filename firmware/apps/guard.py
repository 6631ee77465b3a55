"""What stands around every app: a crash ends in a reset; Ctrl-C ends in the REPL where the console is open.

main.py switches Ctrl-C off and calls `boot`. Only an app that found no locked identity, or was asked to by an
authenticated host, switches it on (drivers/console.py). On a locked device nothing else leads to the REPL.
"""

import gc
import sys
import time

import machine
from apps.run_loop import relax_watchdog
from micropython import const

_SHORTEST_PROMPT_MS = const(1000)

prompt_end_ticks = None  # when the watchdog must end a prompt; None: in a day. Set by apps.service.


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
        from apps.crash import locked

        if app is None and locked():
            machine.reset()  # typed before main.py had switched it off
        if prompt_end_ticks is None:
            relax_watchdog()
        else:
            relax_watchdog(max(_SHORTEST_PROMPT_MS, time.ticks_diff(prompt_end_ticks, time.ticks_ms())))
        raise


def _crash(error: Exception) -> None:
    try:
        gc.collect()
        from apps.crash import tell

        tell(error)
    except Exception:  # noqa: BLE001  memory or flash is at its end, too: a restart is all that is left
        pass
    machine.reset()
