"""Sessions: both ends of a link prove that they hold the device's secret before anything may be written.

    initiator                                 responder
    session_open(device_id, Ni)          ->
                                         <-   session_challenge(Nr, proof of the responder)
    session_prove(proof of the initiator)->
                                         <-   session_ready      or  error(refused, retry_after_ms)

    proof of the responder = HMAC(session key, "responder" | Ni | Nr), first 16 bytes
    proof of the initiator = HMAC(session key, "initiator" | Nr | Ni), first 16 bytes
    seal key               = HMAC(session key, "seal" | Ni | Nr)

From session_ready on every frame both ways is sealed: payload | counter u32 | MAC 8 over direction, counter,
kind, sequence and payload. Both state machines are tables; the page draws its diagrams from them. No clock,
no random source: the caller gives `now_ms` and fresh 16-byte nonces.
"""

import struct

from groundwire import messages
from groundwire.constant import const
from groundwire.errors import AuthenticationError, EncodeError
from groundwire.keys import Key, same

_PROOF_SIZE = const(16)
_MAC_SIZE = const(8)
_TRAILER_SIZE = const(12)
_FIRST_WAIT_MS = const(1000)  # after the first wrong proof; doubles with each
_LONGEST_WAIT_MS = const(900000)  # short enough for the owner, whatever others tried

NONCE_SIZE = 16
SEAL_SIZE = 12  # bytes that a seal adds to a payload
FAILURES_MAX = 11  # further ones are not counted: the wait is at its longest

IDLE = "idle"
OPENING = "opening"
PROVING = "proving"
READY = "ready"
FAILED = "failed"

# (state, what arrives) -> (what it does, next state). "refused": the method raised or answered a refusal.
INITIATOR = {
    (IDLE, "open"): ("send session_open", OPENING),
    (OPENING, "session_challenge"): ("check the responder's proof, send session_prove", PROVING),
    (OPENING, "refused"): ("give up", FAILED),
    (PROVING, "session_ready"): ("seal from now on", READY),
    (PROVING, "refused"): ("give up", FAILED),
}
RESPONDER = {
    (IDLE, "session_open"): ("send session_challenge", PROVING),
    (PROVING, "session_open"): ("send session_challenge", PROVING),
    (READY, "session_open"): ("drop the session, send session_challenge", PROVING),
    (PROVING, "session_prove"): ("check the initiator's proof, send session_ready", READY),
    (PROVING, "refused"): ("count, wait longer, send error refused", IDLE),
    (READY, "close"): ("forget the session", IDLE),
    (PROVING, "close"): ("forget the session", IDLE),
}


class _Sealing:
    """Seals and unseals once a session key exists; the two directions never share a MAC input."""

    def __init__(self, key, own_direction):
        self._key = key
        self._own = own_direction
        self._sent = 0
        self._seen = 0

    def seal(self, kind, payload, sequence):
        if self._sent == 0xFFFFFFFF:
            raise EncodeError("range", "the session is used up: open a new one")
        self._sent += 1
        counter = struct.pack(">I", self._sent)
        return payload + counter + self._mac(self._own, counter, kind, sequence, payload)

    def unseal(self, kind, sealed, sequence):
        size = len(sealed) - _TRAILER_SIZE
        if size < 0:
            raise AuthenticationError("unsealed", "the frame has no seal")
        payload, counter, mac = sealed[:size], sealed[size : size + 4], sealed[size + 4 :]
        if not same(mac, self._mac(1 - self._own, counter, kind, sequence, payload)):
            raise AuthenticationError("mac", "the seal is broken")
        number = struct.unpack(">I", counter)[0]
        if number <= self._seen:
            raise AuthenticationError("replay", "this sealed frame came before")
        self._seen = number
        return payload

    def _mac(self, direction, counter, kind, sequence, payload):
        head = struct.pack(">B4sBH", direction, counter, kind, sequence)
        return self._key.mac(head + payload)[:_MAC_SIZE]


class _End:
    """What both roles share: state, and frames through the seal once ready."""

    def __init__(self):
        self.state = IDLE
        self._sealing = None

    def ready(self) -> bool:
        """Whether both ends have proved themselves."""
        return self.state == READY

    def seal(self, kind: int, payload: bytes, sequence: int) -> bytes:
        """The payload for `frame.encode(kind, ..., sequence, sealed=True)`. Raises EncodeError("state")."""
        if self._sealing is None:
            raise EncodeError("state", "no session is open")
        return self._sealing.seal(kind, payload, sequence)

    def unseal(self, frame) -> bytes:
        """The inner payload of a sealed Frame. Raises AuthenticationError: state, unsealed, mac, replay."""
        if self._sealing is None:
            raise AuthenticationError("state", "no session is open")
        if not frame.sealed:
            raise AuthenticationError("unsealed", "the frame has no seal")
        return self._sealing.unseal(frame.kind, frame.payload, frame.sequence)


class Initiator(_End):
    """The end that opens: a host at a device's serial line, or a station at the collector."""

    def __init__(self, device_id: bytes, session_key: Key, nonce: bytes):
        super().__init__()
        if len(nonce) != NONCE_SIZE:
            raise EncodeError("size", "a nonce is 16 bytes")
        self._device_id = device_id
        self._key = session_key
        self._nonce = nonce

    def open(self) -> tuple:
        """(kind, payload) of session_open: the first request to send."""
        self.state = OPENING
        values = {"device_id": self._device_id, "initiator_nonce": self._nonce}
        return messages.encode("session_open", values)

    def receive(self, message) -> "tuple | None":
        """Take the Message of a reply; give the next (kind, payload) to send, or None once ready.

        Raises AuthenticationError: proof (the other end has another secret), refused (it did not take ours,
        or asks to wait; detail says how long), state (a reply that does not belong here).
        """
        if (self.state, message.name) == (OPENING, "session_challenge"):
            return self._answer(message.values["responder_nonce"], message.values["responder_proof"])
        if (self.state, message.name) == (PROVING, "session_ready"):
            self.state = READY
            return None
        known = message.name == "error" and self.state in (OPENING, PROVING)
        self.state = FAILED
        self._sealing = None
        if known:
            wait_ms = message.values["retry_after_ms"]
            detail = "wait %d ms" % wait_ms if wait_ms else str(message.values["code"])
            raise AuthenticationError("refused", detail)
        raise AuthenticationError("state", "this reply does not belong here")

    def _answer(self, nonce, proof):
        if not same(proof, _proof(self._key, b"responder", self._nonce, nonce)):
            self.state = FAILED
            raise AuthenticationError("proof", "the other end holds another secret")
        self._sealing = _Sealing(_seal_key(self._key, self._nonce, nonce), 0)
        self.state = PROVING
        own = _proof(self._key, b"initiator", nonce, self._nonce)
        return messages.encode("session_prove", {"initiator_proof": own})


class Tries:
    """Wrong proofs since the last right one, and until when no further one is taken: 1 s after the first,
    then 2 s, 4 s, up to 15 min.

    The count belongs to the device: keep one Tries over all its links, and `failures` in flash. A restart
    begins the wait of that count anew, so it shortens nothing.
    """

    def __init__(self, failures: int = 0, now_ms: int = 0):
        self.failures = min(failures, FAILURES_MAX)
        self._shut_until_ms = now_ms + self._wait_ms()

    def left_ms(self, now_ms: int) -> int:
        """How long to wait before the next try; 0: not at all."""
        return max(0, self._shut_until_ms - now_ms)

    def wrong(self, now_ms: int) -> int:
        """Count one; how long to wait now, ms."""
        self.failures = min(self.failures + 1, FAILURES_MAX)
        self._shut_until_ms = now_ms + self._wait_ms()
        return self._wait_ms()

    def right(self) -> None:
        """Begin to count anew."""
        self.failures = 0
        self._shut_until_ms = 0

    def _wait_ms(self):
        return min(_FIRST_WAIT_MS << self.failures >> 1, _LONGEST_WAIT_MS) if self.failures else 0


class Responder(_End):
    """The end that is opened: a device at its serial line, or the collector towards one station.

    Wrong proofs are counted in `tries`; without one the responder counts by itself.
    """

    def __init__(self, device_id: bytes, session_key: Key, tries: Tries | None = None):
        super().__init__()
        self.tries = Tries() if tries is None else tries
        self._device_id = device_id
        self._key = session_key
        self._pending = None
        self._expected = b""

    def receive(self, message, now_ms: int, nonce: bytes = b"") -> tuple:
        """Take the Message of a session request; give the (kind, payload) of the reply.

        `nonce`: 16 fresh random bytes, used for session_open only. `now_ms` never goes back.
        """
        if message.name == "session_open":
            return self._open(message.values, now_ms, nonce)
        if message.name == "session_prove" and self.state == PROVING:
            return self._prove(message.values["initiator_proof"], now_ms)
        return _error(message.kind, "wrong_state", "open a session first", None)

    def resume(self, initiator_nonce: bytes, responder_nonce: bytes, seen: int) -> None:
        """Go on with a session that was proved before, perhaps by another process.

        `seen` is the counter of the newest request taken; as each request has one reply, the next reply's is above
        all before.
        """
        self._sealing = sealing = _Sealing(_seal_key(self._key, initiator_nonce, responder_nonce), 1)
        sealing._seen = sealing._sent = seen
        self.state = READY

    def seen(self) -> int:
        """The counter of the newest sealed request that was taken; 0: none yet."""
        return 0 if self._sealing is None else self._sealing._seen

    def close(self) -> None:
        """Forget the session, as after `bye` or a lost link. Wrong proofs stay counted."""
        self.state = IDLE
        self._sealing = None
        self._pending = None

    def _open(self, values, now_ms, nonce):
        self.close()
        if len(nonce) != NONCE_SIZE:
            raise EncodeError("size", "a nonce is 16 bytes")
        left_ms = self.tries.left_ms(now_ms)
        if left_ms:
            return _error(0x02, "refused", "too many wrong secrets", left_ms)
        if values["device_id"] != self._device_id:
            return _error(0x02, "refused", "this is another device", None)
        theirs = values["initiator_nonce"]
        self._expected = _proof(self._key, b"initiator", nonce, theirs)
        self._pending = _Sealing(_seal_key(self._key, theirs, nonce), 1)
        self.state = PROVING
        own = _proof(self._key, b"responder", theirs, nonce)
        return messages.encode("session_challenge", {"responder_nonce": nonce, "responder_proof": own})

    def _prove(self, proof, now_ms):
        sealing = self._pending
        self.close()
        if not same(proof, self._expected):
            return _error(0x03, "refused", "wrong secret", self.tries.wrong(now_ms))
        self.tries.right()
        self._sealing = sealing
        self.state = READY
        return messages.encode("session_ready", {})


def _proof(key, role, first, second):
    return key.mac(role + first + second)[:_PROOF_SIZE]


def _seal_key(key, initiator_nonce, responder_nonce):
    return Key(key.mac(b"seal" + initiator_nonce + responder_nonce))


def _error(request, code, detail, wait_ms):
    values = {"request": request, "code": code, "detail": detail, "retry_after_ms": wait_ms}
    return messages.encode("error", values)
