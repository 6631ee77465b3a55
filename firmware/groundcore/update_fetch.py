"""An update that comes over the uplink: asks the collector for one, fetches it in pieces, has it installed.

What happens is in TRANSITIONS: (state, what came) -> method. Requests go out when the owner of the uplink has nothing
else to say (base.py, reporter.py); UPDATE_STEP asks the app for what the host at a cable would ask (update.py), and
UPDATE_TOLD answers. Where a bundle comes from proves nothing: what is wrong with it, the device finds out itself. After
a restart the state in flash tells how far it is, so a transfer goes on where it was.
"""

from groundwire.constant import const

from groundcore import events

RESTING = "resting"
LOOKING = "looking"  # how far is an update here?
CHECKING = "checking"  # the collector is asked
BEGINNING = "beginning"
FETCHING = "fetching"  # the collector is asked for the next piece
WRITING = "writing"
FINISHING = "finishing"  # verified and installed, then the device restarts

TOLD = "told"  # the app's update_state
REFUSED = "refused"  # the app's error
ERROR = "error"  # the collector's, or an answer to something else

TRANSITIONS = {
    (LOOKING, TOLD): "_check",
    (LOOKING, REFUSED): "_put_off",
    (CHECKING, "update_offer"): "_consider",
    (CHECKING, ERROR): "_rest",
    (BEGINNING, TOLD): "_go_on",
    (BEGINNING, REFUSED): "_refuse",
    (FETCHING, "update_piece"): "_write",
    (FETCHING, ERROR): "_put_off",
    (WRITING, TOLD): "_go_on",
    (WRITING, REFUSED): "_refuse",
    (FINISHING, REFUSED): "_refuse",
}

_CHECK_MS = const(3_600_000)
_TRIAL_MS = const(30_000)  # the end of a trial is told soon
_PUT_OFF_MS = const(60_000)
_PASSING = ("busy", "wrong_state", "out_of_range")  # a host at the cable, or another step first


class UpdateFetch:
    """The update of one device; the owner of the uplink calls `step` after every event."""

    def __init__(self, device_id: bytes):
        self.state = RESTING
        self._device_id = device_id
        self._due_ms = 0
        self._here = {}  # what the app told last
        self._offer = {}
        self._refusal = None  # (version, detail) that the collector has not heard of yet
        self._asked = None  # (request, values) for the app

    @property
    def wants(self) -> bool:
        """There is something to ask the collector."""
        return self.state in (CHECKING, FETCHING)

    @property
    def fetching(self) -> bool:
        """A transfer is under way: a connection is worth opening for it."""
        return self.state == FETCHING

    def request(self) -> tuple:
        """(name, values) for the collector; only while it ``wants``."""
        if self.state == FETCHING:
            offset = self._here["next_offset_bytes"]
            return "update_fetch", {
                "device_id": self._device_id,
                "sha256": self._offer["sha256"],
                "offset_bytes": offset,
            }
        here = self._here
        state, version, detail = here["state"], here["version"], here["detail"]
        if self._refusal is not None:
            state, (version, detail) = "failed", self._refusal
        return "update_check", {
            "device_id": self._device_id,
            "firmware": here["firmware"],
            "state": state,
            "version": version,
            "detail": detail,
        }

    def step(self, linked: bool, now_ms: int, actions: list):
        """Ask the app for what is next. A check begins while the uplink is there, none is opened for it."""
        if self.state == RESTING and linked and now_ms >= self._due_ms:
            self._ask(LOOKING, "update_read", {})
        if self._asked is not None:
            request, values = self._asked
            actions.append((events.UPDATE_STEP, request, values))
            self._asked = None

    def next_deadline(self) -> int | None:
        """When `step` has something to do by itself while the uplink is there."""
        return self._due_ms if self.state == RESTING else None

    def told(self, values: dict, now_ms: int):
        """The app's answer to UPDATE_STEP: fields of update_state and the firmware's version, or code and detail."""
        self._go(REFUSED if "code" in values else TOLD, values, now_ms)

    def take(self, message, now_ms: int):
        """The collector's reply to `request`."""
        known = (self.state, message.name) in TRANSITIONS
        self._go(message.name if known else ERROR, message.values, now_ms)

    def _go(self, what, values, now_ms):
        step = TRANSITIONS.get((self.state, what))
        if step is not None:
            getattr(self, step)(values, now_ms)

    def _ask(self, state, request, values):
        self.state = state
        self._asked = (request, values)

    def _check(self, values, now_ms):
        self._here = values
        self.state = CHECKING

    def _consider(self, values, now_ms):
        again = self._refusal is not None and values["sha256"] == self._offer["sha256"]
        self._refusal = None
        self._offer = values
        if values["size_bytes"] and not again:  # one that was refused just now may be tried in an hour
            begin = {name: values[name] for name in ("size_bytes", "sha256", "version", "security_counter")}
            self._ask(BEGINNING, "update_begin", begin)
        else:
            self._rest(values, now_ms)

    def _go_on(self, values, now_ms):
        self._here = values
        if values["next_offset_bytes"] >= self._offer["size_bytes"]:
            self._ask(FINISHING, "update_finish", {})
        else:
            self.state = FETCHING

    def _write(self, values, now_ms):
        self._ask(WRITING, "update_block", {"offset_bytes": values["offset_bytes"], "data": values["data"]})

    def _refuse(self, values, now_ms):
        if values["code"] in _PASSING:
            self._put_off(values, now_ms)
        else:
            self._refusal = (self._offer["version"], values["detail"])
            self._wait(0, now_ms)

    def _put_off(self, values, now_ms):
        self._wait(_PUT_OFF_MS, now_ms)

    def _rest(self, values, now_ms):
        self._wait(_TRIAL_MS if self._here["state"] == "trial" else _CHECK_MS, now_ms)

    def _wait(self, duration_ms, now_ms):
        self.state = RESTING
        self._due_ms = now_ms + duration_ms
