"""What a tracker says of its own condition, as the collector keeps it."""

from itertools import permutations

import pytest
from groundnet.collector.casework.condition import Condition, Fault, condition_of

from host.radio_senders import NOW_MS, ask, signed_report


def fault(time_ms, text, part="modem"):
    return {"type": "fault", "time_ms": time_ms, "part": part, "text": text}


def test_a_device_that_said_nothing_is_well(collector, tag):
    assert condition_of(collector.database, tag.device_id) == Condition()


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_word_of_a_part_stands_whenever_it_came(collector, tag, order):
    words = [fault(NOW_MS - 3000, "mute"), fault(NOW_MS - 2000, ""), fault(NOW_MS - 1000, "no SIM")]
    for sequence, number in enumerate(order):
        report = signed_report(tag.device_id, tag.secret, sequence, [words[number]])
        ask(collector, report)
    (left,) = condition_of(collector.database, tag.device_id).faults
    assert left == Fault("modem", "no SIM", NOW_MS - 1000)


def test_a_part_that_works_again_is_no_fault_and_parts_do_not_mix(collector, tag):
    items = [fault(NOW_MS - 9, "mute"), fault(NOW_MS - 8, "lost", "gnss"), fault(NOW_MS - 7, "")]
    ask(collector, signed_report(tag.device_id, tag.secret, 1, items))
    found = condition_of(collector.database, tag.device_id)
    assert [one.part for one in found.faults] == ["gnss"]


def test_starts_and_losses_add_up_and_a_repeated_report_counts_once(collector, tag):
    starts = [
        {"type": "start", "time_ms": NOW_MS - 50 + number, "cause": cause}
        for number, cause in enumerate(("brownout", "power_on", "brownout", 77))
    ]
    lost = [{"type": "dropped", "time_ms": NOW_MS, "count": count} for count in (3, 4)]
    for _ in range(2):
        ask(collector, signed_report(tag.device_id, tag.secret, 1, starts + lost))
    found = condition_of(collector.database, tag.device_id)
    assert found == Condition((), ("77", NOW_MS - 47), 2, 7), (
        "a cause that is not known here keeps its number"
    )
