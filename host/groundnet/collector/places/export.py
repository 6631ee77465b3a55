"""Tracks as files: GPX 1.1 and CSV here, GeoJSON and KML beside it. WGS-84 throughout."""

import csv
import io
from xml.etree import ElementTree

from groundnet.collector.places.geojson import longitude, to_geojson
from groundnet.collector.places.kml import NO_XML, to_kml
from groundnet.collector.places.times import iso_time
from groundnet.collector.places.track import TrackPoint

GPX = "http://www.topografix.com/GPX/1/1"
EXTENSION = "https://groundnet.invalid/gpx/1"  # names the extension elements; nothing is fetched from there
CSV_COLUMNS = ("time", "lat", "lon", "radius_m", "source", "speed_mps", "course_deg", "heard_by")


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
            segment, f"{{{GPX}}}trkpt", {"lat": f"{point.lat:.7f}", "lon": f"{longitude(point.lon):.7f}"}
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
                f"{longitude(point.lon):.7f}",
                f"{point.radius_m:.1f}",
                point.source,
                "" if point.speed_mps is None else f"{point.speed_mps:.2f}",
                "" if point.course_deg is None else f"{point.course_deg:.2f}",
                point.heard_by or "",
            )
        )
    return text.getvalue()


FORMATS = {"gpx": to_gpx, "csv": to_csv, "geojson": to_geojson, "kml": to_kml}
