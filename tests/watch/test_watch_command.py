"""``groundnet watch`` as a command: its address, its certificate, and what it refuses in one line."""

import json
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request

import pytest
from provision.central_rig import write_certificate

GROUNDNET = (sys.executable, "-m", "groundnet.cli.main", "watch")


def files(county):
    return ["--database", str(county.paths[0]), "--registry", str(county.paths[1])]


def refused(*arguments, code=1):
    done = subprocess.run([*GROUNDNET, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    return done.stderr


@pytest.fixture
def serving(county):
    """The address of a running page; it ends cleanly."""
    running = []

    def serve(*arguments):
        process = subprocess.Popen(
            [*GROUNDNET, "--listen", "127.0.0.1:0", "--json", *files(county), *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return json.loads(process.stdout.readline())["url"]

    yield serve
    for process in running:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 0


def test_the_first_line_is_an_address_that_answers(county, serving):
    with urllib.request.urlopen(serving(), timeout=30) as answer:
        assert "3c71bf0000b00001" in answer.read().decode()


def test_with_a_certificate_it_is_https_and_the_cookie_goes_over_nothing_else(county, serving, tmp_path):
    cert, key = write_certificate(tmp_path)
    url = serving("--cert", str(cert), "--key", str(key))
    assert url.startswith("https://")
    with urllib.request.urlopen(url, timeout=30, context=ssl.create_default_context(cafile=cert)) as answer:
        assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("--listen", "nowhere"), "HOST:PORT", 2),
        (("--map", "mars"), "wgs84", 2),
        (("--tiles", "https://t.example/{z}/{x}.png"), "{y}", 2),
        (("--tiles", "file:///etc/{z}{x}{y}"), "no address of tiles", 2),
        (("--cert", "x.pem"), "go together", 2),
        (("--listen", "0.0.0.0:0"), "people add", 1),
    ],
)
def test_what_makes_no_sense_is_refused(county, arguments, said, code):
    assert said in refused(*files(county), *arguments, code=code)


def test_a_missing_database_and_a_taken_port_are_named(county, tmp_path):
    assert "there is no database" in refused("--database", str(tmp_path / "none.db"), *files(county)[2:])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert "cannot listen" in refused("--listen", f"127.0.0.1:{port}", *files(county))
