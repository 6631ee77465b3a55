"""The serial link of the finder: as every role's, and the loading of the ids that it is lent."""

from apps.service import Link
from groundcore import events, follow


class FinderLink(Link):
    """Carries out FOLLOW as well."""

    actions = Link.actions + ((events.FOLLOW, "follow"),)  # noqa: RUF005  MicroPython has no star in a tuple

    def __init__(self, loop, device: dict, storage, restart):
        self._intake = None  # made when a host asks for it
        super().__init__(loop, device, storage, restart)

    def follow(self, request: str, values: dict) -> None:
        """What a host asks of a loan; it counts when the finder starts anew behind the link."""
        if self._intake is None:
            from groundcore.follow_intake import Intake

            self._intake = Intake(self._storage.load(follow.NAMES))
        actions = []
        name, told = self._intake.handle(request, values, actions)
        self._loop.carry_out(actions)
        self._stored = self._stored or self._intake.stored
        if self._service is not None:
            self._loop.carry_out(self._service.answered(name, told, self._intake.stored))

    def _forget(self) -> None:
        self._intake = None
        super()._forget()
