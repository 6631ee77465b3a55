"""What can be wrong with a serial port: each has its own name and next action."""

import errno
import os
import pty
import select
import threading
import tty

import pytest
import serial
from groundnet.link import serial_link
from groundnet.link.device import Device
from groundnet.link.errors import (
    ACTIONS,
    ForeignDevice,
    LinkError,
    NoAnswer,
    NotASerialPort,
    PortForbidden,
    PortGone,
    PortMissing,
    ReplAnswers,
    Unsendable,
)
from groundnet.link.ports import SerialPort
from groundnet.link.probe import probe
from groundnet.link.serial_link import SerialLink
from groundwire import frame, link_table, messages


class Wire:
    """A PTY with a script at the device's end: ``answer(bytes) -> bytes``, or None to be unplugged."""

    def __init__(self, answer):
        self._answer = answer
        self._master, self._slave = pty.openpty()
        self._stopped, self._stop = os.pipe()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while self._stopped not in (ready := select.select([self._master, self._stopped], [], [])[0]):
            reply = self._answer(os.read(ready[0], 4096))
            if reply is None:
                break
            os.write(self._master, reply)
        os.close(self._slave)
        os.close(self._master)

    def close(self):
        os.write(self._stop, b"x")
        self._thread.join(5)
        os.close(self._stop)
        os.close(self._stopped)


@pytest.fixture
def wire():
    made = []

    def make(answer):
        made.append(Wire(answer))
        return made[-1].path

    yield make
    for one in made:
        one.close()


def opened(heard):
    """A device that takes the link and then says nothing."""
    return b"\x00" if heard == b"\x00" else b""


def requests(heard):
    decoder = frame.Decoder(500, frame.REQUESTS)
    decoder.feed(heard)
    found = []
    while (answer := decoder.next()) is not frame.NEED_MORE:
        found.append(answer)
    return found


def test_silence_is_no_answer(wire):
    with pytest.raises(NoAnswer):
        SerialLink(wire(lambda heard: b""), timeout_s=0.3)


def test_an_idle_prompt_is_found_though_it_says_nothing_by_itself(wire):
    with pytest.raises(ReplAnswers):
        SerialLink(wire(lambda heard: b"\r\n>>> " * heard.count(b"\r")), timeout_s=0.3)


def test_somebody_elses_device_is_named(wire):
    with pytest.raises(ForeignDevice):
        SerialLink(wire(lambda heard: b"$GNRMC,120000.00,A*00\r\n"), timeout_s=0.3)


def test_a_late_answer_still_opens_the_link(wire):
    with SerialLink(wire(lambda heard: b"booting\r\n\x00" if b"\r" in heard else b""), timeout_s=0.3) as link:
        assert not link.authenticated


def test_an_open_link_without_answers_ends(wire):
    with SerialLink(wire(opened), timeout_s=0.1) as link, pytest.raises(NoAnswer):
        Device(link).identity()


def test_an_unplugged_device_is_gone_not_a_traceback(wire):
    path = wire(lambda heard: b"\x00" if heard == b"\x00" else None)
    with SerialLink(path, timeout_s=5.0) as link, pytest.raises(PortGone):
        Device(link).identity()


def test_what_an_earlier_program_left_unread_is_no_answer(wire):
    """Its last ack has the number that the first request of this link will have."""
    stale = frame.encode(*messages.encode("ack", {"request": messages.kind_of("bye")}), 1)
    identity = {
        "device_id": bytes(8),
        "role": "tag",
        "state": "blank",
        "protocol_min": 1,
        "protocol_max": 1,
        "max_payload": 400,
        "boot_count": 1,
        "hardware_revision": 0,
        "capabilities": [],
        "product": "p",
        "board": "b",
        "firmware": "1",
    }

    def answer(heard):
        if heard == b"\x00":
            return b"\x00" + stale
        (asked,) = requests(heard)
        if messages.name_of(asked.kind) != "identity_get":
            return b""
        return stale + frame.encode(*messages.encode("identity", identity), asked.sequence)

    with SerialLink(wire(answer), timeout_s=2.0) as link:
        assert Device(link).identity().role == "tag"


def test_a_request_is_repeated_under_a_new_number(wire):
    numbers = []

    def answer(heard):
        numbers.extend(asked.sequence for asked in requests(heard))
        return opened(heard)

    with SerialLink(wire(answer), timeout_s=0.1) as link, pytest.raises(NoAnswer):
        Device(link).identity()
    assert numbers == sorted(set(numbers)) and len(numbers) >= 3


def test_a_value_that_fits_no_message_is_named_and_nothing_is_sent(wire):
    with SerialLink(wire(opened), timeout_s=0.1) as link, pytest.raises(Unsendable) as caught:
        Device(link).write_identity("GN-00012", "vehicle", "x" * 40, bytes(32))
    assert "install_point" in caught.value.cause


def test_answers_in_another_language_are_foreign(wire):
    """A frame of ours in its outer form with a reply inside that no groundnet device sends."""

    def answer(heard):
        if heard == b"\x00":
            return b"\x00"
        decoder = frame.Decoder(500)
        decoder.feed(heard)
        asked = decoder.next()
        return frame.encode(0x81, b"\x01", asked.sequence) if isinstance(asked, frame.Frame) else b""

    with SerialLink(wire(answer), timeout_s=2.0) as link, pytest.raises(ForeignDevice):
        Device(link).identity()


@pytest.mark.parametrize(
    ("path", "error"), [("/dev/null", NotASerialPort), ("/", NotASerialPort), ("/dev/no-such", PortMissing)]
)
def test_what_is_no_port_is_named(path, error):
    with pytest.raises(error) as caught:
        SerialLink(path)
    assert path in caught.value.cause


def test_a_port_of_another_group_says_how_to_join_it(monkeypatch):
    def refuse(port, *_, **__):
        raise serial.SerialException(errno.EACCES, f"could not open port {port}")

    monkeypatch.setattr(serial_link.serial, "Serial", refuse)
    with pytest.raises(PortForbidden) as caught:
        SerialLink("/dev/ttyACM0")
    assert "group" in caught.value.action


def test_the_doctor_turns_every_one_of_them_into_a_finding(wire):
    finding = probe(SerialPort(wire(lambda heard: b"\r\n>>> " * heard.count(b"\r"))), 0.3, 0.0)
    assert "prompt" in finding.what and "flash" in finding.action
    missing = probe(SerialPort("/dev/no-such"))
    assert "no-such" in missing.what


def test_every_link_error_has_a_cause_and_an_action():
    with pytest.raises(LinkError) as caught:
        SerialLink("/dev/no-such")
    assert str(caught.value) == f"{caught.value.cause}; {caught.value.action}"


def test_every_refusal_of_a_device_names_its_own_next_action():
    assert set(link_table.ERRORS) - set(ACTIONS) == {"none"}
