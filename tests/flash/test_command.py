"""`groundnet flash` as a program: exit codes, reports, languages."""

import json
import os
import subprocess
import sysconfig
from pathlib import Path
from xml.etree import ElementTree

import pytest

GROUNDNET = Path(sysconfig.get_path("scripts")) / "groundnet"


@pytest.fixture
def run(tmp_path):
    def flash(*arguments, code):
        done = subprocess.run(
            [GROUNDNET, "--lang", "en", "flash", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=os.environ | {"XDG_STATE_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)},
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return flash


def test_a_tray_that_does_not_pass_ends_with_1_and_reports(run, tmp_path):
    junit = tmp_path / "report.xml"
    done = run("/dev/no-such", "--role", "tag", "--json", "--junit", str(junit), code=1)
    told = json.loads(done.stdout)
    assert (told["passed"], told["role"], told["board"]) == (False, "tag", "xiao_c3_sx1262")
    assert told["boards"][0]["verdict"] == "refused" and "groundnet doctor" in told["boards"][0]["action"]
    assert ElementTree.parse(junit).getroot().get("errors") == "1"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name the ports"),
        (["/dev/no-such"], "--role"),
        (["/dev/no-such", "--role", "king"], "king"),
        (["/dev/no-such", "--role", "tag", "--board", "heltec_v3"], "heltec_v3"),
        (["/dev/no-such", "--role", "tag", "--bundle", "/no-such.gnb"], "/no-such.gnb"),
        (["/dev/no-such", "--role", "tag", "--base-image", "/no-such.bin"], "/no-such.bin"),
    ],
)
def test_what_is_wrong_before_the_first_board_ends_with_2_and_one_line(run, arguments, words):
    done = run(*arguments, code=2)
    assert words in done.stderr and len(done.stderr.splitlines()) == 1 and done.stdout == ""


def test_the_list_is_the_doctors(run):
    (finding,) = json.loads(run("--list", "/dev/no-such", "--json", code=0).stdout)
    assert (finding["kind"], finding["port"]["path"]) == ("missing", "/dev/no-such")
