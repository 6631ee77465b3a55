"""Who works at the counter now, and whether its keys are open for the shift."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from groundnet.provision.counter_desk import CounterDesk
from groundnet.provision.people import People, SessionOver
from groundnet.provision.registry import Registry

T = TypeVar("T")


class Shift:
    """Who is signed in with which browser.

    Where the registry knows no people (an engineer's desk) it is whoever started the program.

    Args:
        operator: that somebody's name.
    """

    def __init__(self, desk: CounterDesk, operator: str) -> None:
        self._desk = desk
        self._operator = operator
        self._people: People | None = None
        self._tokens: dict[str, str] = {}  # session by browser
        self.locked = True  # until the registry was asked
        self.people = True
        self.sealed = False  # whether there is a vault at all

    async def refresh(self) -> None:
        """Ask the registry whether it is locked and knows people: another program may have changed that."""

        def question(registry: Registry) -> tuple[People, bool, bool, bool]:
            people = self._people or People(registry)
            return people, registry.locked, registry.vault is not None, bool(people.everyone())

        self._people, self.locked, self.sealed, self.people = await self._ask(question)

    def person(self, browser: str, touch: bool = True) -> str | None:
        """Who is signed in with this browser; None when nobody is. ``touch`` keeps the session alive."""
        if self.locked or self._people is None:
            return None
        if not self.people:
            return self._operator
        try:
            return self._people.check(self._tokens.get(browser, ""), self._desk.settings.now_ms(), touch).name
        except SessionOver:
            self._tokens.pop(browser, None)
            return None

    async def sign_in(self, browser: str, name: str, pin: str) -> None:
        """Raises WrongPin, LockedOut, VaultLocked."""
        await self.refresh()
        people, now_ms = self._people, self._desk.settings.now_ms()
        assert people is not None
        self._tokens[browser] = (await self._ask(lambda registry: people.sign_in(name, pin, now_ms))).token

    async def sign_out(self, browser: str) -> None:
        token, people = self._tokens.pop(browser, None), self._people
        if token is not None and people is not None:
            await self._ask(lambda registry: people.sign_out(token, self._desk.settings.now_ms()))

    async def unlock(self, passphrase: str) -> None:
        """Open the keys for the shift. Raises WrongPassphrase."""
        await self._ask(lambda registry: registry.unlock(passphrase))
        await self.refresh()

    async def approve(self, supervisor: str, pin: str) -> None:
        """A second person agrees that the refused tag is taken from its owner, or does not."""
        if self._people is not None:
            await asyncio.wrap_future(self._desk.approve(self._people, supervisor, pin))

    async def end(self) -> None:
        """The shift is over: close the keys; nobody works here before they are opened again."""
        await self._ask(lambda registry: registry.lock())
        await self.refresh()

    async def _ask(self, question: Callable[[Registry], T]) -> T:
        return await asyncio.wrap_future(self._desk.call(question))
