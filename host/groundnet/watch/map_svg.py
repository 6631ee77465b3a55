"""The map: stations, last places or one track with its radii, graticule, scale; an SVG that needs nothing else.

Colours and widths are classes of the page's style sheet. What has a time carries it as ``data-t`` in Unix
milliseconds, for the slider.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from groundnet.collector.places.track import TrackPoint
from groundnet.watch.projection import TILE_PX, Shown, View
from groundnet.watch.situation import Station

WIDTH, HEIGHT = 1000, 640
LABEL_PX = 110  # a meridian's label, as wide as on a phone
MOST_POINTS = 600  # of a drawn track; a longer one is thinned, its ends stay
_GRID_STEPS = (30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005)
_SCALES_M = (200_000, 100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10)


@dataclass(frozen=True)
class Style:
    """How maps are drawn here: where a WGS-84 position is shown, and tiles below as ``https://host/{z}/{x}/{y}``."""

    shown: Shown = field(default=lambda lat, lon: (lat, lon))
    tiles: str = ""


def overview(
    seen: Sequence[Station], places: dict[int, TrackPoint], names: dict[int, str], style: Style
) -> str:
    """Stations, and the last place of each thing that is sought. Empty when there is no place at all."""
    spots = _spots(seen) + [(place.lat, place.lon, place.radius_m) for place in places.values()]
    if not spots:
        return ""
    view = _view(spots, style)
    drawn = [_station(view, one) for one in seen]
    for number, place in places.items():
        drawn.append(_place(view, place, names[number], f"/case/{number}"))
    return _picture(view, style, drawn)


def of_track(seen: Sequence[Station], points: Sequence[TrackPoint], last: TrackPoint, style: Style) -> str:
    """One track, the stations around it and the last place."""
    view = _view([(one.lat, one.lon, min(one.radius_m, 2000.0)) for one in [*points, last]], style)
    near = [one for one in seen if one.lat is not None and one.lon is not None and _inside(view, one)]
    thinned = _thinned(points)
    drawn = [_station(view, one) for one in near]
    drawn.append(f'<g class="radii">{"".join(_radius(view, point) for point in thinned)}</g>')
    places = [view.at(point.lat, point.lon) for point in thinned]
    for before, after, point in zip(places, places[1:], thinned[1:], strict=False):
        drawn.append(f'<path class="leg" data-t="{point.time_ms}" d="M{_xy(before)}L{_xy(after)}"/>')
    for at, point in zip(places, thinned, strict=True):
        drawn.append(
            f'<circle class="fix {escape(point.source)}" data-t="{point.time_ms}" '
            f'cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="4"/>'
        )
    drawn.append(_place(view, last, ""))
    return _picture(view, style, drawn)


def _view(spots: Sequence[tuple[float, float, float]], style: Style) -> View:
    return View(spots, WIDTH, HEIGHT, whole_zoom=bool(style.tiles), shown=style.shown)


def _picture(view: View, style: Style, drawn: Sequence[str]) -> str:
    below = "".join(_tiles(view, style.tiles)) if style.tiles else ""
    return (
        f'<svg class="map{" tiled" if style.tiles else ""}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f'{below}<g class="grid">{"".join(_graticule(view))}</g>{"".join(drawn)}{_scale(view)}{_north()}</svg>'
    )


def _tiles(view: View, template: str) -> list[str]:
    return [
        f'<image x="{x:.1f}" y="{y:.1f}" width="{TILE_PX}" height="{TILE_PX}" '
        f'href="{escape(_tile(template, zoom, column, row), quote=True)}"/>'
        for zoom, column, row, x, y in view.tiles()
    ]


def _tile(template: str, zoom: int, column: int, row: int) -> str:
    return template.replace("{z}", str(zoom)).replace("{x}", str(column)).replace("{y}", str(row))


def _station(view: View, one: Station) -> str:
    if one.lat is None or one.lon is None:
        return ""
    x, y = view.at(one.lat, one.lon)
    return (
        f'<g class="station {one.state}"><title>{escape(one.station_id)}</title>'
        f'<path d="M{x:.1f} {y - 11:.1f}l10 18h-20z"/></g>'
    )


def _radius(view: View, point: TrackPoint) -> str:
    x, y = view.at(point.lat, point.lon)
    radius = view.pixels(point.radius_m, point.lat)
    return f'<circle class="radius" data-t="{point.time_ms}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'


def _place(view: View, place: TrackPoint, name: str, link: str = "") -> str:
    x, y = view.at(place.lat, place.lon)
    radius = max(view.pixels(place.radius_m, place.lat), 6.0)
    drawn = (
        f'<g class="last"><circle class="around" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'
        f'<circle class="spot" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'
    )
    if name:
        drawn += f'<text x="{x + 12:.1f}" y="{y - 10:.1f}">{escape(name)}</text>'
    drawn += "</g>"
    return f'<a href="{link}">{drawn}</a>' if link else drawn


def _graticule(view: View) -> list[str]:
    south, west, north, east = view.corners()
    step = next((step for step in _GRID_STEPS if (east - west) / step >= 3), _GRID_STEPS[-1])
    lines = []
    for lon in _multiples(west, east, step):
        x, _ = view.at_shown(south, lon)
        lines.append(f'<path d="M{x:.1f} 0V{HEIGHT}"/>')
        if x < WIDTH - LABEL_PX:
            lines.append(f'<text x="{x + 4:.1f}" y="{HEIGHT - 6}">{lon:.6g}°</text>')
    for lat in _multiples(south, north, step):
        _, y = view.at_shown(lat, west)
        lines.append(f'<path d="M0 {y:.1f}H{WIDTH}"/><text x="4" y="{y - 4:.1f}">{lat:.6g}°</text>')
    return lines


def _multiples(low: float, high: float, step: float) -> list[float]:
    return [index * step for index in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _scale(view: View) -> str:
    south, _, north, _ = view.corners()
    lat = (south + north) / 2
    metres = next((one for one in _SCALES_M if view.pixels(one, lat) <= 220), _SCALES_M[-1])
    width = view.pixels(metres, lat)
    text = f"{metres // 1000} km" if metres >= 1000 else f"{metres} m"
    left, bottom = WIDTH - 24 - width, HEIGHT - 28
    return (
        f'<g class="scale"><path d="M{left:.1f} {bottom - 6}v6h{width:.1f}v-6"/>'
        f'<text x="{left + width / 2:.1f}" y="{bottom - 10}">{text}</text></g>'
    )


def _north() -> str:
    return f'<g class="north"><path d="M{WIDTH - 34} 44V16m-7 10 7-10 7 10"/><text x="{WIDTH - 34}" y="62">N</text></g>'


def _spots(seen: Sequence[Station]) -> list[tuple[float, float, float]]:
    return [(one.lat, one.lon, 0.0) for one in seen if one.lat is not None and one.lon is not None]


def _inside(view: View, one: Station) -> bool:
    x, y = view.at(one.lat or 0.0, one.lon or 0.0)
    return 0 <= x <= WIDTH and 0 <= y <= HEIGHT


def _thinned(points: Sequence[TrackPoint]) -> list[TrackPoint]:
    if len(points) <= MOST_POINTS:
        return list(points)
    step = (len(points) - 1) / (MOST_POINTS - 1)
    return [points[round(index * step)] for index in range(MOST_POINTS)]


def _xy(place: tuple[float, float]) -> str:
    return f"{place[0]:.1f} {place[1]:.1f}"
