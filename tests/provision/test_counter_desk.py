"""The counter's driver with real virtual tags: found, refused, cut off and resumed."""

import pytest
from groundnet.provision.audit import Audit
from groundnet.provision.counter import Event, News, State
from groundnet.provision.label import Label, encode
from groundnet.provision.people import People
from groundnet.provision.registry import Registry
from groundnet.provision.subject import Draft

from provision.conftest import Watched

DRAFT = Draft("vehicle", "A12345", "云")


def bind(counter, tag):
    """The whole way, up to a tag that is handed over."""
    counter.until(State.FOUND)
    counter.desk.scan(encode(Label(tag.device_id)))
    counter.until(State.CARDED)
    counter.desk.submit(DRAFT)
    counter.until(State.VERIFIED)
    counter.desk.tell(News(Event.ADVANCE))
    return counter.until(State.DONE)


class CutAt(Registry):
    """Kills the tag when the counter is about to record a state."""

    def __init__(self, path, cuts):
        super().__init__(path)
        self._cuts = cuts

    def advance(self, device_id, state, *values, **named):
        record = super().advance(device_id, state, *values, **named)
        if state in self._cuts:
            self._cuts.pop(state)()
        return record


def test_a_cable_that_is_pulled_while_the_tag_is_written_and_again_before_it_is_locked(tmp_path, virtual_tag):
    tag = virtual_tag("0200000000d1")
    cuts = {}
    watched = Watched(tmp_path, open_registry=lambda: CutAt(tmp_path / "registry.db", cuts))
    watched.desk.staff = "李华"
    watched.desk.start()
    try:
        watched.plug(tag)
        watched.until(State.FOUND)
        watched.desk.scan(encode(Label(tag.device_id)))
        watched.until(State.CARDED)
        cuts.update(writing=tag.kill, verified=tag.kill)
        watched.desk.submit(DRAFT)
        for _ in range(2):
            assert watched.until(State.CUT_WRITING).notice.reason.name == "cut_off"
            watched.unplug()
            tag.power_on()
            watched.plug(tag)
            watched.until(State.WRITING, State.VERIFIED)
        tag_id = watched.until(State.VERIFIED).tag_id
        watched.desk.tell(News(Event.ADVANCE))
        watched.until(State.DONE)
        (record,) = watched.settled(lambda registry: list(registry.devices()))
        assert (record.tag_id, record.state, record.plate) == (tag_id, "handed_over", "云A12345")
        rows = watched.settled(lambda registry: list(Audit(registry).entries()))
        told = [(row.action, row.result, row.who) for row in rows]
        assert [row for row in told if row[1] != "done"] == [("write", "cut_off", "李华")] * 2
        assert told[-1] == ("handed_over", "done", "李华")
    finally:
        watched.desk.stop()


def test_a_bound_tag_and_a_second_one_beside_it_are_refused_and_nothing_is_written(counter, virtual_tag):
    tag, other = virtual_tag("0200000000d2"), virtual_tag("0200000000d3")
    counter.plug(tag)
    bound = bind(counter, tag)
    counter.unplug()
    counter.until(State.WAITING)
    counter.plug(tag)
    assert counter.until(State.REFUSED).notice.reason.name == "already_bound"
    counter.unplug()
    counter.until(State.WAITING)
    counter.plug(other)
    counter.until(State.FOUND)
    for text in (bound.tag_id, encode(Label(tag.device_id))):  # the bound one's card
        counter.desk.scan(text)
        counter.settled()
        assert counter.desk.look().notice.reason.name == "already_bound"
    counter.unplug()
    counter.until(State.WAITING)
    for name, one in (("a", tag), ("b", other)):
        (counter.socket / name).symlink_to(one.pty)
    assert counter.until(State.REFUSED).notice.reason.name in ("two_tags", "already_bound")
    (record,) = counter.settled(lambda registry: list(registry.devices()))
    assert record.tag_id == bound.tag_id


def test_a_bound_tag_is_given_anew_once_a_second_person_agreed(counter, virtual_tag):
    tag = virtual_tag("0200000000d6")
    counter.plug(tag)
    bind(counter, tag)
    counter.unplug()
    counter.until(State.WAITING)
    counter.plug(tag)
    counter.until(State.REFUSED)
    people = counter.settled(People)
    counter.settled(lambda registry: people.add("张主管", "2468", "supervisor", 0))
    counter.desk.staff = "李华"
    counter.desk.approve(people, "张主管", "2468").result()
    counter.until(State.UNDONE)
    assert counter.settled(lambda registry: registry.by_device(tag.device_id)).state == "undone"
    counter.desk.tell(News(Event.ADVANCE))
    assert counter.until(State.FOUND).draft.empty


def test_a_tag_of_another_point_and_one_without_a_program(counter, tmp_path, virtual_tag):
    tag = virtual_tag("0200000000d4")
    counter.plug(tag)
    bind(counter, tag)
    counter.unplug()
    (tmp_path / "elsewhere").mkdir()
    other_point = Watched(tmp_path / "elsewhere")
    other_point.desk.start()
    try:
        other_point.plug(tag)
        assert other_point.until(State.REFUSED).notice.reason.name == "other_point"
        other_point.unplug()
        other_point.until(State.WAITING)
        other_point.plug(virtual_tag("0200000000d5", "--blank"))
        assert other_point.until(State.REFUSED).notice.reason.name == "no_firmware"
        assert other_point.settled(lambda registry: list(registry.devices())) == []
    finally:
        other_point.desk.stop()


@pytest.mark.parametrize("text", [encode(Label(bytes(8))), "GN-00012"])
def test_a_card_without_a_tag(counter, text):
    counter.desk.scan(text)
    counter.settled()
    assert counter.desk.look().notice.reason.name == "no_tag_yet"
