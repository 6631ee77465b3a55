"""What a station listens to: the beacon channel of its region plan, or LoRa and GFSK both.

With two radios each has a channel of its own. With one they take turns, as the table says: a tag speaks when it must,
knows nothing of turns and keeps no step with them, because its intervals are stretched at random. So the
share of its beacons that are heard is the share of the turns, a little more for a turn that waits until a frame under
way is in. LoRa has two thirds: a parked LoRa tag speaks each half hour, a parked GFSK tag every other minute.

Short looks for LoRa in between (channel-activity detection) would need preambles as long as the pause between them,
and a lost tag, which speaks each half minute, cannot pay for those within its share of the hour.
"""

from collections import namedtuple

from groundcore import region

Turn = namedtuple(
    "Turn",
    (
        "number",  # of the plan in `plans`, stated with each sighting
        "channel",
        "dwell_ms",
        "frame_ms",  # of the longest beacon: so long a turn waits for one that has begun
    ),
)

PARTNERS = {
    "eu868": "eu868-gfsk",
    "eu868-gfsk": "eu868",
    "cn470": "cn470-gfsk",
    "cn470-gfsk": "cn470",
}
BLE = 2  # number of what came by an advertisement
LORA_MS = 1800
GFSK_MS = 900
_BEACON_BYTES = 24


def plans(name: str, both: bool) -> tuple:
    """The region plans that a station serves, its own first; empty when there is none of that name."""
    names = (name, PARTNERS.get(name, "")) if both else (name,)
    return tuple([region.plan(one) for one in names if region.plan(one) is not None])


def turns(served: tuple) -> tuple:
    """A Turn for each plan, to be taken over and over."""
    found = []
    for number, plan in enumerate(served):
        channel = plan.beacon
        dwell_ms = LORA_MS if channel.spreading_factor else GFSK_MS
        frame_ms = region.airtime_us(channel, _BEACON_BYTES) // 1000 + 1
        found.append(Turn(number, channel, dwell_ms, frame_ms))
    return tuple(found)
