"""What stands behind the counter's screen: one thread that finds the tag, works on it and asks the registry.

The screen (`counter`) decides, this carries out. Registry and serial port belong to the thread alone; whoever else
wants the registry hands it a question with ``call``. Time comes from ``now_ms``.
"""

import logging
import queue
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TypeVar

from groundnet.errors import GroundnetError
from groundnet.link.device import Device
from groundnet.link.errors import LinkError, NoAnswer, PortGone, PortMissing
from groundnet.link.ports import SerialPort
from groundnet.link.serial_link import Entropy, SerialLink
from groundnet.provision.approval import Approval, approve
from groundnet.provision.audit import Audit
from groundnet.provision.binding import Binding
from groundnet.provision.counter import CUT_STATES, Action, Counter, Event, News, State, Tag
from groundnet.provision.people import People, PeopleError
from groundnet.provision.recovery import OPEN
from groundnet.provision.refusal import REASONS, Reason, Refusal, reason_of, support_code
from groundnet.provision.registry import BOUND, Registry
from groundnet.provision.subject import Draft, draft_of, order_of, understand
from groundnet.provision.tag_check import examine
from groundnet.provision.tag_places import TagPlaces

T = TypeVar("T")
LOOK_EVERY_S = 0.25  # between two looks at the ports
ASK_EVERY_MS = 1500  # between two questions whether the tag is still the same one
_LOGGER = logging.getLogger(__name__)
_AT_REST = (State.FOUND, State.CARDED, State.VERIFIED, State.DONE, State.UNDONE, State.REFUSED)


@dataclass(frozen=True)
class Settings:
    """What one counter is set to. ``answer_s``: longest wait for one answer of a tag."""

    install_point: str = ""
    answer_s: float = 3.0
    entropy: Entropy = secrets.token_bytes
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000


class CounterDesk:
    """Drives a counter.

    Args:
        open_registry: called once, in the thread that alone uses the registry.
    """

    def __init__(
        self,
        counter: Counter,
        places: TagPlaces,
        open_registry: Callable[[], Registry],
        settings: Settings | None = None,
    ) -> None:
        self.counter = counter
        self.settings = settings or Settings()
        self._places = places
        self._open_registry = open_registry
        self.staff = ""  # who is at the keyboard; what they ask for is theirs in the audit
        self._lock = threading.RLock()
        self._jobs: queue.SimpleQueue[Callable[[Registry], None]] = queue.SimpleQueue()
        self._listeners: list[Callable[[], None]] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="counter", daemon=True)
        self._port: SerialPort | None = None
        self._passed_over: set[str] = set()  # ports with something that is no tag, until they go
        self._asked_ms = 0
        self._approval: Approval | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread once it has finished what it does."""
        self._stopped.set()
        self._jobs.put(lambda registry: None)  # wakes it
        self._thread.join()

    def listen(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called, from any thread, whenever the screen shows something else."""
        self._listeners.append(changed)

    def look(self) -> Counter:
        """The screen as it is now."""
        with self._lock:
            return replace(self.counter)

    def tell(self, news: News) -> None:
        """Something happened at the counter."""
        with self._lock:
            before = self.counter.version
            action = self.counter.handle(news, self.settings.now_ms())
            changed = self.counter.version != before
        if changed:
            for listener in self._listeners:
                listener()
        if action is not None:
            self._put(lambda registry: self._carry_out(action, registry))

    def call(self, question: Callable[[Registry], T]) -> "Future[T]":
        """Ask the registry something, in the thread that may."""
        answer: Future[T] = Future()

        def job(registry: Registry) -> None:
            try:
                answer.set_result(question(registry))
            except Exception as error:  # noqa: BLE001 - handed over to whoever asked
                answer.set_exception(error)

        self._put(job)
        return answer

    def _put(self, job: Callable[[Registry], object]) -> None:
        staff = self.staff

        def named(registry: Registry) -> None:
            registry.who = staff
            job(registry)

        self._jobs.put(named)

    def scan(self, text: str) -> None:
        """Something was scanned, or typed into the field for scans."""
        self._put(lambda registry: self._scan(registry, text))

    def submit(self, draft: Draft) -> None:
        """The form was sent: write the tag when nothing is missing."""
        counter = self.look()
        try:
            if counter.tag is None:
                raise Refusal("no_tag_yet")
            order_of(draft, self.settings.install_point, counter.tag.capabilities)
        except Refusal as refusal:
            self.tell(News(Event.DRAFT, draft=draft))
            self._refuse(Event.NOTICE, refusal)
            return
        self.tell(
            News(Event.DRAFT, draft=draft)
            if counter.state is not State.CARDED
            else News(Event.ORDER, draft=draft)
        )

    def approve(self, people: People, supervisor: str, pin: str) -> "Future[None]":
        """A second person lets go of whom the refused tag is bound to."""

        def question(registry: Registry) -> None:
            counter, now_ms = self.look(), self.settings.now_ms()
            record = registry.by_device(counter.tag.device_id) if counter.tag else None
            if counter.state is not State.REFUSED or record is None or record.state not in BOUND:
                return
            try:
                self._approval = approve(registry, people, self.staff, supervisor, pin, record, now_ms)
            except PeopleError:
                refusal = Refusal("not_approved", record.tag_id)
                refusal.device_id = record.device_id
                self._refuse(Event.REFUSED, refusal)
            else:
                self.tell(News(Event.APPROVED))

        return self.call(question)

    def _run(self) -> None:
        registry = self._open_registry()
        try:
            while not self._stopped.is_set():
                try:
                    self._turn(registry)
                except Exception:  # a disk that is full must not end the counter
                    _LOGGER.exception("the counter could not do what it was asked")
                    self.tell(News(Event.NOTICE, reason=REASONS["registry"]))
        finally:
            registry.close()

    def _turn(self, registry: Registry) -> None:
        """One job, or one look around when there is none."""
        try:
            job = self._jobs.get(timeout=LOOK_EVERY_S)
        except queue.Empty:
            self._watch(registry)
            self._tick()
        else:
            job(registry)

    def _tick(self) -> None:
        due_ms = self.look().next_deadline_ms()
        if due_ms is not None and self.settings.now_ms() >= due_ms:
            self.tell(News(Event.TICK))

    def _watch(self, registry: Registry) -> None:
        """Look at the ports: what came, what went, what is another one by now."""
        ports = {port.path: port for port in self._places.ports()}
        self._passed_over &= ports.keys()
        if self._port is not None and self._port.path not in ports:
            self._port = None
            self.tell(News(Event.GONE))
        fresh = [port for path, port in ports.items() if path not in self._passed_over]
        if self._port is None and fresh:
            self._meet(registry, fresh)
        elif self._port is not None and self._due():
            self._ask_again(registry, len(fresh))

    def _meet(self, registry: Registry, ports: list[SerialPort]) -> None:
        self._port = ports[0]
        self.tell(News(Event.APPEARED))
        if len(ports) > 1:
            self._refuse(Event.REFUSED, Refusal("two_tags"))
            return
        self._examine(registry)

    def _due(self) -> bool:
        return self.settings.now_ms() - self._asked_ms >= ASK_EVERY_MS

    def _ask_again(self, registry: Registry, connected: int) -> None:
        """Is it still the one that was met, and does it still say no?"""
        counter = self.look()
        may_pass = counter.notice is not None and counter.notice.reason in _MAY_PASS
        if counter.state is State.WAITING:  # staff gave up what was cut off: begin with what is connected
            self._port = None
        elif counter.state in CUT_STATES or (counter.state is State.REFUSED and may_pass and connected == 1):
            self._examine(registry)
        elif counter.state in _AT_REST and counter.tag is not None and not self._is_there(counter.tag):
            self._port = None
            self.tell(News(Event.GONE))

    def _is_there(self, tag: Tag) -> bool:
        self._asked_ms = self.settings.now_ms()
        try:
            with self._open() as link:
                return Device(link).identity().device_id == tag.device_id
        except GroundnetError:
            return False

    def _open(self) -> SerialLink:
        if self._port is None:
            raise PortMissing("")
        return SerialLink(self._port.path, self.settings.answer_s, self.settings.entropy)

    def _examine(self, registry: Registry) -> None:
        self._asked_ms = self.settings.now_ms()
        try:
            with self._open() as link:
                tag = examine(link, registry)
        except (PortGone, PortMissing):
            self._port = None
            self.tell(News(Event.GONE))
        except GroundnetError as error:
            if (
                reason_of(error).name == "foreign_device"
                and not self._places.named
                and self._port is not None
            ):
                self._passed_over.add(self._port.path)
                self._port = None
                self.tell(News(Event.GONE))
                return
            said = self.look().notice
            if said is None or said.reason is not reason_of(error):
                self._refuse(Event.REFUSED, error)
        else:
            self.tell(News(Event.TAG, tag=tag, draft=self._begun(registry, tag)))
        self._asked_ms = self.settings.now_ms()

    def _begun(self, registry: Registry, tag: Tag) -> Draft | None:
        """What was said for this tag before the program was ended, unless somebody else's data is on the screen."""
        record = registry.by_device(tag.device_id)
        if record is None or record.state not in OPEN or not self.look().draft.empty:
            return None
        return draft_of(record)

    def _scan(self, registry: Registry, text: str) -> None:
        counter = self.look()
        try:
            scanned = understand(text, counter.draft)
            if scanned.draft is not None:
                self.tell(News(Event.DRAFT, draft=scanned.draft))
                return
            if counter.tag is None:
                raise Refusal("no_tag_yet")
            device_id = scanned.device_id or _device_of(registry, scanned.tag_id or "")
            if device_id != counter.tag.device_id:
                record = registry.by_device(device_id)
                raise Refusal("already_bound" if record and record.state in BOUND else "other_card")
        except GroundnetError as error:
            self._refuse(Event.NOTICE, error)
        else:
            self.tell(News(Event.CARD))

    def _carry_out(self, action: Action, registry: Registry) -> None:
        if action is Action.LOOK:
            self._examine(registry)
            return
        try:
            self._work(action, registry, self.look())
        except (NoAnswer, PortGone, PortMissing) as error:
            self._refuse(Event.CUT, Refusal("cut_off"), action, cause=error)
        except Exception as error:  # noqa: BLE001 - whatever it was, staff must not wait for ever
            self._refuse(Event.FAILED, error, action)
        self._asked_ms = self.settings.now_ms()

    def _work(self, action: Action, registry: Registry, counter: Counter) -> None:
        settings = self.settings
        with self._open() as link:
            binding = Binding(link, registry, settings.install_point, settings.entropy, settings.now_ms)
            done = binding.carry_out(action, counter, self._approval)
        self.tell(done)

    def _refuse(
        self, event: Event, error: Exception, action: Action | None = None, cause: Exception | None = None
    ) -> None:
        """Say no, with a support code under which the log says more."""
        reason = _reason(error)
        support = support_code(reason, self.settings.entropy(4))
        detail = error.detail if isinstance(error, Refusal) else ""
        why = cause or error
        said = (
            str(why) if isinstance(why, LinkError) else type(why).__name__
        )  # others may name a person's plate
        _LOGGER.warning("%s %s %s: %s", support, action or event, reason.name, said)
        tag_id, now_ms = self.look().tag_id, self.settings.now_ms()
        self._put(
            lambda registry: Audit(registry).append(
                now_ms, action or event, reason.name, tag_id=tag_id, support=support
            )
        )
        device_id = error.device_id if isinstance(error, Refusal) else None
        tag = Tag(device_id, "tag", "", "") if device_id else None
        self.tell(News(event, tag=tag, reason=reason, support=support, detail=detail))


_MAY_PASS = tuple(REASONS[name] for name in ("silent", "port_held", "two_tags"))


def _reason(error: Exception) -> Reason:
    if isinstance(error, GroundnetError):
        return reason_of(error)
    return REASONS["registry" if isinstance(error, sqlite3.Error | OSError) else "unexpected"]


def _device_of(registry: Registry, tag_id: str) -> bytes:
    """The device that has this number. Raises Refusal."""
    try:
        return registry.find(tag_id)[0].device_id
    except GroundnetError:
        raise Refusal("unknown_number") from None
