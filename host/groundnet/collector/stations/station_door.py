"""Who may speak as a station: whoever proves the secret that the registry has for it, in a session (wire, section 7).

A peer is one connection, or one topic of a broker. What it sends is proved and unsealed here before the collector
sees it; a refusal is answered, counted by station and reason, and touches no other peer. A station that misbehaves
in its own session is kept out for a while (station_watch.py).
"""

import itertools
import os
from collections.abc import Callable, Iterable

from groundwire import frame, keys, messages, session
from groundwire.errors import AuthenticationError, WireError

from groundnet.collector.database import Database
from groundnet.collector.stations.quarantine import RULES
from groundnet.collector.stations.quarantine_store import Hold
from groundnet.collector.stations.station_refusals import StationRefusals
from groundnet.collector.stations.station_sessions import StationSessions
from groundnet.collector.stations.station_watch import StationWatch

SESSION_OPEN, SESSION_PROVE = messages.kind_of("session_open"), messages.kind_of("session_prove")
STATION_KINDS = frozenset(
    messages.kind_of(name) for name in ("station_hello", "sightings", "downlink_receipt", "station_health")
)
QUARANTINED = "in quarantine"
UNANSWERED = "left the challenge: another secret?"
ID_BYTES = 8  # every message of a station begins with its id
REPLY_CAPACITY = 4400  # bytes of the longest reply before it is sealed
REFUSED_MOST = 100  # frames in a row, none of which was taken: then a connection is closed

Answer = Callable[[frame.Frame, int], bytes]  # a request and the time in Unix ms -> the reply for the line


class Refused(Exception):
    """``reason`` is counted, ``code`` and ``detail`` go to the peer."""

    def __init__(self, reason: str, station_id: bytes, detail: str, code: str = "not_authenticated") -> None:
        super().__init__(reason)
        self.reason, self.station_id, self.detail, self.code = reason, station_id, detail, code


class StationDoor:
    """The stations that may come in.

    Args:
        database: keeps refusals, and sessions behind a broker.
        is_open: also take stations that prove nothing, as they say they are; never one that ever proved itself here.
        draw: count -> fresh random bytes.
        is_strict: whether a station that misbehaves is kept out.
    """

    def __init__(
        self,
        database: Database,
        is_open: bool = False,
        draw: Callable[[int], bytes] = os.urandom,
        is_strict: bool = True,
    ) -> None:
        self.is_open = is_open
        self.draw = draw
        self.refusals = StationRefusals(database)
        self.sessions = StationSessions(database)
        self.watch = StationWatch(database, is_strict)
        self.lines = itertools.count(1)
        self._keys: dict[bytes, keys.Key] = {}

    def learn(self, stations: Iterable[tuple[bytes, bytes]]) -> None:
        """Know (station_id, secret) of these; a new secret takes the place of an old one."""
        for station_id, secret in stations:
            key, before = keys.derive(secret, keys.UPLINK), self._keys.get(station_id)
            if before is not None and before.mac(b"") != key.mac(b""):
                self.watch.renewed(station_id)
            self._keys[station_id] = key

    def key_of(self, station_id: bytes) -> keys.Key | None:
        return self._keys.get(station_id)

    def connection(self, where: str) -> "Peer":
        """A peer whose session ends with its connection; ``where`` it comes from is for people."""
        return Peer(self, where)

    def topic(self, name: str) -> "Peer":
        """A peer behind a broker; its session is in the store, for whichever collector gets the next message."""
        return TopicPeer(self, name)


class Peer:
    """The far end of one way in."""

    def __init__(self, door: StationDoor, where: str) -> None:
        self.door = door
        self.where = where
        self._station_id = bytes(ID_BYTES)
        self._end: session.Responder | None = None
        self._line = next(door.lines)
        self._refused = 0

    def is_tiresome(self, now_ms: int) -> bool:
        """It goes on though it is refused: its connection may be closed."""
        return self._refused > REFUSED_MOST or self.door.watch.is_deaf(self._station_id, now_ms)

    def answer(self, request: frame.Frame, now_ms: int, answer: Answer) -> bytes:
        """The reply to a request; ``answer`` is asked for those that may come in. Empty: it was told often enough."""
        if self.door.watch.is_deaf(self._station_id, now_ms):
            return b""
        try:
            if request.kind in (SESSION_OPEN, SESSION_PROVE):
                kind, payload = self._negotiate(messages.decode(request.kind, request.payload), now_ms)
                return frame.encode(kind, payload, request.sequence)
            if request.sealed:
                return self._answer_sealed(request, now_ms, answer)
            if request.kind in STATION_KINDS:
                self._admit_unproved(request.payload[:ID_BYTES])
                return self._watched(request, request.payload[:ID_BYTES], now_ms, answer)
            return answer(request, now_ms)
        except Refused as refusal:
            self._refused += 1
            self.door.refusals.note(refusal.station_id, refusal.reason, self.where, now_ms)
            return _error(request, refusal.code, refusal.detail)
        except WireError as error:
            self._refused += 1
            self.door.refusals.note(self._station_id, f"malformed {error.reason}", self.where, now_ms)
            return _error(request, "malformed", "")

    def closed(self, now_ms: int) -> None:
        """The connection is over. Who left a challenge unanswered did not believe our proof: it has another secret."""
        if self._end is not None and self._end.state == session.PROVING:
            self.door.refusals.note(self._station_id, UNANSWERED, self.where, now_ms)

    def turned_away(self, why: str, now_ms: int) -> None:
        """The server lets the connection go; of a station if it was told which."""
        self.door.refusals.note(self._station_id, why, self.where, now_ms)

    def _admit_unproved(self, station_id: bytes) -> None:
        has_proved = self.door.refusals.has_proved(station_id)
        if has_proved or (self.door.key_of(station_id) is not None and not self.door.is_open):
            raise Refused("no proof", station_id, "prove the station's secret in a session")
        if not self.door.is_open:
            raise Refused("unknown station", station_id, "provision the station at this registry")

    def _answer_sealed(self, request: frame.Frame, now_ms: int, answer: Answer) -> bytes:
        end = self._session()
        try:
            payload = end.unseal(request)
        except AuthenticationError as error:
            raise Refused(f"seal: {error.reason}", self._station_id, "open a session") from error
        self._took(end.seen())
        station_id = self._station_id
        if request.kind in STATION_KINDS and payload[:ID_BYTES] != station_id:
            reply = _error(request, "refused", "the session is another station's")
            self.door.refusals.note(station_id, "speaks for another", self.where, now_ms)
        else:
            self.door.refusals.look(station_id, request.kind, payload, self.where, now_ms)
            plain = frame.Frame(request.kind, request.sequence, payload, False)
            reply = self._watched(plain, station_id, now_ms, answer)
        found = _frame_of(reply)
        sealed = end.seal(found.kind, found.payload, request.sequence)
        return frame.encode(found.kind, sealed, request.sequence, sealed=True)

    def _watched(self, request: frame.Frame, station_id: bytes, now_ms: int, answer: Answer) -> bytes:
        """The reply to a station that may come in, unless it is in quarantine or goes there for this."""
        watch, kind = self.door.watch, request.kind
        hold = watch.saw(station_id, self._line, kind, request.payload, now_ms)
        if hold is not None:
            self.door.refusals.note(station_id, QUARANTINED, self.where, now_ms)
            return _quarantined(request, hold, now_ms)
        self._refused = 0
        payload = watch.believable(station_id, kind, request.payload, now_ms)
        return answer(frame.Frame(kind, request.sequence, payload, False), now_ms)

    def _negotiate(self, message: messages.Message, now_ms: int) -> tuple[int, bytes]:
        """Wrong proofs make this peer wait, and no other: whoever claims the id of a station cannot shut it out."""
        if message.kind == SESSION_OPEN:
            self._station_id = message.values["device_id"]
            if self.door.watch.is_deaf(self._station_id, now_ms):
                raise Refused(QUARANTINED, self._station_id, "wait as you were told", "busy")
            if self._end is None or self._end.tries.failures == 0:
                self._end = self._responder()
        if self._end is None:
            raise Refused("no proof", self._station_id, "open a session first", "wrong_state")
        return self._judged(self._end, message, now_ms, self.door.draw(session.NONCE_SIZE))

    def _judged(
        self, end: session.Responder, message: messages.Message, now_ms: int, nonce: bytes
    ) -> tuple[int, bytes]:
        was_proving = end.state == session.PROVING and message.kind == SESSION_PROVE
        reply = end.receive(message, now_ms, nonce)
        if was_proving and not end.ready():
            self.door.refusals.note(self._station_id, "wrong key", self.where, now_ms)
        return reply

    def _responder(self) -> session.Responder:
        key = self.door.key_of(self._station_id)
        if key is None:
            raise Refused(
                "unknown station", self._station_id, "provision the station at this registry", "refused"
            )
        return session.Responder(self._station_id, key)

    def _session(self) -> session.Responder:
        if self._end is None:
            raise Refused("seal: state", self._station_id, "open a session")
        return self._end

    def _took(self, seen: int) -> None:
        """A sealed request with this counter was good."""


class TopicPeer(Peer):
    """A station behind a broker: groundnet/up/ID. Nothing of it is held in memory between two messages."""

    def __init__(self, door: StationDoor, name: str) -> None:
        super().__init__(door, f"topic {name}")
        try:
            self._station_id = bytes.fromhex(name)
        except ValueError:
            self._station_id = bytes(ID_BYTES)
        self._line = 0  # a broker has no connections

    def _negotiate(self, message: messages.Message, now_ms: int) -> tuple[int, bytes]:
        end = self._responder()
        sessions = self.door.sessions
        if message.kind == SESSION_OPEN:
            if message.values["device_id"] != self._station_id:
                raise Refused("speaks for another", self._station_id, "the topic is another's", "refused")
            if sessions.pending(self._station_id) is not None:
                self.door.refusals.note(self._station_id, UNANSWERED, self.where, now_ms)
            nonce = self.door.draw(session.NONCE_SIZE)
            sessions.opened(self._station_id, message.values["initiator_nonce"], nonce)
            return self._judged(end, message, now_ms, nonce)
        nonces = sessions.pending(self._station_id)
        if nonces is None:
            raise Refused("no proof", self._station_id, "open a session first", "wrong_state")
        opening = {"device_id": self._station_id, "initiator_nonce": nonces[0]}
        end.receive(messages.decode(*messages.encode("session_open", opening)), now_ms, nonces[1])
        reply = self._judged(end, message, now_ms, nonces[1])
        if end.ready():
            sessions.proved(self._station_id)
        return reply

    def _session(self) -> session.Responder:
        held = self.door.sessions.held(self._station_id)
        if held is None:
            raise Refused("seal: state", self._station_id, "open a session")
        end = self._responder()
        end.resume(*held)
        return end

    def _took(self, seen: int) -> None:
        if not self.door.sessions.took(self._station_id, seen):
            raise Refused("seal: replay", self._station_id, "this frame came before")


def _frame_of(reply: bytes) -> frame.Frame:
    """The collector's own reply, to be sealed."""
    decoder = frame.Decoder(REPLY_CAPACITY, frame.REPLIES)
    decoder.feed(reply)
    found = decoder.next()
    assert isinstance(found, frame.Frame)  # it was encoded a moment ago
    return found


def _quarantined(request: frame.Frame, hold: Hold, now_ms: int) -> bytes:
    """A well-made station keeps what it has and comes back when this says so."""
    detail = f"quarantine: {RULES[hold.rule].reason if hold.rule in RULES else hold.rule}"
    return _error(request, "busy", detail[:80], hold.ask_again_ms(now_ms))


def _error(request: frame.Frame, code: str, detail: str, retry_after_ms: int | None = None) -> bytes:
    values = {"request": request.kind, "code": code, "detail": detail, "retry_after_ms": retry_after_ms}
    kind, payload = messages.encode("error", values)
    return frame.encode(kind, payload, request.sequence)
