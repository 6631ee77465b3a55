"""The map of a theft as one SVG: true route, reported positions with radius, stations, sightings, answer."""

import math
from collections.abc import Iterable

from groundnet.geodesy import LocalFrame
from groundnet.sim.theft.record import Place, TheftRecord

WIDTH = 960
MARGIN_M = 120.0
STANDALONE_STYLE = """
.ground{fill:#eef0e6}.grid{stroke:#d9d5cb;fill:none}.route{fill:none;stroke:#8c8f86;stroke-width:5;opacity:.75}
.route.hidden{stroke:#1d2428;stroke-dasharray:1 9;opacity:1;stroke-linecap:round}.heard{stroke:#6b7680;opacity:.12}
.heard.lost{stroke:#c2322b;opacity:.07}.fix .dot{fill:#0b7a57}.fix .radius{fill:#0b7a57;opacity:.12}
.cell .dot{fill:#c77700}.cell .radius{fill:none;stroke:#c77700;stroke-dasharray:6 5}.seen .dot{fill:#6b4fbb}
.seen .radius{fill:none;stroke:#6b4fbb;stroke-width:.8;opacity:.3}.station{fill:#2563a8}
.truth{stroke:#c2322b;stroke-width:3.5;fill:none}.answer{fill:none;stroke:#0b7a57;stroke-width:3}
.scale{fill:none;stroke:#1d2428}text{font:13px system-ui,sans-serif;fill:#1d2428}.note{fill:#6b7680}
.verdict{font-weight:600;fill:#0b7a57}
"""
MARKERS = {"gnss": ("fix", "GNSS fix"), "cell": ("cell", "cell fix"), "sightings": ("seen", "from sightings")}


class Projection:
    """Metres around the scene's middle to SVG units, north up."""

    def __init__(self, points: list[tuple[float, float]]) -> None:
        lats, lons = [lat for lat, _ in points], [lon for _, lon in points]
        self.frame = LocalFrame((min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2)
        corners = [self.frame.to_metres(lat, lon) for lat, lon in points]
        self._west = min(east for east, _ in corners) - MARGIN_M
        self._north = max(north for _, north in corners) + MARGIN_M
        width_m = max(east for east, _ in corners) + MARGIN_M - self._west
        height_m = self._north - (min(north for _, north in corners) - MARGIN_M)
        self.scale = WIDTH / width_m
        self.height = math.ceil(height_m * self.scale)

    def xy(self, lat: float, lon: float) -> tuple[float, float]:
        east_m, north_m = self.frame.to_metres(lat, lon)
        return round((east_m - self._west) * self.scale, 1), round((self._north - north_m) * self.scale, 1)

    def length(self, metres: float) -> float:
        return round(metres * self.scale, 1)


def draw(record: TheftRecord) -> str:
    """The whole map; every colour is a class, so that the page's style decides."""
    scene = [(place.lat, place.lon) for place in record.route]
    scene += [(station.lat, station.lon) for station in record.stations]
    projection = Projection(scene)
    parts = [
        f'<svg class="map" viewBox="0 0 {WIDTH} {projection.height}" role="img" aria-label="map">',
        '<rect class="ground" width="100%" height="100%"/>',
        *_grid(projection),
        *_route(record, projection),
        *_sighting_lines(record, projection),
        *_reports(record, projection),
        *_stations(record, projection),
        *_answer(record, projection),
        *_scale_bar(projection),
        "</svg>",
    ]
    return "\n".join(parts)


def standalone(record: TheftRecord) -> str:
    """The map as a file of its own, with its colours in it."""
    head, _, body = draw(record).partition(">")
    return f'{head} xmlns="http://www.w3.org/2000/svg"><style>{STANDALONE_STYLE}</style>{body}\n'


def _polyline(places: Iterable[Place], projection: Projection, css: str) -> str:
    points = " ".join("{},{}".format(*projection.xy(place.lat, place.lon)) for place in places)
    return f'<polyline class="{css}" points="{points}"/>'


def _grid(projection: Projection) -> list[str]:
    step = projection.length(250)
    columns = [
        f'<path class="grid" d="M{i * step:.1f} 0V{projection.height}"/>'
        for i in range(1, int(WIDTH / step) + 1)
    ]
    rows = int(projection.height / step) + 1
    return columns + [f'<path class="grid" d="M0 {i * step:.1f}H{WIDTH}"/>' for i in range(1, rows)]


def _route(record: TheftRecord, projection: Projection) -> list[str]:
    hidden_from, hidden_until = record.without_sky_ms
    hidden = [place for place in record.route if hidden_from <= place.unix_ms <= hidden_until]
    parts = [_polyline(record.route, projection, "route")]
    if hidden:
        x, y = projection.xy(hidden[0].lat, hidden[0].lon)
        parts.append(_polyline(hidden, projection, "route hidden"))
        parts.append(f'<text class="note" x="{x + 10}" y="{y - 12}">no sky</text>')
    return parts


def _sighting_lines(record: TheftRecord, projection: Projection) -> list[str]:
    """A faint line from a station to where the bike truly was when that station heard it."""
    where = {station.name: projection.xy(station.lat, station.lon) for station in record.stations}
    lines = []
    for heard in record.heard:
        if heard.unix_ms < record.stolen_unix_ms or heard.station not in where:
            continue
        bike = min(record.route, key=lambda place: abs(place.unix_ms - heard.unix_ms))
        (x1, y1), (x2, y2) = where[heard.station], projection.xy(bike.lat, bike.lon)
        css = "heard lost" if heard.lost else "heard"
        lines.append(f'<path class="{css}" d="M{x1} {y1}L{x2} {y2}"/>')
    return lines


def _reports(record: TheftRecord, projection: Projection) -> list[str]:
    parts = []
    for place in sorted(record.reports, key=lambda place: -place.radius_m):
        x, y = projection.xy(place.lat, place.lon)
        css, what = MARKERS[place.source]
        title = f"<title>{what}, radius {place.radius_m:.0f} m, {clock(place.unix_ms)}</title>"
        radius = max(projection.length(place.radius_m), 1)
        parts.append(f'<g class="{css}">{title}<circle class="radius" cx="{x}" cy="{y}" r="{radius}"/>')
        parts.append(f'<circle class="dot" cx="{x}" cy="{y}" r="3.5"/></g>')
    return parts


def _stations(record: TheftRecord, projection: Projection) -> list[str]:
    parts = []
    for station in record.stations:
        x, y = projection.xy(station.lat, station.lon)
        parts.append(f'<path class="station" d="M{x} {y - 9}l8 15h-16z"/>')
        # The caption stays inside the picture: to the left of a station that stands near the right edge.
        anchor, offset = ("end", -12) if x > WIDTH * 0.8 else ("start", 12)
        caption = f"{station.name}: heard {station.sightings}"
        parts.append(
            f'<text class="label" text-anchor="{anchor}" x="{x + offset}" y="{y + 5}">{caption}</text>'
        )
    return parts


def _answer(record: TheftRecord, projection: Projection) -> list[str]:
    end = record.route[-1]
    x, y = projection.xy(end.lat, end.lon)
    parts = [f'<path class="truth" d="M{x - 7} {y - 7}l14 14m0 -14l-14 14"/>']
    if record.answer:
        x, y = projection.xy(record.answer.lat, record.answer.lon)
        radius = max(projection.length(record.answer.radius_m), 8)
        parts.append(f'<circle class="answer" cx="{x}" cy="{y}" r="{radius}"/>')
        parts.append(f'<text class="verdict" x="{x + radius + 6}" y="{y - 8}">groundnet says: here</text>')
    return parts


def _scale_bar(projection: Projection) -> list[str]:
    length, y = projection.length(250), projection.height - 16
    return [
        f'<path class="scale" d="M16 {y - 5}v5h{length}v-5"/>',
        f'<text class="note" x="{length + 24}" y="{y + 2}">250 m</text>',
    ]


def clock(unix_ms: int) -> str:
    """Time of day in UTC, HH:MM:SS."""
    seconds = unix_ms // 1000 % 86_400
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
