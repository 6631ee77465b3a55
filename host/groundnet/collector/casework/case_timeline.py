"""What happened in a case, one line each, oldest first: for the evidence paper and `groundnet case report`."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from groundwire import downlink

from groundnet.collector.casework.cases import Case
from groundnet.collector.casework.silence import Silence
from groundnet.collector.database import Database
from groundnet.errors import Text

GAP_MS = 6 * 3_600_000  # not heard for so long, and heard again: worth a line
BEFORE_MS = 24 * 3_600_000  # so much before the report belongs to the case

_ORDERS = {
    downlink.LOST_ON: Text("lost mode", "丢失模式"),
    downlink.LOST_OFF: Text("end of lost mode", "结束丢失模式"),
    downlink.SIREN_ON: Text("siren", "警笛"),
    downlink.SIREN_OFF: Text("end of the siren", "停止警笛"),
}
_STATES = {
    "queued": Text("waits for the device", "等待设备"),
    "sent": Text("on the air", "已发射"),
    "done": Text("obeyed", "已执行"),
    "expired": Text("ran out", "已过期"),
    "withdrawn": Text("taken back", "已撤回"),
}


@dataclass(frozen=True)
class Happening:
    """Unix milliseconds and a sentence in both languages."""

    time_ms: int
    what: Text


def timeline(
    database: Database,
    case: Case,
    until_ms: int,
    alarms: Iterable[tuple[int, str]],
    silence: Silence | None,
) -> tuple[Happening, ...]:
    """Everything of a case up to ``until_ms``; ``alarms`` are (Unix ms, cause) of the device."""
    since_ms = min(case.opened_ms, case.stolen_ms or case.opened_ms) - BEFORE_MS
    found = [
        *_case(case, until_ms),
        *_alarms(alarms),
        *_orders(database, case),
        *_heard(database, case.device_id, since_ms, until_ms),
    ]
    if silence is not None:
        found.append(Happening(silence.since_ms, Text("silent from here on", "此后静默")))
    return tuple(
        sorted((one for one in found if since_ms <= one.time_ms <= until_ms), key=lambda one: one.time_ms)
    )


def _case(case: Case, until_ms: int) -> Iterator[Happening]:
    if case.stolen_ms is not None:
        yield Happening(case.stolen_ms, Text("stolen, as the reporter says", "失窃（据报案人）"))
    yield Happening(
        case.opened_ms, Text(f"theft reported, {case.document or '–'}", f"报案，{case.document or '–'}")
    )
    if case.closed_ms is not None:
        yield Happening(
            min(case.closed_ms, until_ms), Text(f"closed: {case.outcome}", f"结案：{case.outcome}")
        )


def _alarms(alarms: Iterable[tuple[int, str]]) -> Iterator[Happening]:
    for at_ms, cause in alarms:
        yield Happening(at_ms, Text(f"alarm: {cause}", f"报警：{cause}"))


def _orders(database: Database, case: Case) -> Iterator[Happening]:
    rows = database.rows(
        "SELECT command, created_ms, sent_ms, state FROM orders WHERE device_id = ? AND created_ms >= ? "
        "ORDER BY order_id",
        case.device_id,
        case.opened_ms,
    )
    for row in rows:
        usual = Text((downlink.COMMANDS[row["command"]] or "").replace("_", " "))
        name, state = _ORDERS.get(row["command"], usual), _STATES.get(row["state"], Text(row["state"]))
        at_ms = row["sent_ms"] or row["created_ms"]
        yield Happening(at_ms, Text(f"order: {name}, {state}", f"指令：{name.zh}，{state.zh}"))


def _heard(database: Database, device_id: bytes, since_ms: int, until_ms: int) -> Iterator[Happening]:
    """First and last word, and every long gap between two."""
    rows = database.rows(
        "SELECT time_ms FROM beacons WHERE device_id = ? AND time_ms BETWEEN ? AND ? "
        "UNION SELECT received_ms FROM reports WHERE device_id = ? AND received_ms BETWEEN ? AND ? ORDER BY 1",
        device_id,
        since_ms,
        until_ms,
        device_id,
        since_ms,
        until_ms,
    )
    times = [row["time_ms"] for row in rows]
    if not times:
        return
    yield Happening(times[0], Text("heard", "收到信号"))
    for before, after in itertools.pairwise(times):
        if after - before > GAP_MS:
            hours = (after - before) / 3_600_000
            yield Happening(
                after, Text(f"heard again after {hours:.0f} h", f"静默 {hours:.0f} 小时后再次收到信号")
            )
    if len(times) > 1:
        yield Happening(times[-1], Text("heard last", "最后一次收到信号"))
