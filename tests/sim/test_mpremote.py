"""Stock mpremote, as a separate program, on a board that `groundnet sim board` serves."""

import hashlib
import os
import signal
import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial

BIN = Path(sysconfig.get_path("scripts"))
DEADLINE_S = 20.0


class Served:
    """A running `groundnet sim board` and what talks to it."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [BIN / "groundnet", "sim", "board", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.pty = self.process.stdout.readline().strip()

    def mpremote(self, *arguments, code=0, cwd=None):
        done = subprocess.run(
            [BIN / "mpremote", "connect", self.pty, *arguments],
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
            cwd=cwd,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout.replace("\r\n", "\n") + done.stderr.replace("\r\n", "\n")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE_S)
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        return code


@pytest.fixture(scope="module")
def board():
    served = Served("--blank")
    yield served
    assert served.stop() == 0


@contextmanager
def prompt_of(served):
    """The serial port at a fresh friendly prompt, with nothing left to read."""
    with serial.Serial(served.pty, timeout=0.5) as port:
        ready = b"at prompt\r\n>>> "
        heard = b""
        for _ in range(round(DEADLINE_S / port.timeout)):  # a board that boots hears nothing
            port.write(b"\r\x03\x02\rprint('at', 'prompt')\r")
            heard = port.read_until(ready)
            if heard.endswith(ready):
                break
        assert heard.endswith(ready)
        port.timeout = DEADLINE_S
        yield port


@pytest.fixture
def port(board):
    with prompt_of(board) as port:
        yield port


def test_exec_eval_and_run(board, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import sys\nprint('ran', __name__, sys.implementation.name)\n")
    assert board.mpremote("exec", "print(6 * 7)") == "42\n"
    assert board.mpremote("eval", "[1, 'b']") == "[1, 'b']\n"
    assert board.mpremote("run", str(script)) == "ran __main__ micropython\n"


def test_error_on_the_board_is_an_error_here(board):
    assert "ZeroDivisionError" in board.mpremote("exec", "1/0", code=1)


def test_raw_paste_of_a_long_script(board, tmp_path):
    """30 kB go through the flow-controlled window; ordinary raw REPL would need a pause per 256 bytes."""
    script = tmp_path / "long.py"
    script.write_text("total = 0\n" + "total += 12345  # and a comment that makes the line longer\n" * 560)
    assert script.stat().st_size > 30_000
    assert board.mpremote("run", str(script), "exec", "print(total)") == f"{560 * 12345}\n"


def test_files_go_there_and_back(board, tmp_path):
    data = bytes(range(256)) * 40
    (tmp_path / "data.bin").write_bytes(data)
    board.mpremote("fs", "cp", "data.bin", ":copy.bin", cwd=tmp_path)
    assert hashlib.sha256(data).hexdigest() in board.mpremote("fs", "sha256sum", "copy.bin")
    board.mpremote("fs", "mkdir", "folder", "+", "fs", "cp", ":copy.bin", ":folder/again.bin", cwd=tmp_path)
    assert "10240 again.bin" in board.mpremote("fs", "ls", "folder")
    board.mpremote("fs", "cp", ":folder/again.bin", "back.bin", cwd=tmp_path)
    assert (tmp_path / "back.bin").read_bytes() == data
    board.mpremote("fs", "rm", "folder/again.bin", "+", "fs", "rmdir", "folder", "+", "fs", "rm", "copy.bin")
    assert board.mpremote("fs", "ls").split() == ["ls", ":"]


def test_missing_file_is_named(board):
    assert "No such file" in board.mpremote("fs", "cat", "nothing.txt", code=1)


def test_mounted_folder_is_imported_from_and_written_to(board, tmp_path):
    (tmp_path / "helper_module.py").write_text("VALUE = 'from the host'\n")
    code = (
        "import helper_module\nprint(helper_module.VALUE)\nwith open('/remote/note', 'w') as f: f.write('hi')"
    )
    assert "from the host" in board.mpremote("mount", str(tmp_path), "exec", code)
    assert (tmp_path / "note").read_text() == "hi"


def test_soft_reset_loses_ram_and_resume_keeps_it(board):
    board.mpremote("exec", "kept = 5")
    assert board.mpremote("resume", "exec", "print(kept)") == "5\n"
    board.mpremote("soft-reset")
    assert "NameError" in board.mpremote("resume", "exec", "print(kept)", code=1)


def test_boot_and_main_run_after_a_soft_reset_in_friendly_mode_only(board):
    board.mpremote("exec", "f = open('boot.py', 'w'); f.write('print(1000 + 1)'); f.close()")
    board.mpremote("exec", "f = open('main.py', 'w'); f.write('print(2000 + 2)'); f.close()")
    with prompt_of(board) as port:
        port.write(b"\x04")
        assert b"soft reboot\r\n1001\r\n2002\r\n" in port.read_until(b">>> ")
        raw_prompt = b"raw REPL; CTRL-B to exit\r\n>"
        port.write(b"\r\x01\x04")
        heard = port.read_until(raw_prompt) + port.read_until(raw_prompt)
        assert b"1001" in heard and b"2002" not in heard
    board.mpremote("fs", "rm", "boot.py", "+", "fs", "rm", "main.py")


@pytest.mark.parametrize(
    "body",
    ["time.sleep(1)", "x = time.ticks_ms()", "print(0)", "sys.stdin.read(1)", "machine.Pin(3).value()"],
)
def test_ctrl_c_interrupts_a_running_loop(port, body):
    loop = f"exec('while True: x = {body}')"
    port.write(b"import machine, sys, time\r" + f"print('g' 'o'); {loop}\r".encode())
    port.read_until(b"go\r\n")  # before that the prompt takes Ctrl-C for a key, as on a board
    port.write(b"\x03")
    assert port.read_until(b"KeyboardInterrupt: \r\n>>> ").endswith(b"KeyboardInterrupt: \r\n>>> ")


def test_ctrl_c_is_data_while_it_is_switched_off(port):
    port.write(
        b"import micropython, sys\r"
        b"micropython.kbd_intr(-1); d = sys.stdin.buffer.read(3); micropython.kbd_intr(3); print(d + b'!')\r"
    )
    port.read_until(b"b'!')\r\n")
    port.write(b"a\x03\n")
    assert port.read_until(b">>> ") == b"b'a\\x03\\n!'\r\n>>> "


def test_binary_output_is_not_touched_while_ctrl_c_is_off(port):
    port.write(
        b"import micropython, sys\r"
        b"micropython.kbd_intr(-1); n = sys.stdout.buffer.write(b'<\\n\\x00>'); micropython.kbd_intr(3)\r"
    )
    port.read_until(b"kbd_intr(3)\r\n")
    assert port.read_until(b">>> ") == b"<\n\x00>>>> "


def test_loop_without_calls_is_reset(port):
    port.write(b"while True: pass\r\r")
    assert port.read_until(b"MicroPython v").endswith(b"MicroPython v")


@pytest.mark.parametrize("role", ["tag", "tracker", "base"])
def test_the_firmware_of_a_device_without_identity_lets_mpremote_in(role):
    served = Served("--role", role)
    assert served.mpremote("exec", "print(6 * 7)", "fs", "ls", ":/rom/apps").startswith("42\n")
    assert "guard.mpy" in served.mpremote("fs", "ls", ":/rom/apps")
    assert served.stop() == 0


def children(pid):
    return [int(number) for number in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pid):
    """True when the process ends within the deadline."""
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        os.sched_yield()
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("busy", [False, True])
def test_no_process_survives_a_killed_simulation(busy):
    served = Served("--blank")
    with prompt_of(served) as port:
        (node,) = children(served.process.pid)
        if busy:
            port.write(b"while True: pass\r\r")
            port.read_until(b"... \r\n")
        served.stop(signal.SIGKILL)
    assert gone(node)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_with_success(number):
    assert Served("--blank").stop(number) == 0


def command(*arguments, **environment):
    return subprocess.run(
        [BIN / "groundnet", "--lang", "en", *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--role", "tag", "--board", "nowhere"], "error: board 'nowhere' has no firmware for role 'tag'; "),
        (["--role", "pilot"], "error: there is no role 'pilot'; choose one of: tag, tracker, base"),
        (["--role", "tag", "--id", "xyz"], "error: 'xyz' is not an id; give 2 to 16 hex digits"),
        (["--role", "base", "--collector", "here"], "error: 'here' is not an address; give HOST:PORT"),
    ],
)
def test_wrong_arguments_are_one_line_and_code_1(arguments, said):
    done = command("sim", "board", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(said)


def test_neither_role_nor_blank_is_a_usage_error():
    assert command("sim", "board").returncode == 2
