"""A board's ``/main.py``: starts what is in ROM; the boot loader has its turn first where there is something to
decide. Never updated in the field.

Small, and with few names of its own, because the interpreter compiles it at every start and keeps it. A wake from
deep sleep goes on with what ran before.
"""

import esp32
import machine
import micropython

micropython.kbd_intr(-1)  # whether there is a console at all is the app's to say
trial = False  # apps.service looks here
if machine.reset_cause() != machine.DEEPSLEEP_RESET:
    state = bytearray(85)  # form: boot_state.py
    try:
        esp32.NVS("groundnet").get_blob("boot", state)
        if state[2] != 255 or state[4] != state[1]:
            import loader  # pyright: ignore  beside this file on the board

            trial = loader.run()
    except OSError:
        pass  # there was never an update
    except KeyboardInterrupt:
        machine.reset()  # typed before it was switched off
    except Exception as error:  # noqa: BLE001  whatever is wrong: what is in ROM is the best there is
        print("loader:", error)
try:
    import start  # pyright: ignore  # noqa: F401  in ROM; it runs the role and never returns
except Exception as error:
    if not trial:
        raise  # to the prompt: a way out
    print("trial:", error)
    machine.reset()
