"""The counter's screen without the screen: what is shown, what may happen next, what is to be done.

Sans-IO: events go in with their time, actions come out. The table says everything: a state and an event that are
not in it leave the screen as it is, so a key pressed twice or a cable pulled at any moment has one known outcome.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from groundnet.provision.refusal import REASONS, Reason
from groundnet.provision.subject import Draft

FORGET_AFTER_MS = 180_000  # what an owner said is not left on a screen that nobody works at


class State(StrEnum):
    """What the large word on the screen is about."""

    WAITING = "waiting"  # no tag
    LOOKING = "looking"  # something is connected and is asked who it is
    REFUSED = "refused"  # it cannot be taken; nothing was written
    FOUND = "found"  # it can; its card is to be scanned
    CARDED = "carded"  # the card is its own; whose it will be is to be said
    WRITING = "writing"
    VERIFIED = "verified"  # written, read back, proved; can still be undone
    LOCKING = "locking"
    DONE = "done"  # handed over
    UNDOING = "undoing"
    UNDONE = "undone"
    CUT_WRITING = "cut_writing"  # unplugged in the middle of...
    CUT_LOCKING = "cut_locking"
    CUT_UNDOING = "cut_undoing"
    FAILED_WRITING = "failed_writing"  # went wrong in the middle of...
    FAILED_LOCKING = "failed_locking"
    FAILED_UNDOING = "failed_undoing"


class Event(StrEnum):
    """What can happen. The values that come with one are the fields of ``News``."""

    APPEARED = "appeared"  # something was connected
    TAG = "tag"  # it is a tag that can be taken
    SAME_TAG = "same tag"  # it is the one that was being worked on
    REFUSED = "refused"  # it cannot be taken
    APPROVED = "approved"  # a second person lets go of whom it is bound to
    GONE = "gone"  # unplugged
    CARD = "card"  # the tag's own card was scanned
    ORDER = "order"  # whose it will be is complete
    NOTICE = "notice"  # a scan or an entry was not accepted
    DRAFT = "draft"  # a part of the order
    WRITTEN = "written"
    LOCKED = "locked"
    UNDONE = "undone"
    CUT = "cut"  # the tag was lost during the work
    FAILED = "failed"  # the work went wrong, the tag is still there
    ADVANCE = "advance"  # Enter
    BACK = "back"  # Escape
    TICK = "tick"  # the deadline came


class Action(StrEnum):
    """What the counter asks of whoever drives it."""

    LOOK = "look"  # ask the connected device who it is
    WRITE = "write"
    LOCK = "lock"
    UNDO = "undo"
    FORGET = "forget"  # drop the draft: the next owner begins with an empty form


@dataclass(frozen=True)
class Tag:
    """What was found. ``tag_id`` is empty until one was given; ``parts`` are what passed its self-test."""

    device_id: bytes
    role: str
    board: str
    firmware: str
    capabilities: tuple[str, ...] = ()
    tag_id: str = ""
    battery_mv: int | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class News:
    """An event with what it brings."""

    event: Event
    tag: Tag | None = None
    reason: Reason | None = None
    support: str = ""
    detail: str = ""
    draft: Draft | None = None
    tag_id: str = ""
    parts: tuple[str, ...] = ()  # that passed the self-test


Row = tuple[State, Action | None]


def _work(name: str, action: Action, done: Event, then: State) -> Iterator[tuple[tuple[State, Event], Row]]:
    """The rows that writing, locking and undoing have in common: cut off or gone wrong, then resumed."""
    busy, cut, failed = State(name), State(f"cut_{name}"), State(f"failed_{name}")
    yield (busy, done), (then, None)
    yield (busy, Event.CUT), (cut, None)
    yield (busy, Event.FAILED), (failed, None)
    yield (failed, Event.ADVANCE), (busy, action)
    yield (failed, Event.GONE), (cut, None)
    yield (cut, Event.SAME_TAG), (busy, action)
    yield (cut, Event.TAG), (State.FOUND, None)  # another tag for the same owner
    yield (
        (cut, Event.REFUSED),
        (cut, None),
    )  # what was plugged in instead is named, and the first one still waited for
    yield (cut, Event.BACK), (State.WAITING, Action.FORGET)
    yield (cut, Event.TICK), (State.WAITING, Action.FORGET)


TABLE: dict[tuple[State, Event], Row] = {
    (State.WAITING, Event.APPEARED): (State.LOOKING, None),
    (State.WAITING, Event.TICK): (State.WAITING, Action.FORGET),
    (State.LOOKING, Event.TAG): (State.FOUND, None),
    (State.LOOKING, Event.REFUSED): (State.REFUSED, None),
    (State.LOOKING, Event.GONE): (State.WAITING, None),
    (State.REFUSED, Event.GONE): (State.WAITING, None),
    (State.REFUSED, Event.TAG): (State.FOUND, None),  # it answers after all
    (State.REFUSED, Event.REFUSED): (State.REFUSED, None),
    (State.REFUSED, Event.ADVANCE): (State.LOOKING, Action.LOOK),
    (State.REFUSED, Event.APPROVED): (State.UNDOING, Action.UNDO),
    (State.FOUND, Event.CARD): (State.CARDED, None),
    (State.FOUND, Event.GONE): (State.WAITING, None),
    (State.FOUND, Event.BACK): (State.FOUND, Action.FORGET),
    (State.FOUND, Event.TICK): (State.FOUND, Action.FORGET),
    (State.CARDED, Event.ORDER): (State.WRITING, Action.WRITE),
    (State.CARDED, Event.GONE): (State.WAITING, None),
    (State.CARDED, Event.BACK): (State.FOUND, Action.FORGET),
    (State.CARDED, Event.TICK): (State.FOUND, Action.FORGET),
    **dict(_work("writing", Action.WRITE, Event.WRITTEN, State.VERIFIED)),
    (State.WRITING, Event.REFUSED): (State.REFUSED, None),  # it failed its self-test and is blank again
    (State.WRITING, Event.LOCKED): (State.DONE, None),  # it was locked when an earlier attempt was cut off
    (State.FAILED_WRITING, Event.BACK): (State.UNDOING, Action.UNDO),
    (State.VERIFIED, Event.ADVANCE): (State.LOCKING, Action.LOCK),
    (State.VERIFIED, Event.BACK): (State.UNDOING, Action.UNDO),
    (State.VERIFIED, Event.GONE): (State.CUT_WRITING, None),
    **dict(_work("locking", Action.LOCK, Event.LOCKED, State.DONE)),
    **dict(_work("undoing", Action.UNDO, Event.UNDONE, State.UNDONE)),
    (State.UNDONE, Event.ADVANCE): (State.LOOKING, Action.LOOK),
    (State.UNDONE, Event.GONE): (State.WAITING, Action.FORGET),
    (State.UNDONE, Event.TICK): (State.UNDONE, Action.FORGET),
    (State.DONE, Event.GONE): (State.WAITING, Action.FORGET),
}

STEPS = {
    1: (State.WAITING, State.LOOKING, State.REFUSED),
    2: (State.FOUND, State.CARDED),
    3: (State.WRITING, State.UNDOING, State.UNDONE, State.CUT_WRITING, State.CUT_UNDOING,
        State.FAILED_WRITING, State.FAILED_UNDOING),
    4: (State.VERIFIED, State.LOCKING, State.DONE, State.CUT_LOCKING, State.FAILED_LOCKING),
}  # fmt: skip
TAKES_ENTRIES = (State.WAITING, State.FOUND, State.CARDED)  # scans and fields are heard here only
CUT_STATES = (State.CUT_WRITING, State.CUT_LOCKING, State.CUT_UNDOING)
_FORGETS = tuple(state for state, event in TABLE if event is Event.TICK)
_NO_TAG = (State.WAITING, State.LOOKING)


@dataclass
class Counter:
    """The screen of one counter.

    Args:
        cards: whether tags come with a printed card that is scanned first; without, labels are printed here.
    """

    cards: bool = True
    state: State = State.WAITING
    tag: Tag | None = None
    draft: Draft = field(default_factory=Draft)
    notice: News | None = None  # why the last thing was not accepted, or what went wrong
    tag_id: str = ""
    began_ms: int = 0  # when the tag was found
    since_ms: int = 0  # when the state or the draft last changed
    version: int = 0  # of what is shown
    owners: int = 0  # whose data was here before and is forgotten

    def handle(self, news: News, now_ms: int) -> Action | None:
        """Take in one event; returns what is to be done now."""
        event = news.event
        if event in (Event.NOTICE, Event.DRAFT):
            self._note(news, now_ms)
            return None
        if event is Event.TAG and self._is_the_same(news.tag):
            event = Event.SAME_TAG
        row = TABLE.get((self.state, event))
        if row is None:
            return None
        self.state, action = row
        if self.state is State.FOUND and not self.cards and event in (Event.TAG, Event.SAME_TAG):
            self.state = State.CARDED
        self._take(event, news, now_ms)
        if action is Action.FORGET:
            self.draft = Draft(self.draft.profile, province=self.draft.province)  # mostly the next one's, too
            self.owners += 1
            return None
        return action

    def next_deadline_ms(self) -> int | None:
        """When a TICK is due; None: nothing waits for the time."""
        if self.state in _FORGETS and not self.draft.empty:
            return self.since_ms + FORGET_AFTER_MS
        return None

    @property
    def step(self) -> int:
        """1 connect, 2 scan, 3 write, 4 print."""
        return next(number for number, states in STEPS.items() if self.state in states)

    def _is_the_same(self, tag: Tag | None) -> bool:
        return self.tag is not None and tag is not None and self.tag.device_id == tag.device_id

    def _note(self, news: News, now_ms: int) -> None:
        if self.state not in TAKES_ENTRIES:
            return
        if news.draft is not None:
            self.draft = news.draft
        self.notice = news if news.event is Event.NOTICE else None
        self.since_ms = now_ms
        self.version += 1

    def _take(self, event: Event, news: News, now_ms: int) -> None:
        if event in (Event.TAG, Event.SAME_TAG):
            if self.state in (State.FOUND, State.CARDED):
                self.began_ms = now_ms
            self.tag, self.tag_id = news.tag, news.tag.tag_id if news.tag else ""
        elif self.state in _NO_TAG:
            self.tag, self.tag_id = None, ""
        elif self.state is State.REFUSED:
            self.tag, self.tag_id = news.tag, ""
        if news.draft is not None:
            self.draft = news.draft
        self.tag_id = news.tag_id or self.tag_id
        if news.parts and self.tag is not None:
            self.tag = replace(self.tag, parts=news.parts)
        self.notice = news if news.reason is not None else None
        if self.state in CUT_STATES and self.notice is None:
            self.notice = News(event, reason=REASONS["cut_off"])
        self.since_ms = now_ms
        self.version += 1
