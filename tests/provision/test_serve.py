"""`groundnet provision serve` as a process: its first line, its page, its end."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

COMMAND = [str(Path(sys.executable).with_name("groundnet")), "--lang", "en", "provision", "serve"]


def test_its_first_line_is_where_the_page_is_and_sigterm_ends_it(tmp_path):
    options = [
        "--port",
        str(tmp_path),
        "--listen",
        "127.0.0.1:0",
        "--registry",
        str(tmp_path / "r.db"),
        "--json",
    ]
    with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            answer = httpx.get(url, trust_env=False)
            assert answer.status_code == 200 and "Connect a tag" in answer.text
            with httpx.stream("GET", f"{url}events", trust_env=False) as events:
                assert next(events.iter_lines()) == "event: screen"
                process.send_signal(signal.SIGTERM)  # with a screen that is being watched
                assert process.wait(15) == 0
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--province", "X"], 2, "no province"),
        (["--listen", "8470"], 2, "HOST:PORT"),
        (["--listen", "203.0.113.1:8470"], 1, "cannot listen on 203.0.113.1:8470"),
        (["--terms", "/nowhere/terms.txt"], 1, "terms.txt"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(tmp_path, options, code, said):
    done = subprocess.run(
        [*COMMAND, "--registry", str(tmp_path / "r.db"), *options], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == code and said in done.stderr and "Traceback" not in done.stderr
