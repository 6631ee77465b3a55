"""What stands behind the counter's screen: one thread that finds the tag, works on it and asks the registry.

The screen (`counter`) decides, this carries out. Registry and serial port belong to the thread alone; whoever else
wants the registry hands it a question with ``call``. Time comes from ``now_ms``.
"""

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar

from groundnet.errors import GroundnetError
from groundnet.link.errors import LinkError, NoAnswer, PortGone, PortMissing
from groundnet.provision.approval import Approval, approve
from groundnet.provision.audit import Audit
from groundnet.provision.binding import Binding
from groundnet.provision.counter import Action, Counter, Event, News, State, Tag
from groundnet.provision.people import People, PeopleError
from groundnet.provision.refusal import REASONS, Reason, Refusal, reason_of, support_code
from groundnet.provision.registry import BOUND, Registry
from groundnet.provision.subject import Draft, order_of, understand
from groundnet.provision.tag_places import TagPlaces
from groundnet.provision.tag_watch import Settings, TagWatch

T = TypeVar("T")
LOOK_EVERY_S = 0.25  # between two looks at the ports
_LOGGER = logging.getLogger(__name__)


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
        self._open_registry = open_registry
        self.staff = ""  # who is at the keyboard; what they ask for is theirs in the audit
        self._lock = threading.RLock()
        self._jobs: queue.SimpleQueue[Callable[[Registry], None]] = queue.SimpleQueue()
        self._listeners: list[Callable[[], None]] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="counter", daemon=True)
        self._tags = TagWatch(places, self)
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
            self.refuse(Event.NOTICE, refusal)
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
                self.refuse(Event.REFUSED, refusal)
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
            self._tags.turn(registry)
            self._tick()
        else:
            job(registry)

    def _tick(self) -> None:
        due_ms = self.look().next_deadline_ms()
        if due_ms is not None and self.settings.now_ms() >= due_ms:
            self.tell(News(Event.TICK))

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
            self.refuse(Event.NOTICE, error)
        else:
            self.tell(News(Event.CARD))

    def _carry_out(self, action: Action, registry: Registry) -> None:
        if action is Action.LOOK:
            self._tags.examine(registry)
            return
        try:
            self._work(action, registry, self.look())
        except (NoAnswer, PortGone, PortMissing) as error:
            self.refuse(Event.CUT, Refusal("cut_off"), action, cause=error)
        except Refusal as error:
            self.refuse(Event.REFUSED if action is Action.WRITE else Event.FAILED, error, action)
        except Exception as error:  # noqa: BLE001 - whatever it was, staff must not wait for ever
            self.refuse(Event.FAILED, error, action)
        self._tags.asked()

    def _work(self, action: Action, registry: Registry, counter: Counter) -> None:
        settings = self.settings
        with self._tags.open() as link:
            binding = Binding(link, registry, settings.install_point, settings.entropy, settings.now_ms)
            done = binding.carry_out(action, counter, self._approval)
        self.tell(done)

    def refuse(
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


def _reason(error: Exception) -> Reason:
    if isinstance(error, GroundnetError):
        return reason_of(error)
    return REASONS["registry" if isinstance(error, OSError) else "unexpected"]


def _device_of(registry: Registry, tag_id: str) -> bytes:
    """The device that has this number. Raises Refusal."""
    try:
        return registry.find(tag_id)[0].device_id
    except GroundnetError:
        raise Refusal("unknown_number") from None
