"""How a device itself is, for people and for machines."""

from groundnet.cli.language import tr
from groundnet.collector.condition import Condition
from groundnet.collector.export import iso_time


def condition_json(condition: Condition) -> dict:
    """A condition as ``--json`` shows it."""
    start = condition.start
    return {
        "faults": [
            {"part": fault.part, "text": fault.text, "since": iso_time(fault.since_ms)}
            for fault in condition.faults
        ],
        "start": {"cause": start[0], "time": iso_time(start[1])} if start else None,
        "brownouts": condition.brownouts,
        "dropped": condition.dropped,
    }


def condition_text(condition: Condition) -> str:
    """What is wrong with a device, in one line; empty: nothing that it knows of."""
    said = [
        tr(
            f"{fault.part} fails since {iso_time(fault.since_ms)} ({fault.text})",
            f"{fault.part} 自 {iso_time(fault.since_ms)} 起故障（{fault.text}）",
        )
        for fault in condition.faults
    ]
    if condition.brownouts:
        said.append(tr(f"its supply sank {condition.brownouts} times", f"供电跌落 {condition.brownouts} 次"))
    if condition.dropped:
        said.append(
            tr(
                f"{condition.dropped} items were lost before it could report",
                f"{condition.dropped} 条记录未及上报即丢失",
            )
        )
    return "; ".join(said)
