"""The counter's driver with real virtual tags: found, refused, cut off and resumed."""

import threading

import pytest
from groundnet.image.firmware_image import default_board
from groundnet.provision.audit import Audit
from groundnet.provision.counter import Event, News, State
from groundnet.provision.label import Label, encode
from groundnet.provision.people import People
from groundnet.provision.registry import Registry
from groundnet.provision.subject import Draft
from groundnet.sim.desk import Desk, device_on
from groundnet.sim.pacing import run_paced

from provision.conftest import PATIENCE_S, Watched

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


def test_a_program_that_was_killed_offers_what_it_had_begun(tmp_path, virtual_tag):
    """The first counter ends for good in the middle; the second one asks the tag and the registry."""

    def end():
        raise MemoryError

    tag, cuts = virtual_tag("0200000000d2"), {}
    first = Watched(tmp_path, open_registry=lambda: CutAt(tmp_path / "registry.db", cuts))
    first.desk.start()
    first.plug(tag)
    first.until(State.FOUND)
    first.desk.scan(encode(Label(tag.device_id)))
    first.until(State.CARDED)
    cuts["verified"] = end
    first.desk.submit(DRAFT)
    first.until(State.FAILED_WRITING)
    first.desk.stop()
    second = Watched(tmp_path)
    second.desk.start()
    try:
        assert second.until(State.FOUND).draft == DRAFT
        bind(second, tag)
        (record,) = second.settled(lambda registry: list(registry.devices()))
        assert (record.state, record.plate) == ("handed_over", "云A12345")
    finally:
        second.desk.stop()


def test_a_bound_tag_is_refused_here_and_elsewhere_until_a_second_person_agrees(
    counter, tmp_path, virtual_tag
):
    tag = virtual_tag("0200000000d3")
    counter.plug(tag)
    bind(counter, tag)
    counter.unplug()
    counter.until(State.WAITING)
    (tmp_path / "elsewhere").mkdir()
    other_point = Watched(tmp_path / "elsewhere")
    other_point.desk.start()
    other_point.plug(tag)
    assert other_point.until(State.REFUSED).notice.reason.name == "other_point"
    assert other_point.settled(lambda registry: list(registry.devices())) == []
    other_point.desk.stop()
    counter.plug(tag)
    assert counter.until(State.REFUSED).notice.reason.name == "already_bound"
    people = counter.settled(People)
    counter.settled(lambda registry: people.add("张主管", "2468", "supervisor", 0))
    counter.desk.staff = "李华"
    counter.desk.approve(people, "张主管", "2468").result(PATIENCE_S)
    counter.until(State.UNDONE)
    assert counter.settled(lambda registry: registry.by_device(tag.device_id)).state == "undone"
    counter.desk.tell(News(Event.ADVANCE))
    assert counter.until(State.FOUND).draft.empty


def test_a_board_without_a_program_and_two_at_once(counter, virtual_tag):
    board = virtual_tag("0200000000d4", "--blank")
    counter.plug(board)
    assert counter.until(State.REFUSED).notice.reason.name == "no_firmware"
    counter.unplug()
    counter.until(State.WAITING)
    for name in ("a", "b"):
        (counter.socket / name).symlink_to(board.pty)
    assert counter.until(State.REFUSED).notice.reason.name == "two_tags"
    (counter.socket / "b").unlink()
    assert counter.until_reason("no_firmware").state is State.REFUSED


class TagWithDeadBattery:
    """A virtual tag in this process, whose battery the test holds at a voltage."""

    def __init__(self, volts):
        self._stopped, self._ready, self.pty = threading.Event(), threading.Event(), ""
        self._thread = threading.Thread(target=self._run, args=(volts,))
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)

    def _run(self, volts):
        with device_on(Desk("tag", default_board("tag"))) as device:
            device.parts["battery"].forced_volts = volts
            device.power_on()
            self.pty = device.board.pty_path
            self._ready.set()
            run_paced(device.board.world, [device.board], self._stopped.is_set)

    def stop(self):
        self._stopped.set()
        self._thread.join()


def test_an_empty_battery_is_told_before_anything_is_written(counter):
    tag = TagWithDeadBattery(2.9)
    try:
        counter.plug(tag)
        screen = counter.until(State.REFUSED)
        assert screen.notice.reason.name == "battery_dead" and screen.notice.detail.endswith(" mV")
        assert counter.settled(lambda registry: list(registry.devices())) == []
    finally:
        counter.unplug()
        counter.until(State.WAITING)
        tag.stop()


@pytest.mark.parametrize("text", [encode(Label(bytes(8))), "GN-00012"])
def test_a_card_without_a_tag(counter, text):
    counter.desk.scan(text)
    counter.settled()
    assert counter.desk.look().notice.reason.name == "no_tag_yet"
