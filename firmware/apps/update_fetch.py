"""The update that comes over the uplink: does in flash what the core asks for (groundcore/update_fetch.py)."""

from apps.run_loop import Part
from groundcore import events

_SIGNATURE_BYTES = 2969  # of a bundle's signature block


class UpdateFetch(Part):
    """Carries out UPDATE_STEP; a host at the cable goes first.

    Args:
        loop: of this device.
        device: what it says of itself, see groundcore/README.md.
        restart: resets the board.
    """

    actions = ((events.UPDATE_STEP, "step"),)

    def __init__(self, loop, device: dict, restart):
        self._loop = loop
        self._device = device
        self._restart = restart
        self._updates = None

    def step(self, request: str, values: dict) -> None:
        """One request of an update; UPDATE_TOLD follows. Restarts the board when a version is ready to be tried."""
        from apps.update import Updates  # a device without an uplink pays nothing for it
        from groundcore.bundle import Refused

        link = self._loop.parts.get("link")
        if link is not None and link.open:
            self._forget()
            self._refuse("busy", "a host is at the cable")
            return
        updates = self._updates
        if updates is None or request == "update_read":
            self._forget()
            updates = Updates(self._device)
        try:
            told = updates.handle(request, self._completed(request, values))
        except Refused as refusal:
            self._refuse(*refusal.args)
            return
        if updates.restart:
            self._restart()
        if request != "update_read":  # between two checks nothing of it stays in memory
            self._updates = updates
        told["firmware"] = self._device["firmware"]
        self._loop.post(events.UPDATE_TOLD, told)

    def failed(self, action: int) -> None:
        self._updates = None
        self._refuse("storage", "it could not be written")

    def _completed(self, request, values) -> dict:
        """With what the collector need not say: the manifest has the last word."""
        if request == "update_begin":
            return dict(values, product=self._device["product"], hardware_revision=0)
        return {"signature_bytes": _SIGNATURE_BYTES} if request == "update_finish" else values

    def _forget(self):
        if self._updates is not None:
            self._updates.close()
            self._updates = None

    def _refuse(self, code, detail):
        self._loop.post(events.UPDATE_TOLD, {"code": code, "detail": detail})
