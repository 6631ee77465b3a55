"""Microcontrollers that a virtual board can be: what they draw in each state."""

from dataclasses import dataclass

from groundnet.errors import GroundnetError


@dataclass(frozen=True)
class Chip:
    """Supply currents in microamperes.

    ``active`` executes, ``idle`` waits for an interrupt with the clocks on, ``boot`` is the mean from wake-up to
    the first line of Python. ``wifi`` comes on top while the station interface is on. ``deep_wake`` are the pads
    that can end a deep sleep, ``deep_wake_gpio`` tells whether `esp32.wake_on_gpio` does that (else ext0, ext1).
    """

    active_ua: float
    idle_ua: float
    boot_ua: float
    light_sleep_ua: float
    deep_sleep_ua: float
    wifi_ua: float
    deep_wake: range
    deep_wake_gpio: bool


CHIPS = {
    # ESP32-C3 datasheet v2.0, tables 4-8 (RX 84 mA) and 4-9: modem sleep at 160 MHz 23 mA running, 16 mA
    # idle; light sleep 130 uA; deep sleep 5 uA. Wi-Fi as a mean with the default power saving.
    "esp32c3": Chip(23_000, 16_000, 27_000, 130, 5, 45_000, range(6), True),
    # ESP32-S3 datasheet v1.9, tables 5-8 and 5-9: modem sleep at 160 MHz 36 mA running, 24 mA idle; light
    # sleep 240 uA; deep sleep 8 uA. Boot: 1.8 mC in 49 ms, measured in public work.
    "esp32s3": Chip(36_000, 24_000, 36_700, 240, 8, 55_000, range(22), False),
}


def find_chip(name: str) -> Chip:
    """Raises GroundnetError for a chip that is not in the table."""
    if name not in CHIPS:
        raise GroundnetError(f"there is no chip '{name}'", f"choose one of: {', '.join(CHIPS)}")
    return CHIPS[name]
