"""Scripts on the plain runtimes: files, arguments, streams, exit codes and what goes wrong."""

import pytest
from groundnet.errors import GroundnetError
from groundnet.sim import runtime
from groundnet.sim.runtime import Session, available_runtimes, run_script

pytestmark = pytest.mark.parametrize("name", available_runtimes())


def test_script_sees_arguments_input_modules_and_files(name, tmp_path):
    (tmp_path / "colours.py").write_text("FIRST = 'red'\n")
    (tmp_path / "data.bin").write_bytes(bytes(range(256)))
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from colours import FIRST\n"
        "print(FIRST, sys.argv[1:], len(open(sys.argv[1], 'rb').read()))\n"
        "for line in sys.stdin:\n"
        "    print(line.strip().upper())\n"
    )
    result = run_script(
        script,
        runtime=name,
        search_path=[tmp_path],
        arguments=[str(tmp_path / "data.bin"), "b c"],
        stdin=b"one\ntwo\n",
    )
    expected = f"red ['{tmp_path}/data.bin', 'b c'] 256\nONE\nTWO\n"
    assert (result.stdout.decode(), result.stderr, result.returncode) == (expected, b"", 0)


def test_binary_streams_pass_every_byte(name):
    every = bytes(range(256)) * 300
    source = "import sys\nwhile data := sys.stdin.buffer.read(1000):\n    sys.stdout.buffer.write(data)\n"
    assert run_script(source, runtime=name, stdin=every).stdout == every


@pytest.mark.parametrize(("ending", "code"), [("sys.exit(3)", 3), ("sys.exit()", 0), ("sys.exit(0)", 0)])
def test_exit_code(name, ending, code):
    assert run_script(f"import sys\n{ending}", runtime=name).returncode == code


def test_exception_goes_to_stderr_with_code_1(name):
    result = run_script("print('before')\n1 / 0\n", runtime=name)
    assert result.stdout == b"before\n"
    assert b"ZeroDivisionError" in result.stderr and b"line 2" in result.stderr
    assert result.returncode == 1


def test_missing_file_raises_errno_2(name):
    source = """
import errno
try:
    open('/nowhere')
except OSError as error:
    print(error.errno, errno.ENOENT)
"""
    assert run_script(source, runtime=name).stdout == b"2 2\n"


def test_session_answers_line_by_line(name):
    with Session("import sys\nfor line in sys.stdin:\n    print(len(line))\n", runtime=name) as session:
        assert [session.ask(b"x" * count) for count in (0, 1, 5000)] == [b"1", b"2", b"5001"]


def test_session_that_ends_says_why(name):
    with (
        Session("import sys\nsys.stdin.readline()\nraise ValueError('broken')\n", runtime=name) as session,
        pytest.raises(GroundnetError, match="ValueError: broken"),
    ):
        session.ask(b"hello")
        session.ask(b"again")


def test_endless_script_is_ended(name):
    with pytest.raises(GroundnetError, match="no answer"):
        run_script("while True:\n    pass\n", runtime=name, timeout_s=0.5)


def test_missing_interpreter_says_make_setup(name, monkeypatch, tmp_path):
    monkeypatch.setattr(runtime, "INTERPRETER", tmp_path)
    with pytest.raises(GroundnetError, match="run `make setup`"):
        run_script("pass", runtime="micropython")


def test_unknown_names_are_told(name, monkeypatch, tmp_path):
    with pytest.raises(GroundnetError, match="no runtime 'rust'"):
        run_script("pass", runtime="rust")
    monkeypatch.setenv("MICROPYTHON", str(tmp_path / "micropython"))
    with pytest.raises(GroundnetError, match="not a program"):
        run_script("pass", runtime="native")
    with pytest.raises(GroundnetError, match="not a file"):
        run_script(tmp_path / "missing.py", runtime=name)
