"""Who works at the counter now."""

from groundnet.provision.counter_desk import CounterDesk

IDLE_MS = 15 * 60_000


class Shift:
    """Who is signed in with which browser. Without people in the registry it is whoever started the program."""

    people = False
    locked = False

    def __init__(self, desk: CounterDesk, operator: str) -> None:
        self._desk = desk
        self._operator = operator

    def person(self, browser: str, touch: bool = True) -> str | None:
        return self._operator

    async def sign_in(self, browser: str, name: str, pin: str) -> None:
        return

    async def unlock(self, browser: str, passphrase: str) -> None:
        return

    def sign_out(self, browser: str) -> None:
        return
