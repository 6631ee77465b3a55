"""Devices that come into the registry while a collector runs: it learns of them before it answers the next frame."""

from groundnet.collector.intake.core import Collector
from groundnet.collector.intake.newest import chunked
from groundnet.collector.stations.station_door import StationDoor
from groundnet.provision.registry import Registry

AT_ONCE = 5_000  # devices


class Newcomers:
    """Brings what is new in a registry to a collector and its door."""

    def __init__(self, registry: Registry, collector: Collector, door: StationDoor) -> None:
        self._registry = registry
        self._collector = collector
        self._door = door
        self._expected = registry.size()

    def learn(self) -> None:
        """Of all that came in since the last call. Raises StoreError; then the next call has them again."""
        try:
            for added in chunked(self._registry.newcomers(), AT_ONCE):
                known = [(record.device_id, record.secret.reveal()) for record in added]
                self._collector.learn(known, self._expected)
                self._expected = 0
                self._door.learn(
                    one for one, record in zip(known, added, strict=True) if record.role == "base"
                )
        except BaseException:
            self._registry.tell_again()  # a store that failed: nobody has learned of them
            raise
