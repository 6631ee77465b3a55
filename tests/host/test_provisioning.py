"""One provisioning over the PTY of a real virtual tag, whole and cut off at every step."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from groundnet.image.firmware_image import default_board
from groundnet.link.device import Device
from groundnet.link.errors import NoAnswer, Refused, TriesExhausted, WrongSecret
from groundnet.link.ports import SerialPort
from groundnet.link.probe import probe
from groundnet.link.serial_link import SerialLink
from groundnet.provision.operation import STEPS, Order, provision
from groundnet.provision.refusal import ProvisionError
from groundnet.provision.registry import Registry, Secret
from groundnet.sim.desk import Desk, device_on
from groundnet.sim.pacing import hold_while, run_paced
from groundwire import keys

ORDER = Order("vehicle", "云A12345", "+8613800000000", "dealer 12", {"language": "zh"})

CORRECTED = Order("livestock", None, "+8613900000000", "farm 3")


class Unplugged(Exception):
    """The test pulled the cable."""


class Counter:
    """A tag on the counter, and the registry of the install point beside it."""

    def __init__(self, device, registry_path):
        self.device = device
        self.registry_path = registry_path

    def talk(self, job):
        """Run ``job(link, registry)`` as a host program does, while the world serves the tag."""

        def work():
            registry = Registry(self.registry_path)
            try:
                with SerialLink(self.device.board.pty_path, 20.0) as link:
                    return job(link, registry)
            finally:
                registry.close()

        return hold_while(self.device.board.world, [self.device.board], work)

    def provision(self, stop_before=None, order=ORDER):
        def progress(step):
            if step == stop_before:
                raise Unplugged(step)

        return self.talk(lambda link, registry: provision(link, registry, order, progress))

    def replug(self):
        self.device.power_off()
        self.device.power_on()


@pytest.fixture
def counter(tmp_path):
    with device_on(Desk("tag", default_board("tag"))) as device:
        device.power_on()
        yield Counter(device, tmp_path / "registry.db")


def test_a_blank_tag_becomes_a_locked_one_that_proves_its_secret(counter):
    record = counter.provision()
    assert (record.state, record.profile, record.plate) == ("handed_over", "vehicle", "云A12345")
    counter.replug()

    def look(link, registry):
        tag = Device(link)
        secret = registry.find(record.tag_id)[0].secret.reveal()
        link.authenticate(record.device_id, secret)
        return tag.identity().state, tag.proves(secret, bytes(16)), tag.settings()

    state, proves, settings = counter.talk(look)
    assert (state, proves) == ("locked", True)
    assert (settings["owner_phone"], settings["language"]) == ("+8613800000000", "zh")


@pytest.mark.parametrize("step", STEPS[1:])
def test_whatever_step_is_cut_off_the_next_call_completes_it(counter, step):
    with pytest.raises(Unplugged):
        counter.provision(stop_before=step)
    counter.replug()
    record = counter.provision()
    assert record.state == "handed_over"
    registry = Registry(counter.registry_path)
    assert [(one.tag_id, one.state) for one in registry.devices()] == [(record.tag_id, "handed_over")]
    registry.close()


def test_a_program_that_was_killed_keeps_no_other_one_from_the_device(counter):
    record = counter.provision()
    counter.replug()

    def die_and_come_back():
        link = SerialLink(counter.device.board.pty_path)
        link._serial.close()  # the program is killed: no bye
        with SerialLink(counter.device.board.pty_path) as link:
            return Device(link).identity()

    with ThreadPoolExecutor(
        1
    ) as program:  # at real speed: the device's silence of ten seconds must not be waited for
        found = program.submit(die_and_come_back)
        run_paced(counter.device.board.world, [counter.device.board], found.done)
    assert (found.result().device_id, found.result().state) == (record.device_id, "locked")


def test_what_staff_corrected_after_an_interruption_is_what_counts(counter):
    with pytest.raises(Unplugged):
        counter.provision(stop_before="prove")  # the identity is in the tag already
    counter.replug()
    record = counter.provision(order=CORRECTED)
    assert (record.profile, record.plate, record.owner_phone) == ("livestock", None, "+8613900000000")
    counter.replug()
    held = counter.talk(lambda link, registry: Device(link).provision())
    assert (held.state, held.profile, held.install_point) == ("locked", "livestock", "farm 3")


def test_a_bound_tag_is_not_quietly_bound_to_something_else(counter):
    record = counter.provision()
    counter.replug()
    with pytest.raises(ProvisionError) as caught:
        counter.provision(order=CORRECTED)
    assert record.tag_id in caught.value.cause and "云A12345" in caught.value.cause
    assert counter.provision() == record


def test_settings_for_a_locked_tag_are_written_through_a_session(counter):
    first = counter.provision()
    counter.replug()
    order = replace(ORDER, settings={"language": "en", "parked_interval_s": "900"})
    assert counter.provision(order=order) == first
    counter.replug()

    def look(link, registry):
        link.authenticate(first.device_id, first.secret.reveal())
        return Device(link).settings(), registry.settings_of(first.device_id)

    written, kept = counter.talk(look)
    assert (written["language"], written["parked_interval_s"]) == ("en", "900")
    assert kept == {"parked_interval_s": "900"}, "what says how often it must be heard"


def test_an_install_point_that_a_locked_tag_cannot_take_is_refused_before_anything_is_written(counter):
    record = counter.provision()
    counter.replug()
    with pytest.raises(ProvisionError, match="dealer 12") as caught:
        counter.provision(order=replace(ORDER, install_point="dealer 13", settings={"language": "en"}))
    assert record.tag_id in caught.value.cause and "--install-point" in caught.value.action
    counter.replug()

    def language(link, registry):
        link.authenticate(record.device_id, record.secret.reveal())
        return Device(link).settings()["language"]

    assert counter.talk(language) == "zh"


def test_who_says_it_is_locked_must_prove_it(counter, tmp_path):
    """The call ended between the lock and its record; what is plugged in next has the id, but not the secret."""
    record = counter.provision()
    forged = Registry(tmp_path / "forged.db")
    draft = replace(record, secret=Secret(bytes(32)), state="reserved")
    forged.reserve(draft)
    forged.advance(record.device_id, "verified", "00", 1)
    counter.registry_path = forged.address
    counter.replug()
    with pytest.raises(ProvisionError, match="prove"):
        counter.provision()
    assert forged.by_device(record.device_id).state == "verified"
    forged.close()


def test_a_locked_tag_refuses_a_stranger_and_a_second_registry(counter, tmp_path):
    record = counter.provision()
    counter.replug()

    def intrude(link, registry):
        tag = Device(link)
        with pytest.raises(Refused) as caught:
            tag.write_identity("GN-00000", "vehicle", "", bytes(32))
        assert caught.value.code in ("locked", "not_authenticated")
        with pytest.raises(WrongSecret):
            link.authenticate(record.device_id, bytes(32))
        return tag.provision().check_value

    check_value = counter.talk(intrude)
    registry = Registry(counter.registry_path)
    assert check_value == keys.check_value(registry.find(record.tag_id)[0].secret.reveal())
    registry.close()
    counter.registry_path = tmp_path / "other.db"
    counter.replug()
    with pytest.raises(ProvisionError):
        counter.provision()


def test_whoever_forges_a_proof_makes_everybody_wait(counter):
    record = counter.provision()
    counter.replug()

    def forge(link, registry):
        link.ask("session_open", device_id=record.device_id, initiator_nonce=bytes(16))
        with pytest.raises(Refused, match="wrong secret"):
            link.ask("session_prove", initiator_proof=bytes(16))
        with pytest.raises(TriesExhausted, match="wait"):
            link.authenticate(record.device_id, registry.find(record.tag_id)[0].secret.reveal())

    counter.talk(forge)


def test_a_factory_reset_and_the_console_are_the_registrys_to_ask_for(counter):
    record = counter.provision()
    counter.replug()

    def reset(link, registry):
        tag = Device(link)
        secret = registry.find(record.tag_id)[0].secret.reveal()
        with pytest.raises(Refused):
            tag.open_console(60)
        link.authenticate(record.device_id, secret)
        tag.open_console(60)
        assert tag.settings()["owner_phone"] == "+8613800000000"
        tag.factory_reset(secret)
        return tag.settings()["owner_phone"], tag.provision().state, tag.proves(secret, bytes(16))

    assert counter.talk(reset) == ("", "locked", True)


def test_the_probe_names_what_is_there_and_what_to_do(counter):
    port = SerialPort(counter.device.board.pty_path)
    finding = hold_while(counter.device.board.world, [counter.device.board], lambda: probe(port, 20.0, 0.0))
    assert (finding.role, finding.state) == ("tag", "blank")
    assert "provision one" in finding.action


def test_a_counter_whose_disk_is_slow_still_finds_the_tag_there(counter):
    """Between two questions the host is held up for longer than the world waits by itself."""
    board = counter.device.board
    began_s = time.monotonic()

    def work():
        with SerialLink(board.pty_path, 20.0) as link:
            Device(link).identity()
            held = threading.Event()
            timer = threading.Timer(0.5, held.set)
            timer.start()
            held.wait()
            return Device(link).identity().state

    assert hold_while(board.world, [board], work, patience_s=60.0) == "blank"
    assert board.world.now_us < 2_000_000 and time.monotonic() - began_s > 0.5


def test_a_board_that_is_off_is_no_answer(tmp_path):
    with device_on(Desk("tag", default_board("tag"))) as device, pytest.raises(NoAnswer):
        SerialLink(device.board.pty_path, timeout_s=0.5)
