"""Who is on a port: told by its own words, in both languages, and what is not ours gets no byte.

The boot texts are what the chips' ROM prints (ESP-IDF, "Boot mode selection"); the sentences are from the data
sheets of the receivers.
"""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import asdict

import pytest
import serial
from groundnet.cli import language
from groundnet.cli.doctor import show
from groundnet.errors import Text
from groundnet.link import errors
from groundnet.link.listening import chip_named_in, who_speaks
from groundnet.link.ports import SerialPort, find_ports, holder_of
from groundnet.link.probe import overhear, probe, probe_all
from groundnet.link.prompt import Prompt
from groundnet.sim.board import VirtualBoard
from groundnet.sim.pacing import hold_while
from groundnet.sim.world import World

from host.talker import Talker

C3_DOWNLOAD = (
    b"ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\nrst:0x1 (POWERON),boot:0x4 (DOWNLOAD(USB/UART0/1))\r\n"
    b"waiting for download\r\n"
)
ESP32_DOWNLOAD = (
    b"ets Jun  8 2016 00:22:57\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))"
    b"\r\nwaiting for download\r\n"
)
S3_EMPTY = (
    b"ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\nrst:0x7 (TG0WDT_SYS_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)\r\n"
    b"invalid header: 0xffffffff\r\ninvalid header: 0xffffffff\r\n"
)
NMEA = b"$GNRMC,120000.00,A,3015.1234,N,10401.5678,E,0.02,,231126,,,A*6C\r\n"


@pytest.mark.parametrize(
    ("heard", "error"),
    [
        (b"", errors.NoAnswer),
        (C3_DOWNLOAD, errors.BootloaderWaits),
        (ESP32_DOWNLOAD, errors.BootloaderWaits),
        (S3_EMPTY, errors.NothingToStart),
        (b"MicroPython v1.29.0 on 2026-04-06; Generic ESP32C3\r\n>>> ", errors.ReplAnswers),
        (
            b'MicroPython v1.29.0\r\nType "help()" for more information.\r\n',
            errors.ReplAnswers,
        ),  # a moment later: >>>
        (NMEA, errors.ForeignDevice),
        (b"\xb5\x62\x01\x07\x5c\x00" + bytes(92), errors.ForeignDevice),
        (b"\r\n+CREG: 1\r\n", errors.ForeignDevice),
        (b"I (245) wifi: state: run -> init (0)\r\n", errors.ForeignDevice),
        (bytes(range(128, 256)), errors.ForeignDevice),  # another baud rate
        (b"temperature 21.5\r\ntemperature 21.6\r\ntemp", errors.ScriptRuns),
    ],
)
def test_each_speaker_has_its_own_name(heard, error):
    assert type(who_speaks("/dev/ttyACM0", heard)) is error


def test_the_boot_text_names_the_chip():
    assert [chip_named_in(text) for text in (C3_DOWNLOAD, ESP32_DOWNLOAD, S3_EMPTY, NMEA)] == [
        "esp32c3",
        "esp32",
        "esp32s3",
        "",
    ]


def test_the_last_whole_line_is_quoted():
    error = who_speaks("p", b"temperature 21.5\r\ntemperature 21.6\r\ntemp")
    assert "'temperature 21.6'" in error.cause


PORT_ERRORS = [
    errors.PortMissing("p"),
    errors.PortBusy("p", Text("minicom (process 7)", "minicom（进程 7）")),
    errors.NoAnswer("p"),
    errors.BootloaderWaits("p", "esp32c3"),
    errors.ForeignDevice("p", Text("a modem", "通信模块")),
    errors.ScriptRuns("p", "hello"),
    errors.NothingToStart("p"),
    errors.ReplAnswers("p"),
    errors.PortForbidden("p"),
    errors.NotASerialPort("p"),
    errors.PortGone("p"),
]


def test_every_cause_has_its_own_message_and_action_in_both_languages():
    for texts in ([error.cause for error in PORT_ERRORS], [error.action for error in PORT_ERRORS]):
        assert all(isinstance(text, Text) for text in texts)
        for spoken in ([str(text) for text in texts], [text.zh for text in texts]):
            assert len(set(spoken)) == len(spoken)
        assert all(any("\u4e00" <= one <= "\u9fff" for one in text.zh) for text in texts)


def test_the_command_line_says_it_in_the_users_language():
    text = errors.NoAnswer("/dev/ttyACM0").cause
    try:
        language.choose("zh")
        assert language.said(text) == "/dev/ttyACM0 上没有应答"
        assert language.said("plain") == "plain"
        language.choose("en")
        assert language.said(text) == "nothing answers on /dev/ttyACM0"
    finally:
        language.choose(None)


@pytest.fixture
def talker():
    made = []

    def make(*arguments):
        made.append(Talker(*arguments))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("text", [NMEA, C3_DOWNLOAD, b"\r\n+CREG: 1\r\n"])
def test_not_one_byte_is_written_to_what_is_certainly_not_ours(talker, text):
    device = talker(text)
    probe(SerialPort(device.path), timeout_s=0.3, listen_s=0.1)
    assert device.heard() == b""


def test_a_running_script_hears_zero_bytes_only(talker):
    device = talker(b"temperature 21.5\r\n")
    finding = probe(SerialPort(device.path), timeout_s=0.3, listen_s=0.1)
    assert finding.kind == "script" and "21.5" in finding.what
    assert set(device.heard()) == {0}


def test_a_silent_port_hears_zero_bytes_and_one_return(talker):
    device = talker(b"")
    assert probe(SerialPort(device.path), timeout_s=0.3, listen_s=0.1).kind == "silent"
    assert device.heard().replace(b"\0", b"") == b"\r"


def test_a_bootloader_is_overheard_without_a_byte(talker):
    device = talker(C3_DOWNLOAD)
    finding = overhear(SerialPort(device.path), 5.0)
    assert (finding.kind, finding.chip, device.heard()) == ("bootloader", "esp32c3", b"")
    assert overhear(SerialPort("/dev/no-such"), 5.0).kind == "missing"


def test_a_held_port_names_the_program_and_is_not_written_to(talker, monkeypatch):
    device = talker(b"")
    with serial.Serial(device.path, exclusive=True):
        finding = probe(SerialPort(device.path))
    assert (finding.kind, finding.held_by, device.heard()) == ("held", "another program", b"")
    holder = Text("minicom (process 7)", "minicom（进程 7）")
    monkeypatch.setattr("groundnet.link.serial_link.holder_of", lambda path: holder)
    finding = probe(SerialPort(device.path))
    assert (finding.kind, finding.held_by, finding.busy, device.heard()) == ("held", holder, True, b"")
    assert "minicom（进程 7）" in finding.what.zh


@contextlib.contextmanager
def program(code, *arguments, **options):
    """Another process; what it prints first is the value."""
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
    ) as other:
        yield other, other.stdout.readline().strip()
        other.stdin.close()


def test_a_program_that_locks_nothing_is_seen_and_not_written_to(talker):
    """As `cat` and `screen` open a port."""
    device = talker(b"")
    code = "import os, sys; os.open(sys.argv[1], os.O_RDWR); print('open', flush=True); input()"
    with contextlib.suppress(EOFError), program(code, device.path) as (other, _):
        finding = probe(SerialPort(device.path), timeout_s=0.3, listen_s=0.1)
        assert (finding.kind, device.heard()) == ("held", b"")
        assert finding.held_by.endswith(f"(process {other.pid})") and str(other.pid) in finding.held_by.zh


def test_the_device_behind_a_pseudo_terminal_is_no_program_that_holds_it():
    """A virtual board keeps both ends open, so that programs come and go without a hang-up."""
    code = "import os, pty; master, slave = pty.openpty(); print(os.ttyname(slave), flush=True); input()"
    with program(code) as (_, path):
        assert os.path.exists(path) and holder_of(path) is None
        assert probe(SerialPort(path), timeout_s=0.3, listen_s=0.1).kind == "silent"


def test_the_record_for_machines_has_all_that_is_known(talker, capsys):
    """Words in the user's language, kinds and numbers for machines."""
    finding = probe(SerialPort(talker(NMEA).path, "CP2102", "0001", 0x10C4, 0xEA60), listen_s=0.1)
    try:
        language.choose("zh")
        show([finding], True)
    finally:
        language.choose(None)
    (record,) = json.loads(capsys.readouterr().out)
    assert record["port"]["serial_number"] == "0001" and record["kind"] == "foreign" and not record["busy"]
    assert record["what"].endswith("不是 groundnet 设备，而是 GNSS 接收机") and "串口" in record["action"]
    known = {
        "mac",
        "chip",
        "micropython",
        "role",
        "firmware",
        "state",
        "board",
        "device_id",
        "held_by",
        "locked_by",
    }
    assert known <= record.keys()


def test_the_usb_bootloader_is_known_without_opening_it():
    finding = probe(SerialPort("/dev/no-such", "ESP32-S3", "", 0x303A, 0x0009))
    assert (finding.kind, finding.chip) == ("bootloader", "esp32s3")


def test_usb_tells_the_mac_of_a_chip_with_its_own_port():
    assert SerialPort("p", "", "34:85:18:AB:CD:EF", 0x303A, 0x1001).mac == "348518abcdef"
    assert SerialPort("p", "", "34:85:18:AB:CD:EF", 0x10C4, 0xEA60).mac == ""


def test_the_chip_is_the_second_half_of_what_a_port_calls_itself():
    assert Prompt("1.29.0", "Generic ESP32C3 module with ESP32C3", b"", 0, True, True).chip == "esp32c3"
    assert Prompt("1.29.0", "Raspberry Pi Pico with RP2040", b"", 0, False, False).chip == ""


def test_a_prompt_tells_version_and_mac_and_is_a_prompt_again():
    with VirtualBoard(World(1), "blank", unique_id=bytes.fromhex("348518abcdef")) as board:
        board.power_on()
        port = SerialPort(board.pty_path)
        finding = hold_while(board.world, [board], lambda: probe(port, 1.0, 0.0))
        again = hold_while(board.world, [board], lambda: probe(port, 1.0, 0.0))
        assert (finding.kind, finding.mac) == ("micropython", "348518abcdef")
        assert finding.micropython.startswith("1.") and finding.rom and again == finding
        assert board.boots == 1


PLUGGED_IN = [
    SerialPort("/dev/ttyACM0", "USB JTAG", "34:85:18:AB:CD:EF", 0x303A, 0x1001, "1-1"),
    SerialPort("/dev/ttyACM1", "u-blox 7", "", 0x1546, 0x01A7, "1-2"),
    SerialPort("/dev/ttyUSB0", "CP2102", "0001", 0x10C4, 0xEA60, "1-3"),
]


def test_ports_are_listed_once_and_found_by_serial_number(monkeypatch):
    listings = []
    monkeypatch.setattr("groundnet.link.ports.serial_ports", lambda: listings.append(1) or PLUGGED_IN)
    found = find_ports(["34:85:18:AB:CD:EF", "/dev/ttyACM0", "/dev/pts/99"])
    assert found == [PLUGGED_IN[0], SerialPort("/dev/pts/99")] and len(listings) == 1


def test_a_serial_number_that_a_maker_leaves_constant_tells_no_boards_apart():
    assert [port.board_key for port in PLUGGED_IN] == ["34:85:18:AB:CD:EF", "1-2", "1-3"]


def test_a_device_of_another_maker_is_not_opened_unless_it_is_named(monkeypatch):
    monkeypatch.setattr("groundnet.link.probe.serial_ports", lambda: PLUGGED_IN)
    asked = []

    def ask(port):
        asked.append(port.path)
        return probe(SerialPort("/dev/no-such"))

    findings = probe_all([], ask)
    assert sorted(asked) == ["/dev/ttyACM0", "/dev/ttyUSB0"] and findings[1].kind == "foreign"


def test_a_finding_is_json_as_it_stands():
    finding = probe(SerialPort("/dev/no-such"))
    assert json.loads(json.dumps(asdict(finding)))["what"] == "there is no serial port /dev/no-such"
