"""The report of a tray, as machines read it."""

import json
from xml.etree import ElementTree

from groundnet.errors import Text
from groundnet.flash.report import FAILED, PASSED, REFUSED, BoardResult, TrayReport

GOOD = BoardResult(
    "/dev/ttyACM0", "34:85:18:AB:CD:EF", "348518abcdef", role="tag", verdict=PASSED, duration_s=7.25
)
BROKEN = BoardResult("/dev/ttyACM1", cause=Text("a < b", "甲"), action="look", verdict=FAILED, duration_s=1.0)
LOCKED = BoardResult("/dev/ttyACM2", "SN2", cause="locked", action="update", verdict=REFUSED)


def report_of(*boards):
    return TrayReport("tag", "xiao_c3_sx1262", "0.1.0", boards, 9.5)


def test_a_tray_passes_when_every_board_does_and_there_is_one():
    assert report_of(GOOD, GOOD).passed
    assert not report_of(GOOD, BROKEN).passed and not report_of().passed


def test_the_json_has_everything_and_no_secret():
    told = json.loads(report_of(GOOD, BROKEN).as_json())
    assert told["passed"] is False and told["boards"][0]["mac"] == "348518abcdef"
    assert [one["verdict"] for one in told["boards"]] == ["passed", "failed"]


def test_junit_counts_and_names_every_board():
    suite = ElementTree.fromstring(report_of(GOOD, BROKEN, LOCKED).as_junit().encode())
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "time")} == {
        "tests": "3",
        "failures": "1",
        "errors": "1",
        "time": "9.500",
    }
    assert [case.get("name") for case in suite] == ["348518abcdef", "/dev/ttyACM1", "SN2"]
    failure = suite[1].find("failure")
    assert failure is not None and failure.get("message") == "a < b; look"
    assert len(suite[0]) == 0 and suite[0].get("time") == "7.250"
