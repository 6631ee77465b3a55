"""Region plans: where, how loud and how long a device may transmit. Data first, then the rules that keep it.

A plan has a channel `beacon`, on which tags speak and stations listen, and a channel `downlink`, on which a station
answers. A channel is LoRa or GFSK, whose short frames may come more often. Powers are radiated with a dipole
(2.15 dBi), so effective radiated power equals conducted power.
"""

import struct
from collections import namedtuple

from groundwire.constant import const

Channel = namedtuple(
    "Channel",
    (
        "frequency_hz",
        "bandwidth_hz",  # of the receiver
        "spreading_factor",  # 0: GFSK
        "coding_rate",  # denominator of 4/x; 0: GFSK
        "power_dbm",
        "listen_first",  # LoRa: channel-activity detection, GFSK: level below LISTEN_DBM, before each transmission
        "duty_permille",  # share of any hour that one device may transmit; 1000: no limit
        "dwell_ms",  # longest single transmission, 0: no limit
        "preamble",  # symbols of LoRa, bits of GFSK
        "bitrate_bps",  # 0: LoRa
        "deviation_hz",  # 0: LoRa
    ),
)
Plan = namedtuple(
    "Plan",
    (
        "beacon",
        "downlink",
        "parked_interval_s",  # what the kind of the parked beacon allows, unless a setting or an order says else
    ),
)

LISTEN_DBM = -85  # a GFSK channel is taken at or above; EN 300 220-1 5.21 at 100 kHz, to 100 mW: -82 dBm
WATCH_PREAMBLE = 64  # symbols: of frames for a receiver that sleeps in between (RADIO_WATCH)

_LORA_PARKED_S = const(1800)  # 2,000 tags on one LoRa channel: 69 % arrive at SF9
_GFSK_PARKED_S = const(120)


def _lora(frequency_hz, power_dbm, listen_first, duty_permille, dwell_ms, bandwidth_hz=125000):
    """LoRa SF9, coding rate 4/5."""
    return Channel(
        frequency_hz, bandwidth_hz, 9, 5, power_dbm, listen_first, duty_permille, dwell_ms, 8, 0, 0
    )


def _gfsk(frequency_hz, power_dbm, listen_first, duty_permille, dwell_ms):
    """GFSK, 50 kbit/s, 25 kHz deviation: 100 kHz wide."""
    return Channel(
        frequency_hz, 117300, 0, 0, power_dbm, listen_first, duty_permille, dwell_ms, 64, 50000, 25000
    )


# Sources: ETSI EN 300 220-2 V3.2.1 annex B (bands M and P); MIIT announcement 52 of 2019 (470-510 MHz is
# listed for civil metering only: a tag there needs a legal review); FCC 47 CFR 15.247 (digital modulation,
# 500 kHz: GFSK as above is too narrow for it).
_EU_LORA = _lora(868300000, 14, False, 10, 0)
_EU_LORA_DOWN = _lora(869525000, 20, False, 100, 0)
_EU_GFSK = _gfsk(868500000, 14, False, 10, 0)
_CN_LORA = _lora(486300000, 17, True, 1000, 1000)
_CN_GFSK = _gfsk(486300000, 17, True, 1000, 1000)
_ISM_433 = _lora(433920000, 10, False, 1000, 0)

PLANS = {
    "eu868": Plan(_EU_LORA, _EU_LORA_DOWN, _LORA_PARKED_S),
    "eu868-gfsk": Plan(_EU_GFSK, _gfsk(869525000, 20, False, 100, 0), _GFSK_PARKED_S),
    "cn470": Plan(_CN_LORA, _CN_LORA, _LORA_PARKED_S),
    "cn470-gfsk": Plan(_CN_GFSK, _CN_GFSK, _GFSK_PARKED_S),
    "cn433": Plan(_ISM_433, _ISM_433, _LORA_PARKED_S),
    "us915": Plan(
        _lora(904600000, 20, False, 1000, 400, 500000),
        _lora(923300000, 20, False, 1000, 400, 500000),
        _LORA_PARKED_S,
    ),
}

REPLY_DELAY_MS = 40  # from the end of a beacon to the downlink: the tag has to turn its radio round
WINDOW_MS = 260  # how long a tag listens: the downlink begins within 200 ms, its preamble takes 50

_BUCKETS = const(13)  # twelve whole ones and the running one: never less than an hour
_BUCKET_MS = const(300000)
_LEDGER_FORMAT = "<I13I"
LEDGER_SIZE = 56  # bytes of DutyLedger.pack()


def plan(name: str) -> Plan | None:
    """The plan of a region, None when there is none of that name: then nothing may be transmitted."""
    return PLANS.get(name)


def watch_channel(channel: Channel) -> Channel:
    """A LoRa channel as a sender uses it for receivers that sleep in between: with a long preamble."""
    return Channel(*channel[:8], WATCH_PREAMBLE, *channel[9:])


def least_interval_ms(channel: Channel, size: int) -> int:
    """Between two frames of `size` bytes, so that the hour (up to 65 minutes in the ledger) has room for all."""
    return airtime_us(channel, size) * 11 // 10 // channel.duty_permille


def permits(plan: Plan | None, channel: Channel) -> bool:
    """Whether a plan has this channel, to the last figure; the preamble may be long."""
    if plan is None:
        return False
    return any(channel == own or (own.spreading_factor and channel == watch_channel(own)) for own in plan[:2])


def airtime_us(channel: Channel, size: int) -> int:
    """Time on air of `size` bytes, microseconds.

    LoRa: explicit header and CRC (AN1200.13). GFSK: sync word of 4 bytes, length, CRC of 2 bytes.
    """
    if channel.bitrate_bps:
        return (channel.preamble + 8 * (size + 7)) * 1000000 // channel.bitrate_bps
    sf = channel.spreading_factor
    symbol_us = (1000000 << sf) // channel.bandwidth_hz
    slow = 1 if symbol_us >= 16000 else 0
    bits = 8 * size + 16 - 4 * sf + 8 + 20
    per_block = 4 * (sf - 2 * slow)
    blocks = (bits + per_block - 1) // per_block if bits > 0 else 0
    quarter_symbols = 4 * (channel.preamble + 8 + blocks * channel.coding_rate) + 17  # 4.25 of sync
    return quarter_symbols * symbol_us // 4


class DutyLedger:
    """What one device has transmitted within the last hour, in thirteen buckets of five minutes.

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
        """56 bytes for a snapshot."""
        return struct.pack(_LEDGER_FORMAT, self._newest, *self._spent_ms)

    def may_send(self, channel: Channel, size: int, now_ms: int, spare_ms: int = 0) -> bool:
        """Whether the plan allows these bytes now; of a limited hour `spare_ms` are kept for something else."""
        duration_us = airtime_us(channel, size)
        if channel.dwell_ms and duration_us > channel.dwell_ms * 1000:
            return False
        self._turn(now_ms)
        budget_ms = 3600 * channel.duty_permille - spare_ms
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
