"""Texts to the owner: an alarm that overtakes another is told, and patience counts from the start."""

from core.devices import DEVICE_ID, Bench, records
from groundcore import events
from groundcore.tracker import Tracker


def caller(start_ms=0, **changed) -> Bench:
    bench = Bench(Tracker(DEVICE_ID, records("wearable", owner_phone="+385", **changed)))
    bench.now_ms = start_ms
    bench.give(events.BOOT, events.BOOT_POWER_ON)
    bench.give(events.MODEM_READY)
    return bench


def texts(bench) -> list[str]:
    return [action[2] for _, action in bench.sent(events.SEND_SMS)]


def test_an_alarm_that_comes_while_a_text_is_under_way_is_told_too():
    bench = caller()
    bench.give(events.INPUT, events.INPUT_STRAP, 1)
    bench.give(events.INPUT, events.INPUT_BUTTON, 1)
    assert ["taken off" in text for text in texts(bench)] == [True]
    bench.give(events.SMS_DONE, True)
    assert len(texts(bench)) == 2 and "calling for help" in texts(bench)[1]


def test_a_text_that_was_overtaken_and_failed_is_not_repeated():
    bench = caller()
    bench.give(events.INPUT, events.INPUT_STRAP, 1)
    bench.give(events.INPUT, events.INPUT_BUTTON, 1)
    bench.give(events.SMS_DONE, False)
    bench.give(events.SMS_DONE, True)
    assert ["taken off" in text for text in texts(bench)] == [True, False]


def test_patience_counts_from_the_start_wherever_the_clock_has_its_zero():
    bench = caller(10**12, still_alarm_s=600)
    bench.give(events.TICK)
    assert not texts(bench)
    bench.now_ms += 601_000
    bench.give(events.TICK)
    assert "not moving" in texts(bench)[0]
