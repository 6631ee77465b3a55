"""How a station itself is: noise and load of its channel, room in its ring, temperature of its chip."""

import time

import esp32
from apps.run_loop import Part
from groundcore import events
from micropython import const

_SAMPLES = const(64)  # of the channel's level; at a turn of the loop each second or more
_SAMPLE_MS = const(1000)
_LEAST = const(8)  # samples before anything is said
_LOAD_DB = const(10)  # above the floor: somebody transmits
_LOUDEST_DBM = const(-30)


class StationHealth(Part):
    """Carries out READ_HEALTH.

    The level is read when the loop turns anyway, at most once a second. The noise floor is the lower quartile of the
    last 64 levels, the load the share of them at least 10 dB above it: a measure of how much of the channel is taken
    by signals above the noise, ours or not. LoRa below the noise is not in it.

    Args:
        loop: its parts "radio" and "history" are asked while they are there.
    """

    actions = ((events.READ_HEALTH, "read"),)

    def __init__(self, loop):
        self._loop = loop
        self._levels = bytearray(_SAMPLES)  # -dBm
        self._count = 0
        self._next_ticks = time.ticks_ms()

    def poll(self) -> None:
        now_ticks = time.ticks_ms()
        radio = self._loop.parts.get("radio")
        if radio is None or time.ticks_diff(now_ticks, self._next_ticks) < 0:
            return
        self._next_ticks = time.ticks_add(now_ticks, _SAMPLE_MS)
        level_dbm = radio.level_dbm()
        if level_dbm is not None and -256 < level_dbm < _LOUDEST_DBM:
            self._levels[self._count % _SAMPLES] = -level_dbm
            self._count += 1

    def read(self) -> None:
        noise_dbm, load_permille = self._channel()
        shelf = self._loop.parts.get("history")
        ring_permille = None if shelf is None else shelf.fill_permille()
        temperature_c = esp32.mcu_temperature()  # type: ignore[attr-defined] - newer than the stubs
        self._loop.post(events.HEALTH, noise_dbm, load_permille, ring_permille, temperature_c)

    def _channel(self) -> tuple:
        """(noise floor in dBm, share of samples above it in permille), None twice before there are enough."""
        count = min(self._count, _SAMPLES)
        if count < _LEAST:
            return None, None
        levels = sorted(self._levels[:count])  # of -dBm: the quietest are last
        floor = levels[count - 1 - count // 4]
        return -floor, 1000 * sum(level <= floor - _LOAD_DB for level in levels) // count
