"""How far an update is: a table of which request each state takes. What is done in flash is the shelf's.

The shelf (apps/update.py) has: ``begun()`` -> (size_bytes, sha256, version, bytes there) or None, ``begin(size_bytes,
sha256, version)``, ``append(data)``, ``forget()``, ``install()`` -> after it the next start tries the new version,
``confirm()``, ``condemn(reason)``, and ``limits()`` -> (security counter, least version). It raises OSError when flash
does not work, and bundle.Refused.
"""

from groundcore import bundle
from groundcore.bundle import Refused

# state -> request -> method. update_read is answered in every state.
TABLE = {
    "idle": {"update_begin": "_begin", "update_abort": "_forget"},
    "receiving": {
        "update_begin": "_begin",
        "update_block": "_block",
        "update_finish": "_early",
        "update_abort": "_forget",
    },
    "complete": {
        "update_begin": "_begin",
        "update_block": "_block",
        "update_finish": "_finish",
        "update_abort": "_forget",
    },
    "verified": {"update_finish": "_stay", "update_abort": "_give_up"},
    "trial": {"update_confirm": "_confirm", "update_abort": "_give_up"},
    "confirmed": {"update_begin": "_begin", "update_confirm": "_stay", "update_abort": "_forget"},
    "failed": {"update_begin": "_begin", "update_abort": "_forget"},
}
_INSTEAD = {
    "idle": "no update is under way",
    "receiving": "an update is being received",
    "complete": "the update is complete: finish it",
    "verified": "the update waits for a restart",
    "trial": "a version is on trial: confirm or abort it first",
    "confirmed": "no update is under way",
    "failed": "no update is under way",
}


class Update:
    """The state and what leads out of it; ``restart`` is True when the device must start anew.

    Args:
        shelf: see above.
        device: product, hardware_revision of this one.
        state, version, detail: what the start found: "trial", "failed" after a trial that was taken back, or "idle".
    """

    def __init__(self, shelf, device: dict, state: str = "idle", version: str = "", detail: str = ""):
        self._shelf = shelf
        self._device = device
        self._detail = detail
        self.version = version
        self.state = state
        self.next_offset = 0
        self._size = 0
        self._sha256 = b""
        self.restart = False
        begun = shelf.begun()
        if begun is not None and state != "trial":
            self._go_on(begun)

    def handle(self, request: str, values: dict) -> dict:
        """Values of the update_state that answers. Raises Refused; what was received stays."""
        if request != "update_read":
            step = TABLE[self.state].get(request)
            if step is None:
                raise Refused("wrong_state", _INSTEAD[self.state])
            try:
                getattr(self, step)(values)
            except OSError as error:
                raise Refused("storage", "flash: %s" % error)
        return {
            "state": self.state,
            "next_offset_bytes": self.next_offset,
            "version": self.version,
            "detail": self._detail[:80],
        }

    def _go_on(self, begun):
        self._size, self._sha256, self.version, self.next_offset = begun
        self.state = "complete" if self.next_offset == self._size else "receiving"
        self._detail = ""

    def _begin(self, values):
        size, sha256 = values["size_bytes"], values["sha256"]
        if (size, sha256) == (self._size, self._sha256):
            return  # as begun before: it goes on
        self._preview(values)
        self._shelf.begin(size, sha256, values["version"])
        self._go_on((size, sha256, values["version"], 0))

    def _preview(self, values):
        """What need not be sent to be refused. The manifest has the last word."""
        if values["product"] != self._device["product"]:
            raise Refused("refused", "the bundle is for '%s'" % values["product"])
        if values["hardware_revision"] not in (0, self._device["hardware_revision"]):
            raise Refused("refused", "not for hardware revision %d" % self._device["hardware_revision"])
        try:
            bundle.check_age(values, self._shelf.limits())
        except ValueError:
            raise Refused("out_of_range", "version")
        if values["size_bytes"] < bundle.SMALLEST_BYTES:
            raise Refused("malformed", "no bundle: too short")

    def _block(self, values):
        offset, data = values["offset_bytes"], values["data"]
        if offset + len(data) <= self.next_offset:
            return  # asked again because the answer was lost
        if offset != self.next_offset:
            raise Refused("out_of_range", "the next offset is %d" % self.next_offset)
        if offset + len(data) > self._size:
            raise Refused("too_large", "the bundle has %d bytes" % self._size)
        self._shelf.append(data)
        self.next_offset += len(data)
        if self.next_offset == self._size:
            self.state = "complete"

    def _early(self, values):
        raise Refused("wrong_state", "%d of %d bytes are there" % (self.next_offset, self._size))

    def _finish(self, values):
        """What is refused is thrown away: nothing of it may be tried twice."""
        try:
            if values["signature_bytes"] != bundle.BLOCK_BYTES:
                raise Refused("bad_signature", "the signature block has %d bytes" % bundle.BLOCK_BYTES)
            self._shelf.install()
        except Refused as refusal:
            self._forget(values)
            self.state, self._detail = "failed", refusal.args[1]
            raise
        self.state, self.restart = "verified", True

    def _confirm(self, values):
        self._shelf.confirm()
        self.state = "confirmed"

    def _give_up(self, values):
        self._shelf.condemn("the host took it back")
        self.restart = True

    def _forget(self, values):
        self._shelf.forget()
        self.state, self.version, self._detail = "idle", "", ""
        self.next_offset, self._size, self._sha256 = 0, 0, b""

    def _stay(self, values):
        """Asked again because the answer was lost."""
