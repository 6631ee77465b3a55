"""The device's side of the serial link: identity, session, provisioning, settings, time and self-test.

Bytes in, actions out. What a request does is in HANDLERS: message name -> method. Until the device is locked
anybody at its serial line may provision it; afterwards writing needs a session, which proves the secret.
"""

from groundwire import frame, keys, messages, session
from groundwire.constant import const
from groundwire.errors import AuthenticationError, DecodeError
from groundwire.link_table import CAPABILITIES, PARTS

from groundcore import events, settings, store

HANDLERS = {
    "identity_get": "_identity",
    "session_open": "_session",
    "session_prove": "_session",
    "bye": "_bye",
    "provision_write": "_provision_write",
    "provision_read": "_provision_read",
    "provision_prove": "_provision_prove",
    "provision_lock": "_provision_lock",
    "provision_erase": "_provision_erase",
    "factory_reset": "_factory_reset",
    "settings_read": "_settings_read",
    "settings_write": "_settings_write",
    "time_read": "_time_read",
    "time_write": "_time_write",
    "self_test": "_self_test",
    "service_open": "_service_open",
    "update_begin": "_update",
    "update_block": "_update",
    "update_finish": "_update",
    "update_confirm": "_update",
    "update_abort": "_update",
    "update_read": "_update",
}

_CAPACITY = const(512)  # bytes of a request
_MAX_PAYLOAD = const(400)
_SETTINGS_OF_ONE_REPLY = const(6)  # at most 90 bytes each


class _Refused(Exception):
    """A request that is answered by an error: (code, detail)."""


class Service:
    """One open link. The app makes it when a link opens and drops it when the link closes.

    A device that got another identity or other settings asks for a RESTART when the host says bye.

    Args:
        device: what it says of itself, see README.md.
        records: what flash holds, by the names in `store.NAMES`.
        draw: random bytes, for nonces.
        tries: wrong secrets so far, one session.Tries of the device for all its links.
    """

    def __init__(self, device: dict, records: dict, draw, tries=None):
        self._device = device
        self._tries = session.Tries() if tries is None else tries
        self._records = dict(records)
        self._draw = draw
        self._decoder = frame.Decoder(_CAPACITY, frame.REQUESTS)
        self._responder = None
        self._secret = None  # the one that the responder holds
        self._changed = False
        self._started_ms = None
        self._clock_offset_ms = None
        self._test_frame = None  # the request under way that the app answers, and what seals its reply
        self._seal_by = None  # the session's end that seals the reply, None for a reply in the open
        self._load()

    def receive(self, data: bytes, now_ms: int) -> list:
        """Actions that answer what the host sent."""
        if self._started_ms is None:
            self._started_ms = now_ms
        actions = []
        self._decoder.feed(data)
        while True:
            found = self._decoder.next()
            if found is frame.NEED_MORE:
                return actions
            if isinstance(found, frame.Frame):
                self._answer(found, now_ms, actions)

    def tested(self, results: list, now_ms: int) -> list:
        """The app has run the tests that SELF_TEST asked for; the actions that tell the host."""
        actions = []
        if self._test_frame is not None:
            asked, self._seal_by = self._test_frame
            self._test_frame = None
            known = [result for result in results if result["part"] in PARTS]
            self._reply(asked, messages.encode("self_test_result", {"tests": known}), actions)
        return actions

    def updated(self, values: dict, restart: bool) -> list:
        """The app has done what UPDATE asked for: fields of update_state, or code and detail of an error.

        With ``restart`` the device starts anew when the host says bye.
        """
        return self.answered("update_state", values, restart)

    def answered(self, name: str, values: dict, restart: bool) -> list:
        """The same for any message that the app answers, by the name of its reply; "ack" needs no values."""
        actions = []
        self._changed = self._changed or restart
        if self._test_frame is not None:
            asked, self._seal_by = self._test_frame
            self._test_frame = None
            if "code" in values and "detail" in values:
                reply = _error(asked.kind, values["code"], values["detail"])
            elif name == "ack":
                reply = _ack(asked)
            else:
                reply = messages.encode(name, values)
            self._reply(asked, reply, actions)
        return actions

    # --- one request

    def _answer(self, asked, now_ms, actions):
        self._seal_by = None
        try:
            message = self._open(asked)
            handler = HANDLERS.get(message.name)
            if handler is None and message.name in self._device.get("requests", ()):
                handler = "_follow"
            if handler is None:
                raise _Refused("unknown_kind", "")
            self._admit(asked)
            reply = getattr(self, handler)(message, now_ms, actions)
        except _Refused as refusal:
            reply = _error(asked.kind, refusal.args[0], refusal.args[1])
        except DecodeError as error:
            reply = _error(asked.kind, "malformed", str(error))
        if reply is None:
            self._test_frame = (asked, self._seal_by)
        else:
            self._reply(asked, reply, actions)
        if messages.name_of(asked.kind) == "bye":
            self._end(actions)

    def _open(self, asked):
        """The message in a frame, out of its seal."""
        if not asked.sealed:
            return messages.decode(asked.kind, asked.payload)
        responder = self._responder
        if responder is None:
            raise _Refused("not_authenticated", "no session")
        try:
            payload = responder.unseal(asked)
        except AuthenticationError as error:
            raise _Refused("not_authenticated", str(error))
        if responder.ready():
            self._seal_by = responder
        return messages.decode(asked.kind, payload)

    def _admit(self, asked):
        """Whether this request may be made as it came."""
        access = messages.access_of(asked.kind)
        if access == messages.FREE or self._seal_by is not None:
            return
        if access == messages.UNLOCKED and not self._locked():
            return
        if access == messages.UNLOCKED:
            raise _Refused("locked", "the device is locked: open a session")
        if access == messages.SESSION and self._identity_record is None:
            return  # a blank device has no secret to prove; its settings may be written before provisioning
        raise _Refused("not_authenticated", "open a session")

    def _reply(self, asked, reply, actions):
        kind, payload = reply
        responder = self._seal_by
        if responder is not None:
            payload = responder.seal(kind, payload, asked.sequence)
        data = frame.encode(kind, payload, asked.sequence, responder is not None)
        actions.append((events.LINK_SEND, data))

    def _end(self, actions):
        actions.append((events.LINK_CLOSE,))
        if self._changed:
            actions.append((events.RESTART,))

    # --- who

    def _identity(self, message, now_ms, actions):
        device = self._device
        values = {
            "device_id": device["device_id"],
            "role": device["role"],
            "state": self._condition(),
            "protocol_min": 1,
            "protocol_max": 1,
            "max_payload": _MAX_PAYLOAD,
            "boot_count": store.State(self._records.get(store.STATE)).boot_count,
            "hardware_revision": device["hardware_revision"],
            "capabilities": [name for name in device["capabilities"] if name in CAPABILITIES],
            "product": device["product"],
            "board": device["board"],
            "firmware": device["firmware"],
        }
        return messages.encode("identity", values)

    def _session(self, message, now_ms, actions):
        if self._identity_record is None:
            raise _Refused("wrong_state", "a blank device has no secret")
        if self._responder is None or self._secret != self._identity_record.secret:
            self._secret = self._identity_record.secret
            key = keys.derive(self._secret, keys.SESSION)
            self._responder = session.Responder(self._device["device_id"], key, self._tries)
        self._seal_by = None
        proves = message.name == "session_prove" and self._responder.state == session.PROVING
        if proves:  # counted in flash before it is judged: cutting the power saves nobody a count
            self._keep_tries(self._tries.failures + 1, actions)
        reply = self._responder.receive(message, now_ms, self._draw(session.NONCE_SIZE))
        if self._responder.ready():
            self._keep_tries(0, actions)
        return reply

    def _keep_tries(self, failures, actions):
        """At most FAILURES_MAX writes between two right secrets, whatever is tried: flash does not wear out."""
        record = bytes((min(failures, session.FAILURES_MAX),))
        if record != self._records.get(store.TRIES):
            self._records[store.TRIES] = record
            actions.append((events.STORE, store.TRIES, record))

    def _bye(self, message, now_ms, actions):
        return _ack(message)

    def _load(self):
        self._identity_record = store.decode_identity(self._records.get(store.IDENTITY))

    def _locked(self) -> bool:
        return self._identity_record is not None and self._identity_record.locked

    def _condition(self) -> str:
        if self._identity_record is None:
            return "blank"
        return "locked" if self._identity_record.locked else "provisioned"

    # --- provisioning: write, read back, prove, lock

    def _provision_write(self, message, now_ms, actions):
        values = message.values
        if values["profile"] not in store.PROFILES:
            raise _Refused("out_of_range", "profile")
        identity = store.Identity(
            values["tag_id"], values["profile"], values["install_point"], values["secret"], False
        )
        before = self._identity_record
        if before is None or before.secret != identity.secret:
            self._forget_counters(actions)
            actions.append((events.FORGET_HISTORY,))  # of another owner
        self._keep(store.IDENTITY, store.encode_identity(identity), actions)
        return _ack(message)

    def _forget_counters(self, actions):
        """Counters belong to a secret: with a new one both sides begin anew. The number of boots goes on."""
        if self._tries.failures:
            self._tries.right()
            self._keep_tries(0, actions)
        state = store.State()
        state.boot_count = store.State(self._records.get(store.STATE)).boot_count
        self._keep(store.STATE, state.encode(), actions)

    def _provision_read(self, message, now_ms, actions):
        identity = self._identity_record
        values = {
            "state": self._condition(),
            "tag_id": identity.tag_id if identity else "",
            "profile": identity.profile if identity else "none",
            "install_point": identity.install_point if identity else "",
            "check_value": keys.check_value(identity.secret) if identity else bytes(keys.CHECK_SIZE),
        }
        return messages.encode("provision", values)

    def _provision_prove(self, message, now_ms, actions):
        identity = self._required()
        proof = keys.provision_proof(identity.secret, message.values["challenge"])
        return messages.encode("provision_proof", {"proof": proof})

    def _provision_lock(self, message, now_ms, actions):
        identity = self._checked(message)
        locked = store.Identity(*identity[:4], True)
        self._keep(store.IDENTITY, store.encode_identity(locked), actions)
        return _ack(message)

    def _provision_erase(self, message, now_ms, actions):
        """Blank again, and nothing of the owner stays behind."""
        self._checked(message)
        actions.append((events.FORGET_HISTORY,))
        self._keep(store.SETTINGS, b"", actions)
        self._keep(store.IDENTITY, b"", actions)
        return _ack(message)

    def _factory_reset(self, message, now_ms, actions):
        """As from the shop, but still itself: identity and counters stay, and so does lost mode, which only a
        downlink ends: a thief who got hold of a session's host must not get rid of it."""
        self._checked(message)
        actions.append((events.FORGET_HISTORY,))
        self._keep(store.SETTINGS, b"", actions)
        return _ack(message)

    def _required(self):
        if self._identity_record is None:
            raise _Refused("wrong_state", "the device is blank")
        return self._identity_record

    def _checked(self, message):
        """The identity, when the host means the secret that the device has."""
        identity = self._required()
        if not keys.same(message.values["check_value"], keys.check_value(identity.secret)):
            raise _Refused("refused", "another secret")
        return identity

    # --- settings, time, test, console

    def _settings_read(self, message, now_ms, actions):
        profile = self._identity_record.profile if self._identity_record else "none"
        current = settings.Settings(self._records.get(store.SETTINGS), profile)
        names = sorted(settings.TABLE)
        first = message.values["first"]
        shown = []
        for name in names[first : first + _SETTINGS_OF_ONE_REPLY]:
            shown.append({"name": name, "value": settings.shown(name, current.value(name))})
        return messages.encode("settings", {"total": len(names), "settings": shown})

    def _settings_write(self, message, now_ms, actions):
        """All of them or none."""
        changed = settings.decode(self._records.get(store.SETTINGS))
        for entry in message.values["settings"]:
            value = settings.parse(entry["name"], entry["value"])
            if value is None:
                raise _Refused("out_of_range", entry["name"])
            changed[entry["name"]] = value
        self._keep(store.SETTINGS, settings.encode(changed), actions)
        return _ack(message)

    def _time_read(self, message, now_ms, actions):
        known = self._clock_offset_ms is not None
        values = {
            "time_ms": now_ms + self._clock_offset_ms if known else None,
            "uptime_ms": now_ms - self._started_ms,
            "source": "host" if known else "none",
        }
        return messages.encode("time", values)

    def _time_write(self, message, now_ms, actions):
        time_ms = message.values["time_ms"]
        self._clock_offset_ms = time_ms - now_ms
        actions.append((events.SET_CLOCK, time_ms))
        return _ack(message)

    def _self_test(self, message, now_ms, actions):
        if self._test_frame is not None:
            raise _Refused("busy", "a test is under way")
        actions.append((events.SELF_TEST, message.values["parts"]))
        return None  # tested() answers

    def _service_open(self, message, now_ms, actions):
        actions.append((events.OPEN_CONSOLE, message.values["duration_s"]))
        return _ack(message)

    def _update(self, message, now_ms, actions):
        actions.append((events.UPDATE, message.name, message.values))
        return None  # updated() answers

    def _follow(self, message, now_ms, actions):
        """Of a finder; `device["requests"]` names what the app answers."""
        if self._identity_record is None:
            raise _Refused("wrong_state", "the finder is blank: provision it first")
        actions.append((events.FOLLOW, message.name, message.values))
        return None  # answered() answers

    def _keep(self, name, record, actions):
        self._records[name] = record
        self._changed = True
        self._load()
        actions.append((events.STORE, name, record))


def _ack(message) -> tuple:
    return messages.encode("ack", {"request": message.kind})


def _error(request, code, detail) -> tuple:
    values = {"request": request, "code": code, "detail": detail[:80], "retry_after_ms": None}
    return messages.encode("error", values)
