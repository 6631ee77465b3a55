"""Bytes of a modem's UART become lines, prompts and data, wherever they are cut; texts and clocks are read."""

import importlib

import pytest
from groundnet.sim.chips.sms_inbox import deliver_pdu
from hypothesis import given
from hypothesis import strategies as st

sms_deliver = importlib.import_module("drivers.sms_deliver")
network_time = importlib.import_module("drivers.network_time")
SmsError = importlib.import_module("drivers.sms_pdu").SmsError

LUATOS, SIMCOM, QUECTEL = (b"+IPD,", 0x3A), (b"+IPD", 0x0A), (b'+QIURC: "recv",0,', 0x0A)


class FakeUart:
    """What was put in comes out in chunks of at most ``size`` bytes."""

    def __init__(self, size: int):
        self.waiting, self.written, self.size = bytearray(), bytearray(), size

    def any(self) -> int:
        return len(self.waiting)

    def readinto(self, into) -> int:
        count = min(len(into), len(self.waiting), self.size)
        into[:count] = self.waiting[:count]
        del self.waiting[:count]
        return count

    def write(self, data) -> None:
        self.written += data


class Listener:
    """A reader with everything it made of the bytes."""

    def __init__(self, bench, size: int, announcement=LUATOS, data_bytes: int = 4096):
        self.uart, self.lines = FakeUart(size), []
        self.reader = bench.driver("at_reader").AtReader(self.uart, self.lines.append, data_bytes)
        self.reader.data_follows(*announcement)

    def hear(self, data: bytes) -> None:
        self.uart.waiting += data
        while self.uart.waiting:
            self.reader.poll()

    def data(self) -> bytes:
        into = bytearray(7)
        out = b""
        while count := self.reader.read_into(into):
            out += into[:count]
        return out


@pytest.mark.parametrize("size", [1, 3, 256])
@pytest.mark.parametrize(
    "announcement, header",
    [(LUATOS, b"\r\n+IPD,12:"), (SIMCOM, b"\r\n+IPD12\r\n"), (QUECTEL, b'\r\n+QIURC: "recv",0,12\r\n')],
)
def test_data_stands_between_lines_wherever_it_is_cut(bench, size, announcement, header):
    listener = Listener(bench, size, announcement)
    data = b"\r\nOK\r\n> :+I\n"
    listener.hear(
        b"\r\n+CSQ: 30,0\r\n" + header + data + b"\r\nOK\r\n" + header + data[::-1] + b"\r\nRING\r\n"
    )
    assert listener.lines == [b"+CSQ: 30,0", b"OK", b"RING"]
    assert listener.data() == data + data[::-1]


@pytest.mark.parametrize("size", [1, 256])
def test_prompt_is_answered_once_and_only_where_it_stands_alone(bench, size):
    listener = Listener(bench, size)
    listener.hear(b"\r\n> ")
    assert listener.uart.written == b""
    listener.reader.answer_prompt(b"payload")
    listener.hear(b"\r\n+X: a > b\r\n\r\n> \r\n> ")
    assert listener.uart.written == b"payload" and listener.lines == [b">", b"+X: a > b"]


def test_noise_and_endless_lines_are_counted_and_do_no_harm(bench):
    listener = Listener(bench, 256)
    listener.hear(b"\xff\x00\x13\r\n" + b"A" * 5000 + b"\r\nOK\r\n+IPD,99999:\r\n+IPD,-1:\r\nOK\r\n")
    assert listener.lines == [b"OK", b"+IPD,99999:", b"+IPD,-1:", b"OK"] and listener.reader.garbage == 2


def test_data_that_stops_is_given_up_and_data_that_nobody_fetches_is_told(bench):
    listener = Listener(bench, 256, data_bytes=16)
    listener.hear(b"+IPD,10:abc")
    bench.seconds(2)
    listener.hear(b"\r\nOK\r\n")
    assert listener.lines == [b"OK"] and listener.data() == b"abc"
    listener.hear(b"+IPD,16:" + bytes(16) + b"\r\n")
    assert not listener.reader.overrun
    listener.hear(b"+IPD,1:x\r\nOK\r\n")
    assert listener.reader.overrun and listener.lines[-1] == b"OK"


# --- texts that come in


@pytest.mark.parametrize(
    "pdu, sender, text",
    [  # worked examples of the PDU guides at dreamfabric.com and in many manuals
        (
            "07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37",
            "27838890001",
            "hellohello",
        ),
        (
            "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07",
            "+31641600986",
            "How are you?",
        ),
        (  # an alphanumeric sender; the worked example of diafaan.com
            "0791448720003023240DD0E474D81C0EBB010000111011315214000BE474D81C0EBB5DE3771B",
            "diafaan",
            "diafaan.com",
        ),
    ],
)
def test_published_pdus(pdu, sender, text):
    assert sms_deliver.decode(pdu.encode()) == (sender, text)


@given(
    st.from_regex(r"\+?[0-9]{3,15}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=35),
)
def test_any_text_comes_back(number, text):
    assert sms_deliver.decode(deliver_pdu(number, text, 1_780_000_000_000).hex().encode()) == (number, text)


@given(st.binary(max_size=60))
def test_rubbish_is_a_text_or_an_error(rubbish):
    try:
        sender, text = sms_deliver.decode(rubbish.hex().encode())
    except SmsError:
        return
    assert len(sender) <= 21 and len(text) <= 160


# --- clocks


@pytest.mark.parametrize(
    "text, is_utc, unix_s",
    [
        (b' "26/06/04,17:04:18+32"', False, 1_780_563_858),  # +CCLK, TS 27.007: local time
        (b' "2026/06/04,09:04:18+32,0"', True, 1_780_563_858),  # +QLTS=1: UTC
        (b" 26/06/04,09:04:18+32,0", True, 1_780_563_858),  # +NITZ
        (b' "26/06/04,04:04:18-20"', False, 1_780_563_858),
        (b' "24/02/29,00:00:00+00"', False, 1_709_164_800),
    ],
)
def test_clock_in_every_spelling(text, is_utc, unix_s):
    assert network_time.unix_time(text, is_utc) == unix_s


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b'""', b' "a/b/c,d:e:f"', b' "26/06/04"', b' "26/06/04,17:04"'),
        *(b' "00/01/01,00:00:00+00"', b' "80/01/06,00:00:00+00"', b' "70/01/01,00:00:00+00"'),
        *(b' "26/13/01,00:00:00+00"', b' "26/01/01,25:00:00"', b' "26/06/04,17:04:18+999"'),
    ],
)
def test_clock_that_was_never_set_or_is_none(text):
    assert network_time.unix_time(text, False) is None
