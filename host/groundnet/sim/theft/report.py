"""report.html: one self-contained page of a played theft, with map, timeline, radio and battery."""

from html import escape
from importlib.resources import files

from groundnet.sim.theft import map_svg
from groundnet.sim.theft.map_svg import clock
from groundnet.sim.theft.record import FOUND_WITHIN_M, TheftRecord

CHART_WIDTH, CHART_HEIGHT = 960, 220
RSSI_FLOOR_DBM, RSSI_TOP_DBM = -140, -40


def render(record: TheftRecord) -> str:
    """The page as text; nothing in it is fetched from anywhere."""
    page = files("groundnet.sim.theft").joinpath("report_page.html").read_text(encoding="utf-8")
    blocks = {
        "verdict": _verdict(record),
        "facts": _facts(record),
        "map": map_svg.draw(record),
        "timeline": _timeline(record),
        "messages": _messages(record),
        "radio": _radio(record),
        "battery": _battery(record),
    }
    for name, block in blocks.items():
        page = page.replace(f"<!-- {name} -->", block)
    return page


def _verdict(record: TheftRecord) -> str:
    if record.answer is None or record.distance_m is None:
        return '<p class="verdict bad">Not found: the collector has no place for the bike.</p>'
    css, word = ("good", "Found") if record.found else ("bad", "Not found")
    return (
        f'<p class="verdict {css}">{word}: {record.distance_m:.0f} m from the true last place '
        f"(limit {FOUND_WITHIN_M:.0f} m), stated radius {record.answer.radius_m:.0f} m.</p>"
    )


def _facts(record: TheftRecord) -> str:
    figures = {"false alarms overnight": f"{record.false_alarms}", "seed": f"{record.seed}"}
    figures |= {name.replace("_", " "): f"{value:g}" for name, value in record.figures.items()}
    cells = (f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in figures.items())
    return f'<dl class="facts">{"".join(cells)}</dl>'


def _timeline(record: TheftRecord) -> str:
    rows = (
        f'<tr class="{entry.tone}"><td>{clock(entry.unix_ms)}</td><td>{escape(entry.actor)}</td>'
        f"<td>{escape(entry.text)}</td></tr>"
        for entry in record.timeline
    )
    head = "<thead><tr><th>UTC</th><th>who</th><th>what</th></tr></thead>"
    return f"<table>{head}<tbody>{''.join(rows)}</tbody></table>"


def _messages(record: TheftRecord) -> str:
    bubbles = (
        f"<li><time>{clock(unix_ms)}</time> to {escape(number)}<p>{escape(text)}</p></li>"
        for unix_ms, number, text in record.messages
    )
    return f'<ul class="sms">{"".join(bubbles)}</ul>'


def _radio(record: TheftRecord) -> str:
    """RSSI of every sighting from the theft on, one dot each, over time."""
    heard = [one for one in record.heard if one.unix_ms >= record.stolen_unix_ms]
    if not heard:
        return "<p>No station heard the tag after the theft.</p>"
    begin, end = heard[0].unix_ms, max(heard[-1].unix_ms, heard[0].unix_ms + 1)
    names = sorted({one.station for one in heard})
    parts = [f'<svg class="chart" viewBox="0 0 {CHART_WIDTH} {CHART_HEIGHT}" role="img" aria-label="RSSI">']
    for level_dbm in range(RSSI_FLOOR_DBM, RSSI_TOP_DBM + 1, 20):
        y = _rssi_y(level_dbm)
        parts.append(f'<path class="grid" d="M50 {y}H{CHART_WIDTH - 10}"/>')
        parts.append(f'<text class="note" x="4" y="{y + 4}">{level_dbm}</text>')
    for one in heard:
        x = 50 + (CHART_WIDTH - 70) * (one.unix_ms - begin) / (end - begin)
        hue = names.index(one.station) % 6
        title = f"{one.station}: {one.rssi_dbm:.0f} dBm, SNR {one.snr_db:.1f} dB, {clock(one.unix_ms)}"
        parts.append(
            f'<circle class="hue{hue}" cx="{x:.1f}" cy="{_rssi_y(one.rssi_dbm)}" r="4">'
            f"<title>{title}</title></circle>"
        )
    legend = "".join(f'<span><i class="hue{i % 6}"></i>{escape(name)}</span>' for i, name in enumerate(names))
    parts.append(f'</svg><p class="legend">RSSI in dBm, {clock(begin)} to {clock(end)} UTC {legend}</p>')
    return "\n".join(parts)


def _rssi_y(level_dbm: float) -> float:
    share = (RSSI_TOP_DBM - level_dbm) / (RSSI_TOP_DBM - RSSI_FLOOR_DBM)
    return round(10 + share * (CHART_HEIGHT - 20), 1)


def _battery(record: TheftRecord) -> str:
    """Charge per board as bars, largest share first."""
    blocks = []
    for board, shares in record.charge_mah.items():
        total = sum(shares.values())
        if not total:
            continue
        rows = []
        for name, mah in sorted(shares.items(), key=lambda item: -item[1])[:6]:
            rows.append(
                f"<tr><td>{escape(name)}</td><td>{mah:.3f} mAh</td>"
                f'<td class="bar"><i style="width:{100 * mah / total:.1f}%"></i></td></tr>'
            )
        blocks.append(f"<h3>{escape(board)}: {total:.2f} mAh</h3><table>{''.join(rows)}</table>")
    return "".join(blocks)
