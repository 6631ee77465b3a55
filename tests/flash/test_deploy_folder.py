"""A developer's folder onto a board: what is read, what is refused before a byte, and the command."""

import json
import os
import subprocess
import sysconfig
from pathlib import Path

import pytest
import serial
from flash.deploy_rig import Desk
from flash.test_refusals import NMEA, device  # noqa: F401 - a fixture
from groundnet.cli.main import app
from groundnet.errors import GroundnetError
from groundnet.flash import deploy_folder as deploying
from groundnet.flash.board_lock import BoardLocks, BoardTaken
from groundnet.flash.deploy import BadName, DeployReport
from groundnet.flash.deploy_folder import deploy_folder, read_folder
from groundnet.flash.one_board import Refusal
from groundnet.link.ports import SerialPort
from groundnet.link.probe import GROUNDNET, Finding
from groundnet.link.probe import probe as real_probe
from groundnet.sim.pacing import hold_while
from typer.testing import CliRunner

PROGRAM = Path(sysconfig.get_path("scripts")) / "groundnet"
TREE = {"main.py": b"print(1)\n", "lib/a.py": b"a = 1\n", "lib/b.bin": b"\0\3\4", "boot.py": b""}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "tree"
    for name, data in TREE.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(data)
    for name in (".git/config", "lib/__pycache__/a.pyc", "lib/.a.py.swp"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(b"left out")
    return made


def test_a_folder_is_read_without_caches_and_what_starts_comes_last(folder):
    assert list(read_folder(folder).items()) == [
        ("/" + name, TREE[name]) for name in ("lib/a.py", "lib/b.bin", "boot.py", "main.py")
    ]
    assert list(read_folder(folder / "lib", "ext/lib")) == ["/ext/lib/a.py", "/ext/lib/b.bin"]


def test_a_folder_without_files_and_a_name_that_no_board_holds_are_refused(folder):
    (folder / "empty").mkdir()
    with pytest.raises(GroundnetError, match=r"main\.py"):
        read_folder(folder / "empty")
    (folder / "half.part").write_bytes(b"")
    with pytest.raises(BadName, match="half"):
        read_folder(folder)


@pytest.fixture
def quick_probe(monkeypatch):
    monkeypatch.setattr(deploying, "probe", lambda port: real_probe(port, 0.3, 0.1))


@pytest.mark.usefixtures("quick_probe")
@pytest.mark.parametrize(
    ("text", "written", "action"),
    [
        (NMEA, set(), "doctor"),
        (b"temperature 21.5\r\n", {0}, "Ctrl-C"),
        (b"", {0, 13}, "reset"),
    ],
)
def test_what_is_not_ours_is_not_written_to(device, folder, tmp_path, text, written, action):  # noqa: F811
    """No byte of a deploy but those that a probe may say: zeros, and one CR where all was silent."""
    one = device(text)
    with pytest.raises(Refusal) as refused:
        deploy_folder(one.path, folder, locks=tmp_path / "boards.db")
    assert action in refused.value.action and set(one.heard()) == written


def test_what_others_hold_or_is_locked_is_not_written_to(device, folder, tmp_path, monkeypatch):  # noqa: F811
    one, locks = device(), tmp_path / "boards.db"
    with serial.Serial(one.path, exclusive=True), pytest.raises(Refusal, match="held by"):
        deploy_folder(one.path, folder, locks=locks)
    with BoardLocks(locks) as others:
        token = others.take(SerialPort(one.path).board_key)
        with pytest.raises(BoardTaken):
            deploy_folder(one.path, folder, locks=locks)
        others.give_back(SerialPort(one.path).board_key, token)
    locked = Finding(SerialPort(one.path), "what", "action", GROUNDNET, state="locked")
    monkeypatch.setattr(deploying, "probe", lambda port: locked)
    with pytest.raises(Refusal, match="groundnet update"):
        deploy_folder(one.path, folder, locks=locks)
    assert one.heard() == b""


@pytest.mark.usefixtures("quick_probe")
def test_a_board_at_its_prompt_gets_the_folder(folder, tmp_path):
    keys = {"/state/identity": b"key", "/slots/a.gnb": b"application"}
    with Desk(keys | {"/old.py": b"old"}, rate=None) as desk:
        desk.board.power_on()
        desk.board.world.run_for(500_000)

        def deployed(**options):
            port = desk.board.pty_path
            return hold_while(
                desk.board.world,
                [desk.board],
                lambda: deploy_folder(port, folder, locks=tmp_path / "boards.db", **options),
            )

        before = desk.files.steps
        dry = deployed(prune=True, dry_run=True)
        assert set(dry.sent) == {"/" + name for name in TREE} and desk.files.steps == before
        real = deployed(prune=True)
        assert (real.sent, real.removed) == (dry.sent, ("/old.py",))
        assert desk.content() == keys | {"/" + name: data for name, data in TREE.items()}


def run(*arguments, home):
    return subprocess.run(
        [PROGRAM, "--lang", "en", "deploy", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"XDG_STATE_HOME": str(home)},
    )


def test_the_command_deploys_and_reports(folder, tmp_path):
    with Desk(rate=None) as desk:
        desk.board.power_on()
        desk.board.world.run_for(500_000)
        port = desk.board.pty_path

        done = hold_while(
            desk.board.world,
            [desk.board],
            lambda: run(port, folder, "--json", "--to", "/app", home=tmp_path),
        )
        report = json.loads(done.stdout)
        assert (done.returncode, done.stderr) == (0, "")
        assert report["bytes"] == sum(map(len, TREE.values())) and "/app/main.py" in report["sent"]
        assert {"wire", "device", "host"} == set(report["shares"])


@pytest.mark.parametrize(
    ("lang", "options", "words"),
    [
        (
            "en",
            [],
            "✔ 1 files sent (9 bytes), 2 were there already; 2.0 s: wire 50%, device 40%, computer 10%",
        ),
        ("zh", [], "✔ 已发送 1 个文件（9 字节），2 个原已在板上；用时 2.0 秒：线路 50%，设备 40%，电脑 10%"),
        ("en", ["--dry-run"], "1 files of 9 bytes to send, 2 are there already"),
    ],
)
def test_the_command_tells_what_was_sent_removed_and_skipped(folder, monkeypatch, lang, options, words):
    shares = {"wire": 0.5, "device": 0.4, "host": 0.1}
    report = DeployReport(("/[b].py",), ("/c", "/d"), ("/old",), 9, 99, 2.0, shares)
    monkeypatch.setattr("groundnet.cli.language._chosen", None)  # what the command chooses ends with the test
    monkeypatch.setattr("groundnet.cli.deploy.deploy_folder", lambda *given, **named: report)
    done = CliRunner().invoke(app, ["--lang", lang, "deploy", "port", str(folder), *options])
    assert done.stdout.splitlines() == ["- /old", "+ /[b].py", words]


def test_the_command_says_in_one_line_what_to_do(folder, tmp_path):
    done = run("/dev/no-such", folder, home=tmp_path)
    assert (done.returncode, done.stdout) == (1, "") and len(done.stderr.splitlines()) == 1
    assert "no-such" in done.stderr and "groundnet doctor" in done.stderr
    assert run("/dev/no-such", folder / "no-folder", home=tmp_path).returncode == 2
