"""How often a device that is at rest must be heard: by its beacons, and a tracker by its reports.

What the registry wrote to it counts, then what its profile brings, then the region plan.
"""

from groundnet.collector.casework.silence import Intervals
from groundnet.image import settings_table
from groundnet.provision.registry import Record

LORA_PARKED_S, GFSK_PARKED_S = 1800, 120  # of the region plans


def intervals_of(record: Record, settings: dict[str, str]) -> Intervals:
    """What a device was set to; ``settings`` are those that were written to it (Registry.settings_of)."""
    table, profiles = settings_table.read()

    def value(name: str) -> str:
        default = profiles.get(record.profile, {}).get(name, table[name].default)
        return settings.get(name, str(default))

    plan_s = GFSK_PARKED_S if value("region").endswith("-gfsk") else LORA_PARKED_S
    parked_s = int(value("parked_interval_s")) or plan_s
    return Intervals(parked_s, int(value("heartbeat_s")))
