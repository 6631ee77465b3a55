"""The page's own thread with registry and store: who asks, what may be shown, what is ordered."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from groundnet.collector.casework.cases import CaseError, close_cases, open_cases
from groundnet.collector.casework.lookups import written_down
from groundnet.collector.database import Database
from groundnet.collector.outbound import order_desk
from groundnet.collector.places.track import TrackPoint
from groundnet.errors import Text
from groundnet.provision.people import People, Session, SessionOver
from groundnet.provision.registry import Registry
from groundnet.watch import situation
from groundnet.watch.situation import Ordered, Sought, Station

T = TypeVar("T")
LOOK_MS = 10 * 60_000  # a page that stays open is one look for so long
PLACES_AT_ONCE = 25  # a place takes some 15 ms; with many cases the rest come with the next question


class NoSuchCase(CaseError):
    """A case that is closed, or never was."""

    def __init__(self) -> None:
        super().__init__(
            Text("there is no open case of that number", "没有该编号的在办案件"),
            Text("go back to the list", "请返回列表"),
        )


@dataclass(frozen=True)
class Overview:
    """Everything on the first page; places by number of the case."""

    stations: list[Station]
    things: list[Sought]
    places: dict[int, TrackPoint]


@dataclass(frozen=True)
class Followed:
    """Everything on the page of one case."""

    thing: Sought
    points: list[TrackPoint]
    stations: list[Station]
    orders: list[Ordered]


class Desk:
    """All questions are asked in one thread, which has opened registry and store.

    Args:
        open_stores: called in that thread.
        operator: who works here when the registry knows no people.
        now_ms: UTC in Unix milliseconds.

    Raises what ``open_stores`` raises.
    """

    def __init__(
        self,
        open_stores: Callable[[], tuple[Database, Registry]],
        operator: str,
        now_ms: Callable[[], int],
    ) -> None:
        self._operator, self.now_ms = operator, now_ms
        self._thread = ThreadPoolExecutor(1, "watch")
        try:
            self._database, self._registry = self._thread.submit(open_stores).result()
            self._people = People(self._registry)
            self.has_people = bool(self._thread.submit(self._people.everyone).result())
        except BaseException:
            self._thread.shutdown()
            raise
        self._sessions: dict[str, str] = {}  # token by browser
        self._looked: dict[tuple[str, str, int], int] = {}  # who looked at what of a case, when
        self._places: dict[int, tuple[tuple, TrackPoint | None]] = {}  # by case: what was heard, place
        self._tracks: dict[int, tuple[tuple, list[TrackPoint]]] = {}

    def close(self) -> None:
        self._thread.submit(self._database.close).result()
        self._thread.submit(self._registry.close).result()
        self._thread.shutdown()

    # --- who

    def person(self, browser: str, touch: bool = True) -> str | None:
        """Who is signed in with a browser; ``touch`` keeps the session alive."""
        if not self.has_people:
            return self._operator
        try:
            return self._session(browser, touch).name
        except SessionOver:
            self._sessions.pop(browser, None)
            return None

    async def sign_in(self, browser: str, name: str, pin: str) -> None:
        """Raises WrongPin, LockedOut."""
        session = await self._ask(lambda: self._people.sign_in(name, pin, self.now_ms()))
        self._sessions[browser] = session.token

    async def sign_out(self, browser: str) -> None:
        token = self._sessions.pop(browser, None)
        if token is not None:
            await self._ask(lambda: self._people.sign_out(token, self.now_ms()))

    # --- what is shown

    async def overview(self, who: str) -> Overview:
        """Stations, open cases and their last places; each is written down as a look-up."""
        return await self._ask(lambda: self._overview(who))

    async def track(self, who: str, number: int, form: str = "") -> Followed:
        """One open case with its track, written down as a look-up; each download in a ``form`` is one of its own.

        Raises NoSuchCase.
        """
        return await self._ask(lambda: self._track(who, number, form))

    # --- what is done

    async def open_case(self, who: str, tag: str, document: str, reason: str, reporter: str) -> int:
        """Returns its number. Raises RegistryError, CaseError."""

        def work() -> int:
            asked = [record.device_id for record in self._registry.find(tag)]
            told = (reporter or who, document, reason)
            return open_cases(self._database, asked, *told, self.now_ms(), who=who)[0].case_id

        return await self._ask(work)

    async def close_case(self, who: str, number: int, outcome: str) -> None:
        """Raises NoSuchCase, CaseError."""
        await self._ask(
            lambda: close_cases(
                self._database, self._thing(number).device_ids, outcome, self.now_ms(), who=who
            )
        )

    async def order(self, who: str, number: int, command: str) -> None:
        """Raises NoSuchCase, OrderRefused."""
        await self._ask(
            lambda: order_desk.give(
                self._database,
                self._thing(number).device_ids,
                command,
                None,
                who,
                f"case {number}",
                False,
                self.now_ms(),
            )
        )

    # --- in the thread

    def _overview(self, who: str) -> Overview:
        now_ms = self.now_ms()
        things = self._granted(
            who, situation.sought(self._database, self._registry, now_ms), "watch", LOOK_MS
        )
        numbers = {thing.number for thing in things}  # of closed cases nothing stays here
        self._places = {number: kept for number, kept in self._places.items() if number in numbers}
        self._tracks = {number: kept for number, kept in self._tracks.items() if number in numbers}
        made = 0
        for thing in things:
            heard = situation.heard_of(self._database, thing)
            if self._places.get(thing.number, ((), None))[0] != heard and made < PLACES_AT_ONCE:
                made += 1
                found = situation.last_places(self._database, [thing]).get(thing.number)
                self._places[thing.number] = heard, found
        known = {thing.number: self._places.get(thing.number, ((), None))[1] for thing in things}
        places = {number: place for number, place in known.items() if place is not None}
        return Overview(situation.stations(self._database, now_ms), things, places)

    def _track(self, who: str, number: int, form: str) -> Followed:
        what, look_ms = (f"download {form}", 0) if form else ("watch track", LOOK_MS)
        thing = self._thing(number)
        if not self._granted(who, [thing], what, look_ms):
            raise NoSuchCase
        heard = situation.heard_of(self._database, thing)
        if self._tracks.get(number, ((), []))[0] != heard:
            self._tracks[number] = heard, situation.track(self._database, thing)
        now_ms = self.now_ms()
        return Followed(
            thing,
            self._tracks[number][1],
            situation.stations(self._database, now_ms),
            situation.orders_of(self._database, thing, now_ms),
        )

    def _thing(self, number: int) -> Sought:
        for thing in situation.sought(self._database, self._registry, self.now_ms()):
            if thing.number == number:
                return thing
        raise NoSuchCase

    def _granted(self, who: str, things: list[Sought], what: str, look_ms: int) -> list[Sought]:
        """Those that may be shown now: not those whose case was closed meanwhile.

        Each look is in the book, under the case on whose ground it is; what is seen again within ``look_ms`` is the
        same look.
        """
        now_ms = self.now_ms()
        self._looked = {key: at_ms for key, at_ms in self._looked.items() if now_ms - at_ms < LOOK_MS}
        due = {
            case.device_id: (who, what, case.case_id)
            for thing in things
            for case in thing.cases
            if now_ms - self._looked.get((who, what, case.case_id), now_ms - LOOK_MS) >= look_ms
        }
        granted = written_down(self._database, list(due), who, what, "", False, now_ms) if due else []
        self._looked |= {due[device_id]: now_ms for device_id in granted}
        refused = due.keys() - granted
        return [thing for thing in things if refused.isdisjoint(thing.device_ids)]

    def _session(self, browser: str, touch: bool) -> Session:
        return self._people.check(self._sessions.get(browser, ""), self.now_ms(), touch)

    async def _ask(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, question)
