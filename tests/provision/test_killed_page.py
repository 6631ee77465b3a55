"""`provision serve` is killed with SIGKILL at every row of its screen's table and every state of the registry.

The table is the list: a row that is added to it is killed here, too. Tags run real MicroPython. After each kill a new
process is started, which asks the tag and completes what was begun: no identity is there twice, none is half written
in an open tag, no row is lost.
"""

import signal
from collections import deque

import pytest
from groundnet.link.serial_link import SerialLink
from groundnet.provision import people
from groundnet.provision.audit import Audit
from groundnet.provision.counter import TABLE, Event, State
from groundnet.provision.operation import Order, provision
from groundnet.provision.people import People
from groundnet.provision.recovery import OPEN
from groundnet.provision.registry import BOUND, Registry

from provision.page_bench import PageProcess, Staff, Tags, copy_of, device_id_of

OWNED, NEW = 1, 2  # a tag that is bound already; a new one (and the one after it, where two are needed)
NEEDS_MORE = ((State.REFUSED, Event.APPROVED), (State.WRITING, Event.LOCKED))
MINES = [
    *(["row", *row] for row in TABLE),
    *(["registry", state] for state in ("reserved", "writing", "verified", "handed_over", "undone")),
    ["locked"],
]


def way_to(state):
    """The shortest way through the table on which nobody else must agree and nothing was begun before."""
    ways, waiting = {State.WAITING: []}, deque([State.WAITING])
    while waiting:
        here = waiting.popleft()
        for (begin, event), (then, _) in TABLE.items():
            if begin is here and then not in ways and (begin, event) not in NEEDS_MORE:
                ways[then] = [*ways[here], (begin, event)]
                waiting.append(then)
    return ways[state]


def rows_to(mine):
    """The rows that lead to where the process dies."""
    kind, *names = mine
    if kind == "row":
        state, event = State(names[0]), Event(names[1])
        return [*way_to(state), (state, event)]
    if kind == "locked" or names[0] == "handed_over":
        return [*way_to(State.LOCKING), (State.LOCKING, Event.LOCKED)]
    if names[0] == "undone":
        return [*way_to(State.UNDOING), (State.UNDOING, Event.UNDONE)]
    return [*way_to(State.WRITING), (State.WRITING, Event.WRITTEN)]


def faults_of(rows):
    """What must go wrong for these rows to be taken, by the state in which it does."""
    found = {}
    for state, event in rows:
        if event in (Event.CUT, Event.FAILED):
            found[state] = {Event.CUT: "cut", Event.FAILED: "fail"}[event]
        if (state, event) == (State.WRITING, Event.REFUSED):
            found[state] = "broken"
        if (state, event) == (State.LOOKING, Event.GONE):
            found["looking"] = "gone"
        if (state, event) == (State.REFUSED, Event.TAG):
            found["looking"] = "silent"
    return found


class Counter:
    """A registry with people and one bound tag, two tags on the counter, and the program that dies."""

    def __init__(self, folder, template):
        self.template = template
        self.tags = Tags(folder / "tags")
        self.registry_path = folder / "registry.db"
        self.process = PageProcess(self.tags.folder, self.registry_path)
        self._make_template()

    def _make_template(self):
        path = self.template / "registry.db"
        registry = Registry(path)
        here = People(registry)
        here.add("Wang", "4711", "supervisor", 1)
        here.add("Li Na", "1234", "staff", 1, here.sign_in("Wang", "4711", 1))
        self.tags.plug(OWNED)
        with SerialLink(str(self.tags.folder / "tag"), 20.0) as link:
            provision(link, registry, Order("vehicle", "云B00001"))
        registry.close()
        self.flash = self.tags.keep()

    def begin_anew(self):
        self.process.kill()
        self.tags.restore(self.flash)
        copy_of(self.template / "registry.db", self.registry_path.parent)

    def kill_at(self, mine):
        """One life of the program, which ends where it is mined."""
        rows = rows_to(mine)
        bound = (State.LOOKING, Event.REFUSED) in rows and (State.REFUSED, Event.TAG) not in rows
        number = OWNED if bound else NEW
        staff = Staff(self.process.start(mine, faults_of(rows)), self.tags, number)
        try:
            for state, event in rows:
                if state not in (State.LOOKING, State.WRITING, State.LOCKING, State.UNDOING):
                    staff.until(state)
                    staff.bring_about(state, event)
        except ConnectionError:
            assert (state, event) == rows[-1]
        finally:
            staff.close()
        assert self.process.ended() == signal.SIGKILL
        return number

    def look(self):
        """The registry as it lies there: whole, without doubles, and with every identity that a tag holds."""
        registry = Registry(self.registry_path)
        Audit(registry).verify()
        rows = {record.device_id: record for record in registry.devices()}
        registry.close()
        secrets = {record.secret.reveal() for record in rows.values()}
        assert len({record.tag_id for record in rows.values()}) == len(secrets) == len(rows)
        assert rows[device_id_of(OWNED)].plate == "云B00001"
        for number, held in self.tags.identities().items():
            record = rows.get(device_id_of(number))
            if held is not None:
                assert record is not None
                assert (held.tag_id, held.secret) == (record.tag_id, record.secret.reveal())
                assert record.state in BOUND or not held.locked or record.state == "verified"
            else:
                assert record is None or record.state not in BOUND
        return rows

    def start_again(self, number):
        """The next program asks the tag and offers what was begun; staff need only say yes."""
        if not self.tags.at_cable(number):
            self.tags.plug(number)
        staff = Staff(self.process.start(), self.tags, number)
        staff.until(State.FOUND)
        staff.scan_card()
        staff.until(State.CARDED)
        staff.send_what_is_there()
        if staff.until(State.VERIFIED, State.DONE) is State.VERIFIED:
            staff.press("advance")
            staff.until(State.DONE)
        self.process.kill()
        staff.close()


@pytest.fixture(scope="module")
def counter(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(people._SCRYPT, "n", 16)
        made = Counter(tmp_path_factory.mktemp("counter"), tmp_path_factory.mktemp("template"))
        yield made
        made.process.stop()
        made.tags.stop()


@pytest.mark.parametrize("mine", MINES, ids="-".join)
def test_killed_there_the_next_start_completes_it(counter, mine):
    counter.begin_anew()
    if mine == ["row", State.WRITING, Event.LOCKED]:
        counter.kill_at(["locked"])
        counter.tags.unplug()
    number = counter.kill_at(mine)
    before = counter.look()
    begun = device_id_of(number) in before and before[device_id_of(number)].state in OPEN
    if not begun:
        return
    counter.start_again(number)
    after = counter.look()
    assert after[device_id_of(number)].state == "handed_over" and counter.tags.identities()[number].locked
    assert {one.tag_id for one in before.values()} == {one.tag_id for one in after.values()}
