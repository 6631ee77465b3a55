"""Tracks and areas as GeoJSON (RFC 7946): longitude first, a bounding box, lines cut where they cross 180 degrees."""

import itertools
import json

from groundnet.collector.places.times import iso_time
from groundnet.collector.places.track import TrackPoint

Position = list[float]


def to_geojson(points: list[TrackPoint], name: str) -> str:
    """A FeatureCollection: the line of the track, when it has two points, then every point with its radius."""
    features = []
    if len(points) > 1:
        line = line_of([position(point.lat, point.lon) for point in points])
        features.append({"type": "Feature", "geometry": line, "properties": {"name": name}})
    for point in points:
        properties = {
            "time": iso_time(point.time_ms),
            "radius_m": round(point.radius_m, 1),
            "source": point.source,
            "speed_mps": point.speed_mps,
            "course_deg": point.course_deg,
        }
        geometry = {"type": "Point", "coordinates": position(point.lat, point.lon)}
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    collection: dict = {"type": "FeatureCollection"}
    if points:
        collection["bbox"] = bounding_box([position(point.lat, point.lon) for point in points])
    return json.dumps({**collection, "features": features}, ensure_ascii=False, indent=1) + "\n"


def position(lat: float, lon: float) -> Position:
    """RFC 7946 section 3.1.1: longitude first, here from -180 on and below 180; seven places are one centimetre."""
    return [longitude(lon), round(lat, 7)]


def longitude(lon: float) -> float:
    """Degrees from -180 on and below 180, to seven places."""
    rounded = round(lon, 7)
    return rounded - 360.0 if rounded >= 180.0 else rounded


def bounding_box(positions: list[Position]) -> list[float]:
    """West, south, east, north of at least one position; west is greater than east over 180 degrees (section 5.2)."""
    lons = sorted({lon for lon, _ in positions})
    gaps = [(after - before, index) for index, (before, after) in enumerate(itertools.pairwise(lons))]
    around = 360.0 - (lons[-1] - lons[0])
    widest, index = max(gaps, default=(0.0, 0))
    west, east = (lons[index + 1], lons[index]) if widest > around else (lons[0], lons[-1])
    lats = [lat for _, lat in positions]
    return [west, min(lats), east, max(lats)]


def line_of(positions: list[Position]) -> dict:
    """A LineString, or a MultiLineString that is cut where a step takes the shorter way over 180 degrees (3.1.9)."""
    parts = [[positions[0]]]
    for before, after in itertools.pairwise(positions):
        if abs(after[0] - before[0]) > 180.0:
            side = 180.0 if before[0] > 0 else -180.0
            share = (side - before[0]) / (after[0] + 2 * side - before[0])
            lat = round(before[1] + share * (after[1] - before[1]), 7)
            parts[-1].append([side, lat])
            parts.append([[-side, lat]])
        parts[-1].append(after)
    if len(parts) == 1:
        return {"type": "LineString", "coordinates": parts[0]}
    return {"type": "MultiLineString", "coordinates": parts}
