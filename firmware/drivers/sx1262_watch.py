"""SX1262: receive in turns with sleep, for frames with a long preamble (DS_SX1261-2_V2.1 13.1.7).

The chip wakes by itself, looks for a preamble and sleeps again; the microcontroller may sleep until DIO1 rises.
"""

from drivers.sx1262 import Sx1262Error
from micropython import const

_SET_RX_DUTY_CYCLE = const(0x94)  # 13.1.7: listen[3], sleep[3] x 15.625 us
_REG_RTC_CONTROL = const(0x0902)  # 15.3: 0 stops the timer
_REG_EVENT_MASK = const(0x0944)  # 15.3: bit 1 clears what the timer had raised

_WAKE_US = const(6000)  # 13.1.7: context restored within 1 ms, then the delay of a TCXO
_LORA_SYNC_QUARTERS = const(17)  # 4.25 symbols behind the preamble
_LORA_HEADER = const(8)  # symbols
_GFSK_HEAD = const(40)  # bits: sync word and length


def periods_us(chip, preamble: int) -> tuple:
    """(listen, sleep) in microseconds for frames with a preamble of so many symbols (LoRa) or bits (GFSK).

    Sleep: however the preamble lies, one turn sees all that detection needs. Listen: 13.1.7 restarts the timer
    at a preamble with 2 x listen + sleep, which must last until the header is in.

    Raises Sx1262Error when the preamble is too short to sleep in.
    """
    symbol_us = chip.symbol_us
    if chip.spreading_factor:
        needed_us = 6 * symbol_us
        head_us = _LORA_SYNC_QUARTERS * symbol_us // 4 + _LORA_HEADER * symbol_us
    else:
        needed_us = 24 * symbol_us
        head_us = _GFSK_HEAD * symbol_us
    sleep_us = preamble * symbol_us - 2 * needed_us - _WAKE_US
    if sleep_us <= 0:
        raise Sx1262Error("the preamble is too short to sleep in")
    rest_us = preamble * symbol_us + head_us - sleep_us
    return max(needed_us, (rest_us + 1) // 2 + symbol_us), sleep_us


def watch(chip, preamble: int) -> None:
    """Listen in turns for one frame with at least so long a preamble; ``poll`` tells of it, then start anew."""
    listen_us, sleep_us = periods_us(chip, preamble)
    chip.prepare_reception()
    # A timer that the last watch left behind would end this one (15.3).
    chip.write_register(_REG_RTC_CONTROL, b"\x00")
    chip.set_bits(_REG_EVENT_MASK, 0x02, 0x02)
    listen, asleep = listen_us * 8 // 125, sleep_us * 8 // 125
    chip.command(_SET_RX_DUTY_CYCLE, *listen.to_bytes(3, "big"), *asleep.to_bytes(3, "big"))
    chip.asleep = True  # at any moment: whatever is asked of it next must wake it first
