"""Finds the tag of a counter among its ports, and notices when it is gone or another one."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from groundnet.errors import GroundnetError
from groundnet.link.device import Device
from groundnet.link.errors import PortGone, PortMissing
from groundnet.link.ports import SerialPort
from groundnet.link.serial_link import Entropy, SerialLink
from groundnet.provision import tag_check
from groundnet.provision.counter import CUT_STATES, Counter, Event, News, State, Tag
from groundnet.provision.recovery import OPEN
from groundnet.provision.refusal import REASONS, Refusal, reason_of
from groundnet.provision.registry import Registry
from groundnet.provision.subject import Draft, draft_of
from groundnet.provision.tag_places import TagPlaces

ASK_EVERY_MS = 1500  # between two questions whether the tag is still the same one
_AT_REST = (State.FOUND, State.CARDED, State.VERIFIED, State.DONE, State.UNDONE, State.REFUSED)
_MAY_PASS = tuple(REASONS[name] for name in ("silent", "port_held", "two_tags"))


@dataclass(frozen=True)
class Settings:
    """What one counter is set to. ``answer_s``: longest wait for one answer of a tag."""

    install_point: str = ""
    answer_s: float = 3.0
    entropy: Entropy = secrets.token_bytes
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000


class Screen(Protocol):
    """What is told of it: the desk."""

    settings: Settings

    def look(self) -> Counter: ...
    def tell(self, news: News) -> None: ...
    def refuse(self, event: Event, error: Exception) -> None: ...


class TagWatch:
    """Looks at the places of one counter, in the thread that works on the tag."""

    def __init__(self, places: TagPlaces, screen: Screen) -> None:
        self._places = places
        self._screen = screen
        self._port: SerialPort | None = None
        self._passed_over: set[str] = set()  # ports with something that is no tag, until they go
        self._asked_ms = 0

    def asked(self) -> None:
        """The tag was just spoken to: it need not be asked again for a while."""
        self._asked_ms = self._screen.settings.now_ms()

    def turn(self, registry: Registry) -> None:
        """Look at the ports: what came, what went, what is another one by now."""
        ports = {port.path: port for port in self._places.ports()}
        self._passed_over &= ports.keys()
        if self._port is not None and self._port.path not in ports:
            self._port = None
            self._screen.tell(News(Event.GONE))
        fresh = [port for path, port in ports.items() if path not in self._passed_over]
        if self._port is None and fresh:
            self._meet(registry, fresh)
        elif self._port is not None and self._due():
            self._ask_again(registry, len(fresh))

    def _meet(self, registry: Registry, ports: list[SerialPort]) -> None:
        self._port = ports[0]
        self._screen.tell(News(Event.APPEARED))
        if len(ports) > 1:
            self._screen.refuse(Event.REFUSED, Refusal("two_tags"))
            return
        self.examine(registry)

    def _due(self) -> bool:
        return self._screen.settings.now_ms() - self._asked_ms >= ASK_EVERY_MS

    def _ask_again(self, registry: Registry, connected: int) -> None:
        """Is it still the one that was met, and does it still say no?"""
        counter = self._screen.look()
        may_pass = counter.notice is not None and counter.notice.reason in _MAY_PASS
        if counter.state is State.WAITING:  # staff gave up what was cut off: begin with what is connected
            self._port = None
        elif counter.state in CUT_STATES or (counter.state is State.REFUSED and may_pass and connected == 1):
            self.examine(registry)
        elif counter.state in _AT_REST and counter.tag is not None and not self._is_there(counter.tag):
            self._port = None
            self._screen.tell(News(Event.GONE))

    def _is_there(self, tag: Tag) -> bool:
        self.asked()
        try:
            with self.open() as link:
                return Device(link).identity().device_id == tag.device_id
        except GroundnetError:
            return False

    def open(self) -> SerialLink:
        """A link to the tag. Raises PortMissing when there is none, and the errors of the link."""
        if self._port is None:
            raise PortMissing("")
        return SerialLink(self._port.path, self._screen.settings.answer_s, self._screen.settings.entropy)

    def examine(self, registry: Registry) -> None:
        """Ask what is connected who it is, and tell the screen."""
        self.asked()
        try:
            with self.open() as link:
                tag = tag_check.examine(link, registry)
        except (PortGone, PortMissing):
            self._port = None
            self._screen.tell(News(Event.GONE))
        except GroundnetError as error:
            if (
                reason_of(error).name == "foreign_device"
                and not self._places.named
                and self._port is not None
            ):
                self._passed_over.add(self._port.path)
                self._port = None
                self._screen.tell(News(Event.GONE))
                return
            said = self._screen.look().notice
            if said is None or said.reason is not reason_of(error):
                self._screen.refuse(Event.REFUSED, error)
        else:
            self._screen.tell(News(Event.TAG, tag=tag, draft=self._begun(registry, tag)))
        self.asked()

    def _begun(self, registry: Registry, tag: Tag) -> Draft | None:
        """What was said for this tag before the program was ended, unless somebody else's data is on the screen."""
        record = registry.by_device(tag.device_id)
        if record is None or record.state not in OPEN or not self._screen.look().draft.empty:
            return None
        return draft_of(record)
