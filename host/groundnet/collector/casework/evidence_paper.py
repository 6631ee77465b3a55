"""The evidence of a theft on paper, A4 in Chinese and English: what an insurer and the police file.

The first page has the facts, the ground for payment and the map; the timeline follows, on as many as it needs.
"""

from collections.abc import Sequence
from pathlib import Path

from groundnet.collector.casework import payout
from groundnet.collector.casework.payout import Evidence, Heard
from groundnet.collector.places.export import iso_time
from groundnet.collector.places.track import TrackPoint
from groundnet.geodesy import LocalFrame
from groundnet.provision.paper.drawing import A4_MM, Page

GROUNDS = {
    payout.DESTROYED: "设备已被毁坏 / the device was destroyed",
    payout.UNTRACEABLE: "信号已无法追踪 / its signal cannot be traced any more",
    payout.NOT_FOUND: "报案后 60 天内未找回 / not found within 60 days of the report",
}
NO_GROUND = "目前没有赔付依据 / no ground for payment as of now"
_LEFT, _WIDTH = 18.0, 174.0
_MAP_HEIGHT, _MARGIN = 84.0, 8.0
_SMALLEST_M = 200.0  # a thing that stood still is not blown up to nothing but its own noise
_ALARMS, _STATIONS = 6, 6  # lines of each list
_LINES = 52  # of the timeline on one page


def write(path, tag_id: str, subject: str, told: Evidence) -> None:
    """Write the page.

    Args:
        path: of the file, or a binary stream.
        tag_id: of the device.
        subject: plate or name under which it is registered; may be empty.
        told: the same evidence gives the same bytes.
    """
    page = Page(path, A4_MM, f"evidence {tag_id}")
    page.text(_LEFT, 22, "被盗案件证据报告", 18)
    page.text(_LEFT, 29, "Evidence of a theft", 11)
    page.text(_LEFT + _WIDTH, 22, tag_id, 16, "right")
    page.rule(_LEFT, 33, _WIDTH)
    y = page.rows(_LEFT, 41, _facts(subject, told), _LEFT + 62)
    page.rule(_LEFT, y, _WIDTH)
    page.text(_LEFT, y + 7, "赔付依据 / Ground for payment", 11)
    y += 13
    for line in [GROUNDS[ground] for ground in told.grounds] or [NO_GROUND]:
        page.text(_LEFT + 4, y, line, 11)
        y += 6
    page.text(_LEFT, y + 4, "轨迹 / Track (WGS-84)", 11)
    _map(page, y + 7, told.track, told.stations, told.last_place)
    y += _MAP_HEIGHT + 15
    page.text(_LEFT, y, "报警 / Alarms", 11)
    alarms = [(iso_time(at_ms), cause) for at_ms, cause in told.alarms[-_ALARMS:]] or [("–", "")]
    below = page.rows(_LEFT, y + 6, alarms, _LEFT + 52, 8.5)
    page.text(_LEFT + 92, y, "基站 / Stations that heard it", 11)
    heard = [
        (one.station_id.hex(), f"{one.count} ×, {iso_time(one.last_ms)[:16]}")
        for one in told.stations[:_STATIONS]
    ]
    below = max(below, page.rows(_LEFT + 92, y + 6, heard or [("–", "")], _LEFT + 124, 8.5))
    page.rule(_LEFT, below + 2, _WIDTH)
    page.text(_LEFT, below + 9, f"出具时间 / made at {iso_time(told.judged_ms)}", 8.5)
    page.text(_LEFT, below + 20, "经办人 / officer: ______________________", 9)
    page.text(_LEFT + 92, below + 20, "盖章 / seal:", 9)
    _timeline(page, tag_id, told)
    page.save()


def _coverage(told: Evidence) -> str:
    if not told.searched:
        return "–"
    count = len(told.searched)
    return f"{told.searched_km2:.1f} km², {count} 个基站 / {'station' if count == 1 else 'stations'}"


def _timeline(page: Page, tag_id: str, told: Evidence) -> None:
    pages = [told.timeline[at : at + _LINES] for at in range(0, len(told.timeline), _LINES)]
    for number, lines in enumerate(pages, 1):
        page.next()
        page.text(_LEFT, 22, "时间线 / Timeline (UTC)", 14)
        page.text(_LEFT + _WIDTH, 22, f"{tag_id}, {number} / {len(pages)}", 11, "right")
        page.rule(_LEFT, 26, _WIDTH)
        rows = [(iso_time(one.time_ms), f"{one.what.zh} / {one.what}") for one in lines]
        page.rows(_LEFT, 33, rows, _LEFT + 48, 7.5)


def write_beside(path: Path, tag_id: str, subject: str, told: Evidence) -> Path:
    """Write the page of one of several devices: the tag's id goes into the file's name. Returns the path."""
    own = path.with_name(f"{path.stem}-{tag_id}{path.suffix or '.pdf'}")
    write(str(own), tag_id, subject, told)
    return own


def _facts(subject: str, told: Evidence) -> list[tuple[str, str]]:
    case, place = told.case, told.last_place
    ended = "未结案 / open" if case.closed_ms is None else f"{iso_time(case.closed_ms)}, {case.outcome}"
    where = "–"
    if place is not None:
        where = f"{place.lat:.5f}, {place.lon:.5f} ± {place.radius_m:.0f} m, {iso_time(place.time_ms)}"
    facts = [
        ("登记 / fitted to", subject or "–"),
        ("案件 / case", f"{case.case_id}, {case.document or '–'}"),
        ("报案人 / reported by", case.reporter),
        ("事由 / reason", case.reason),
        ("失窃 / stolen", "–" if case.stolen_ms is None else iso_time(case.stolen_ms)),
        ("立案 / opened", iso_time(case.opened_ms)),
        ("结案 / closed", ended),
        ("最后信号 / heard last", "–" if told.heard_ms is None else iso_time(told.heard_ms)),
        ("静默自 / silent since", "–" if told.silence is None else iso_time(told.silence.since_ms)),
        ("最后位置 / last place", where),
        ("搜寻天数 / days searched", _clock(told)),
        ("搜寻覆盖 / area searched", _coverage(told)),
    ]
    return facts


def _clock(told: Evidence) -> str:
    if told.searched_until_ms is None:
        return f"{told.searched_days}; 报案迟于两个月 / reported more than two months late"
    return f"{told.searched_days} / 60, {iso_time(told.searched_until_ms)[:10]}"


def _map(
    page: Page,
    top: float,
    track: Sequence[TrackPoint],
    stations: Sequence[Heard],
    last: TrackPoint | None,
) -> None:
    """The track, the stations that heard it, the last place with its radius, a scale; north is up."""
    corners = [(0, 0), (_WIDTH, 0), (_WIDTH, _MAP_HEIGHT), (0, _MAP_HEIGHT), (0, 0)]
    page.path([(_LEFT + x, top + y) for x, y in corners], 0.2, 0.6)
    if not track:
        page.text(_LEFT + _WIDTH / 2, top + _MAP_HEIGHT / 2, "没有位置 / no position", 11, "center")
        return
    frame = LocalFrame(track[0].lat, track[0].lon)
    points = [frame.to_metres(point.lat, point.lon) for point in track]
    placed = [
        frame.to_metres(one.lat, one.lon) for one in stations if one.lat is not None and one.lon is not None
    ]
    east, north = zip(*points, *placed, strict=True)
    span_m = max(max(east) - min(east), (max(north) - min(north)) * _WIDTH / _MAP_HEIGHT, _SMALLEST_M)
    scale = (_WIDTH - 2 * _MARGIN) / span_m  # mm a metre
    middle = ((max(east) + min(east)) / 2, (max(north) + min(north)) / 2)

    def at(place: tuple[float, float]) -> tuple[float, float]:
        x_mm = _LEFT + _WIDTH / 2 + (place[0] - middle[0]) * scale
        return x_mm, top + _MAP_HEIGHT / 2 - (place[1] - middle[1]) * scale

    for place in placed:
        x_mm, y_mm = at(place)
        page.path(
            [(x_mm - 1.5, y_mm + 1.2), (x_mm, y_mm - 1.5), (x_mm + 1.5, y_mm + 1.2), (x_mm - 1.5, y_mm + 1.2)]
        )
    page.path([at(point) for point in points], 0.35, 0.35)
    for place in points:
        page.circle(*at(place), 0.5, filled=True, gray=0.35)
    if last is not None:
        x_mm, y_mm = at(frame.to_metres(last.lat, last.lon))
        radius_mm = last.radius_m * scale
        if radius_mm <= _room((x_mm, y_mm), top):  # a part of a circle would look like a smaller one
            page.circle(x_mm, y_mm, max(1.0, radius_mm))
        page.text(x_mm + 2, y_mm - 2, "最后位置 / last", 8)
    _scale_bar(page, top + _MAP_HEIGHT - 4, scale)


def _room(place_mm: tuple[float, float], top: float) -> float:
    """How far it is to the nearest edge of the map."""
    x_mm, y_mm = place_mm
    return min(x_mm - _LEFT, _LEFT + _WIDTH - x_mm, y_mm - top, top + _MAP_HEIGHT - y_mm)


def _scale_bar(page: Page, y_mm: float, scale: float) -> None:
    length_m = next(
        length
        for length in (20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20)
        if length * scale < 45
    )
    x_mm = _LEFT + 4
    page.path([(x_mm, y_mm), (x_mm + length_m * scale, y_mm)], 0.6)
    page.text(x_mm, y_mm - 1.5, f"{length_m} m" if length_m < 1000 else f"{length_m // 1000} km", 8)
