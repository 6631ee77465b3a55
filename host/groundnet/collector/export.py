"""Tracks as GPX 1.1, CSV and GeoJSON (RFC 7946). WGS-84 throughout."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from xml.etree import ElementTree

from groundnet.collector.track import TrackPoint

GPX = "http://www.topografix.com/GPX/1/1"
EXTENSION = "https://groundnet.invalid/gpx/1"  # names the extension elements; nothing is fetched from there
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2
CSV_COLUMNS = ("time", "lat", "lon", "radius_m", "source", "speed_mps", "course_deg", "heard_by")


def iso_time(time_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return (
        datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def to_gpx(points: list[TrackPoint], name: str) -> str:
    """GPX 1.1: one track with one segment; radius and source as extensions."""
    ElementTree.register_namespace("", GPX)
    ElementTree.register_namespace("gn", EXTENSION)
    root = ElementTree.Element(f"{{{GPX}}}gpx", {"version": "1.1", "creator": "groundnet"})
    track = ElementTree.SubElement(root, f"{{{GPX}}}trk")
    ElementTree.SubElement(track, f"{{{GPX}}}name").text = NO_XML.sub("\N{REPLACEMENT CHARACTER}", name)
    segment = ElementTree.SubElement(track, f"{{{GPX}}}trkseg")
    for point in points:
        element = ElementTree.SubElement(
            segment, f"{{{GPX}}}trkpt", {"lat": f"{point.lat:.7f}", "lon": f"{_longitude(point):.7f}"}
        )
        ElementTree.SubElement(element, f"{{{GPX}}}time").text = iso_time(point.time_ms)
        ElementTree.SubElement(element, f"{{{GPX}}}src").text = point.source
        extensions = ElementTree.SubElement(element, f"{{{GPX}}}extensions")
        ElementTree.SubElement(extensions, f"{{{EXTENSION}}}radius_m").text = f"{point.radius_m:.1f}"
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def to_csv(points: list[TrackPoint], name: str) -> str:
    """Comma-separated values with a header; an unknown value is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for point in points:
        writer.writerow(
            (
                iso_time(point.time_ms),
                f"{point.lat:.7f}",
                f"{_longitude(point):.7f}",
                f"{point.radius_m:.1f}",
                point.source,
                "" if point.speed_mps is None else f"{point.speed_mps:.2f}",
                "" if point.course_deg is None else f"{point.course_deg:.2f}",
                point.heard_by or "",
            )
        )
    return text.getvalue()


def to_geojson(points: list[TrackPoint], name: str) -> str:
    """A FeatureCollection: the line of the track, when it has two points, then every point with its radius."""
    features = []
    if len(points) > 1:
        line = {"type": "LineString", "coordinates": [_coordinates(point) for point in points]}
        features.append({"type": "Feature", "geometry": line, "properties": {"name": name}})
    for point in points:
        properties = {
            "time": iso_time(point.time_ms),
            "radius_m": round(point.radius_m, 1),
            "source": point.source,
            "speed_mps": point.speed_mps,
            "course_deg": point.course_deg,
        }
        geometry = {"type": "Point", "coordinates": _coordinates(point)}
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    return (
        json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, indent=1) + "\n"
    )


def _coordinates(point: TrackPoint) -> list[float]:
    """RFC 7946 section 3.1.1: longitude first."""
    return [_longitude(point), round(point.lat, 7)]


def _longitude(point: TrackPoint) -> float:
    """Degrees from -180 on and below 180, as GPX wants them, to seven places (one centimetre)."""
    lon = round(point.lon, 7)
    return lon - 360.0 if lon >= 180.0 else lon


FORMATS = {"gpx": to_gpx, "csv": to_csv, "geojson": to_geojson}
