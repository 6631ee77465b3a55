"""What the list of boards says beside what a probe finds."""

import pytest
from groundnet.flash import survey as surveys
from groundnet.flash.board_lock import BoardLocks
from groundnet.flash.survey import survey
from groundnet.link.ports import SerialPort
from groundnet.link.probe import GROUNDNET, Finding

PORT = SerialPort("/dev/ttyACM0", "USB JTAG", "34:85:18:AB:CD:EF", 0x303A, 0x1001, "1-1")
TAG = Finding(PORT, "groundnet tag 0.1.0, blank", "provision it", GROUNDNET, mac="348518abcdef", role="tag")


@pytest.fixture
def found(monkeypatch):
    def place(finding):
        monkeypatch.setattr(surveys, "probe_all", lambda names: [finding])

    return place


def test_the_chip_is_known_from_the_board(found, tmp_path):
    found(Finding(PORT, "", "", GROUNDNET, board="xiao_c3_sx1262"))
    assert survey(locks=tmp_path / "boards.db")[0].chip == "esp32c3"
    found(Finding(PORT, "", "", GROUNDNET, board="somebody's own"))
    assert survey(locks=tmp_path / "boards.db")[0].chip == ""


@pytest.mark.parametrize("key", [PORT.board_key, TAG.mac])
def test_who_works_on_a_board_is_named(found, tmp_path, key):
    found(TAG)
    with BoardLocks(tmp_path / "boards.db") as locks:
        token = locks.take(key)
        (finding,) = survey(locks=tmp_path / "boards.db")
        assert "process" in finding.locked_by and finding.locked_by in finding.action
        locks.give_back(key, token)
    assert survey(locks=tmp_path / "boards.db") == [surveys.replace(TAG, chip="")]
