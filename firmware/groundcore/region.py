"""Region plans: where, how loud and how long a device may transmit. Data first, then the rules that keep it.

A plan has two channels: `beacon`, on which tags speak and stations listen, and `downlink`, on which a station
answers. Powers are radiated with a dipole (2.15 dBi), so effective radiated power equals conducted power.
"""

import struct
from collections import namedtuple

from groundwire.constant import const

Channel = namedtuple(
    "Channel",
    (
        "frequency_hz",
        "bandwidth_hz",
        "spreading_factor",
        "coding_rate",  # denominator of 4/x
        "power_dbm",
        "listen_first",  # a channel-activity detection is required before each transmission
        "duty_permille",  # share of any hour that one device may transmit; 1000: no limit
        "dwell_ms",  # longest single transmission, 0: no limit
    ),
)
Plan = namedtuple("Plan", ("beacon", "downlink"))

# Sources: ETSI EN 300 220-2 V3.2.1 annex B (bands M and P); MIIT announcement 52 of 2019 (470-510 MHz is
# listed for civil metering only: a tag there needs a legal review); FCC 47 CFR 15.247 (digital modulation,
# 500 kHz).
PLANS = {
    "eu868": Plan(
        Channel(868300000, 125000, 9, 5, 14, False, 10, 0),
        Channel(869525000, 125000, 9, 5, 20, False, 100, 0),
    ),
    "cn470": Plan(
        Channel(486300000, 125000, 9, 5, 17, True, 1000, 1000),
        Channel(486300000, 125000, 9, 5, 17, True, 1000, 1000),
    ),
    "cn433": Plan(
        Channel(433920000, 125000, 9, 5, 10, False, 1000, 0),
        Channel(433920000, 125000, 9, 5, 10, False, 1000, 0),
    ),
    "us915": Plan(
        Channel(904600000, 500000, 9, 5, 20, False, 1000, 400),
        Channel(923300000, 500000, 9, 5, 20, False, 1000, 400),
    ),
}

REPLY_DELAY_MS = 40  # from the end of a beacon to the downlink: the tag has to turn its radio round
WINDOW_MS = 260  # how long a tag listens: the downlink begins within 200 ms, its preamble takes 50

_BUCKETS = const(6)
_BUCKET_MS = const(600000)
_LEDGER_FORMAT = "<I6I"
LEDGER_SIZE = 28  # bytes of DutyLedger.pack()


def plan(name: str) -> Plan | None:
    """The plan of a region, None when there is none of that name: then nothing may be transmitted."""
    return PLANS.get(name)


def airtime_us(channel: Channel, size: int) -> int:
    """Time on air of `size` bytes, microseconds: explicit header, CRC, preamble of 8 symbols (AN1200.13)."""
    sf = channel.spreading_factor
    symbol_us = (1000000 << sf) // channel.bandwidth_hz
    slow = 1 if symbol_us >= 16000 else 0
    bits = 8 * size + 16 - 4 * sf + 8 + 20
    per_block = 4 * (sf - 2 * slow)
    blocks = (bits + per_block - 1) // per_block if bits > 0 else 0
    quarter_symbols = 4 * (8 + 8 + blocks * channel.coding_rate) + 17  # 8 + 4.25 of preamble and sync
    return quarter_symbols * symbol_us // 4


class DutyLedger:
    """What one device has transmitted within the last hour, in six buckets of ten minutes.

    The bucket that is leaving the hour counts in full, so the limit holds for any hour, not only on average.
    """

    def __init__(self, packed: bytes = b""):
        self._newest = 0  # number of the bucket of the last transmission since time zero
        self._spent_ms = [0] * _BUCKETS
        if len(packed) == LEDGER_SIZE:
            values = struct.unpack(_LEDGER_FORMAT, packed)
            self._newest = values[0]
            self._spent_ms = list(values[1:])

    def pack(self) -> bytes:
        """28 bytes for a snapshot."""
        return struct.pack(_LEDGER_FORMAT, self._newest, *self._spent_ms)

    def may_send(self, channel: Channel, size: int, now_ms: int) -> bool:
        """Whether the plan allows these bytes now."""
        duration_us = airtime_us(channel, size)
        if channel.dwell_ms and duration_us > channel.dwell_ms * 1000:
            return False
        self._turn(now_ms)
        budget_ms = 3600 * channel.duty_permille
        return channel.duty_permille >= 1000 or sum(self._spent_ms) + _ms(duration_us) <= budget_ms

    def sent(self, channel: Channel, size: int, now_ms: int):
        """Book a transmission."""
        self._turn(now_ms)
        slot = self._newest % _BUCKETS
        self._spent_ms[slot] += _ms(airtime_us(channel, size))

    def _turn(self, now_ms):
        bucket = now_ms // _BUCKET_MS
        for passed in range(self._newest + 1, min(bucket, self._newest + _BUCKETS) + 1):
            self._spent_ms[passed % _BUCKETS] = 0
        if bucket > self._newest:
            if bucket - self._newest >= _BUCKETS:
                self._spent_ms = [0] * _BUCKETS
            self._newest = bucket


def _ms(duration_us):
    return (duration_us + 999) // 1000
